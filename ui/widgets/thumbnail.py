"""A small picture with round corners, filling its square."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui import icons, theme
from ui.state.pictures import cover_rect

_MOST_READY = 300
_ready: dict[tuple[float, ...], QImage] = {}


def paint_rounded(painter: QPainter, rect: QRectF, image: QImage, radius: float) -> None:
    """Paint the centre of an image into a rectangle with round corners."""
    ratio = painter.device().devicePixelRatio()
    size = round(rect.width() * ratio), round(rect.height() * ratio)
    key = image.cacheKey(), *size, round(radius * ratio, 2)
    ready = _ready.get(key)
    if ready is None:
        ready = _ready[key] = _rounded(image, size, radius * ratio)
        if len(_ready) > _MOST_READY:
            del _ready[next(iter(_ready))]
    painter.drawImage(rect, ready)


def _rounded(image: QImage, size: tuple[int, int], radius: float) -> QImage:
    """The picture as it is shown, so that scrolling has nothing left to scale. size, radius: in device pixels."""
    ready = QImage(*size, QImage.Format.Format_ARGB32_Premultiplied)
    ready.fill(Qt.GlobalColor.transparent)
    whole = QRectF(ready.rect())
    painter = QPainter(ready)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    path = QPainterPath()
    path.addRoundedRect(whole, radius, radius)
    painter.setClipPath(path)
    painter.drawImage(whole, image, cover_rect(QSizeF(image.size()), whole.size()))
    painter.end()
    return ready


class Thumbnail(QWidget):
    """Shows a picture, or an icon where there is none (yet)."""

    def __init__(self, side_px: int, icon: str = "image", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(side_px, side_px)
        self._image: QImage | None = None
        self._icon = icon

    def show_image(self, image: QImage | None, icon: str = "image") -> None:
        self._image, self._icon = image, icon
        self.update()

    def has_image(self) -> bool:
        return self._image is not None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect())
        if self._image is not None and not self._image.isNull():
            paint_rounded(painter, rect, self._image, 4)
            return
        now = theme.colors()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(now.panel))
        painter.drawRoundedRect(rect, 4, 4)
        color = now.danger if self._icon == "alert" else now.muted
        drawing = icons.pixmap(self._icon, 24, self.devicePixelRatioF(), color)
        painter.drawPixmap((self.width() - 24) // 2, (self.height() - 24) // 2, drawing)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)

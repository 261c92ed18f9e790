"""A picture on the canvas and how it is painted: from the right level, cached until the view moves."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

from ui.state.pictures import Source, cover_rect

_PIXELS_FROM_ZOOM = 3.0


class Layer:
    """Paints a source into a rectangle; the scaled part in sight is kept until something changes."""

    def __init__(self) -> None:
        self.source = Source()
        self._key: tuple[object, ...] = ()
        self._kept = QPixmap()

    def paint(self, painter: QPainter, target: QRectF, visible: QRect, *, crop: bool = True) -> None:
        """target: where the whole picture goes, in logical pixels. visible: what is in sight of it.

        crop: cut the centre out where the aspects differ, else stretch (a preview is rounded to whole pixels).
        """
        size = self.source.size
        if size.isEmpty() or target.isEmpty() or visible.isEmpty():
            return
        ratio = painter.device().devicePixelRatio()
        key = (self.source.key, target.getRect(), visible.getRect(), ratio)
        if key != self._key:
            self._kept = self._render(target, visible, ratio, crop)
            self._key = key
        painter.drawPixmap(visible.topLeft(), self._kept)

    def _render(self, target: QRectF, visible: QRect, ratio: float, crop: bool) -> QPixmap:
        size = self.source.size
        part = cover_rect(size, target.size()) if crop else QRectF(0, 0, size.width(), size.height())
        scale = target.width() * ratio / part.width()
        image = self.source.image_for(scale)
        kept = QPixmap(visible.size() * ratio)
        kept.setDevicePixelRatio(ratio)
        kept.fill(Qt.GlobalColor.transparent)
        if image is None:
            return kept
        shrunk = image.width() / size.width()
        from_x, from_y = part.width() / target.width(), part.height() / target.height()
        wanted = QRectF(
            (part.x() + (visible.x() - target.x()) * from_x) * shrunk,
            (part.y() + (visible.y() - target.y()) * from_y) * shrunk,
            visible.width() * from_x * shrunk,
            visible.height() * from_y * shrunk,
        )
        painter = QPainter(kept)
        smooth = scale < _PIXELS_FROM_ZOOM or self.source.pyramid is None
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(QRectF(0, 0, visible.width(), visible.height()), image, wanted)
        painter.end()
        return kept

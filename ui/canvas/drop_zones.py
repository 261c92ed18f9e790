"""The labelled zones that appear over the canvas while something is dragged across it."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui import icons, theme

_MARGIN_PX = 24


class Role(StrEnum):
    """What a picture is used for."""

    CONTENT = "content"
    STYLE = "style"
    RESTORE = "restore"


class DropZones(QWidget):
    """Covers the canvas, shows one zone per role and marks the one under the pointer. It takes no events itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._zones: tuple[tuple[Role, str, str], ...] = ()
        self._marked: Role | None = None
        self.hide()

    def offer(self, zones: tuple[tuple[Role, str, str], ...]) -> None:
        """zones: role, title and hint of each."""
        self._zones = zones
        self._marked = None
        self.raise_()
        self.show()

    def _rects(self) -> list[QRectF]:
        count = max(len(self._zones), 1)
        width = (self.width() - _MARGIN_PX * (count + 1)) / count
        height = self.height() - 2 * _MARGIN_PX
        return [
            QRectF(_MARGIN_PX + i * (width + _MARGIN_PX), _MARGIN_PX, width, height) for i in range(len(self._zones))
        ]

    def role_at(self, point: QPoint) -> Role | None:
        """The role whose zone is nearest to a point, so that every drop lands somewhere."""
        if not self._zones:
            return None
        distances = [abs(rect.center().x() - point.x()) for rect in self._rects()]
        return self._zones[distances.index(min(distances))][0]

    def mark(self, point: QPoint) -> None:
        """Show where a drop at this point would go."""
        role = self.role_at(point)
        if role is not self._marked:
            self._marked = role
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.colors().surround))
        now = theme.colors()
        for (role, title, hint), rect in zip(self._zones, self._rects(), strict=True):
            marked = role is self._marked
            plate = QColor(now.card)
            plate.setAlpha(245 if marked else 215)
            painter.setBrush(plate)
            style = Qt.PenStyle.SolidLine if marked else Qt.PenStyle.DashLine
            painter.setPen(QPen(QColor(now.accent if marked else now.edge), 2, style))
            painter.drawRoundedRect(rect, 10, 10)
            color = now.accent_ink if marked else now.text
            drawing = icons.pixmap("image" if role is Role.CONTENT else "brush", 32, self.devicePixelRatioF(), color)
            center = rect.center()
            painter.drawPixmap(QPoint(round(center.x()) - 16, round(center.y()) - 58), drawing)
            painter.setPen(QColor(now.text))
            font = self.font()
            font.setPixelSize(17)
            font.setBold(True)
            painter.setFont(font)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(rect.left() + 12, center.y() - 12, rect.width() - 24, 26), flags, title)
            painter.setFont(self.font())
            painter.setPen(QColor(now.muted))
            painter.drawText(QRectF(rect.left() + 12, center.y() + 18, rect.width() - 24, 60), flags, hint)

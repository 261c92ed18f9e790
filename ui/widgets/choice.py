"""A drop-down whose arrow is one of our icons."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QWidget

from ui import icons, theme


class Choice(QComboBox):
    """The wheel changes nothing: it belongs to the panel that scrolls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        left = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        at = QPoint(6 if left else self.width() - 20, (self.height() - 14) // 2)
        painter.drawPixmap(at, icons.pixmap("chevron-down", 14, self.devicePixelRatioF(), theme.colors().muted))

"""A label for long names: shortened in the middle, the whole text as tooltip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget


class ElidedLabel(QLabel):
    """Takes what room there is; the tooltip appears only when something is hidden."""

    def __init__(self, text: str = "", parent: QWidget | None = None, *, mode: Qt.TextElideMode | None = None) -> None:
        super().__init__(text, parent)
        self._mode = mode or Qt.TextElideMode.ElideMiddle
        self.setTextFormat(Qt.TextFormat.PlainText)

    def set_mode(self, mode: Qt.TextElideMode) -> None:
        """Where to shorten."""
        if mode is not self._mode:
            self._mode = mode
            self.update()

    def shown_text(self) -> str:
        """The text as it fits now."""
        return self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().averageCharWidth() * 4, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self.shown_text()
        tooltip = self.text() if shown != self.text() else ""
        if tooltip != self.toolTip():
            self.setToolTip(tooltip)
        painter = QPainter(self)
        self.style().drawItemText(
            painter,
            self.contentsRect(),
            self.alignment(),
            self.palette(),
            self.isEnabled(),
            shown,
            self.foregroundRole(),
        )

"""A part of a panel that is folded away until it is wanted."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ui import icons, theme

_SPACING_PX = 4


class Fold(QWidget):
    """A button, and below it what it shows and hides."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QPushButton(title)
        self.button.setProperty("role", "fold")
        self.button.setCheckable(True)
        self.button.toggled.connect(self._on_toggled)
        self._inside = QWidget()
        self._column = QVBoxLayout(self._inside)
        self._column.setContentsMargins(0, 4, 0, 0)
        self._column.setSpacing(10)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_SPACING_PX)
        column.addWidget(self.button)
        column.addWidget(self._inside)
        self._on_toggled(False)

    def add(self, widget: QWidget) -> None:
        self._column.addWidget(widget)

    def clear(self) -> None:
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def open_height(self) -> int:
        """What is unfolded adds to the height, in pixels; 0 while it is folded away."""
        return self._inside.height() + _SPACING_PX if self.button.isChecked() and self.isVisible() else 0

    def is_empty(self) -> bool:
        return self._column.count() == 0

    def _on_toggled(self, open_: bool) -> None:
        self._inside.setVisible(open_)
        self._tint()

    def _tint(self) -> None:
        name = "chevron-down" if self.button.isChecked() else "chevron-right"
        self.button.setIcon(icons.icon(name, theme.colors().muted))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

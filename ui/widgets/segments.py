"""A row of choices of which one is on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QToolButton, QWidget


class Segments(QFrame):
    """options: (value, text, tooltip) each; values are strings."""

    chosen = Signal(str)

    def __init__(
        self, options: Sequence[tuple[str, str, str]], name: str, parent: QWidget | None = None, *, framed: bool = True
    ) -> None:
        super().__init__(parent)
        if framed:
            self.setProperty("role", "segments")
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        inset = 3 if framed else 0
        row.setContentsMargins(inset, inset, inset, inset)
        row.setSpacing(2)
        for value, text, tooltip in options:
            button = QToolButton()
            button.setProperty("role", "segment")
            button.setText(text)
            button.setToolTip(tooltip)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, value=value: self.chosen.emit(value))
            self._group.addButton(button)
            self._buttons[value] = button
            row.addWidget(button)

    def set_value(self, value: str) -> None:
        """Switch on without telling."""
        self._buttons[value].setChecked(True)

    def value(self) -> str:
        """What is on; empty before anything was."""
        return next((value for value, button in self._buttons.items() if button.isChecked()), "")

    def button(self, value: str) -> QToolButton:
        return self._buttons[value]

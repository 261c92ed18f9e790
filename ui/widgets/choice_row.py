"""A parameter with a few named choices, or a switch."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ui.widgets.choice import Choice


class ChoiceRow(QWidget):
    """choices: (value, text) each."""

    changed = Signal(str)

    def __init__(
        self, label: str, hint: str, choices: Sequence[tuple[str, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        name = QLabel(label)
        name.setToolTip(hint)
        self.field = Choice()
        self.field.setAccessibleName(label)
        self.field.setToolTip(hint)
        self.field.setMinimumWidth(128)
        for value, text in choices:
            self.field.addItem(text, value)
        name.setBuddy(self.field)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(name, 1)
        row.addWidget(self.field)
        self.field.activated.connect(lambda _: self.changed.emit(str(self.field.currentData())))

    def show_value(self, value: str) -> None:
        at = self.field.findData(value)
        if at >= 0:
            self.field.setCurrentIndex(at)

"""A parameter that is a short text."""

from __future__ import annotations

from PySide6.QtCore import QRegularExpression, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget


class TextRow(QWidget):
    """changed: what was typed, when it is done; empty for the default. allowed: a pattern, empty for anything."""

    changed = Signal(str)

    def __init__(self, label: str, hint: str, *, allowed: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        name = QLabel(label)
        name.setToolTip(hint)
        self.field = QLineEdit()
        self.field.setAccessibleName(label)
        self.field.setAccessibleDescription(hint)
        self.field.setToolTip(hint)
        self.field.setFixedWidth(128)
        if allowed:
            self.field.setValidator(QRegularExpressionValidator(QRegularExpression(allowed), self.field))
        name.setBuddy(self.field)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(name, 1)
        row.addWidget(self.field)
        self.field.editingFinished.connect(lambda: self.changed.emit(self.field.text().strip()))

    def show_value(self, text: str, default: str) -> None:
        """default: shown while the field is empty."""
        self.field.setPlaceholderText(default)
        if text != self.field.text() and not self.field.hasFocus():
            self.field.setText(text)
            self.field.setCursorPosition(0)

"""The small capitals above a part of a panel, with room for buttons at the end."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget


class SectionHeader(QWidget):
    """text: shown in capitals, read out as written."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = QLabel(text.upper())
        self._label.setProperty("role", "section")
        self._label.setAccessibleName(text)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addWidget(self._label, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(24)

    def add(self, widget: QWidget) -> None:
        """Put a widget at the end of the line."""
        self._row.addWidget(widget)

    def set_text(self, text: str) -> None:
        self._label.setText(text.upper())
        self._label.setAccessibleName(text)

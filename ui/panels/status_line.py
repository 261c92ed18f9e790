"""The last line: what goes on, where results are, what is under the pointer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from ui.widgets.elided_label import ElidedLabel


class StatusLine(QFrame):
    """One line of quiet words below everything."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusLine")
        self.doing = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self.place = ElidedLabel()
        self.pixel = QLabel()
        self.pixel.setMinimumWidth(170)
        self.pixel.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.place.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 3, 12, 3)
        row.setSpacing(16)
        row.addWidget(self.doing, 3)
        row.addWidget(self.pixel)
        row.addWidget(self.place, 2)
        self.show_pixel(None)

    def say(self, text: str) -> None:
        self.doing.setText(text)

    def show_place(self, text: str) -> None:
        self.place.setText(text)

    def show_pixel(self, pixel: object) -> None:
        """pixel: (x, y, "#rrggbb") or None."""
        if isinstance(pixel, tuple):
            x, y, color = pixel
            self.pixel.setText(f"{x}, {y} px · {str(color).upper()}")
        else:
            self.pixel.clear()
        self.pixel.setVisible(bool(self.pixel.text()))  # the words have its room while there is nothing to say

"""A picture that can only be taken away: small, with its name and what it is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.state.setup import SlotPicture, SlotStatus
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.icon_button import IconButton
from ui.widgets.thumbnail import Thumbnail


class PictureCard(QFrame):
    """remove_words: name of the button, for readers and as its tooltip."""

    removed = Signal()

    def __init__(self, remove_words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.thumbnail = Thumbnail(48)
        self.name = ElidedLabel()
        self.name.setProperty("role", "name")
        self.detail = QLabel()
        self.detail.setWordWrap(True)
        self.detail.setProperty("role", "muted")
        self.remove = IconButton("cancel", remove_words, size_px=14)
        self.remove.set_muted(True)
        self.remove.clicked.connect(self.removed)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.name)
        words.addWidget(self.detail)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 8, 4, 8)
        row.setSpacing(10)
        row.addWidget(self.thumbnail, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addWidget(self.remove, 0, Qt.AlignmentFlag.AlignTop)

    def show_slot(self, slot: SlotPicture) -> None:
        """Its name and size, or what is wrong with it."""
        broken = slot.status is SlotStatus.BROKEN
        self.name.setText(slot.name)
        self.detail.setText(slot.error if broken else slot.detail or self.tr("Reading …"))
        self.thumbnail.show_image(slot.thumbnail, "alert" if broken else "clock")

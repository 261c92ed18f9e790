"""What the canvas says while there is nothing to see: what to bring, and how."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ui import icons, theme

_ICON_PX = 40


class Empty(StrEnum):
    """What is missed first: a picture, a diffusion model, or only words on the right."""

    PICTURE = "picture"
    MODEL = "model"
    WORDS = "words"


class EmptyState(QWidget):
    """open_asked: a picture should be chosen from the disk. samples_asked: our own pictures will do.

    models_asked: the model page should open.
    """

    open_asked = Signal()
    models_asked = Signal()
    samples_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = QLabel()
        self._kind = Empty.PICTURE
        self.title = QLabel()
        self.title.setObjectName("emptyTitle")
        self.hint = QLabel()
        self.open_button = QPushButton(self.tr("Open a picture …"))
        self.open_button.setProperty("role", "primary")
        self.open_button.clicked.connect(self.open_asked)
        self.models_button = QPushButton(self.tr("Open the model page …"))
        self.models_button.setProperty("role", "primary")
        self.models_button.clicked.connect(self.models_asked)
        self.samples_button = QPushButton(self.tr("Try the samples"))
        self.samples_button.clicked.connect(self.samples_asked)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.models_button)
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.samples_button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch(1)
        for label in (self._icon, self.title, self.hint):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(label is not self._icon)
            column.addWidget(label)
        column.addSpacing(8)
        column.addLayout(buttons)
        column.addStretch(1)
        self._tint()

    def say(self, title: str, hint: str, *, samples: bool, kind: Empty = Empty.PICTURE) -> None:
        """samples: whether there are any to try. kind: which buttons lead on."""
        self.title.setText(title)
        self.hint.setText(hint)
        self._kind = kind
        self.models_button.setVisible(kind is Empty.MODEL)
        self.open_button.setVisible(kind is Empty.PICTURE)
        self.samples_button.setVisible(samples and kind is Empty.PICTURE)
        self._tint()

    def _tint(self) -> None:
        name = {Empty.PICTURE: "image-plus", Empty.MODEL: "model", Empty.WORDS: "image"}[self._kind]
        self._icon.setPixmap(icons.pixmap(name, _ICON_PX, self.devicePixelRatioF(), theme.colors().text))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

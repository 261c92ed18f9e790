"""What the canvas says while there is nothing to see: what to bring, and how."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ui import icons, theme

_ICON_PX = 40


class EmptyState(QWidget):
    """open_asked: a picture should be chosen from the disk. samples_asked: our own pictures will do."""

    open_asked = Signal()
    samples_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = QLabel()
        self.title = QLabel()
        self.title.setObjectName("emptyTitle")
        self.hint = QLabel()
        self.open_button = QPushButton(self.tr("Open a picture …"))
        self.open_button.setProperty("role", "primary")
        self.open_button.clicked.connect(self.open_asked)
        self.samples_button = QPushButton(self.tr("Try the samples"))
        self.samples_button.clicked.connect(self.samples_asked)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
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

    def say(self, title: str, hint: str, *, samples: bool) -> None:
        """samples: whether there are any to try."""
        self.title.setText(title)
        self.hint.setText(hint)
        self.samples_button.setVisible(samples)

    def _tint(self) -> None:
        self._icon.setPixmap(icons.pixmap("image-plus", _ICON_PX, self.devicePixelRatioF(), theme.colors().text))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

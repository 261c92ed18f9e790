"""A message over the canvas with a way out; it blocks nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ui import icons, theme
from ui.widgets.icon_button import IconButton


class Banner(QFrame):
    """kind: "error" or "info"."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "banner")
        self._icon = QLabel()
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = IconButton("cancel", self.tr("Close this message"))
        self._close.clicked.connect(self.dismiss)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(14, 10, 8, 10)
        self._row.setSpacing(10)
        self._row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        self._row.addWidget(self.message, 1, Qt.AlignmentFlag.AlignVCenter)
        self._row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignVCenter)
        self._buttons: list[QPushButton] = []
        self.hide()

    def say(
        self, message: str, *, kind: str = "error", actions: tuple[tuple[str, Callable[[], None]], ...] = ()
    ) -> None:
        """actions: (text, what it does) each; doing it closes the message."""
        for button in self._buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = []
        for text, action in actions:
            button = QPushButton(text)
            button.clicked.connect(lambda _=False, action=action: self._do(action))
            self._row.insertWidget(self._row.count() - 1, button, 0, Qt.AlignmentFlag.AlignVCenter)
            self._buttons.append(button)
        self.message.setText(message)
        self.setAccessibleName(message)
        self.setProperty("kind", kind)
        now = theme.colors()
        drawing = ("alert", now.danger) if kind == "error" else ("info", now.accent_ink)
        self._icon.setPixmap(icons.pixmap(drawing[0], 20, self.devicePixelRatioF(), drawing[1]))
        self.style().unpolish(self)
        self.style().polish(self)
        self.show()
        self.raise_()

    def buttons(self) -> tuple[QPushButton, ...]:
        """The ways out on offer."""
        return tuple(self._buttons)

    def _do(self, action: Callable[[], None]) -> None:
        self.dismiss()
        action()

    def dismiss(self) -> None:
        self.hide()
        self.closed.emit()

"""A button with only an icon: always with a name for screen readers, re-tinted when the theme changes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QToolButton, QWidget

from ui import icons, theme


class IconButton(QToolButton):
    """name: drawing in resources/icons. label: accessible name and tooltip."""

    def __init__(self, name: str, label: str, parent: QWidget | None = None, *, size_px: int = 16) -> None:
        super().__init__(parent)
        self._name = name
        self._muted = False
        self.setIconSize(QSize(size_px, size_px))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.set_label(label)
        self._tint()

    def set_label(self, label: str) -> None:
        self.setAccessibleName(label)
        self.setToolTip(label)

    def set_icon(self, name: str) -> None:
        """Another drawing."""
        if name != self._name:
            self._name = name
            self._tint()

    def set_muted(self, muted: bool) -> None:
        """Quieter, for what is rarely needed."""
        self._muted = muted
        self._tint()

    def _tint(self) -> None:
        now = theme.colors()
        framed = self.property("role") == "framed"
        self.setIcon(
            icons.icon(self._name, now.muted if self._muted else now.text, checked=now.accent_text if framed else None)
        )

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

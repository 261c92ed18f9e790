"""A field that takes the next key that is pressed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.state.shortcuts import pressed_keys

_LEAVE = (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)


class KeyField(QLineEdit):
    """pressed: a QKeySequence of one key. Tab and Shift+Tab alone go on to the next field, as everywhere."""

    pressed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def show_keys(self, keys: tuple[QKeySequence, ...]) -> None:
        """What the action has now."""
        self.setText(", ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in keys))

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress and not self._leaves(event):
            key = pressed_keys(event)
            if key is not None and not event.isAutoRepeat():
                self.pressed.emit(key)
            event.accept()
            return True
        return super().event(event)

    @staticmethod
    def _leaves(event: QKeyEvent) -> bool:
        held = event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        return event.key() in _LEAVE and held is Qt.KeyboardModifier.NoModifier

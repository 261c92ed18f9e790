"""Tooltips of buttons that do what an action does: with the keys that it has now."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QAction, QHelpEvent, QKeySequence
from PySide6.QtWidgets import QToolTip, QWidget


class KeyTips(QObject):
    """A button that says in its accessible description why it cannot be pressed has no keys in its tooltip."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._actions: dict[QObject, QAction] = {}

    def add(self, widget: QWidget, action: QAction) -> None:
        """From now on the widget's tooltip ends with the keys of the action."""
        self._actions[widget] = action
        widget.installEventFilter(self)

    def text(self, widget: QWidget) -> str:
        """What the tooltip says now."""
        keys = keys_of(self._actions[widget])
        words = widget.toolTip()
        return f"{words} ({keys})" if words and keys and not widget.accessibleDescription() else words

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip and isinstance(watched, QWidget):
            QToolTip.showText(event.globalPos(), self.text(watched), watched)
            return True
        return False


def keys_of(action: QAction) -> str:
    """All keys of an action, in words; empty where it has none."""
    return ", ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts())

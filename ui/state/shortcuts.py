"""The keys of every action: the usual ones, or those that the artist chose instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QCoreApplication, QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence

from ui.state.command_list import CommandEntry

_PORTABLE = QKeySequence.SequenceFormat.PortableText
_NATIVE = QKeySequence.SequenceFormat.NativeText
_MODIFIERS = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta)
_LOCKS = (Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_ScrollLock, Qt.Key.Key_unknown)
_WALKING = (
    *(Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape),
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down),
    *(Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown),
)
_WIDGETS_OWN = frozenset(
    QKeySequence(QKeyCombination(held, key))
    for held in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
    for key in _WALKING
)

Keys = tuple[QKeySequence, ...]


class Shortcuts(QObject):
    """changed: some action has other keys; its text follows by itself, tooltips are made anew by whoever has them."""

    changed = Signal()

    def __init__(self, entries: Sequence[CommandEntry], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries = {entry.name: entry for entry in entries}

    def keys(self, name: str) -> Keys:
        return tuple(self._entries[name].action.shortcuts())

    def usual(self, name: str) -> Keys:
        """What an action has as long as nothing else is chosen."""
        return tuple(QKeySequence(keys) for keys in self._entries[name].usual)

    def is_usual(self, name: str) -> bool:
        return self.keys(name) == self.usual(name)

    def chosen(self) -> dict[str, tuple[str, ...]]:
        """What differs from the usual, as it is kept."""
        return {
            name: tuple(key.toString(_PORTABLE) for key in self.keys(name))
            for name in self._entries
            if not self.is_usual(name)
        }

    def bring_back(self, kept: Mapping[str, Sequence[str]]) -> None:
        """What `chosen` gave. Unknown actions and keys are left out; what was chosen wins over what is usual."""
        taken: list[tuple[CommandEntry, QKeySequence]] = []
        mine = [entry for entry in self._entries.values() if entry.name in kept]
        others = [entry for entry in self._entries.values() if entry.name not in kept]
        for entry in (*mine, *others):
            wanted = [_read(keys) for keys in kept[entry.name]] if entry.name in kept else self.usual(entry.name)
            free = [
                key
                for key in wanted
                if not key.isEmpty() and not any(key == used and entry.scope.meets(one.scope) for one, used in taken)
            ]
            entry.action.setShortcuts(free)
            taken += [(entry, key) for key in free]
        self.changed.emit()

    def in_the_way(self, name: str, keys: Keys) -> tuple[CommandEntry, ...]:
        """Other actions that have one of these keys where it could mean both."""
        scope = self._entries[name].scope
        return tuple(
            entry
            for entry in self._entries.values()
            if entry.name != name and scope.meets(entry.scope) and set(self.keys(entry.name)) & set(keys)
        )

    def refusal(self, name: str, key: QKeySequence) -> str:
        """Why an action cannot have a key, in words; empty where it can."""
        if key in _WIDGETS_OWN and key not in self.usual(name):
            words = QCoreApplication.translate(
                "Shortcuts", "{key} alone moves about and presses buttons everywhere. Hold Ctrl or Alt with it."
            )
            return words.format(key=key.toString(_NATIVE))
        return ""

    def set(self, name: str, keys: Keys) -> None:
        """Give an action these keys, and take them away where they are in the way."""
        for entry in self.in_the_way(name, keys):
            entry.action.setShortcuts([key for key in self.keys(entry.name) if key not in keys])
        self._entries[name].action.setShortcuts(list(keys))
        self.changed.emit()

    def reset_all(self) -> None:
        """The usual keys everywhere."""
        self.bring_back({})


def pressed_keys(event: QKeyEvent) -> QKeySequence | None:
    """What was pressed, as a shortcut says it; None as long as only Ctrl, Shift, Alt and the like are held."""
    key = Qt.Key(event.key())
    if key in _MODIFIERS or key in _LOCKS or event.key() == 0:
        return None
    held = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.GroupSwitchModifier)
    letter = Qt.Key.Key_A <= key <= Qt.Key.Key_Z
    if key < Qt.Key.Key_Escape and key is not Qt.Key.Key_Space and not letter:
        held &= ~Qt.KeyboardModifier.ShiftModifier  # it is in the sign already: Shift and 7 is / or &
    if key is Qt.Key.Key_Backtab:
        key = Qt.Key.Key_Tab
    return QKeySequence(QKeyCombination(held, key))


def _read(keys: str) -> QKeySequence:
    """Keys as they are kept; empty where that is no single key."""
    read = QKeySequence.fromString(keys, _PORTABLE)
    return read if read.count() == 1 and read.toString(_PORTABLE) else QKeySequence()

"""What the hands do with the actions themselves: find them, give them other keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from ui.actions import Command
from ui.canvas.view import ViewMode
from ui.dialogs.palette import Palette
from ui.dialogs.shortcuts import ShortcutsDialog
from ui.state.command_list import CommandList
from ui.state.shortcuts import Shortcuts
from ui.widgets.key_tips import KeyTips, keys_of

if TYPE_CHECKING:
    from ui.main_window import MainWindow


class CommandHandlers(QObject):
    """Made by the window once its actions are there. dialog: the one with the keys, while it is open.

    recent_changed: names of the actions used last, newest first. keys_changed: keys that are not the usual ones.
    """

    recent_changed = Signal(object)
    keys_changed = Signal(object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._actions = window, window.actions_table
        opener = self._actions[Command.PALETTE]
        entries = self._actions.entries()
        self._list = CommandList([entry for entry in entries if entry.name != Command.PALETTE], self, greys=True)
        self._every = CommandList(entries, self, greys=False)
        self.palette = Palette(self._list, opener, window)
        self.palette.chosen.connect(self._do)
        self.shortcuts = Shortcuts(entries, self)
        self.shortcuts.changed.connect(self._show_keys)
        self.shortcuts.changed.connect(lambda: self.keys_changed.emit(self.shortcuts.chosen()))
        self.dialog: ShortcutsDialog | None = None
        self.tips = KeyTips(self)
        self._add_tips()
        self._show_keys()

    def commands(self) -> dict[Command, Callable[[], None]]:
        """Handlers of everything that is about actions."""
        return {Command.PALETTE: self._toggle_palette, Command.SHORTCUTS: self.open_shortcuts}

    def bring_back(self, *, recent: Iterable[str], keys: Mapping[str, Sequence[str]]) -> None:
        """What was kept at an earlier start."""
        self._list.set_recent(recent)
        self.shortcuts.bring_back(keys)

    def open_shortcuts(self) -> None:
        """Show the keys, once."""
        if self.dialog is None:
            self.dialog = ShortcutsDialog(self._every, self.shortcuts, self._window)
            self.dialog.finished.connect(self._on_closed)
            self.dialog.open()

    def _on_closed(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _add_tips(self) -> None:
        top, canvas = self._window.top_bar, self._window.canvas
        buttons: dict[Command, QWidget] = {
            Command.RUN: top.run,
            Command.PAUSE: top.pause,
            Command.CANCEL: top.cancel,
            Command.FIT: canvas.fit_button,
            Command.ACTUAL_SIZE: canvas.actual_button,
            Command.SAVE_RESULT: canvas.result_bar.save,
            Command.VIEW_RESULT: canvas.modes.button(ViewMode.RESULT),
            Command.VIEW_SIDE: canvas.modes.button(ViewMode.SIDE_BY_SIDE),
            Command.VIEW_COMPARE: canvas.modes.button(ViewMode.COMPARE),
            Command.VIEW_TILES: canvas.modes.button(ViewMode.TILES),
        }
        for command, button in buttons.items():
            self.tips.add(button, self._actions[command])

    def _show_keys(self) -> None:
        """Wherever the window names them; menus follow by themselves."""
        self._actions.show_keys()
        self._window.canvas.show_paste_keys(keys_of(self._actions[Command.PASTE]))

    def _toggle_palette(self) -> None:
        if self.palette.isVisible():
            self.palette.dismiss()
        else:
            self.palette.open()

    def _do(self, name: str) -> None:
        self._list.use(name)
        self.recent_changed.emit(self._list.recent)
        self._actions[Command(name)].trigger()

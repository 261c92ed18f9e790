"""What the hands do with the actions themselves: find them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ui.actions import Command
from ui.dialogs.palette import Palette
from ui.state.command_list import CommandList

if TYPE_CHECKING:
    from ui.main_window import MainWindow


class CommandHandlers(QObject):
    """Made by the window once its actions are there. recent_changed: names of the actions used last, newest first."""

    recent_changed = Signal(object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._actions = window.actions_table
        opener = self._actions[Command.PALETTE]
        self._entries = self._actions.entries()
        found = [entry for entry in self._entries if entry.name != Command.PALETTE]
        self._list = CommandList(found, self, greys=True)
        self.palette = Palette(self._list, opener, window)
        self.palette.chosen.connect(self._do)

    def commands(self) -> dict[Command, Callable[[], None]]:
        """Handlers of everything that is about actions."""
        return {Command.PALETTE: self._toggle_palette}

    def bring_back(self, *, recent: Iterable[str]) -> None:
        """What was kept at an earlier start."""
        self._list.set_recent(recent)

    def _toggle_palette(self) -> None:
        if self.palette.isVisible():
            self.palette.dismiss()
        else:
            self.palette.open()

    def _do(self, name: str) -> None:
        self._list.use(name)
        self.recent_changed.emit(self._list.recent)
        self._actions[Command(name)].trigger()

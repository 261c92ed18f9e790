"""Makes pictures of the command palette of the keys and of the preferences.

    python -m tests.ui.command_screens FOLDER [--size 1440x900] [--scheme dark|light|both]

QT_SCALE_FACTOR=2 makes them at 2x.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QWidget

import qasync  # type: ignore[import-untyped]  # isort: skip

from adstudio.settings import Appearance, Settings
from tests.ui.screens import Photographer
from ui.actions import Command
from ui.main_window import MainWindow
from ui.preference_handlers import PreferenceHandlers
from ui.state.settings_keeper import SettingsKeeper
from ui.theme import apply_theme

_LONG = "File: Ein sehr langer Name einer Handlung, wie ihn andere Sprachen nun einmal brauchen, und mehr davon"


class CommandPhotographer(Photographer):
    """Shows what is about the actions themselves."""

    async def pages(self, scheme: Appearance, home: Path) -> None:
        """The palette full, searched, with nothing found, with long names, in a small window, from right to left."""
        apply_theme(self._app, scheme)
        window = await self.open(home / "AD Studio", samples=True)
        await self._palette(window, scheme)
        await self._keys(window, scheme)
        await self._preferences(window, scheme, home)
        await self.close(window)

    async def _palette(self, window: MainWindow, scheme: Appearance) -> None:
        palette = window.commands.palette
        window.commands.bring_back(recent=[Command.VIEW_TILES, Command.RUN], keys={})
        palette.open()
        await self.settle(window)
        self.shoot(window, f"{scheme}-palette")
        for words in ("pict", "comapre", "juggling"):
            palette.search.setText(words)
            await self.settle(window)
            self.shoot(window, f"{scheme}-palette-{words}")
        window.resize(window.minimumSize())
        window.actions_table[Command.RUN_FOLDER].setText(_LONG)
        palette.open()
        palette.search.setText("file")
        await self.settle(window)
        self.shoot(window, f"{scheme}-palette-small")
        palette.search.clear()
        window.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        await self.settle(window)
        self.shoot(window, f"{scheme}-palette-rtl")
        palette.dismiss()
        window.setLayoutDirection(Qt.LayoutDirection.LeftToRight)

    async def _keys(self, window: MainWindow, scheme: Appearance) -> None:
        """As opened, with a changed key, a key of another action, a refused one, nothing found, from right to left."""
        window.commands.open_shortcuts()
        dialog = window.commands.dialog
        assert dialog is not None
        shortcuts = window.commands.shortcuts
        shortcuts.set(Command.FIT, (QKeySequence("Ctrl+J"),))
        await self._take(window, dialog, f"{scheme}-keys")
        dialog.search.setText("view")
        dialog.select(Command.FIT)
        await self._take(window, dialog, f"{scheme}-keys-changed")
        dialog.field.setFocus()
        dialog.field.pressed.emit(QKeySequence("Ctrl+Shift+O"))
        await self._take(window, dialog, f"{scheme}-keys-conflict")
        dialog.field.pressed.emit(QKeySequence("Space"))
        await self._take(window, dialog, f"{scheme}-keys-refused")
        dialog.search.setText("juggling")
        await self._take(window, dialog, f"{scheme}-keys-nothing")
        dialog.search.setText("file")
        dialog.select(Command.RUN_FOLDER)
        await self._take(window, dialog, f"{scheme}-keys-long")
        dialog.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        await self._take(window, dialog, f"{scheme}-keys-rtl")
        shortcuts.reset_all()
        dialog.reject()

    async def _preferences(self, window: MainWindow, scheme: Appearance, home: Path) -> None:
        """As opened, with another choice, with a long path, from right to left."""
        keeper = SettingsKeeper(Settings(appearance=scheme), home / "settings.json", window.bench.background)
        handlers = PreferenceHandlers(window, keeper, "Studio.adproj")
        handlers.open()
        dialog = handlers.dialog
        assert dialog is not None
        dialog.show_place("~/Pictures/AD Studio/Studio.adproj", may_move=True)
        await self._take(window, dialog, f"{scheme}-preferences")
        dialog.memory.setValue(6)
        dialog.show_place(
            "/media/artist/A drive with a very long name/Pictures of this year/Studio.adproj", may_move=False
        )
        await self._take(window, dialog, f"{scheme}-preferences-long")
        dialog.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        await self._take(window, dialog, f"{scheme}-preferences-rtl")
        dialog.reject()

    async def _take(self, window: MainWindow, widget: QWidget, name: str) -> None:
        await self.settle(window)
        self._taken += 1
        widget.grab().save(str(self._folder / f"{self._taken:02d}-{name}.png"))


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1440x900", help="of the window")
    parser.add_argument("--scheme", choices=("dark", "light", "both"), default="both")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    width, height = (int(part) for part in chosen.size.split("x"))
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {"HOME": scratch, "XDG_CONFIG_HOME": f"{scratch}/config", "XDG_CACHE_HOME": f"{scratch}/cache"}
        app = QApplication([sys.argv[0]])
        photographer = CommandPhotographer(app, chosen.folder, (width, height), None)
        with qasync.QEventLoop(app) as loop:
            for scheme in (Appearance.DARK, Appearance.LIGHT):
                if chosen.scheme in ("both", scheme):
                    loop.run_until_complete(photographer.pages(scheme, Path(scratch) / scheme))


if __name__ == "__main__":
    main()

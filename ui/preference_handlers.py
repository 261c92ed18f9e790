"""Preferences: the dialog on one side, what they change on the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from adstudio.cache import cache_bytes, clear_cache
from adstudio.jobs.choices import Device
from ui.actions import Command
from ui.dialogs.files import FileDialogs
from ui.dialogs.preferences import PreferencesDialog
from ui.state.model_words import size_words
from ui.state.settings_keeper import SettingsKeeper
from ui.state.words import home_path

if TYPE_CHECKING:
    from ui.main_window import MainWindow


class PreferenceHandlers(QObject):
    """dialog: while it is open. files: its file dialogs. project_name: of a project that is made in another folder."""

    def __init__(self, window: MainWindow, keeper: SettingsKeeper, project_name: str) -> None:
        super().__init__(window)
        self._window, self._keeper, self._project_name = window, keeper, project_name
        self._bench = window.bench
        self.dialog: PreferencesDialog | None = None
        self.files: FileDialogs | None = None
        window.preferences_asked.connect(self.open)
        self._bench.room.opened.connect(self._show_place)
        self._bench.controller.state_changed.connect(self._show_place)
        self._bench.session.set_device(keeper.now.device)

    def open(self) -> None:
        """Show them, once."""
        if self.dialog is not None:
            return
        dialog = self.dialog = PreferencesDialog(self._keeper.now, self._window)
        self.files = FileDialogs(dialog, folder=self._bench.project_folder.parent)
        dialog.appearance_chosen.connect(self._window.scheme_chosen)
        dialog.device_chosen.connect(self._on_device)
        dialog.memory_chosen.connect(self._on_memory)
        dialog.offline_chosen.connect(self._on_offline)
        dialog.place_asked.connect(self._ask_for_place)
        dialog.clear_asked.connect(self._clear)
        dialog.finished.connect(self._on_closed)
        self._show_place()
        self._bench.background.submit(cache_bytes, self._show_cache, self._bench.failed.emit, key="cache")
        dialog.open()

    def _on_closed(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = self.files = None

    def _on_device(self, device: Device) -> None:
        self._keeper.change(device=device)
        self._bench.session.set_device(device)

    def _on_memory(self, limit_gb: float | None) -> None:
        self._keeper.change(memory_limit_gb=limit_gb)
        self._bench.set_memory_limit(self._keeper.now.memory_limit_bytes)

    def _on_offline(self, offline: bool) -> None:
        self._window.actions_table[Command.OFFLINE].setChecked(offline)
        self._window.offline_chosen.emit(offline)

    def _ask_for_place(self) -> None:
        if self.files is not None:
            self.files.choose_folder(self.tr("Where the project shall lie"), self._open_in)

    def _open_in(self, folder: Path) -> None:
        self._bench.room.open(folder / self._project_name, create=True)

    def _clear(self) -> None:
        self._bench.background.submit(clear_cache, self._show_cache, self._bench.failed.emit, key="cache")

    def _show_place(self) -> None:
        if self.dialog is not None:
            self.dialog.show_place(home_path(self._bench.project_folder), may_move=not self._bench.controller.busy)

    def _show_cache(self, size_bytes: int) -> None:
        if self.dialog is not None:
            self.dialog.show_cache(size_words(size_bytes))

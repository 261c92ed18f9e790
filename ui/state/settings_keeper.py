"""The settings while the window is open: changed here, and on disk a moment later."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from PySide6.QtCore import QObject, Signal

from adstudio.settings import Settings, save_settings
from ui.state.background import Background


class SettingsKeeper(QObject):
    """failed: a sentence, where they could not be kept."""

    failed = Signal(str)

    def __init__(self, settings: Settings, file: Path, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings, self._file, self._background = settings, file, background
        self._writing = Lock()

    @property
    def now(self) -> Settings:
        return self._settings

    def note(self, **changes: object) -> None:
        """Change what is kept when the window closes, or with the next change."""
        self._settings = self._settings.model_copy(update=changes)

    def change(self, **changes: object) -> None:
        """Change settings and keep them at once."""
        self.note(**changes)
        self._background.submit(self.save, lambda _: None, self.failed.emit)

    def save(self) -> None:
        """Write the newest; from any thread, one after the other. Raises StorageError."""
        with self._writing:
            save_settings(self._settings, self._file)

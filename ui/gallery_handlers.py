"""Pictures out of the window into a gallery for any browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from adstudio.errors import StorageError
from adstudio.exports.described_run import gallery_of
from adstudio.exports.gallery import Written, write_gallery_file, write_gallery_folder
from adstudio.projects import Project
from ui.dialogs.files import PAGE_SUFFIX
from ui.state.words import home_path

if TYPE_CHECKING:
    from ui.main_window import MainWindow


class GalleryHandlers(QObject):
    """Asks for a place and has the gallery written in the background."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def export(self) -> None:
        """The selected runs, or all: one is selected whenever a result is looked at."""
        chosen = self._window.history.selected()
        ids = tuple(chosen) if len(chosen) > 1 else None
        title = self.tr("A gallery of {count} runs").format(count=len(ids)) if ids else self.tr("A gallery of all runs")
        room = self._window.bench.room
        name = room.current.name if room.current is not None else ""

        def told(written: Written) -> None:
            words = self.tr("{count} pictures in {page}").format(count=written.shown, page=home_path(written.page))
            self._window.status_line.say(words)
            if written.unread:
                missing = self.tr("{count} pictures could not be read and are not in the gallery")
                self._window.canvas.say(missing.format(count=len(written.unread)), kind="info")

        def write(target: Path) -> None:
            self._window.status_line.say(self.tr("Writing the gallery …"))
            room.ask(lambda project: _written(project, ids, target), told)

        self._window.dialogs.save_gallery(title, self.tr("{name} gallery").format(name=name), write)


def _written(project: Project, ids: tuple[str, ...] | None, target: Path) -> Written:
    gallery = gallery_of(project, ids)
    if target.suffix.lower() != PAGE_SUFFIX:
        return write_gallery_folder(target, gallery)
    if target.exists():
        raise StorageError(f"{target}: is there already; choose another name for the gallery")
    return write_gallery_file(target, gallery)

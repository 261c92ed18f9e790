"""What the hands do with projects: make, open, copy, find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu

from adstudio.projects import SUFFIX, ReadOnlyReason, TakenIn
from adstudio.projects.bundle_format import Manifest
from adstudio.projects.recent import recent_projects
from ui.actions import FILE, Command
from ui.gallery_handlers import GalleryHandlers
from ui.state.job_controller import RunState
from ui.state.project_room import OpenedProject
from ui.state.words import home_path

if TYPE_CHECKING:
    from ui.main_window import MainWindow

_MOST_RECENT = 8


class ProjectHandlers(QObject):
    """Made by the window once its menus are there."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._room = window.bench.room
        self._gallery = GalleryHandlers(window)
        self.recent = QMenu(self.tr("Open a recent project"), window)
        self.recent.aboutToShow.connect(self._fill_recent)
        actions = window.actions_table
        actions.menu(FILE).insertMenu(actions[Command.SAVE_PROJECT], self.recent)
        self._room.opened.connect(self._on_opened)
        window.bench.controller.state_changed.connect(self._on_state)

    def commands(self) -> dict[Command, Callable[[], None]]:
        """Handlers of everything that is about projects."""
        return {
            Command.NEW_PROJECT: self.new,
            Command.OPEN_PROJECT: self.open,
            Command.SAVE_PROJECT: self.say_saved,
            Command.COPY_PROJECT: self.copy,
            Command.PROJECT_FOLDER: self.show_folder,
            Command.EXPORT_BUNDLE: self.export_bundle,
            Command.EXPORT_GALLERY: self._gallery.export,
            Command.IMPORT_BUNDLE: self.import_bundle,
        }

    def new(self) -> None:
        self._window.dialogs.save_project(
            self.tr("New project"), self.tr("Untitled"), lambda path: self._room.open(path, create=True)
        )

    def open(self) -> None:
        self._window.dialogs.choose_folder(
            self.tr("Open a project (a folder that ends in {suffix})").format(suffix=SUFFIX), self._room.open
        )

    def say_saved(self) -> None:
        """The habit of the hand is answered: there is nothing to save."""
        self._window.status_line.say(self.tr("Everything is saved already"))

    def copy(self) -> None:
        name = self._room.current.name if self._room.current is not None else ""
        words = self.tr("{name} copy").format(name=name)
        self._window.dialogs.save_project(self.tr("Save a copy of the project"), words, self._copy_to)

    def _copy_to(self, target: Path) -> None:
        def told(made: Path) -> None:
            self._window.status_line.say(self.tr("A copy is in {folder}").format(folder=home_path(made)))

        self._window.status_line.say(self.tr("Copying the project …"))
        self._room.ask(lambda project: project.save_as(target), told)

    def export_bundle(self) -> None:
        """The selected runs, or all: one is selected whenever a result is looked at."""
        chosen = self._window.history.selected()
        ids = chosen if len(chosen) > 1 else None
        name = self._room.current.name if self._room.current is not None else ""
        title = self.tr("Export {count} runs as a bundle").format(count=len(ids)) if ids else self.tr("Export all runs")

        def told(manifest: Manifest) -> None:
            words = self.tr("{count} runs exported").format(count=len(manifest.runs))
            self._window.status_line.say(words)

        def write(target: Path) -> None:
            self._window.status_line.say(self.tr("Writing the bundle …"))
            self._room.ask(lambda project: project.export_bundle(target, ids), told)

        self._window.dialogs.save_bundle(title, name, write)

    def import_bundle(self) -> None:
        self._window.dialogs.open_bundle(self.tr("Take in a bundle"), self.take_in)

    def take_in(self, bundle: Path) -> None:
        """The runs of a bundle into the open project."""

        def told(taken: TakenIn) -> None:
            words = self.tr("{new} runs taken in, {known} were here already")
            self._window.status_line.say(words.format(new=len(taken.runs), known=len(taken.known)))
            self._room.changed.emit()

        self._window.status_line.say(self.tr("Taking the bundle in …"))
        self._room.ask(lambda project: project.import_bundle(bundle), told)

    def show_folder(self) -> None:
        self._window.handlers.open_folder(self._window.bench.project_folder)

    def _fill_recent(self) -> None:
        self.recent.clear()
        here = self._window.bench.project_folder
        others = [one for one in recent_projects() if one != here][:_MOST_RECENT]
        for folder in others:
            self.recent.addAction(f"{folder.name.removesuffix(SUFFIX)}   {home_path(folder.parent)}").triggered.connect(
                lambda _=False, folder=folder: self._room.open(folder)
            )
        if not others:
            self.recent.addAction(self.tr("None yet")).setEnabled(False)

    def _on_state(self, _: RunState) -> None:
        """While something runs its project stays."""
        free = not self._window.bench.controller.busy
        for command in (Command.NEW_PROJECT, Command.OPEN_PROJECT):
            self._window.actions_table[command].setEnabled(free)
        self.recent.setEnabled(free)

    def _on_opened(self, opened: OpenedProject) -> None:
        window = self._window
        window.top_bar.show_project(opened.name)
        window.status_line.show_place(home_path(opened.folder))
        reasons = {
            ReadOnlyReason.NEWER: self.tr(
                "This project was made by a newer version of AD Studio. It can be looked at; update to work in it."
            ),
            ReadOnlyReason.FOLDER: self.tr(
                "The folder of this project takes no changes. Save a copy of the project to work in it."
            ),
            ReadOnlyReason.ASKED: self.tr(
                "This project is open in another window. Here it can be looked at; go on working there."
            ),
        }
        if opened.read_only is not None:
            window.canvas.say(reasons[opened.read_only], kind="info")

"""The open project, and the one way to it: whatever reads or changes it does so in a thread of its own, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from adstudio.errors import AdStudioError, ProjectBusyError, ProjectError
from adstudio.jobs import run_folder
from adstudio.projects import SUFFIX, Project, ReadOnlyReason
from ui.state.background import Background

T = TypeVar("T")

_KNOCK_LOOK_MS = 1000
_FOLLOW_UP_MS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedProject:
    """What the window says of the open project. notices: what opening found and put right."""

    folder: Path
    name: str
    read_only: ReadOnlyReason | None
    notices: tuple[str, ...]
    taken_in: int


class ProjectRoom(QObject):
    """opened: an OpenedProject. changed: runs, ratings, tags, boards or the trash are others now.

    leaving: another is about to be opened. failed: a sentence. knocked: another window wants this one to come forward.
    """

    leaving = Signal()
    opened = Signal(object)
    changed = Signal()
    failed = Signal(str)
    knocked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.background = Background(self, threads=1)
        self.current: OpenedProject | None = None
        self._project: Project | None = None
        self._knocks = QTimer(self)
        self._knocks.setInterval(_KNOCK_LOOK_MS)
        self._knocks.timeout.connect(self._look_for_knocks)
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(_FOLLOW_UP_MS)
        self._quiet.timeout.connect(self._follow_up)

    def open(
        self, folder: Path, *, create: bool = False, read_only: bool = False, old_runs: Path | None = None
    ) -> None:
        """Open a project in place of the present one, which stays open where that fails.

        create: make it where there is none. old_runs: a folder whose runs a new project takes in.
        """
        self.leaving.emit()
        self.background.submit(
            lambda: self._opened(folder, create=create, read_only=read_only, old_runs=old_runs),
            self._on_opened,
            self._on_refused,
        )

    def ask(
        self,
        work: Callable[[Project], T],
        then: Callable[[T], None] | None = None,
        failed: Callable[[str], None] | None = None,
        *,
        key: str = "",
    ) -> None:
        """Read from the project; see `Background.submit`. Nothing happens where none could be opened."""

        def report(value: T) -> None:
            if then is not None:
                then(value)

        self.background.submit(lambda: work(self._present()), report, failed or self.failed.emit, key=key)

    def edit(self, work: Callable[[Project], object], then: Callable[[], None] | None = None) -> None:
        """Change the project; afterwards `changed` says so."""

        def done(_: object) -> None:
            self._quiet.start()
            self.changed.emit()
            if then is not None:
                then()

        def refused(words: str) -> None:
            self._quiet.start()  # results may wait for room on the disk
            self.failed.emit(words)

        self.ask(work, done, refused)

    def close(self) -> None:
        """Finish what was asked for, then close the project; waits."""
        self._knocks.stop()
        self._quiet.stop()
        self.background.submit(self._closed, lambda _: None)
        self.background.close(drop=False)

    def _present(self) -> Project:
        if self._project is None:
            raise ProjectError("no project is open; open or make one first")
        return self._project

    def _opened(self, folder: Path, *, create: bool, read_only: bool, old_runs: Path | None) -> OpenedProject:
        """In the project's thread: the new one first, so that a refusal leaves the old one open."""
        place = folder if folder.name.endswith(SUFFIX) else folder.with_name(folder.name + SUFFIX)
        if self._project is not None and self._project.folder in (place.absolute(), folder.absolute()):
            return self._described(self._project, 0)
        is_new = create and not place.exists()
        taken_in = 0
        if is_new:
            place.parent.mkdir(parents=True, exist_ok=True)
            project = Project.create(place)
            taken_in = _take_in(project, old_runs) if old_runs is not None else 0
        else:
            there = folder if folder.exists() else place
            try:
                project = Project.open(there, read_only=read_only)
            except ProjectBusyError:
                Project.knock(there)
                if not create:
                    raise
                project = Project.open(there, read_only=True)  # at the start: look at it rather than at nothing
        self._closed()
        self._project = project
        return self._described(project, taken_in)

    @staticmethod
    def _described(project: Project, taken_in: int) -> OpenedProject:
        return OpenedProject(
            folder=project.folder,
            name=project.name or project.folder.name.removesuffix(SUFFIX),
            read_only=project.read_only,
            notices=project.notices,
            taken_in=taken_in,
        )

    def _closed(self) -> None:
        if self._project is not None:
            self._project.close()
            self._project = None

    def _on_opened(self, opened: OpenedProject) -> None:
        self.current = opened
        self._knocks.start()
        self.opened.emit(opened)
        self.changed.emit()

    def _on_refused(self, words: str) -> None:
        self.failed.emit(words)

    def _look_for_knocks(self) -> None:
        if not self.background.busy:
            self.ask(Project.knocked, lambda yes: self.knocked.emit() if yes else None, key="knock")

    def _follow_up(self) -> None:
        if self.current is not None and self.current.read_only is None:
            self.ask(Project.follow_up, lambda more: self._quiet.start() if more else None, key="follow up")


def _take_in(project: Project, folder: Path) -> int:
    """Copy the run folders of earlier versions, oldest first; what cannot be read stays where it is."""
    taken = 0
    for run in reversed(run_folder.list_runs(folder)):
        try:
            project.take_in(run.folder)
        except AdStudioError:
            continue
        taken += 1
    return taken

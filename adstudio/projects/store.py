"""What the rooms of a project share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock

from adstudio.errors import ProjectReadOnlyError
from adstudio.jobs.events import Event
from adstudio.projects.database import Database
from adstudio.projects.files import Files, in_words
from adstudio.projects.layout import Layout
from adstudio.projects.objects import Objects
from adstudio.projects.rows import number_of, runs_of
from adstudio.projects.sidecars import Sidecars
from adstudio.projects.undo import UndoLog
from adstudio.projects.values import ReadOnlyReason, Run

_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An open project.

    fresh: digests of objects added in this session that nothing may refer to yet; they are not collected.
    active: runs begun or gone on with in this session that have not ended: their folders stay.
    unfinished: how runs ended whose results could not be taken over yet, for want of room.
    read_only: why nothing may be changed, None where all may. writing: held by whoever changes files.
    """

    layout: Layout
    files: Files
    database: Database
    objects: Objects
    sidecars: Sidecars
    log: UndoLog
    read_only: ReadOnlyReason | None = None
    fresh: set[str] = field(default_factory=set)
    active: set[str] = field(default_factory=set)
    unfinished: dict[str, Event] = field(default_factory=dict)
    writing: RLock = field(default_factory=RLock)

    @contextmanager
    def change(self, doing: str, *, follow: int = _AT_ONCE) -> Iterator[None]:
        """Whoever changes the project does it in here; a few sidecars follow, the rest when there is time.

        doing: what could not be done where the disk refuses. Raises StorageError, ProjectReadOnlyError.
        """
        if self.read_only is not None:
            raise ProjectReadOnlyError(f"{self.layout.folder}: {doing}: the project is open for reading only")
        with self.writing:
            with in_words(self.layout.folder, doing):
                yield
            if follow:
                self.sidecars.follow(follow)

    def run(self, run_id: str) -> Run:
        """Raises ProjectError where there is no such run."""
        return runs_of(self.database, [number_of(self.database, run_id)])[0]

"""The public face of a project; the window, the command line and scripts use nothing else."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from adstudio.errors import AdStudioError
from adstudio.jobs.events import Event
from adstudio.jobs.host import RunRequest
from adstudio.jobs.spec import Job
from adstudio.projects import (
    backup,
    bundle_export,
    bundle_import,
    copying,
    frames,
    integrity,
    opening,
    resuming,
    running,
    trash,
)
from adstudio.projects.bundle_format import Manifest
from adstudio.projects.bundle_import import TakenIn
from adstudio.projects.contents import Contents
from adstudio.projects.editing import Edits
from adstudio.projects.files import Files, digest_and_size
from adstudio.projects.integrity import Finding, Progress
from adstudio.projects.layout import SUFFIX, Layout
from adstudio.projects.locks import knock
from adstudio.projects.taking_in import take_in
from adstudio.projects.trash import Collected
from adstudio.projects.values import Frame, Lineage, ReadOnlyReason, Run

_FOLLOWED_AT_ONCE = 100
_FOLLOWED_AT_CLOSING = 400
_log = logging.getLogger(__name__)


class Project(Contents, Edits):
    """An open project; made by `create` or `open`, closed by `close` or at the end of a `with`.

    Everything is on the disk when a method returns: there is nothing to save. All methods may be called from any
    thread, those that change something one after another. Any may raise ProjectError, ProjectReadOnlyError or
    StorageError; what was there before is then unharmed. A method that edits can be undone (`undo`), unless it says
    otherwise.
    """

    def __init__(self, opened: opening.Opened) -> None:
        """opened: from `create` or `open`, which are the ways to get a project."""
        super().__init__(opened.store)
        self._opened = opened
        self._closed = False

    @classmethod
    def create(cls, path: Path, *, name: str = "", files: Files | None = None) -> Self:
        """A new project in a folder that is absent or empty; `.adproj` is added to a name that lacks it."""
        folder = path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)
        return cls(opening.create(folder.absolute(), files or Files(), name))

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False, files: Files | None = None) -> Self:
        """Open a project. `notices` says what had to be put right, `read_only` why nothing may be changed.

        Raises ProjectBusyError where another window or command has it open for writing.
        """
        return cls(opening.open_store(path.absolute(), files or Files(), read_only=read_only))

    def close(self) -> None:
        """Write what sidecars lack, keep a backup where one is due, and let others write. More than once is fine."""
        if self._closed:
            return
        self._closed = True
        store = self._store
        if store.read_only is None:
            with suppress(AdStudioError):
                if store.database.changed and backup.is_due(store.layout):
                    self.back_up()
        sound = store.read_only is None and self._followed()
        store.database.close()
        if sound and not store.layout.journal_holds():
            with suppress(OSError):
                digest, _ = digest_and_size(store.layout.database)
                store.files.write_whole(store.layout.seal, digest.encode() + b"\n")
        if self._opened.lock is not None:
            self._opened.lock.release()
        self._opened.on_close.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        return self._store.layout.folder

    @property
    def name(self) -> str:
        return str(self._store.database.value("SELECT value FROM meta WHERE key = 'name'") or "")

    @property
    def read_only(self) -> ReadOnlyReason | None:
        """Why nothing may be changed, None where all may."""
        return self._store.read_only

    @property
    def notices(self) -> tuple[str, ...]:
        """What opening found and put right, for the artist."""
        return self._opened.notices

    def begin_run(
        self, job: Job, *, lineage: Sequence[Lineage] = (), names: Mapping[Path, str] | None = None
    ) -> RunRequest:
        """Take a job's pictures in and make a run of it, for the host; the run's id is `request.folder.name`.

        lineage: what it comes from; results of earlier runs among its pictures are found without. names: what pictures
        are called, where their files are called otherwise. Not undone: put the run into the trash.
        Raises JobError or UnavailableError before anything is written.
        """
        return running.begin(self._store, job, lineage, names or {})

    def resume_run(self, run_id: str) -> RunRequest:
        """Make a run ready that ended early; with a checkpoint it goes on from there.

        Raises JobError where a picture of it is missing or damaged: it is never computed with.
        """
        return resuming.resume(self._store, run_id)

    def record_event(self, run_id: str, event: Event) -> None:
        """Follow the events of a run; the last one has its results taken over, as `finish_run` does.

        Where there is no room for them, `follow_up` tries again, and so does opening the project.
        """
        running.record(self._store, run_id, event)

    def finish_run(self, run_id: str) -> Run:
        """Take over what a run has left in its folder; may be called again after the disk was full."""
        return running.finish(self._store, run_id)

    def take_in(self, folder: Path) -> Run:
        """Copy a run folder from outside, as `adstudio run` writes it; one that is here already is just returned."""
        return take_in(self._store, folder.absolute())

    def add_frame(
        self,
        run_id: str,
        frame: Frame,
        *,
        picture: tuple[bytes, str] | None = None,
        latents: tuple[bytes, str] | None = None,
        budget_bytes: int = frames.FRAME_BUDGET_BYTES,
    ) -> bool:
        """Keep an intermediate state, thinning out others beyond the run's budget; False where it found no place.

        picture, latents: content, and a file name whose suffix says what it is.
        """
        return frames.add(self._store, run_id, frame, picture=picture, latents=latents, budget_bytes=budget_bytes)

    def pin_frame(self, run_id: str, image_index: int, step: int, *, pinned: bool = True) -> None:
        """Keep a frame whatever the budget says."""
        frames.pin(self._store, run_id, image_index, step, pinned=pinned)

    def empty_trash(self, *, before: datetime | None = None) -> tuple[str, ...]:
        """Delete for good what is in the trash, or what was put there before a moment; the ids of the runs."""
        return trash.empty(self._store, before=before)

    def collect(self) -> Collected:
        """Remove objects that nothing refers to, and what crashes left half-written."""
        return trash.collect(self._store)

    def check(self, progress: Progress = lambda _done, _of: None) -> tuple[Finding, ...]:
        """Read everything and say what is wrong; changes nothing. progress: objects read, and how many there are."""
        return integrity.check(self._store, progress)

    def repair(self, progress: Progress = lambda _done, _of: None) -> tuple[Finding, ...]:
        """The same, and mend what can be mended."""
        return integrity.repair(self._store, progress)

    def back_up(self) -> Path:
        """Keep a copy of the database now; older ones are thinned out."""
        with self._store.change("the backup cannot be written"):
            return backup.back_up(self._store.database, self._store.layout, self._store.files)

    def follow_up(self) -> bool:
        """Do some of what is left over, and say whether there is more: results that found no room on a full disk,
        sidecars that are behind, a backup where one is due.

        For quiet moments: it takes about a second where much is behind.
        """
        waiting = running.finish_rest(self._store)
        with self._store.change("what is behind cannot be written"):
            before = self._store.sidecars.behind()
            left = self._store.sidecars.follow(_FOLLOWED_AT_ONCE)
        if self._store.database.changed and backup.is_due(self._store.layout):
            self.back_up()
        return waiting or 0 < left < before

    def save_as(self, target: Path) -> Path:
        """Copy the whole project to another place, whole or not at all; this one stays open. Works read-only too."""
        folder = target if target.name.endswith(SUFFIX) else target.with_name(target.name + SUFFIX)
        return copying.save_as(self._store, folder.absolute())

    def export_run(self, run_id: str, folder: Path) -> None:
        """Copy a run as a plain run folder, which can be moved and run again."""
        copying.export_run(self._store, self._store.run(run_id), folder.absolute())

    def export_picture(self, digest: str, target: Path) -> None:
        """Write a picture to a file, byte for byte, whole or not at all."""
        copying.export_picture(self._store, digest, target)

    def export_bundle(
        self,
        target: Path,
        run_ids: Sequence[str] | None = None,
        *,
        ancestors: bool = False,
        frames: bool = True,
    ) -> Manifest:
        """Write runs with all their pictures into one file, whole or not at all; what it holds.

        run_ids: None for all that are not in the trash; runs that go on are left out. ancestors: also what they were
        made from. frames: with the intermediate states that were kept. `.adbundle` is added to a name that lacks it.
        """
        return bundle_export.export_bundle(self._store, target.absolute(), run_ids, ancestors=ancestors, frames=frames)

    def import_bundle(self, path: Path) -> TakenIn:
        """Take the runs of a bundle in, all or none; those that are here already stay as they are. Not undone.

        Raises ProjectError naming the member for a bundle that is not exactly what its manifest says.
        """
        return bundle_import.import_bundle(self._store, path.absolute())

    def knocked(self) -> bool:
        """Whether somebody who found this project open asks its window to come forward, since this was last asked."""
        return self._opened.lock is not None and self._opened.lock.knocked()

    @staticmethod
    def knock(path: Path) -> bool:
        """Ask the window that has a project open to come forward; False where that cannot be said to it."""
        return knock(Layout(path.absolute()).lock)

    def _followed(self) -> bool:
        try:
            with self._store.writing:
                left = self._store.sidecars.follow(_FOLLOWED_AT_CLOSING)
                self._store.sidecars.settle()
                return left == 0
        except (AdStudioError, OSError) as error:
            _log.info("%s: sidecars are behind (%s)", self.folder, error)
            return False

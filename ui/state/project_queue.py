"""The queue of the project that is open: another project, another queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from adstudio.errors import JobError, ProjectError
from adstudio.jobs.events import Cancelled
from adstudio.jobs.host import EngineHost, RunRequest
from adstudio.jobs.queue import JobQueue, note_cancelled
from adstudio.jobs.queue_entry import EntryId, EntryState, QueueEntry
from adstudio.projects import Project
from ui.state.kept_queue import KeptQueue, read_earlier
from ui.state.project_room import OpenedProject, ProjectRoom

_log = logging.getLogger(__name__)


class ProjectQueue(QObject):
    """begun: (QueueEntry, RunRequest, RunId). happened: (QueueEntry, Event), the last one once the queue knows it.

    left_waiting: how many runs an earlier start left; they are held. memory_limit_bytes: what runs that begin from now
    on may take in all, None for what is free.
    """

    changed = Signal()
    begun = Signal(object, object, object)
    happened = Signal(object, object)
    left_waiting = Signal(int)

    def __init__(
        self, host: EngineHost, room: ProjectRoom, loop: asyncio.AbstractEventLoop, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._host, self._room, self._loop = host, room, loop
        self._queue: JobQueue | None = None
        self._queue_of: Path | None = None
        self.memory_limit_bytes: int | None = None
        room.opened.connect(self._on_project)

    @property
    def entries(self) -> tuple[QueueEntry, ...]:
        """What runs, waits or is held back, in its order."""
        return self._queue.entries if self._queue is not None else ()

    @property
    def current(self) -> QueueEntry | None:
        """What runs."""
        return self._queue.current if self._queue is not None else None

    def add(self, request: RunRequest, title: str) -> EntryId:
        """Put a run of the open project at the end. Raises ProjectError where none is open."""
        if self._queue is None:
            raise ProjectError("no project is open; open or make one first")
        return self._queue.add(replace(request, memory_limit_bytes=self.memory_limit_bytes), title=title)

    def cancel(self, entry_id: EntryId) -> None:
        """Give an entry up, running or not."""
        if self._queue is not None:
            self._queue.cancel(entry_id)

    def cancel_all(self) -> None:
        """Give everything up."""
        if self._queue is not None:
            self._queue.cancel_all()

    async def close(self) -> None:
        """Stop what runs and keep it, with what waits, for the next start."""
        if self._queue is not None:
            await self._queue.close()

    def hold_waiting(self) -> None:
        """Hold back what waits; what runs goes on."""
        self._for_each(EntryState.WAITING, JobQueue.hold)

    def release_held(self) -> None:
        """Let what is held back wait for its turn."""
        self._for_each(EntryState.HELD, JobQueue.release)

    def forget_held(self) -> None:
        """Give up what is held back; the runs stay in the history."""
        self._for_each(EntryState.HELD, JobQueue.cancel)

    def forget_waiting(self) -> None:
        """Give up what waits or is held back; the runs stay in the history."""
        self._for_each(EntryState.WAITING, JobQueue.cancel)
        self.forget_held()

    def _for_each(self, state: EntryState, do: Callable[[JobQueue, EntryId], None]) -> None:
        if self._queue is not None:
            for entry in self._queue.entries:
                if entry.state is state:
                    do(self._queue, entry.entry_id)

    def _on_project(self, opened: OpenedProject) -> None:
        """Another project has another queue; nothing runs or waits while projects change."""
        if opened.folder == self._queue_of:
            return
        self._queue_of = opened.folder
        self._begin_queue(opened.folder, ())
        if opened.read_only is None:
            self._room.ask(read_earlier, lambda earlier: self._on_earlier(opened.folder, earlier), _log.warning)

    def _begin_queue(self, project: Path, earlier: Sequence[QueueEntry]) -> JobQueue:
        self._queue = JobQueue(
            self._host,
            KeptQueue(self._room, project, earlier),
            on_change=self.changed.emit,
            on_run=self.begun.emit,
            on_event=self.happened.emit,
            open_run=self._open_again,
            give_up=self._give_up,
        )
        return self._queue

    def _on_earlier(self, project: Path, earlier: tuple[QueueEntry, ...]) -> None:
        if project != self._queue_of or self.entries or not earlier:
            return
        self._begin_queue(project, earlier).restore()
        self.left_waiting.emit(len(earlier))

    def _give_up(self, folder: Path) -> None:
        def note(project: Project) -> None:
            note_cancelled(folder)
            project.record_event(folder.name, Cancelled())

        self._room.edit(note)

    async def _open_again(self, folder: Path) -> RunRequest:
        """A run of an earlier start, or one to be tried again, made ready by the project. Raises JobError."""
        ready: asyncio.Future[RunRequest] = self._loop.create_future()
        self._room.ask(
            lambda project: project.resume_run(folder.name),
            lambda request: None if ready.done() else ready.set_result(request),
            lambda words: None if ready.done() else ready.set_exception(JobError(words)),
        )
        return replace(await ready, memory_limit_bytes=self.memory_limit_bytes)

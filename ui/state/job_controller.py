"""Runs jobs through the host and tells the window how they fare."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from adstudio.jobs.events import (
    Cancelled,
    Event,
    Failed,
    Finished,
    LoadingModel,
    Notice,
    Paused,
    Preview,
    Progress,
    Resumed,
    Started,
)
from adstudio.jobs.host import EngineHost, RunId, RunRequest
from adstudio.jobs.queue_entry import EntryState, QueueEntry
from adstudio.jobs.spec import Job
from adstudio.projects import Project
from ui.state.pictures import preview_image
from ui.state.project_queue import ProjectQueue
from ui.state.project_room import ProjectRoom
from ui.state.runs import keep_frame

_FRAME_EVERY_S = 1.0
_GOING = (EntryState.RUNNING, EntryState.WAITING)
_log = logging.getLogger(__name__)


class RunState(StrEnum):
    """Of the run the window follows."""

    IDLE = "idle"
    PREPARING = "preparing"
    WAITING = "waiting"
    LOADING = "loading"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"


@dataclass(slots=True)
class _Run:
    """started_s: when computing began; held_s: how long it was paused; paused_s: when the present pause began.

    framed_s: when a preview was last kept.
    """

    request: RunRequest
    run_id: RunId
    started_s: float = 0.0
    held_s: float = 0.0
    paused_s: float | None = None
    framed_s: float | None = None

    def computing_s(self, now_s: float) -> float:
        return max(0.0, now_s - self.started_s - self.held_s)


class JobController(QObject):
    """One run is followed at a time, further ones wait in the queue that is kept with the project.

    A run is begun in the project when it is asked for, not when its turn comes: so it has its pictures whatever
    becomes of the originals, and the queue needs to keep nothing but where it is.

    started: (RunRequest, device). previewed: (QImage, step, steps). progressed: Progress.
    finished: (RunRequest, Finished, seconds of computing).
    failed: (reason, folder or None). The host may be asked from the window's thread only.
    """

    state_changed = Signal(object)
    waiting_changed = Signal(int)
    run_created = Signal(object)
    started = Signal(object, str)
    previewed = Signal(object, int, int)
    progressed = Signal(object)
    noticed = Signal(str)
    finished = Signal(object, object, float)
    cancelled = Signal(object)
    failed = Signal(str, object)

    def __init__(
        self, host: EngineHost, room: ProjectRoom, loop: asyncio.AbstractEventLoop, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._host = host
        self._room = room
        self._loop = loop
        self._state = RunState.IDLE
        self.queue = ProjectQueue(host, room, loop, self)
        self.queue.changed.connect(self._tell_waiting)
        self.queue.begun.connect(self._on_run)
        self.queue.happened.connect(self._on_event)
        self._run: _Run | None = None
        self._preparing = 0
        self._cancel_prepared = False

    @property
    def state(self) -> RunState:
        return self._state

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits; what is held back does neither."""
        return self._preparing > 0 or any(one.state in _GOING for one in self.queue.entries)

    def folders(self) -> frozenset[Path]:
        """The folders of the runs that go on, wait or are held back."""
        return frozenset(one.folder for one in self.queue.entries)

    def current_request(self) -> RunRequest | None:
        """The run that is being followed."""
        return self._run.request if self._run is not None else None

    def run(self, job: Job, names: Mapping[Path, str]) -> None:
        """Take the job into the project, then put the run into the queue. names: what its pictures are called."""
        first = job.content or next((one.image for one in job.styles), None)
        title = names.get(first, first.name) if first is not None else job.prompt
        self._prepare(lambda project: project.begin_run(job, names=names), title)

    def go_on(self, folder: Path) -> None:
        """Take up a run that ended early, from its newest checkpoint."""
        if folder not in self.folders():
            self._prepare(lambda project: project.resume_run(folder.name), "")

    def _prepare(self, make: Callable[[Project], RunRequest], title: str) -> None:
        self._preparing += 1
        self._cancel_prepared = False
        if self._state is RunState.IDLE:
            self._set_state(RunState.PREPARING)
        self._room.ask(make, lambda request: self._on_created(request, title), self._on_create_failed)

    def _on_created(self, request: RunRequest, title: str) -> None:
        self._preparing -= 1
        entry = self.queue.add(request, title)
        if self._state is RunState.PREPARING:
            self._set_state(RunState.WAITING)
        self.run_created.emit(request)
        current = self.queue.current
        if self._cancel_prepared and current is not None and current.entry_id == entry:
            self.queue.cancel(entry)

    def _on_create_failed(self, error: str) -> None:
        self._preparing -= 1
        if not self.busy:
            self._set_state(RunState.IDLE)
        self.failed.emit(error, None)

    def pause(self) -> None:
        if self._run is not None:
            self._host.pause(self._run.run_id)

    def resume(self) -> None:
        if self._run is not None:
            self._host.resume(self._run.run_id)

    def cancel(self) -> None:
        """Stop the run that goes on; says so at once."""
        current = self.queue.current
        if current is not None:
            self._set_state(RunState.CANCELLING)
            self.queue.cancel(current.entry_id)
        elif self._preparing:
            self._cancel_prepared = True
            self._set_state(RunState.CANCELLING)

    def cancel_all(self) -> None:
        """Stop everything, also what waits or is held back."""
        self.queue.cancel_all()

    def release_memory(self) -> None:
        """Let the engine give back what models take as soon as nothing computes."""
        self._host.release()

    async def shutdown(self) -> None:
        """Stop what runs, keep it with what waits for the next start, let the host join its thread."""
        closing = self._loop.create_task(self.queue.close())
        await self._host.shutdown()
        _, late = await asyncio.wait({closing}, timeout=1.0)
        for task in late:
            task.cancel()

    def _on_run(self, _entry: QueueEntry, request: RunRequest, run_id: RunId) -> None:
        self._run = _Run(request, run_id)
        self._set_state(RunState.WAITING)
        self._tell_waiting()

    def _on_event(self, entry: QueueEntry, event: Event) -> None:
        if isinstance(event, (LoadingModel, Started)) or self._over(event):
            self._room.edit(lambda project: project.record_event(entry.folder.name, event))
        if isinstance(event, Failed):
            self.queue.cancel(entry.entry_id)  # its card says why, and offers to go on
        if self._run is None:
            self._on_never_begun(entry, event)
            return
        run = self._run
        match event:
            case LoadingModel():
                self._set_state(RunState.LOADING)
            case Started(device=device, time_s=now_s):
                run.started_s = now_s
                self._set_state(RunState.RUNNING)
                self.started.emit(run.request, device)
            case Progress():
                self.progressed.emit(event)
            case Preview():
                self.previewed.emit(preview_image(event.image), event.step, event.steps)
                self._keep_frame(run, event)
            case Paused(time_s=now_s):
                run.paused_s = now_s
                self._set_state(RunState.PAUSED)
            case Resumed(time_s=now_s):
                run.held_s += now_s - run.paused_s if run.paused_s is not None else 0.0
                run.paused_s = None
                self._set_state(RunState.RUNNING)
            case Notice(message=message):
                self.noticed.emit(message)
            case Finished():
                self._end()
                self.finished.emit(run.request, event, run.computing_s(event.time_s))
            case Cancelled():
                self._end()
                self.cancelled.emit(run.request.folder)
            case Failed(reason=reason):
                self._end()
                self.failed.emit(reason, run.request.folder)

    def _keep_frame(self, run: _Run, event: Preview) -> None:
        """About one preview a second is kept with the run; the project thins them out within its budget."""
        if run.framed_s is not None and event.time_s - run.framed_s < _FRAME_EVERY_S:
            return
        run.framed_s = event.time_s
        run_id = run.request.folder.name
        self._room.ask(lambda project: keep_frame(project, run_id, event), failed=_log.info, key=f"frame {run_id}")

    @staticmethod
    def _over(event: Event) -> bool:
        return isinstance(event, (Finished, Cancelled, Failed))

    def _on_never_begun(self, entry: QueueEntry, event: Event) -> None:
        """The host never had it: it was given up at once, or could not be made ready."""
        self._end()
        if isinstance(event, Failed):
            self.failed.emit(event.reason, entry.folder)
        else:
            self.cancelled.emit(entry.folder)

    def _end(self) -> None:
        self._run = None
        going = self.queue.current is not None
        idle = RunState.PREPARING if self._preparing else RunState.IDLE
        self._set_state(RunState.WAITING if going else idle)
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        self.waiting_changed.emit(sum(one.state in (EntryState.WAITING, EntryState.HELD) for one in self.queue.entries))

    def _set_state(self, state: RunState) -> None:
        if self._state is RunState.CANCELLING and state in (RunState.LOADING, RunState.RUNNING, RunState.PAUSED):
            return
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)

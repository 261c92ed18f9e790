"""Runs jobs through the host and tells the window how they fare."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
    Queued,
    Resumed,
    Started,
)
from adstudio.jobs.host import EngineHost, RunId, RunRequest
from adstudio.jobs.spec import Job
from adstudio.projects import Project
from ui.state.pictures import preview_image
from ui.state.project_room import ProjectRoom
from ui.state.runs import keep_frame

_FRAME_EVERY_S = 1.0
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
    task: asyncio.Task[None] | None = None
    started_s: float = 0.0
    held_s: float = 0.0
    paused_s: float | None = None
    framed_s: float | None = None

    def computing_s(self, now_s: float) -> float:
        return max(0.0, now_s - self.started_s - self.held_s)


class JobController(QObject):
    """One run is followed at a time, further ones wait in the host.

    started: (RunRequest, device). previewed: (QImage, step, steps). progressed: Progress.
    finished: (RunRequest, Finished, seconds of computing).
    failed: (reason, folder or None). The host may be asked from the window's thread only.
    memory_limit_bytes: what runs that begin from now on may take in all, None for what is free.
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
        self._runs: dict[RunId, _Run] = {}
        self._current: RunId | None = None
        self._preparing = 0
        self._cancel_prepared = False
        self.memory_limit_bytes: int | None = None

    @property
    def state(self) -> RunState:
        return self._state

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        return self._preparing > 0 or bool(self._runs)

    def folders(self) -> frozenset[Path]:
        """The folders of the runs that go on or wait."""
        return frozenset(run.request.folder for run in self._runs.values())

    def current_request(self) -> RunRequest | None:
        """The run that is being followed."""
        run = self._runs.get(self._current) if self._current is not None else None
        return run.request if run is not None else None

    def run(self, job: Job, names: Mapping[Path, str]) -> None:
        """Take the job into the project, then hand the run to the host. names: what its pictures are called."""
        self._prepare(lambda project: project.begin_run(job, names=names))

    def go_on(self, folder: Path) -> None:
        """Take up a run that ended early, from its newest checkpoint."""
        if folder not in self.folders():
            self._prepare(lambda project: project.resume_run(folder.name))

    def _prepare(self, make: Callable[[Project], RunRequest]) -> None:
        self._preparing += 1
        self._cancel_prepared = False
        if self._state is RunState.IDLE:
            self._set_state(RunState.PREPARING)
        self._room.ask(make, self._on_created, self._on_create_failed)

    def _on_created(self, request: RunRequest) -> None:
        self._preparing -= 1
        request = replace(request, memory_limit_bytes=self.memory_limit_bytes)
        run_id = self._host.submit(request)
        run = _Run(request)
        self._runs[run_id] = run
        if self._current is None:
            self._current = run_id
            if self._state is not RunState.CANCELLING:
                self._set_state(RunState.WAITING)
        run.task = self._loop.create_task(self._follow(run_id, run))
        self.run_created.emit(request)
        self._tell_waiting()
        if self._cancel_prepared and self._current == run_id:
            self.cancel()

    def _on_create_failed(self, error: str) -> None:
        self._preparing -= 1
        if not self.busy:
            self._set_state(RunState.IDLE)
        self.failed.emit(error, None)

    def pause(self) -> None:
        if self._current is not None:
            self._host.pause(self._current)

    def resume(self) -> None:
        if self._current is not None:
            self._host.resume(self._current)

    def cancel(self) -> None:
        """Stop the run that is followed; says so at once."""
        if self._current is not None:
            self._set_state(RunState.CANCELLING)
            self._host.cancel(self._current)
        elif self._preparing:
            self._cancel_prepared = True
            self._set_state(RunState.CANCELLING)

    def cancel_all(self) -> None:
        """Stop everything, also what waits."""
        for run_id in reversed(tuple(self._runs)):
            self._host.cancel(run_id)

    def release_memory(self) -> None:
        """Let the engine give back what models take as soon as nothing computes."""
        self._host.release()

    async def shutdown(self) -> None:
        """Cancel, let the host join its thread, end following."""
        self.cancel_all()
        await self._host.shutdown()
        tasks = [run.task for run in self._runs.values() if run.task is not None and not run.task.done()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=1.0)
            for task in late:
                task.cancel()

    async def _follow(self, run_id: RunId, run: _Run) -> None:
        async for event in self._host.events(run_id):
            self._on_event(run_id, run, event)
        self._end(run_id)

    def _on_event(self, run_id: RunId, run: _Run, event: Event) -> None:
        if not isinstance(event, Queued) and self._current != run_id and not self._over(event):
            self._current = run_id
            self._tell_waiting()
        if isinstance(event, (LoadingModel, Started)) or self._over(event):
            self._room.edit(lambda project: project.record_event(run.request.folder.name, event))
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
                self._end(run_id)
                self.finished.emit(run.request, event, run.computing_s(event.time_s))
            case Cancelled():
                self._end(run_id)
                self.cancelled.emit(run.request.folder)
            case Failed(reason=reason):
                self._end(run_id)
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

    def _end(self, run_id: RunId) -> None:
        if self._runs.pop(run_id, None) is None:
            return
        if self._current == run_id:
            self._current = next(iter(self._runs), None)
            self._set_state(self._idle_state())
        self._tell_waiting()

    def _idle_state(self) -> RunState:
        if self._current is not None:
            return RunState.WAITING
        return RunState.PREPARING if self._preparing else RunState.IDLE

    def _tell_waiting(self) -> None:
        self.waiting_changed.emit(max(len(self._runs) - 1, 0))

    def _set_state(self, state: RunState) -> None:
        if self._state is RunState.CANCELLING and state in (RunState.LOADING, RunState.RUNNING, RunState.PAUSED):
            return
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)

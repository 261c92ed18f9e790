"""A host that does what a test tells it, event by event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from adstudio.jobs.event_log import EventLog
from adstudio.jobs.events import TERMINAL, Cancelled, Event, Paused, Queued, Resumed
from adstudio.jobs.host import RunId, RunRequest


class FakeHost:
    """submitted: every request in order. Pause, resume and cancel answer at once."""

    def __init__(self) -> None:
        self.submitted: list[RunRequest] = []
        self.cancelled: list[RunId] = []
        self.warmed = 0
        self.released = 0
        self.shut_down = False
        self.answers_cancel = True
        self._queues: dict[RunId, asyncio.Queue[Event]] = {}
        self._logs: dict[RunId, EventLog] = {}
        self._over: set[RunId] = set()

    def submit(self, request: RunRequest) -> RunId:
        run_id = RunId(f"run-{len(self.submitted)}")
        self.submitted.append(request)
        self._queues[run_id] = asyncio.Queue()
        self._logs[run_id] = EventLog(request.folder)
        self.emit(Queued(position=len(self.submitted) - 1), run_id)
        return run_id

    def emit(self, event: Event, run_id: RunId | None = None) -> None:
        """Let an event happen, to the newest run unless told otherwise."""
        target = run_id or RunId(f"run-{len(self.submitted) - 1}")
        if isinstance(event, TERMINAL):
            self._over.add(target)
        self._logs[target].append(event)
        if target in self._over:
            self._logs[target].close()
        self._queues[target].put_nowait(event)

    async def events(self, run_id: RunId) -> AsyncIterator[Event]:
        queue = self._queues[run_id]
        while True:
            event = await queue.get()
            yield event
            if isinstance(event, TERMINAL):
                return

    def pause(self, run_id: RunId) -> None:
        self.emit(Paused(), run_id)

    def resume(self, run_id: RunId) -> None:
        self.emit(Resumed(), run_id)

    def cancel(self, run_id: RunId) -> None:
        self.cancelled.append(run_id)
        if self.answers_cancel and run_id not in self._over:
            self.emit(Cancelled(), run_id)

    def warm(self) -> None:
        self.warmed += 1

    def release(self) -> None:
        self.released += 1

    async def shutdown(self) -> None:
        self.shut_down = True

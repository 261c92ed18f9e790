"""One engine for as many runs as a command has, stopped by Ctrl+C so that every run can be gone on with."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import replace
from types import FrameType, TracebackType
from typing import Self

from adstudio.commands.console import ProgressLines, duration, tell
from adstudio.commands.whole import Whole
from adstudio.errors import StorageError
from adstudio.jobs.events import TERMINAL, Cancelled, Event, Finished, Started
from adstudio.jobs.host import EngineFactory, RunId, RunRequest
from adstudio.jobs.thread_host import ThreadHost
from adstudio.paths import settings_path
from adstudio.settings import load_settings

INTERRUPTED_STATUS = 130
_HARD_STOP_S = 600.0


def _limit_of_settings() -> int | None:
    try:
        return load_settings(settings_path()).memory_limit_bytes
    except StorageError as error:
        tell(f"{error}; runs take what memory is free")
        return None


class EngineRoom:
    """An engine thread, made with the first run and kept with its models until the room is left.

    The first Ctrl+C cancels the run and waits for the engine to leave a checkpoint, a second one ends the program at
    once.
    """

    def __init__(self, factory: EngineFactory, *, memory_limit_bytes: int | None = None) -> None:
        """memory_limit_bytes: what a run may take in all; None for what the settings say."""
        self.stopped = False
        self._limit_bytes = memory_limit_bytes if memory_limit_bytes is not None else _limit_of_settings()
        self._host = ThreadHost(factory)
        self._runner = asyncio.Runner()
        self._leaving = ExitStack()
        self._lines: ProgressLines | None = None
        self._run_id: RunId | None = None

    def __enter__(self) -> Self:
        self._leaving.enter_context(self._runner)
        self._leaving.callback(self._host.shutdown_blocking, _HARD_STOP_S)
        before = signal.signal(signal.SIGINT, self._on_interrupt)
        self._leaving.callback(signal.signal, signal.SIGINT, before or signal.default_int_handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.close()

    def follow(self, request: RunRequest, *, whole: Whole | None = None) -> Event:
        """Compute a run, showing its progress on stderr; its terminal event. whole: told of it."""
        if self.stopped:
            return Cancelled()
        request = replace(request, memory_limit_bytes=self._limit_bytes)
        return self._runner.run(self._follow(request, whole))

    async def _follow(self, request: RunRequest, whole: Whole | None) -> Event:
        lines = ProgressLines(sys.stderr, images=request.job.images, whole=whole.words if whole is not None else None)
        run_id = self._host.submit(request)
        self._lines, self._run_id = lines, run_id
        started_s = 0.0
        last: Event = Cancelled()
        async for event in self._host.events(run_id):
            if whole is not None:
                whole.take(event)
            lines.show(event)
            last = event
            if isinstance(event, Started):
                started_s = event.time_s
            if isinstance(event, TERMINAL):
                break
        self._run_id = None
        lines.close()
        if isinstance(last, Finished):
            tell(f"Done in {duration(last.time_s - started_s)}")
        return last

    def _give_up(self) -> None:
        if self._lines is not None:
            self._lines.close()
        tell("Stopping; a second Ctrl+C stops at once")
        if self._run_id is not None:
            self._host.cancel(self._run_id)

    def _on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self.stopped:
            os._exit(INTERRUPTED_STATUS)
        self.stopped = True
        if self._run_id is not None:
            self._runner.get_loop().call_soon_threadsafe(self._give_up)

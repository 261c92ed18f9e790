"""Runs jobs one after another in a single background thread."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import threading
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator

from adstudio.errors import EngineError, StorageFullError
from adstudio.jobs.awake import kept_awake
from adstudio.jobs.events import TERMINAL, Cancelled, Event, Failed, Finished, Notice, Paused, Queued, Resumed, Started
from adstudio.jobs.failure import failed_from, is_for_want_of_room
from adstudio.jobs.host import Engine, EngineFactory, RunId, RunRequest
from adstudio.jobs.priority import lower_thread_priority
from adstudio.jobs.run_state import Run

_log = logging.getLogger(__name__)


class ThreadHost:
    """The host with one engine thread, started by the first job or `warm`.

    The engine is made by the factory inside that thread and used by no other. Every wish (cancel, pause) belongs to one
    run, so that nothing meant for one can reach the next. awake: entered while a run computes. waits_for_room: a run
    that finds the disk full is paused, and goes on from its checkpoint when it is resumed; without this it fails.
    """

    def __init__(
        self,
        factory: EngineFactory,
        *,
        awake: Callable[[], contextlib.AbstractContextManager[None]] = kept_awake,
        waits_for_room: bool = False,
    ) -> None:
        self._factory = factory
        self._awake = awake
        self._waits_for_room = waits_for_room
        self._engine: Engine | None = None
        self._thread: threading.Thread | None = None
        self._work = threading.Condition()
        self._runs: dict[RunId, Run] = {}
        self._queue: deque[Run] = deque()
        self._current: Run | None = None
        self._last_over: Run | None = None
        self._warm_wanted = False
        self._release_wanted = False
        self._closing = False
        self._joiners: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._thread_over = False

    def submit(self, request: RunRequest) -> RunId:
        """Queue a run. Raises RuntimeError after shutdown."""
        run = Run(RunId(uuid.uuid4().hex), request)
        with self._work:
            if self._closing:
                raise RuntimeError("the host is shut down")
            position = len(self._queue) + (self._current is not None)
        try:
            run.open_log()
            run.say(Queued(position=position))
        except OSError as error:
            run.say(failed_from(error, run.folder))
        self._enqueue(run)
        return run.run_id

    def events(self, run_id: RunId) -> AsyncIterator[Event]:
        """All events of a run from the first on; of the previews the newest. Raises KeyError for an unknown run."""
        return self._runs[run_id].read()

    def pause(self, run_id: RunId) -> None:
        """Hold a run between two steps, once computing has begun. Raises KeyError for an unknown run."""
        run = self._runs[run_id]
        with run.wake:
            if not run.over and not run.cancel_wanted.is_set():
                run.pause_wanted.set()

    def resume(self, run_id: RunId) -> None:
        """Let a paused run go on. Raises KeyError for an unknown run."""
        run = self._runs[run_id]
        with run.wake:
            run.pause_wanted.clear()
            run.wake.notify_all()

    def cancel(self, run_id: RunId) -> None:
        """Give a run up, queued, running or paused; one that is over stays as it ended. Raises KeyError if unknown."""
        run = self._runs[run_id]
        with run.wake:
            run.cancel_wanted.set()
            run.wake.notify_all()
        with self._work:
            was_queued = run in self._queue
            if was_queued:
                self._queue.remove(run)
        if was_queued:
            run.say(Cancelled())

    def warm(self) -> None:
        """Make the engine and let it warm up as soon as nothing is queued."""
        with self._work:
            if self._closing:
                return
            self._warm_wanted = True
            self._start_thread()
            self._work.notify_all()

    def release(self) -> None:
        """Let the engine give its memory back as soon as nothing computes, before the next queued run begins."""
        with self._work:
            if self._thread is not None:
                self._release_wanted = True
                self._work.notify_all()

    async def shutdown(self) -> None:
        """Cancel everything, wait for the engine without blocking the loop, then join the thread. Idempotent."""
        self._close()
        thread = self._thread
        if thread is None:
            return
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        with self._work:
            if not self._thread_over:
                self._joiners.append((loop, ended))
            else:
                ended.set_result(None)
        await ended
        thread.join()

    def shutdown_blocking(self, timeout_s: float) -> bool:
        """The same for callers without an event loop; False where the engine did not end in time (seconds)."""
        self._close()
        thread = self._thread
        if thread is None:
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def _close(self) -> None:
        with self._work:
            self._closing = True
            self._warm_wanted = False
            unfinished = [*self._queue, *([self._current] if self._current is not None else [])]
            self._work.notify_all()
        for run in unfinished:
            self.cancel(run.run_id)

    def _enqueue(self, run: Run) -> None:
        with self._work:
            self._runs[run.run_id] = run
            if self._closing:  # shut down while the log was opened
                run.say(Cancelled())
            elif not run.over:
                self._queue.append(run)
                self._start_thread()
                self._work.notify_all()

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="adstudio-engine", daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        lower_thread_priority()
        try:
            while self._serve_once():
                pass
        finally:
            self._engine = None
            with self._work:
                self._thread_over = True
                joiners, self._joiners = self._joiners, []
            for loop, ended in joiners:
                with contextlib.suppress(RuntimeError):  # that loop is closed: nobody waits there any more
                    loop.call_soon_threadsafe(_settle, ended)

    def _serve_once(self) -> bool:
        """Wait for something to do, and do it; False once the host closes and nothing is left."""
        with self._work:
            while not (self._queue or self._warm_wanted or self._release_wanted or self._closing):
                self._work.wait()
            release, self._release_wanted = self._release_wanted, False
            if not release and self._queue:
                self._current = self._queue.popleft()
            elif not release and self._closing:
                return False
            elif not release:
                self._warm_wanted = False
        if release:
            self._give_back()
        elif self._current is not None:
            self._take(self._current)
        else:
            self._warm_up()
        return True

    def _give_back(self) -> None:
        if self._engine is None:
            return
        try:
            self._engine.release()
        except Exception:  # noqa: BLE001 (the top of a thread)
            _log.warning("The engine could not give its memory back.", exc_info=True)

    def _warm_up(self) -> None:
        try:
            self._ready_engine().warm()
        except Exception:  # noqa: BLE001 (the top of a thread)
            _log.info("Warming up failed; the next job will say why.", exc_info=True)

    def _take(self, run: Run) -> None:
        try:
            self._compute(run)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the top of a thread)
            if run.cancel_wanted.is_set():
                with contextlib.suppress(OSError):
                    run.say(Notice(message=f"While stopping: {failed_from(error, run.folder).reason}"))
                run.say(Cancelled())
            else:
                run.say(failed_from(error, run.folder))
        finally:
            with self._work:
                self._current = None
                previous, self._last_over = self._last_over, run
            if previous is not None:
                previous.forget_preview()

    def _ready_engine(self) -> Engine:
        if self._engine is None:
            self._engine = self._factory()
        return self._engine

    def _compute(self, run: Run) -> None:
        request = run.request
        while not run.cancel_wanted.is_set():
            try:
                self._compute_from(run, request)
            except (StorageFullError, OSError) as error:
                if not self._waits_for_room or run.cancel_wanted.is_set() or not is_for_want_of_room(error):
                    raise
                run.say(Notice(message=f"{failed_from(error, run.folder).reason} Until then the run is paused."))
                run.pause_wanted.set()
                _hold_while_paused(run)
                request = dataclasses.replace(request, resume=True)
            else:
                return
        run.say(Cancelled())

    def _compute_from(self, run: Run, request: RunRequest) -> None:
        with self._awake():
            items = self._ready_engine().run(request, run)
            try:
                self._follow(run, items)
            finally:
                _close(items)

    def _follow(self, run: Run, items: Iterator[Event]) -> None:
        computing = False
        for event in items:
            if isinstance(event, Finished | Failed):
                run.say(event)
                return
            if run.cancel_wanted.is_set() or isinstance(event, TERMINAL):
                break
            run.say(event)
            computing = computing or isinstance(event, Started)
            if computing:
                _hold_while_paused(run)
            if run.cancel_wanted.is_set():
                break
        else:
            if not run.cancel_wanted.is_set():
                raise EngineError("The engine ended without a result; run the job again.")
        _close(items)
        run.say(Cancelled())


def _hold_while_paused(run: Run) -> None:
    if not run.pause_requested():
        return
    run.say(Paused())
    with run.wake:
        run.wake.wait_for(lambda: not run.pause_requested())
    if not run.cancel_wanted.is_set():
        run.say(Resumed())


def _close(items: Iterator[Event]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()


def _settle(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)

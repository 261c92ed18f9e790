"""The events of one run, handed from the engine thread to any number of asynchronous readers."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator

from adstudio.jobs.events import TERMINAL, Event, Preview


class EventFeed:
    """Keeps what happened and wakes those who wait for more; `publish` never waits for a reader.

    Of the previews only the newest is kept, both for late readers and for one that is slow.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._readers: list[_Reader] = []

    @property
    def over(self) -> bool:
        """True once the terminal event is published."""
        with self._lock:
            return bool(self._events) and isinstance(self._events[-1], TERMINAL)

    def publish(self, event: Event) -> None:
        """Add an event; from any thread. Nothing is added after a terminal one."""
        with self._lock:
            if self._events and isinstance(self._events[-1], TERMINAL):
                return
            _append(self._events, event)
            for reader in self._readers:
                reader.push(event)

    def forget_preview(self) -> None:
        """Let go of the kept preview's pixels."""
        with self._lock:
            self._events = [event for event in self._events if not isinstance(event, Preview)]

    async def read(self) -> AsyncIterator[Event]:
        """Every event from the first on, ending after the terminal one."""
        with self._lock:
            reader = _Reader(self._events)
            self._readers.append(reader)
        try:
            while True:
                event = await reader.next()
                yield event
                if isinstance(event, TERMINAL):
                    return
        finally:
            with self._lock:
                self._readers.remove(reader)


class _Reader:
    """One reader's backlog, filled by any thread and emptied in the loop that made it."""

    def __init__(self, earlier: list[Event]) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._backlog: deque[Event] = deque(earlier)
        self._more = asyncio.Event()

    def push(self, event: Event) -> None:
        with self._lock:
            _append(self._backlog, event)
        try:
            self._loop.call_soon_threadsafe(self._more.set)
        except RuntimeError:
            return  # the reader's loop is closed: nobody is listening any more

    async def next(self) -> Event:
        while True:
            self._more.clear()
            with self._lock:
                if self._backlog:
                    return self._backlog.popleft()
            await self._more.wait()


def _append(events: list[Event] | deque[Event], event: Event) -> None:
    if isinstance(event, Preview):
        older = next((index for index, one in enumerate(events) if isinstance(one, Preview)), None)
        if older is not None:
            del events[older]
    events.append(event)

"""One run as its host sees it: the wishes of the artist, and what has been said about it."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

from adstudio.jobs.event_log import EventLog
from adstudio.jobs.events import TERMINAL, Event, Notice, Paused, Preview, Resumed, Started
from adstudio.jobs.feed import EventFeed
from adstudio.jobs.host import RunId, RunRequest

PREVIEW_INTERVAL_S = 0.1


class Run:
    """A submitted run; also the `RunControl` that its engine asks.

    cancel_wanted, pause_wanted: set from any thread. wake: notified whenever one of them changes.
    """

    def __init__(self, run_id: RunId, request: RunRequest) -> None:
        self.run_id = run_id
        self.request = request
        self.cancel_wanted = threading.Event()
        self.pause_wanted = threading.Event()
        self.wake = threading.Condition()
        self._feed = EventFeed()
        self._saying = threading.Lock()
        self._log: EventLog | None = None
        self._taken_s = time.monotonic()
        self._offset_s = 0.0
        self._held_preview: Preview | None = None
        self._preview_due_s = 0.0

    @property
    def over(self) -> bool:
        return self._feed.over

    @property
    def folder(self) -> Path:
        return self.request.folder

    def interrupted(self) -> bool:
        return self.cancel_wanted.is_set()

    def pause_requested(self) -> bool:
        return self.pause_wanted.is_set() and not self.cancel_wanted.is_set()

    def open_log(self) -> None:
        """Start or continue events.jsonl; call it before the first `say`. Raises OSError."""
        self._log = EventLog(self.folder)
        self._offset_s = self._log.offset_s

    def say(self, event: Event) -> None:
        """Stamp, log and then deliver an event; previews at most every `PREVIEW_INTERVAL_S`, the newest wins.

        A terminal event is delivered even where it cannot be logged, and so are those that tell of a pause or a notice:
        the disk may be full. Raises OSError where any other cannot be.
        """
        with self._saying:
            if self._feed.over:
                return
            if isinstance(event, Preview):
                self._held_preview = event
                self._say_held_preview(force=False)
                return
            self._say_held_preview(force=isinstance(event, TERMINAL) or event.type == "paused")
            self._record(event)
            if isinstance(event, TERMINAL):
                self._close_log()

    def read(self) -> AsyncIterator[Event]:
        """All events from the first on, ending after the terminal one."""
        return self._feed.read()

    def forget_preview(self) -> None:
        self._feed.forget_preview()

    def _say_held_preview(self, *, force: bool) -> None:
        preview = self._held_preview
        now_s = time.monotonic()
        if preview is None or (now_s < self._preview_due_s and not force):
            return
        self._held_preview = None
        self._preview_due_s = now_s + PREVIEW_INTERVAL_S
        self._record(preview)

    def _record(self, event: Event) -> None:
        now_s = time.monotonic() - self._taken_s
        if isinstance(event, Started):
            now_s = max(0.0, now_s - event.prepared_s)
        stamped = dataclasses.replace(event, time_s=self._offset_s + now_s)
        try:
            if self._log is not None:
                self._log.append(stamped)
        except (OSError, ValueError):
            if not isinstance(event, (*TERMINAL, Preview, Notice, Paused, Resumed)):
                raise
        self._feed.publish(stamped)

    def _close_log(self) -> None:
        if self._log is None:
            return
        try:
            self._log.close()
        except OSError:
            return  # what could not be flushed was already told by `append`

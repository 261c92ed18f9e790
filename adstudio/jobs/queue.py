"""The jobs that wait: their order, what is held back, what failed and why; kept from one start to the next.

One job at a time is handed to the host. A queue belongs to one event loop and is used from its thread only.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from adstudio.errors import AdStudioError, StorageError
from adstudio.jobs import run_folder
from adstudio.jobs.event_log import EventLog
from adstudio.jobs.events import TERMINAL, Cancelled, Event, Failed, Finished
from adstudio.jobs.host import EngineHost, RunId, RunRequest
from adstudio.jobs.queue_entry import EntryId, EntryState, QueueEntry, QueueStore

_log = logging.getLogger(__name__)

Open = Callable[[Path], Awaitable[RunRequest]]


async def _open_in_thread(folder: Path) -> RunRequest:
    return await asyncio.to_thread(run_folder.open_run, folder)


def note_cancelled(folder: Path) -> None:
    """Let the run folder say that its run was given up, unless it ended already or is gone."""
    try:
        if not run_folder.is_finished(folder):
            with EventLog(folder) as log:
                log.append(Cancelled(time_s=log.offset_s))
    except OSError:
        return  # a run without a word about its end counts as cut short


class JobQueue:
    """Hands run folders to a host, one after another, in an order that can be changed while they wait.

    Finished and cancelled runs leave the queue; failed ones stay with their reason until they are retried or removed.
    on_change: called after every change. on_run: called when the host has taken a run, to follow its events.
    on_event: called with each event of the run that goes on, with the last one once the queue has taken it in; a run
    that never reached the host has a last one, too. on_trouble: told in words where the queue could not be kept; it
    goes on all the same. open_run: reads a run folder again, for runs of an earlier start and for retries; slow, so it
    is awaited. give_up: notes in a run folder that its run was cancelled before it began.
    """

    def __init__(
        self,
        host: EngineHost,
        store: QueueStore,
        *,
        on_change: Callable[[], None] = lambda: None,
        on_run: Callable[[QueueEntry, RunRequest, RunId], None] = lambda _entry, _request, _run_id: None,
        on_event: Callable[[QueueEntry, Event], None] = lambda _entry, _event: None,
        on_trouble: Callable[[str], None] = _log.warning,
        open_run: Open = _open_in_thread,
        give_up: Callable[[Path], None] = note_cancelled,
    ) -> None:
        self._host = host
        self._store = store
        self._on_change = on_change
        self._on_run = on_run
        self._on_event = on_event
        self._on_trouble = on_trouble
        self._open_run = open_run
        self._give_up = give_up
        self._entries: list[QueueEntry] = []
        self._requests: dict[EntryId, RunRequest] = {}
        self._current: EntryId | None = None
        self._run_id: RunId | None = None
        self._task: asyncio.Task[None] | None = None
        self._cancel_wanted = False
        self._held = False
        self._closing = False

    @property
    def entries(self) -> tuple[QueueEntry, ...]:
        """In the order in which they will run."""
        return tuple(self._entries)

    @property
    def held(self) -> bool:
        """Whether nothing is begun for now; what runs goes on."""
        return self._held

    @property
    def current(self) -> QueueEntry | None:
        """The entry that runs."""
        return next((one for one in self._entries if one.entry_id == self._current), None)

    def restore(self) -> None:
        """Take up what an earlier start left, held back as a whole until `release_all`. Raises StorageError."""
        known = {one.folder for one in self._entries}
        earlier = [one for one in self._store.load() if one.folder not in known]
        waiting = [
            dataclasses.replace(one, state=EntryState.WAITING) if one.state is EntryState.RUNNING else one
            for one in earlier
        ]
        if waiting:
            self._entries = _ordered([*waiting, *self._entries])
            self._held = self._held or any(one.state is EntryState.WAITING for one in waiting)
            self._changed()

    def add(self, request: RunRequest, *, title: str = "", priority: int = 0, held: bool = False) -> EntryId:
        """Put a run at the end of those with its priority; higher ones run first. Raises RuntimeError once closed."""
        if self._closing:
            raise RuntimeError("the queue is closed")
        entry = QueueEntry(
            entry_id=EntryId(uuid.uuid4().hex),
            folder=request.folder,
            title=title or request.folder.name,
            state=EntryState.HELD if held else EntryState.WAITING,
            priority=priority,
        )
        self._requests[entry.entry_id] = request
        self._entries = _ordered([*self._entries, entry])
        self._changed()
        return entry.entry_id

    def move(self, entry_id: EntryId, place: int) -> None:
        """Move an entry to a place in `entries`; its priority follows its new neighbours'. KeyError if unknown."""
        entry = self._find(entry_id)
        others = [one for one in self._entries if one.entry_id != entry_id]
        place = max(0, min(place, len(others)))
        above = [one.priority for one in others[:place] if one.state is not EntryState.RUNNING]
        below = [one.priority for one in others[place:] if one.state is not EntryState.RUNNING]
        priority = max([min([entry.priority, *above[-1:]]), *below[:1]])
        others.insert(place, dataclasses.replace(entry, priority=priority))
        self._entries = _ordered(others)
        self._changed()

    def set_priority(self, entry_id: EntryId, priority: int) -> None:
        """Give an entry another priority; it goes to the end of those that have it. KeyError if unknown."""
        entry = self._find(entry_id)
        others = [one for one in self._entries if one.entry_id != entry_id]
        self._entries = _ordered([*others, dataclasses.replace(entry, priority=priority)])
        self._changed()

    def hold(self, entry_id: EntryId) -> None:
        """Let others pass an entry that waits; one in any other state stays as it is. KeyError if unknown."""
        self._turn(entry_id, EntryState.WAITING, EntryState.HELD)

    def release(self, entry_id: EntryId) -> None:
        """Let an entry that was held wait again. KeyError if unknown."""
        self._turn(entry_id, EntryState.HELD, EntryState.WAITING)

    def retry(self, entry_id: EntryId) -> None:
        """Let a failed entry wait again, to go on from its newest checkpoint. KeyError if unknown."""
        self._turn(entry_id, EntryState.FAILED, EntryState.WAITING)

    def hold_all(self) -> None:
        """Begin nothing more until `release_all`; what runs goes on."""
        self._held = True
        self._changed()

    def release_all(self) -> None:
        self._held = False
        self._changed()

    def cancel(self, entry_id: EntryId) -> None:
        """Give an entry up, running or waiting, or take a failed one off the queue. KeyError if unknown."""
        entry = self._find(entry_id)
        if entry.state is EntryState.RUNNING:
            self._cancel_wanted = True
            if self._run_id is not None:
                self._host.cancel(self._run_id)
            return
        self._drop(entry)
        self._changed()

    def cancel_all(self) -> None:
        """Give up what waits, what is held and then what runs; failed ones stay with their reason."""
        for entry in self.entries:
            if entry.state in (EntryState.WAITING, EntryState.HELD):
                self._drop(entry)
        self._changed()
        if self._current is not None:
            self.cancel(self._current)

    async def close(self) -> None:
        """Begin nothing more; what runs is cancelled and, with all that waits, kept for the next start."""
        self._closing = True
        if self._run_id is not None:
            self._host.cancel(self._run_id)
        if self._task is not None:
            await self._task
        self._save()

    def _changed(self) -> None:
        if not self._closing:
            self._begin_next()
            self._save()
        self._on_change()

    def _save(self) -> None:
        try:
            self._store.save(self._entries)
        except StorageError as error:
            self._on_trouble(str(error))

    def _begin_next(self) -> None:
        if self._held or self._current is not None:
            return
        entry = next((one for one in self._entries if one.state is EntryState.WAITING), None)
        if entry is None:
            return
        running = dataclasses.replace(entry, state=EntryState.RUNNING, reason="")
        self._replace(running)
        self._current = entry.entry_id
        self._cancel_wanted = False
        self._task = asyncio.get_running_loop().create_task(self._run(running))

    async def _run(self, entry: QueueEntry) -> None:
        last = await self._follow(entry)
        self._current = self._run_id = None
        if isinstance(last, Failed):
            self._replace(dataclasses.replace(entry, state=EntryState.FAILED, reason=last.reason))
        elif isinstance(last, Finished) or not self._closing or self._cancel_wanted:
            self._entries = [one for one in self._entries if one.entry_id != entry.entry_id]
        else:
            self._replace(dataclasses.replace(entry, state=EntryState.WAITING))
        self._changed()
        self._on_event(entry, last)

    async def _follow(self, entry: QueueEntry) -> Event:
        request = self._requests.pop(entry.entry_id, None)
        try:
            if request is None:
                request = await self._open_run(entry.folder)
            if self._cancel_wanted:
                self._give_up(entry.folder)
            if self._cancel_wanted or self._closing:
                return Cancelled()
            self._run_id = self._host.submit(request)
        except (AdStudioError, OSError) as error:
            return Failed(reason=" ".join(str(error).split()))
        self._on_run(entry, request, self._run_id)
        last: Event = Cancelled()
        async for event in self._host.events(self._run_id):
            last = event
            if isinstance(event, TERMINAL):
                break
            self._on_event(entry, event)
        return last

    def _find(self, entry_id: EntryId) -> QueueEntry:
        for entry in self._entries:
            if entry.entry_id == entry_id:
                return entry
        raise KeyError(entry_id)

    def _replace(self, entry: QueueEntry) -> None:
        """Put the new value of an entry in its place; where it stands may have changed since it was read."""
        self._entries = _ordered(
            [
                dataclasses.replace(entry, priority=one.priority) if one.entry_id == entry.entry_id else one
                for one in self._entries
            ]
        )

    def _turn(self, entry_id: EntryId, before: EntryState, after: EntryState) -> None:
        entry = self._find(entry_id)
        if entry.state is before:
            self._replace(dataclasses.replace(entry, state=after, reason=""))
            self._changed()

    def _drop(self, entry: QueueEntry) -> None:
        self._requests.pop(entry.entry_id, None)
        self._entries = [one for one in self._entries if one.entry_id != entry.entry_id]
        if entry.state is not EntryState.FAILED:
            self._give_up(entry.folder)


def _ordered(entries: list[QueueEntry]) -> list[QueueEntry]:
    """What runs first, then by priority; among equals the order stays."""
    return sorted(entries, key=lambda one: (one.state is not EntryState.RUNNING, -one.priority))

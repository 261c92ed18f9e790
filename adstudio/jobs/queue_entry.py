"""What waits in the queue, and where it is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NewType, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from adstudio.errors import StorageError
from adstudio.images import atomic_write_bytes
from adstudio.settings import set_aside

_FORMAT = 1

EntryId = NewType("EntryId", str)


class EntryState(StrEnum):
    """What an entry of the queue does."""

    WAITING = "waiting"
    HELD = "held"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """A run that is to be done.

    folder: its run folder, complete, so that the job survives whatever becomes of its pictures' originals.
    title: what it is called. reason: why it failed. priority: higher ones run first.
    """

    entry_id: EntryId
    folder: Path
    title: str
    state: EntryState = EntryState.WAITING
    priority: int = 0
    reason: str = ""


class QueueStore(Protocol):
    """Keeps the entries from one start to the next."""

    def load(self) -> tuple[QueueEntry, ...]:
        """What was saved last; nothing where nothing was. Raises StorageError."""

    def save(self, entries: Sequence[QueueEntry]) -> None: ...


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True)

    entry_id: str
    folder: Path
    title: str
    state: EntryState
    priority: int
    reason: str


class _File(BaseModel):
    format: int
    entries: tuple[_Stored, ...]


class QueueFile:
    """The queue as a small JSON file, written whole or not at all; a damaged one is kept beside and begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> tuple[QueueEntry, ...]:
        """The entries of the file, none where it is not there or damaged. Raises StorageError if it is unreadable."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StorageError(f"{self._path}: the queue cannot be read ({error.strerror})") from error
        try:
            stored = _File.model_validate_json(content)
        except ValidationError:
            stored = None
        if stored is None or stored.format != _FORMAT:
            set_aside(self._path)
            return ()
        return tuple(
            QueueEntry(
                entry_id=EntryId(one.entry_id),
                folder=one.folder,
                title=one.title,
                state=one.state,
                priority=one.priority,
                reason=one.reason,
            )
            for one in stored.entries
        )

    def save(self, entries: Sequence[QueueEntry]) -> None:
        """Raises StorageError."""
        listed = [
            {
                "entry_id": one.entry_id,
                "folder": str(one.folder),
                "title": one.title,
                "state": one.state.value,
                "priority": one.priority,
                "reason": one.reason,
            }
            for one in entries
        ]
        text = json.dumps({"format": _FORMAT, "entries": listed}, ensure_ascii=False, indent=2) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self._path.parent}: cannot be made ({error.strerror})") from error
        atomic_write_bytes(self._path, text.encode())

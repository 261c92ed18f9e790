"""`events.jsonl` of a run folder: one object a line, appended while the run goes on."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adstudio.jobs.events import TERMINAL, Event, Preview

EVENTS_NAME = "events.jsonl"
MAX_LINE_BYTES = 1_000_000

EventRecord = dict[str, Any]


class EventLog:
    """Appends events to the log of a run folder; a line that a crash tore off is removed first.

    offset_s: time of the last event already in the log, in seconds; a resumed run counts on from there.
    Raises OSError where the log cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / EVENTS_NAME
        _mend(path)
        earlier = read_events(folder)
        self.offset_s = max((_time_of(record) for record in earlier), default=0.0)
        self._stream = path.open("a", encoding="utf-8", newline="\n")

    def append(self, event: Event) -> None:
        """Write one line and hand it to the system; a terminal event is also forced onto the disk."""
        self._stream.write(json.dumps(event_record(event, self._folder), ensure_ascii=False, allow_nan=False) + "\n")
        self._stream.flush()
        if isinstance(event, TERMINAL):
            os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the file; more than once is fine."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def event_record(event: Event, folder: Path) -> EventRecord:
    """The JSON object of an event: time_s and type first, paths relative to the run folder, no pixels."""
    record: EventRecord = {"time_s": round(event.time_s, 4), "type": event.type}
    for field in dataclasses.fields(event):
        if field.name == "time_s":
            continue
        value = getattr(event, field.name)
        if isinstance(event, Preview) and field.name == "image":
            record["height"], record["width"] = int(value.shape[0]), int(value.shape[1])
        elif field.name == "figures":
            if value:
                record["figures"] = {name: _plain(figure, folder) for name, figure in value}
        else:
            record[field.name] = _plain(value, folder)
    return record


def read_events(folder: Path) -> tuple[EventRecord, ...]:
    """The events of a run as JSON objects, oldest first; lines that are no such object are passed over.

    An absent log has no events. Raises OSError where the log is there and cannot be read.
    """
    try:
        stream = (folder / EVENTS_NAME).open("rb")
    except (FileNotFoundError, NotADirectoryError):
        return ()
    records: list[EventRecord] = []
    with stream:
        for line in stream:
            if len(line) > MAX_LINE_BYTES:
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict) and isinstance(record.get("type"), str):
                records.append(record)
    return tuple(records)


def _plain(value: object, folder: Path) -> Any:
    if isinstance(value, Path):
        return (value.relative_to(folder) if value.is_relative_to(folder) else value).as_posix()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, tuple):
        return [_plain(item, folder) for item in value]
    return value


def _time_of(record: EventRecord) -> float:
    time_s = record.get("time_s")
    if isinstance(time_s, (int, float)) and math.isfinite(time_s):
        return max(0.0, float(time_s))
    return 0.0


def _mend(path: Path) -> None:
    """Cut a log that does not end with a whole line back to its last one."""
    try:
        stream = path.open("r+b")
    except FileNotFoundError:
        return
    with stream:
        end = stream.seek(0, os.SEEK_END)
        start = max(0, end - MAX_LINE_BYTES)
        stream.seek(start)
        tail = stream.read()
        if tail and not tail.endswith(b"\n"):
            stream.truncate(start + tail.rfind(b"\n") + 1)

"""A series: many jobs in one folder, each with a run folder of its own, that can be gone on with after anything.

`DIR/NAME.json` lists the jobs, `DIR/NAME.jsonl` says what became of them, one JSON object a line. What a run folder
says of itself counts; the log is for jobs that failed before they had one, and for people and programs to read.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from adstudio.errors import JobError, StorageError
from adstudio.images import atomic_write_bytes
from adstudio.jobs import run_folder
from adstudio.jobs.files import job_to_mapping, parse_job
from adstudio.jobs.job_lines import SourcedJob
from adstudio.jobs.messages import in_one_line
from adstudio.jobs.run_folder import RunStatus
from adstudio.jobs.spec import Job

_FORMAT = 1
_LONGEST_TITLE = 40
_OF_NO_INTEREST = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_HALF_WRITTEN = re.compile(r"^\.[0-9a-f]{16}\.part$")
_NAME = re.compile(r"^\d{4,5}(-[a-z0-9-]+)?$")


class ItemState(StrEnum):
    """How a job of a series stands: still to do or to go on with, done, or failed."""

    OPEN = "open"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A job of a series. name: of its run folder. source: where it comes from, in words."""

    name: str
    job: Job
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What became of a job so far. results: there only where it is finished."""

    state: ItemState
    reason: str = ""
    results: tuple[Path, ...] = ()


class Series:
    """The jobs of one folder and how they stand.

    kind: "batch" or "sweep", the name of its two files. details: what else NAME.json says. accepted: names of the jobs
    that were in it before this call.
    """

    def __init__(
        self,
        folder: Path,
        kind: str,
        items: Sequence[Item],
        *,
        details: Mapping[str, Any],
        accepted: frozenset[str] = frozenset(),
    ) -> None:
        self.folder = folder
        self.kind = kind
        self.items = tuple(items)
        self.accepted = accepted
        self._details = dict(details)
        self._last = _read_log(folder / f"{kind}.jsonl")

    def folder_of(self, item: Item) -> Path:
        return self.folder / item.name

    def standing(self, item: Item) -> Standing:
        """How a job stands, from its run folder or else from what was noted."""
        folder = self.folder_of(item)
        noted = self._last.get(item.name, {})
        if (folder / run_folder.JOB_NAME).is_file():
            run = run_folder.summarize(folder)
            if run.status is RunStatus.FINISHED and run_folder.is_finished(folder):
                return Standing(state=ItemState.FINISHED, results=run.results)
            if run.status is RunStatus.FAILED:
                return Standing(state=ItemState.FAILED, reason=run.reason)
        if noted.get("state") == ItemState.FAILED:
            return Standing(state=ItemState.FAILED, reason=str(noted.get("reason", "")))
        return Standing(state=ItemState.OPEN)

    def note(self, item: Item, state: str, reason: str = "") -> None:
        """Add a line to the log. Raises StorageError where it cannot be written."""
        record = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "job": item.name, "state": state}
        if reason:
            record["reason"] = reason
        path = self.folder / f"{self.kind}.jsonl"
        try:
            with path.open("ab") as stream:
                if stream.tell() and not _ends_with_line(path):
                    stream.write(b"\n")
                stream.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StorageError(f"{path}: cannot be written ({error.strerror}); make room and go on") from error
        self._last[item.name] = record

    def make_folder(self) -> None:
        """Make the folder where it is not there. Raises JobError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JobError(f"{self.folder}: cannot be made ({error.strerror}); choose another folder") from error

    def write(self) -> None:
        """Write NAME.json: the jobs, in order, and how they stand now. Raises StorageError."""
        jobs: list[dict[str, Any]] = []
        for item in self.items:
            standing = self.standing(item)
            entry: dict[str, Any] = {"folder": item.name, "source": item.source, "state": standing.state.value}
            if standing.reason:
                entry["reason"] = standing.reason
            if standing.results:
                entry["results"] = [path.relative_to(self.folder).as_posix() for path in standing.results]
            jobs.append({**entry, "job": job_to_mapping(item.job)})
        whole = {"format": _FORMAT, "kind": self.kind, **self._details, "jobs": jobs}
        text = json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        atomic_write_bytes(self.folder / f"{self.kind}.json", text.encode())


def begin(
    folder: Path, kind: str, jobs: Sequence[SourcedJob], *, resume: bool, details: Mapping[str, Any] | None = None
) -> Series:
    """A series in a folder that is new or empty or, with resume, holds a series with the same jobs or some of them.

    Nothing is written yet; `Series.write` does. Raises JobError where the folder is occupied, or where a job of the
    series that is there is not among these any more.
    """
    place = folder.absolute()
    there = _entries(place)
    stored: tuple[Item, ...] = ()
    if there and not resume:
        raise JobError(f"{folder}: is not empty; choose another folder, or add --resume to go on with the {kind} in it")
    if there:
        stored = read_items(folder, kind)
    return Series(
        place,
        kind,
        _matched(jobs, stored, folder, kind),
        details=details or {},
        accepted=frozenset(item.name for item in stored),
    )


def read_items(folder: Path, kind: str) -> tuple[Item, ...]:
    """The jobs of the series in a folder. Raises JobError where there is none or its list is damaged."""
    path = folder / f"{kind}.json"
    mapping = read_plan(folder, kind)
    items: list[Item] = []
    try:
        for entry in mapping["jobs"]:
            name = entry["folder"]
            if not _NAME.match(name):
                raise JobError(f"{path}: {in_one_line(name)} is no name of a run folder; the file was changed")
            items.append(Item(name=name, job=parse_job(entry["job"], folder), source=str(entry.get("source", name))))
    except (KeyError, TypeError, AttributeError) as error:
        raise JobError(f"{path}: is damaged ({error!r}); begin anew in another folder") from error
    if len({item.name for item in items}) != len(items):
        raise JobError(f"{path}: names a run folder twice; the file was changed")
    return tuple(items)


def read_plan(folder: Path, kind: str) -> dict[str, Any]:
    """The JSON object of NAME.json. Raises JobError where there is none, or one of a newer version."""
    path = folder / f"{kind}.json"
    try:
        mapping = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise JobError(f"{folder}: holds no {kind} to go on with; choose a new or empty folder") from error
    except (OSError, ValueError, RecursionError) as error:
        raise JobError(f"{path}: cannot be read ({error}); begin anew in another folder") from error
    if not isinstance(mapping, dict) or mapping.get("format") != _FORMAT or mapping.get("kind") != kind:
        raise JobError(f"{path}: is no list of a {kind}, or one of another version of AD Studio")
    return mapping


def _matched(jobs: Sequence[SourcedJob], stored: Sequence[Item], folder: Path, kind: str) -> list[Item]:
    """The jobs as items: those of the series under the names they have, others under new ones. Raises JobError."""
    free = list(stored)
    number = max((int(item.name.split("-")[0]) for item in stored), default=0)
    items: list[Item] = []
    for one in jobs:
        known = next((item for item in free if item.job == one.job), None)
        if known is not None:
            free.remove(known)
            name = known.name
        else:
            number += 1
            name = f"{number:04d}-{_slug(one.title)}".rstrip("-")
        items.append(Item(name=name, job=one.job, source=one.source))
    if free:
        raise JobError(
            f"{folder}: {free[0].name} ({free[0].source}) of this {kind} is not among the jobs any more; "
            "jobs may be added to it, not changed or left out; put it back as it was, or choose another folder"
        )
    return items


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_LONGEST_TITLE].strip("-")


def _entries(folder: Path) -> set[str]:
    try:
        names = {entry.name for entry in folder.iterdir()} - _OF_NO_INTEREST
        return {name for name in names if not _HALF_WRITTEN.match(name)}
    except FileNotFoundError:
        return set()
    except NotADirectoryError as error:
        raise JobError(f"{folder}: is not a folder; choose another place") from error
    except OSError as error:
        raise JobError(f"{folder}: cannot be used ({error.strerror}); choose another folder") from error


def _read_log(path: Path) -> dict[str, dict[str, Any]]:
    """The last record of each job; lines that are none are passed over."""
    last: dict[str, dict[str, Any]] = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return last
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and isinstance(record.get("job"), str):
            last[record["job"]] = record
    return last


def _ends_with_line(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"

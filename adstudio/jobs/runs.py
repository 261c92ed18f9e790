"""What became of the runs in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from adstudio.errors import AdStudioError
from adstudio.jobs.event_log import EventRecord, read_events
from adstudio.jobs.files import load_job
from adstudio.jobs.spec import Job

JOB_NAME = "job.json"


class RunStatus(StrEnum):
    """How a run stands, as far as its folder tells."""

    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run folder.

    job: None where job.json cannot be read, which makes the run BROKEN and `reason` say why.
    results: those of the last Finished that are still there. created: when job.json was written.
    seconds: time from Started to the end of the last attempt, in s; None where unknown.
    A run that goes on right now is INTERRUPTED here: its log has no end yet.
    """

    folder: Path
    status: RunStatus
    created: datetime
    job: Job | None = None
    results: tuple[Path, ...] = ()
    reason: str = ""
    seconds: float | None = None


def summarize(folder: Path) -> RunSummary:
    """The summary of one run folder; whatever is wrong with it becomes its reason."""
    created = _written(folder / JOB_NAME) or _written(folder) or datetime.fromtimestamp(0, UTC)
    try:
        job = load_job(folder / JOB_NAME)
        records = read_events(folder)
    except (AdStudioError, OSError, ValueError) as error:
        return RunSummary(folder=folder, status=RunStatus.BROKEN, created=created, reason=str(error))
    last = records[-1] if records else {}
    results = _results(folder, records)
    status = {
        "finished": RunStatus.FINISHED,
        "cancelled": RunStatus.CANCELLED,
        "failed": RunStatus.FAILED,
    }.get(str(last.get("type")), RunStatus.INTERRUPTED)
    reason = str(last.get("reason", "")) if status is RunStatus.FAILED else ""
    if status is RunStatus.FINISHED and not results:
        status, reason = RunStatus.BROKEN, "The results are gone."
    return RunSummary(
        folder=folder,
        status=status,
        created=created,
        job=job,
        results=results,
        reason=reason,
        seconds=_seconds(records),
    )


def list_runs(parent: Path) -> tuple[RunSummary, ...]:
    """The runs directly below a folder, newest first. Folders without job.json and events.jsonl are no runs."""
    try:
        folders = [entry for entry in parent.iterdir() if _is_run(entry)]
    except OSError:
        return ()
    found = [summarize(folder) for folder in folders]
    return tuple(sorted(found, key=lambda run: (run.created, run.folder.name), reverse=True))


def is_finished(folder: Path) -> bool:
    """Whether the run ended with Finished and every result it announced is there."""
    try:
        records = read_events(folder)
    except OSError:
        return False
    if not records or records[-1].get("type") != "finished":
        return False
    announced = records[-1].get("results")
    return isinstance(announced, list) and len(_results(folder, records)) == len(announced) > 0


def _is_run(folder: Path) -> bool:
    try:
        return folder.is_dir() and ((folder / JOB_NAME).exists() or (folder / "events.jsonl").exists())
    except OSError:
        return False


def _results(folder: Path, records: Sequence[EventRecord]) -> tuple[Path, ...]:
    for record in reversed(records):
        names = record.get("results")
        if record.get("type") == "finished" and isinstance(names, list):
            paths = [folder / name for name in names if isinstance(name, str) and "\0" not in name]
            return tuple(path for path in paths if path.is_file())
    return ()


def _seconds(records: Sequence[EventRecord]) -> float | None:
    started = next((record for record in reversed(records) if record.get("type") == "started"), None)
    if started is None or not records:
        return None
    begin, end = started.get("time_s"), records[-1].get("time_s")
    if isinstance(begin, (int, float)) and isinstance(end, (int, float)):
        return max(0.0, end - begin)
    return None


def _written(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return None

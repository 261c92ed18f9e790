"""Run folders as the window sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtGui import QImage

from adstudio.jobs.spec import Job, Task
from ui.state.slot_loading import load_thumbnail


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One run. status: finished, failed, cancelled, running or interrupted. job: None where job.json cannot be read.

    names: what content and references are called. results: pictures on disk, best first.
    """

    folder: Path
    created: datetime
    status: str
    task: Task | None = None
    job: Job | None = None
    results: tuple[Path, ...] = ()
    names: tuple[str, ...] = ()
    reason: str = ""


def list_entries(folder: Path) -> tuple[HistoryEntry, ...]:
    """The runs below a folder, newest first."""
    return ()


def picture_thumbnail(entry: HistoryEntry, side_px: int) -> QImage | None:
    """The first result, or the content where there is none."""
    if entry.results:
        return load_thumbnail(entry.results[0], side_px)
    if entry.job is not None and entry.job.content is not None:
        return load_thumbnail(entry.job.content, side_px)
    return None


def create_run(job: Job, runs_folder: Path):
    from adstudio.jobs import run_folder
    return run_folder.create(job, runs_folder)


def job_inside(path: Path) -> Job | None:
    return None

def names_in(folder: Path): return {}
def save_adjusted(*a): ...

"""Run folders as the window sees them: made, listed, and what their pictures were called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from adstudio.errors import ImageError
from adstudio.jobs import run_folder
from adstudio.jobs.choices import Task
from adstudio.jobs.host import RunRequest
from adstudio.jobs.spec import Job
from ui.state.adjust import Adjustment, apply
from ui.state.image_files import job_text_of, read_rgb, save_png
from ui.state.slot_loading import load_thumbnail

_COPY_ROLE = re.compile(r"^(content|style-\d+)(-mask)?[-_ ](?=.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One run. status: finished, failed, cancelled, interrupted or broken. job: None where job.json cannot be read.

    created: local time. names: what content and references are called. results: pictures on disk, best first.
    seconds: what computing took, None where unknown.
    """

    folder: Path
    created: datetime
    status: str
    task: Task | None = None
    job: Job | None = None
    results: tuple[Path, ...] = ()
    names: tuple[str, ...] = ()
    reason: str = ""
    seconds: float | None = None

    @property
    def can_go_on(self) -> bool:
        """Whether it ended before its pictures were made, so that it can be taken up again."""
        return self.job is not None and self.status in ("interrupted", "cancelled", "failed")


def create_run(job: Job, runs_folder: Path) -> RunRequest:
    """A run folder of its own for a job. Raises AdStudioError, OSError."""
    return run_folder.create(job, run_folder.new_folder(runs_folder, job.task))


def open_run(folder: Path) -> RunRequest:
    """A run that ended early, to be gone on with. Raises JobError where it is not as it was written."""
    return run_folder.open_run(folder)


def shown_name(path: Path) -> str:
    """A copy in `inputs/` by the name its original had."""
    return _COPY_ROLE.sub("", path.name) if path.parent.name == run_folder.INPUTS_NAME else path.name


def names_in(job: Job) -> dict[Path, str]:
    """What the pictures of a job are called, by path."""
    paths = [style.image for style in job.styles] + ([job.content] if job.content is not None else [])
    return {path: shown_name(path) for path in paths}


def list_entries(folder: Path) -> tuple[HistoryEntry, ...]:
    """The runs below a folder, newest first."""
    return tuple(
        HistoryEntry(
            folder=run.folder,
            created=run.created.astimezone(),
            status=run.status.value,
            task=run.job.task if run.job is not None else None,
            job=run.job,
            results=run.results,
            names=tuple(names_in(run.job).values())[::-1] if run.job is not None else (),
            reason=run.reason,
            seconds=run.seconds,
        )
        for run in run_folder.list_runs(folder)
    )


def picture_thumbnail(entry: HistoryEntry, side_px: int) -> QImage | None:
    """The first result, or the content where there is none."""
    candidates = [*entry.results[:1]]
    if entry.job is not None:
        candidates += [path for path in (entry.job.content, entry.job.styles[0].image) if path is not None]
    for path in candidates:
        try:
            return load_thumbnail(path, side_px)
        except ImageError:
            continue
    return None


def save_adjusted(picture: Path, content: NDArray[np.uint8] | None, adjustment: Adjustment, target: Path) -> None:
    """Write a result, with its adjustment, where the artist wants it. Raises ImageError, StorageError."""
    result = read_rgb(picture)
    save_png(target, apply(adjustment, result, content), job_text=job_text_of(picture))

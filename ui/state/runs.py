"""The runs of a project as the window sees them, and what their pictures were called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from adstudio.errors import AdStudioError
from adstudio.images import encode_png
from adstudio.jobs import run_folder
from adstudio.jobs.choices import Task
from adstudio.jobs.events import Preview
from adstudio.jobs.spec import Job
from adstudio.projects import Frame, Project, Run
from adstudio.projects.thumbnails import thumbnail
from ui.state.adjust import Adjustment, apply
from ui.state.image_files import job_text_of, read_rgb, save_png

_COPY_ROLE = re.compile(r"^(content|style-\d+|control)(-mask)?[-_ ](?=.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFrame:
    """A picture of a run under way. digest: of the picture."""

    step: int
    image_index: int
    path: Path
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One run of the open project. status: as in `RunState`. job: None where it cannot be read.

    folder: of the run; its name is the run's id. created: local time. input_names: what its pictures are called.
    results: sound pictures, best first. digests: of the pictures a card may show, by path. seconds: what computing
    took, None where unknown. damaged: a picture of it is missing or not as it was. made_from: ids of earlier runs.
    frames: of a run that was read by itself; a list does without.
    """

    folder: Path
    created: datetime
    status: str
    task: Task | None = None
    job: Job | None = None
    results: tuple[Path, ...] = ()
    digests: tuple[tuple[Path, str], ...] = ()
    input_names: tuple[tuple[Path, str], ...] = ()
    reason: str = ""
    seconds: float | None = None
    rating: int = 0
    favourite: bool = False
    tags: tuple[str, ...] = ()
    notes: str = ""
    trashed: bool = False
    damaged: bool = False
    made_from: tuple[str, ...] = ()
    frames: tuple[KeptFrame, ...] = ()
    device: str = ""
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def run_id(self) -> str:
        return self.folder.name

    @property
    def names(self) -> tuple[str, ...]:
        """What references and content are called, masks aside."""
        if self.job is None:
            return tuple(dict.fromkeys(name for _, name in self.input_names))
        named = dict(self.input_names)
        content = [self.job.content] if self.job.content is not None else []
        return tuple(named[path] for path in [*content, *(one.image for one in self.job.styles)] if path in named)

    @property
    def can_go_on(self) -> bool:
        """Whether it ended before its pictures were made, so that it can be taken up again."""
        return self.job is not None and not self.trashed and self.status in ("interrupted", "cancelled", "failed")


def entry_of(project: Project, run: Run) -> HistoryEntry:
    """A run as the history shows it."""
    folder = project.folder_of(run.id)
    try:
        job = project.job(run)
    except AdStudioError:
        job = None
    pictures = [(folder / result.file, result.object) for result in run.results]
    pictures += [(folder / one.file, one.object) for one in run.inputs]
    return HistoryEntry(
        folder=folder,
        created=run.created.astimezone(),
        status=run.state.value,
        task=run.task,
        job=job,
        results=tuple(folder / one.file for one in run.results if one.object.usable),
        digests=tuple((path, one.digest) for path, one in pictures if one.usable),
        input_names=tuple((folder / one.file, one.name) for one in run.inputs),
        reason=run.reason,
        seconds=run.seconds,
        rating=run.rating,
        favourite=run.favourite,
        tags=run.tags,
        notes=run.notes,
        trashed=run.trashed is not None,
        damaged=any(not one.usable for _, one in pictures),
        frames=tuple(
            KeptFrame(
                step=one.step,
                image_index=one.image_index,
                path=project.object_path(one.picture.digest),
                digest=one.picture.digest,
            )
            for one in run.frames
            if one.picture is not None and one.picture.usable
        ),
        made_from=tuple(dict.fromkeys(one.parent_id for one in run.lineage)),
        device=run.device,
        versions=tuple(run.versions.items()),
    )


def keep_frame(project: Project, run_id: str, event: Preview) -> None:
    """Keep a preview as an intermediate state of its run."""
    frame = Frame(image_index=event.image_index, step=event.step, time_s=event.time_s)
    project.add_frame(run_id, frame, picture=(encode_png(event.image), "frame.png"))


def shown_name(path: Path) -> str:
    """A copy in `inputs/` by the name its original had."""
    return _COPY_ROLE.sub("", path.name) if path.parent.name == run_folder.INPUTS_NAME else path.name


def names_in(job: Job) -> dict[Path, str]:
    """What the pictures of a job are called, by path."""
    paths = [style.image for style in job.styles] + ([job.content] if job.content is not None else [])
    paths += [path for path in (job.content_mask, job.control.image if job.control is not None else None) if path]
    return {path: shown_name(path) for path in paths}


def picture_thumbnail(entry: HistoryEntry, side_px: int) -> QImage | None:
    """The first result, or the content where there is none; from the cache where it was made before."""
    candidates = [*entry.results[:1]]
    if entry.job is not None:
        candidates += [path for path in (entry.job.content, entry.job.styles[0].image) if path is not None]
    digests = dict(entry.digests)
    for path in candidates:
        content = thumbnail(path, digests[path], side_px) if path in digests else None
        image = QImage.fromData(content) if content is not None else QImage()
        if not image.isNull():
            return image
    return None


def save_adjusted(picture: Path, content: NDArray[np.uint8] | None, adjustment: Adjustment, target: Path) -> None:
    """Write a result, with its adjustment, where the artist wants it. Raises ImageError, StorageError."""
    result = read_rgb(picture)
    save_png(target, apply(adjustment, result, content), job_text=job_text_of(picture))

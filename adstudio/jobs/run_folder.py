"""A run folder: `job.json`, `inputs/`, `events.jsonl` and the results of one run; complete in itself and movable."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from adstudio.errors import JobError, StorageError
from adstudio.images import atomic_write_bytes
from adstudio.jobs.event_log import EVENTS_NAME, EventLog, read_events
from adstudio.jobs.files import job_to_json, job_to_mapping, load_job
from adstudio.jobs.host import RunRequest
from adstudio.jobs.inputs import INPUTS_NAME, checked, copy_inputs, digest_of, inputs_of, verify_inputs, with_paths
from adstudio.jobs.runs import JOB_NAME, RunStatus, RunSummary, is_finished, list_runs, summarize
from adstudio.jobs.spec import Job, Task

__all__ = [
    "EVENTS_NAME",
    "INPUTS_NAME",
    "JOB_NAME",
    "EventLog",
    "RunStatus",
    "RunSummary",
    "create",
    "is_finished",
    "is_free",
    "list_runs",
    "new_folder",
    "open_run",
    "read_events",
    "summarize",
    "take_back",
]

_OF_NO_INTEREST = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_MADE_LATER = re.compile(r"^(checkpoints|result(-\d+)?\.png)$")
_ROOM_OR_DISK = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EIO, errno.EFBIG})
_HALF_WRITTEN = re.compile(r"^\.((job\.json|result(-\d+)?\.png)\..*|[0-9a-f]{16})\.part$")


def create(job: Job, out_dir: Path, *, resume: bool = False) -> RunRequest:
    """Check a job completely, then make its run folder: copies of its pictures and a concrete job.json.

    job: with absolute paths. out_dir: absent or empty; with resume it may hold the same job.
    Raises JobError or UnavailableError before anything is written, JobError where the folder is no place to write in,
    StorageError where the disk is full or fails.
    """
    folder = out_dir.absolute()
    entries = _entries(folder)
    if entries and resume and (folder / JOB_NAME).is_file():
        request = open_run(folder)
        _check_same(job, request.job, folder)
        return request
    if entries and not (resume and entries == {INPUTS_NAME}):
        raise JobError(f"{out_dir}: is not empty; choose another folder, or add --resume to go on with the run in it")
    resolved = checked(job)
    was_there = folder.exists()
    with _storing(folder):
        try:
            copied = copy_inputs(resolved, folder)
            atomic_write_bytes(folder / JOB_NAME, job_to_json(copied, relative_to=folder).encode())
        except BaseException:
            if not _holds(folder / INPUTS_NAME, resolved):
                shutil.rmtree(folder / INPUTS_NAME if was_there else folder, ignore_errors=True)
            raise
    return RunRequest(job=copied, folder=folder, resume=resume)


def open_run(folder: Path) -> RunRequest:
    """The run in a folder, to be gone on with. Raises JobError where job.json or an input is not as it was written."""
    base = folder.absolute()
    job = load_job(base / JOB_NAME)
    if not job.digests:
        raise JobError(f"{folder / JOB_NAME}: has no digests and so is no run to go on with; start it with --out DIR")
    verify_inputs(job)
    _sweep(base)
    return RunRequest(job=job, folder=base, resume=True)


def is_free(folder: Path) -> bool:
    """Whether nothing stands in the way of a new run: the folder is absent or empty."""
    try:
        return not _entries(folder)
    except JobError:
        return False


def take_back(folder: Path, *, keep_folder: bool) -> None:
    """Remove a run that was refused before any of it was computed, so that its place is as it was before `create`.

    What was computed stays, and so does all that is no part of a run. keep_folder: it was there before, empty.
    """
    if any(_MADE_LATER.match(name) for name in _entries(folder)):
        return
    shutil.rmtree(folder / INPUTS_NAME, ignore_errors=True)
    with suppress(OSError):
        for name in (JOB_NAME, EVENTS_NAME):
            (folder / name).unlink(missing_ok=True)
        if not keep_folder:
            folder.rmdir()


def new_folder(parent: Path, task: Task, *, at: datetime | None = None) -> Path:
    """A path below parent for a new run, named after time and task; free at the moment of asking, not created."""
    stamp = (at or datetime.now().astimezone()).strftime("%Y-%m-%d %H.%M.%S")
    name = f"{stamp} {task.value.replace('_', ' ')}"
    candidates = (parent / (name if index == 1 else f"{name} {index}") for index in range(1, 10_000))
    return next(candidate for candidate in candidates if not candidate.exists())


def _entries(folder: Path) -> set[str]:
    try:
        names = {entry.name for entry in folder.iterdir()} - _OF_NO_INTEREST
        return {name for name in names if not _HALF_WRITTEN.match(name)}
    except FileNotFoundError:
        return set()
    except NotADirectoryError as error:
        file = next(one for one in (folder, *folder.parents) if one.exists())
        what = "is not a folder" if file == folder else f"cannot be made, because {file} is not a folder"
        raise JobError(f"{folder}: {what}; choose another place for the run") from error
    except (OSError, ValueError) as error:
        raise JobError(f"{folder}: cannot be used ({_reason(error)}); choose another folder for the results") from error


def _sweep(folder: Path) -> None:
    """Remove what a crash left half-written."""
    for entry in folder.iterdir():
        if _HALF_WRITTEN.match(entry.name):
            with suppress(OSError):
                entry.unlink()


def _check_same(job: Job, stored: Job, folder: Path) -> None:
    """Raise JobError unless job, once resolved, is the one already in the folder."""
    resolved = checked(job)
    ours, theirs = _comparable(resolved), _comparable(stored)
    for name in {**ours, **theirs}:
        if ours.get(name) != theirs.get(name):
            raise JobError(
                f"{name}: differs from the job in {folder}; choose another folder, or leave this setting as it was",
                field=name,
            )


def _comparable(job: Job) -> dict[str, object]:
    """The JSON object of a job with every picture replaced by its digest."""
    stand_ins = {one.field: Path(digest_of(one.path)) for one in inputs_of(job)}
    return job_to_mapping(with_paths(job, stand_ins, {}))


def _holds(inputs: Path, job: Job) -> bool:
    """Whether the job's own pictures lie in this folder, so that it must not be removed."""
    return any(one.path.is_relative_to(inputs) for one in inputs_of(job))


@contextmanager
def _storing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _ROOM_OR_DISK:
            raise StorageError(
                f"{folder}: the run cannot be written ({_reason(error)}); make room or choose another folder"
            ) from error
        there = next((one for one in (folder, *folder.parents) if one.is_dir()), folder)
        raise JobError(
            f"{folder}: cannot be written, because {there} takes no new files ({_reason(error)}); "
            "choose a folder you may write to"
        ) from error


def _reason(error: OSError | ValueError) -> str:
    return re.sub(r"\s+", " ", str(getattr(error, "strerror", None) or error))

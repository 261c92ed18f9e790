"""Run folders from outside, as `adstudio run` writes them, taken into a project; they stay where they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from adstudio.errors import JobError
from adstudio.jobs.event_log import EVENTS_NAME
from adstudio.jobs.failure import CRASH_LOG_NAME
from adstudio.jobs.files import load_job
from adstudio.jobs.inputs import INPUTS_NAME, Input, copy_name, inputs_of
from adstudio.jobs.runs import JOB_NAME, RunSummary, summarize
from adstudio.jobs.spec import Job
from adstudio.projects.layout import new_run_id
from adstudio.projects.rows import put_run, stored_object
from adstudio.projects.running import described_run, device_in, lay_out, new_folder, settle_in, with_found_lineage
from adstudio.projects.store import Store
from adstudio.projects.values import Health, Run, RunInput, RunResult, RunState, StoredObject, sound_text

CHECKPOINTS_NAME = "checkpoints"


def take_in(store: Store, source: Path) -> Run:
    """Copy a run folder into the project; one that was taken in before, and has not gone on since, is just returned.

    A picture that is gone or altered is marked as missing, and the rest is kept. Raises JobError where there is no job
    that can be read, StorageError where the copy cannot be written.
    """
    job = load_job(source / JOB_NAME)
    origin = _origin(source)
    known = store.database.value("SELECT id FROM runs WHERE origin = ?", (origin,))
    if known is not None:
        return store.run(known)
    summary = summarize(source)
    with (
        store.change(f"{source} cannot be taken in"),
        new_folder(store, new_run_id(summary.created)) as (part, folder),
    ):
        run = with_found_lineage(store, replace(_copied(store, source, part, folder, job, summary), origin=origin))
        settle_in(store, part, run)
    return store.run(run.id)


def settle(store: Store, folder: Path) -> Run:
    """Make a run of a folder that lies in `runs` already and that the database does not know.

    Raises JobError where there is no job that can be read.
    """
    with store.change(f"{folder} cannot be taken up"):
        job = load_job(folder / JOB_NAME)
        summary = summarize(folder)
        inputs = tuple(_input(store, folder, one, job) for one in inputs_of(job))
        results = tuple(
            RunResult(file=path.relative_to(folder).as_posix(), object=store.objects.adopt(path))
            for path in summary.results
        )
        with store.database.transaction():
            put_run(store.database, _summarized(job, folder, device_in(folder), summary, inputs, results))
    return store.run(folder.name)


def _copied(store: Store, source: Path, part: Path, folder: Path, job: Job, summary: RunSummary) -> Run:
    inputs = tuple(_input(store, source, one, job) for one in inputs_of(job))
    concrete = lay_out(store, job, part, folder, inputs)
    for path in _working_files(source):
        store.files.make_folder((part / path).parent)
        store.files.copy(source / path, part / path)
    results = tuple(_result(store, source, part, path) for path in summary.results)
    return _summarized(concrete, folder, device_in(part), summary, inputs, results)


def _summarized(
    job: Job,
    folder: Path,
    device: str,
    summary: RunSummary,
    inputs: tuple[RunInput, ...],
    results: tuple[RunResult, ...],
) -> Run:
    run = described_run(
        job,
        folder,
        state=RunState(summary.status.value),
        created=summary.created,
        inputs=inputs,
    )
    return replace(run, reason=summary.reason, seconds=summary.seconds, device=device, results=results)


def _result(store: Store, source: Path, part: Path, path: Path) -> RunResult:
    stored = store.objects.add(path)
    name = path.relative_to(source).as_posix()
    store.objects.place(stored.digest, part / name)
    return RunResult(file=name, object=stored)


def _input(store: Store, source: Path, one: Input, job: Job) -> RunInput:
    kept_name = one.path.parent == (source / INPUTS_NAME).absolute()
    file = f"{INPUTS_NAME}/{one.path.name if kept_name else copy_name(one)}"
    expected = next((d for name, d in job.digests.items() if one.path.as_posix().endswith(f"/{name}")), None)
    stored: StoredObject | None = None
    try:
        own = one.path.is_relative_to(store.layout.runs)
        stored = store.objects.adopt(one.path) if own else store.objects.add(one.path)
    except FileNotFoundError as error:
        if expected is None:
            raise JobError(f"{one.field}: there is no file {one.path}", field=one.field) from error
    if expected is not None and (stored is None or stored.digest != expected):
        stored = _known(store, expected) or StoredObject(
            digest=expected, size_bytes=0, media_type="application/octet-stream", health=Health.MISSING
        )
    assert stored is not None
    return RunInput(field=one.field, name=sound_text(_original_name(one)), file=file, object=stored)


def _known(store: Store, digest: str) -> StoredObject | None:
    """An object that is here already from elsewhere, and sound."""
    rows = store.database.read("SELECT * FROM objects WHERE digest = ?", (digest,))
    return stored_object(rows[0]) if rows and store.objects.look_at(digest) is Health.SOUND else None


def _original_name(one: Input) -> str:
    """Copies are called after their role and then their original."""
    stem = one.path.name.removeprefix(f"{one.role}-")
    return stem if stem and not stem.startswith(".") else one.path.name


def _working_files(source: Path) -> Iterable[Path]:
    for name in (EVENTS_NAME, CRASH_LOG_NAME):
        if (source / name).is_file():
            yield Path(name)
    for path in sorted((source / CHECKPOINTS_NAME).glob("[0-9]*.npz")):
        yield Path(CHECKPOINTS_NAME) / path.name


def _origin(source: Path) -> str:
    digest = hashlib.sha256((source / JOB_NAME).read_bytes())
    log = source / EVENTS_NAME
    digest.update(log.read_bytes() if log.is_file() else b"")
    return digest.hexdigest()

"""Runs on their way through a project: a folder for the engine, what it announces, and what it leaves."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import adstudio
from adstudio.errors import JobError, StorageError
from adstudio.jobs.event_log import EVENTS_NAME, read_events
from adstudio.jobs.events import TERMINAL, Cancelled, Event, Failed, Finished, LoadingModel, Started
from adstudio.jobs.files import job_to_json
from adstudio.jobs.host import RunRequest
from adstudio.jobs.inputs import INPUTS_NAME, Input, check_digest, checked, copy_name, inputs_of, with_paths
from adstudio.jobs.runs import JOB_NAME, summarize
from adstudio.jobs.spec import Job
from adstudio.projects.files import PART_SUFFIX, digest_and_size
from adstudio.projects.layout import RUN_SIDECAR_NAME, new_run_id
from adstudio.projects.rows import milliseconds, moment_of, now, number_of, put_run
from adstudio.projects.sidecars import run_sheet
from adstudio.projects.store import Store
from adstudio.projects.values import Lineage, Relation, Run, RunInput, RunResult, RunState, StoredObject, sound_text

_LIBRARIES = ("torch", "diffusers", "transformers", "numpy", "numba")


def begin(store: Store, job: Job, lineage: Sequence[Lineage], names: Mapping[Path, str]) -> RunRequest:
    """Check a job, take its pictures into the project and make the folder that the engine computes in.

    Raises JobError or UnavailableError before anything is written.
    """
    resolved = checked(job)
    with store.change("the run cannot be begun"):
        inputs = tuple(_taken(store, one, resolved, names) for one in inputs_of(resolved))
        with new_folder(store, new_run_id()) as (part, folder):
            concrete = lay_out(store, resolved, part, folder, inputs)
            run = described_run(concrete, folder, state=RunState.QUEUED, created=now(), inputs=inputs)
            run = replace(run, versions=versions(), lineage=tuple(lineage))
            settle_in(store, part, with_found_lineage(store, run))
            store.active.add(run.id)
    return RunRequest(job=concrete, folder=folder)


@contextmanager
def new_folder(store: Store, run_id: str) -> Iterator[tuple[Path, Path]]:
    """(where a run's folder is made, where it goes once it is whole); both are removed where that fails."""
    folder = store.layout.run(run_id)
    part = folder.with_name(f".{run_id}{PART_SUFFIX}")
    try:
        yield part, folder
    except BaseException:
        for made in (part, folder):
            with suppress(OSError):  # then it goes when the project is next opened
                store.files.remove_tree(made)
        raise


def settle_in(store: Store, part: Path, run: Run) -> None:
    """Move a finished folder to its place, its sidecar already in it, and enter the run."""
    store.files.write_whole(part / RUN_SIDECAR_NAME, run_sheet(run))
    store.files.rename(part, store.layout.run(run.id))
    with store.database.transaction():
        put_run(store.database, run, stale=False)


def lay_out(store: Store, job: Job, place: Path, folder: Path, inputs: Sequence[RunInput]) -> Job:
    """Put a job and its pictures into `place`, which is to become `folder`; the job with paths of the latter."""
    store.files.make_folder(place / INPUTS_NAME)
    for one in inputs:
        if one.object.usable:
            store.objects.place(one.object.digest, place / one.file)
    concrete = with_paths(
        job, {one.field: folder / one.file for one in inputs}, {one.file: one.object.digest for one in inputs}
    )
    store.files.write_whole(place / JOB_NAME, job_to_json(concrete, relative_to=folder).encode())
    return concrete


def described_run(job: Job, folder: Path, *, state: RunState, created: datetime, inputs: Sequence[RunInput]) -> Run:
    """A run as its job describes it. folder: its own, whose name is its id."""
    return Run(
        id=folder.name,
        state=state,
        task=job.task,
        model=job.model,
        model_digest=job.model_digest,
        created=moment_of(milliseconds(created)),
        job_text=job_to_json(job, relative_to=folder),
        prompt=job.prompt,
        seed=job.seed,
        width=job.width,
        height=job.height,
        inputs=tuple(inputs),
    )


def with_found_lineage(store: Store, run: Run) -> Run:
    """The run, with those of its pictures that are results or frames of earlier runs added to where it comes from."""
    said = {one.digest for one in run.lineage}
    found: list[Lineage] = []
    for one in run.inputs:
        digest = one.object.digest
        parents = store.database.read(
            "SELECT runs.id, made.step FROM (SELECT run, NULL AS step FROM results WHERE digest = ? "
            "UNION ALL SELECT run, step FROM frames WHERE picture = ?) AS made JOIN runs ON runs.number = made.run "
            "WHERE runs.id <> ? AND runs.created <= ? ORDER BY runs.created DESC, runs.number DESC LIMIT 1",
            (digest, digest, run.id, milliseconds(run.created)),
        )
        if parents and digest not in said:
            parent = parents[0]
            relation = _relation(one.field)
            found.append(Lineage(relation=relation, parent_id=parent["id"], digest=digest, step=parent["step"]))
    return replace(run, lineage=(*run.lineage, *found))


def record(store: Store, run_id: str, event: Event) -> None:
    """Follow a run's events; what changes how the run stands is written, all else stands in its log."""
    if isinstance(event, LoadingModel):
        with store.change("the run's state cannot be written"):
            set_state(store, run_id, RunState.RUNNING)
    elif isinstance(event, Started):
        with store.change("the run's state cannot be written"):
            set_state(store, run_id, RunState.RUNNING, device=event.device)
    elif isinstance(event, TERMINAL):
        try:
            finish(store, run_id, event)
        except StorageError:
            store.unfinished[run_id] = event
            raise


def finish_rest(store: Store) -> bool:
    """Try again to take over what found no room; whether something still finds none."""
    for run_id, event in list(store.unfinished.items()):
        try:
            finish(store, run_id, event)
        except StorageError:
            return True
    return False


def finish(store: Store, run_id: str, event: Event | None = None) -> Run:
    """Take over what a run left in its folder. event: how it ended, where the log could not be written to the end.

    May be called again, as after the disk was full.
    """
    with store.change("the results cannot be taken over"):
        store.run(run_id)
        folder = store.layout.run(run_id)
        if not folder.is_dir():
            raise StorageError(
                f"{folder}: the run cannot be taken over, because its folder is gone; was a drive unplugged?"
            )
        summary = summarize(folder)
        state, reason = RunState(summary.status.value), summary.reason
        paths = summary.results
        match event:
            case Finished():
                state, reason, paths = RunState.FINISHED, "", event.results
            case Cancelled():
                state, reason = RunState.CANCELLED, ""
            case Failed():
                state, reason = RunState.FAILED, event.reason
        results = tuple(
            RunResult(file=path.relative_to(folder).as_posix(), object=store.objects.adopt(path)) for path in paths
        )
        device = device_in(folder)
        finished = _ended(folder) if state is not RunState.INTERRUPTED else None
        with store.database.transaction():
            run = store.run(run_id)
            ended = replace(
                run,
                state=state,
                reason=reason,
                results=results,
                seconds=summary.seconds,
                device=device or run.device,
                finished=finished,
            )
            put_run(store.database, ended)
        store.active.discard(run_id)
        store.unfinished.pop(run_id, None)
    return store.run(run_id)


def device_in(folder: Path) -> str:
    """What computed, as the log of a run says; "" where it does not."""
    for record_ in reversed(read_events(folder)):
        if record_.get("type") == "started" and isinstance(record_.get("device"), str):
            return str(record_["device"])
    return ""


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Of AD Studio, Python and the libraries that compute."""
    found = {"adstudio": adstudio.__version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _taken(store: Store, one: Input, job: Job, names: Mapping[Path, str]) -> RunInput:
    try:
        if job.digests:
            check_digest(one, digest_and_size(one.path)[0], job.digests)
        stored = store.objects.add(one.path)
    except FileNotFoundError as error:
        raise JobError(f"{one.field}: there is no file {one.path}", field=one.field) from error
    name = names.get(one.path) or _earlier_name(store, one.path, stored) or one.path.name
    return RunInput(field=one.field, name=sound_text(name), file=f"{INPUTS_NAME}/{copy_name(one)}", object=stored)


def _earlier_name(store: Store, path: Path, stored: StoredObject) -> str | None:
    """What a picture was called when it came into the project, for one that lies in it."""
    if not path.is_relative_to(store.layout.folder):
        return None
    name = store.database.value("SELECT name FROM inputs WHERE digest = ? ORDER BY run DESC LIMIT 1", (stored.digest,))
    return str(name) if name is not None else None


def set_state(store: Store, run_id: str, state: RunState, device: str = "") -> None:
    """Enter how a run stands. device: "" keeps what is known."""
    number = number_of(store.database, run_id)
    with store.database.transaction():
        store.database.write(
            "UPDATE runs SET state = ?, reason = '', device = coalesce(nullif(?, ''), device), stale = 1 "
            "WHERE number = ?",
            (state.value, device, number),
        )


def _ended(folder: Path) -> datetime:
    """When the last event was written."""
    try:
        return moment_of(round((folder / EVENTS_NAME).stat().st_mtime * 1000))
    except OSError:
        return now()


def _relation(field: str) -> Relation:
    if field == "content":
        return Relation.CONTENT
    if field == "start_image":
        return Relation.BRANCH
    return Relation.STYLE if field.startswith("styles.") and field.endswith(".image") else Relation.OTHER_INPUT

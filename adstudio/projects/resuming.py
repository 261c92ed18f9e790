"""Runs that ended early made ready to go on, and pictures that were found missing or damaged looked at again."""

from __future__ import annotations

from pathlib import Path

from adstudio.errors import JobError, ProjectError
from adstudio.jobs import run_folder
from adstudio.jobs.host import RunRequest
from adstudio.jobs.runs import JOB_NAME
from adstudio.projects.files import digest_and_size
from adstudio.projects.running import set_state
from adstudio.projects.store import Store
from adstudio.projects.values import Health, RunInput, RunState


def resume(store: Store, run_id: str) -> RunRequest:
    """Make a run ready that ended early. Its pictures are read and held to their digests before the engine sees them.

    Raises JobError naming the picture that is gone or damaged, UnavailableError where the model is not here.
    """
    run = store.run(run_id)
    if not run.can_go_on:
        raise ProjectError(f"{store.layout.folder}: run {run_id} is {run.state}; only a run that ended early can go on")
    with store.change("the run cannot go on"):
        folder = store.layout.run(run_id)
        for one in run.inputs:
            _mend_input(store, folder, one)
        if not (folder / JOB_NAME).is_file():
            store.files.make_folder(folder)
            store.files.write_whole(folder / JOB_NAME, run.job_text.encode())
        request = run_folder.open_run(folder)
        set_state(store, run_id, RunState.QUEUED)
        store.active.add(run_id)
    return request


def look_again(store: Store) -> None:
    """Objects that were gone or altered when last looked at, and may have come back since."""
    for row in store.database.read("SELECT digest, health FROM objects WHERE health IN ('missing', 'damaged')"):
        health = store.objects.look_at(row["digest"])
        if health != row["health"]:
            flag(store, row["digest"], health)


def flag(store: Store, digest: str, health: Health) -> None:
    """Remember what a look at an object found."""
    with store.database.transaction():
        store.database.write("UPDATE objects SET health = ? WHERE digest = ?", (health.value, digest))


def _mend_input(store: Store, folder: Path, one: RunInput) -> None:
    """Have a run's picture, under both its names, as it was when the run was begun."""
    path, digest = folder / one.file, one.object.digest
    try:
        in_place = digest_and_size(path)[0] == digest
    except OSError:
        in_place = False
    health = store.objects.look_at(digest)
    if in_place and health is not Health.SOUND:
        store.objects.adopt(path)
        health = Health.SOUND
    elif not in_place and health is Health.SOUND:
        store.files.make_folder(path.parent)
        store.objects.place(digest, path)
    flag(store, digest, health)
    if health is not Health.SOUND:
        raise JobError(
            f"{one.field}: {one.name} is {health} in this project, so nothing is computed with it; "
            "restore the folder from a copy, or start a new run with the picture",
            field=one.field,
        )

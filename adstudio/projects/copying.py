"""Out of a project: a copy of all of it, a run as a plain folder, pictures as files."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from adstudio.errors import ProjectError
from adstudio.jobs.files import mapping_from_text, parse_job
from adstudio.jobs.spec import Job
from adstudio.projects.files import in_words
from adstudio.projects.layout import RUN_SIDECAR_NAME, Layout, is_run_id
from adstudio.projects.store import Store
from adstudio.projects.values import Run


def job_of(store: Store, run: Run) -> Job:
    """The job of a run, its pictures those in the run's folder. Raises ProjectError where it has none."""
    if not run.job_text:
        raise ProjectError(f"{store.layout.folder}: the job of run {run.id} cannot be read any more")
    return parse_job(mapping_from_text(run.job_text), store.layout.run(run.id))


def save_as(store: Store, target: Path) -> Path:
    """Copy the whole project to a place that is free; the copy is there whole or not at all.

    Raises ProjectError where something is in the way, StorageError.
    """
    if target.exists():
        raise ProjectError(f"{target}: is there already; choose another name for the copy")
    if target.absolute().is_relative_to(store.layout.folder.absolute()):
        raise ProjectError(f"{target}: lies inside the project itself; choose another place for the copy")
    with in_words(target, "the copy cannot be written"), store.writing:
        store.files.make_folder(target.parent)
        part = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            _copy_all(store, Layout(part))
            store.files.rename(part, target)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    return target


def export_picture(store: Store, digest: str, target: Path) -> None:
    """Write a picture of the project to a file, whole or not at all. Raises ProjectError, StorageError."""
    source = store.objects.path(digest)
    if not source.is_file():
        raise ProjectError(f"{target}: cannot be written, because the picture is missing in the project")
    with in_words(target, "the picture cannot be written"):
        store.files.copy(source, target)


def export_run(store: Store, run: Run, folder: Path) -> None:
    """Copy a run as a plain run folder, as `adstudio run` makes it; whole or not at all.

    Raises ProjectError where something is in the way, StorageError.
    """
    if folder.exists():
        raise ProjectError(f"{folder}: is there already; choose another name")
    with in_words(folder, "the run cannot be written"), store.writing:
        store.files.make_folder(folder.parent)
        part = folder.with_name(f".{secrets.token_hex(8)}.part")
        try:
            _copy_run(store, run.id, part)
            (part / RUN_SIDECAR_NAME).unlink(missing_ok=True)
            store.files.rename(part, folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


def _copy_all(store: Store, copy: Layout) -> None:
    for folder in (copy.objects, copy.runs, copy.backups, copy.trash):
        store.files.make_folder(folder)
    known = {row["digest"] for row in store.database.read("SELECT digest FROM objects")}
    for digest, _ in store.objects.all():
        if digest in known:
            store.files.make_folder(copy.object(digest).parent)
            store.files.copy(store.objects.path(digest), copy.object(digest))
            store.files.protect(copy.object(digest))
    for row in store.database.read("SELECT id FROM runs"):
        source = store.layout.run(row["id"])
        if source.is_dir() and is_run_id(source.name):
            _copy_run(store, source.name, copy.run(source.name), objects=copy)
    if store.layout.sidecar.is_file():
        store.files.copy(store.layout.sidecar, copy.sidecar)
    store.files.step("backup", copy.database)
    store.database.copy_to(copy.database)


def _copy_run(store: Store, run_id: str, target: Path, objects: Layout | None = None) -> None:
    """objects: where the pictures of the run lie under their digests already, to be linked to."""
    source = store.layout.run(run_id)
    digests = {
        row["file"]: row["digest"]
        for row in store.database.read(
            "SELECT file, digest FROM runs JOIN inputs ON run = number WHERE id = ? "
            "UNION SELECT file, digest FROM runs JOIN results ON run = number WHERE id = ?",
            (run_id, run_id),
        )
    }
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_dir() or path.name.endswith(".part"):
            continue
        store.files.make_folder((target / name).parent)
        shared = objects.object(digests[name]) if objects is not None and name in digests else None
        if shared is not None and shared.is_file():
            store.files.link_or_copy(shared, target / name)
        else:
            store.files.copy(path, target / name)

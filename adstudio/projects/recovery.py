"""What is put right when a project is opened after its program died."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from adstudio.errors import JobError, StorageError
from adstudio.jobs.event_log import EVENTS_NAME
from adstudio.jobs.runs import RunStatus, summarize
from adstudio.projects.files import PART_SUFFIX
from adstudio.projects.layout import is_run_id
from adstudio.projects.resuming import look_again
from adstudio.projects.rows import put_run
from adstudio.projects.running import finish, with_found_lineage
from adstudio.projects.sidecars import SidecarError, read_run_sheet
from adstudio.projects.store import Store
from adstudio.projects.taking_in import CHECKPOINTS_NAME, settle
from adstudio.projects.values import Run, RunState

_log = logging.getLogger(__name__)
_OVER = frozenset({RunStatus.FINISHED, RunStatus.CANCELLED, RunStatus.FAILED})


def recover(store: Store) -> tuple[str, ...]:
    """Finish or take back what a crash cut in two; what the artist should know of it. Raises AdStudioError."""
    _empty_rest_of_trash(store)
    notices = _take_up_unknown_folders(store)
    look_again(store)
    for row in store.database.read("SELECT id, state FROM runs WHERE state IN ('running', 'queued')"):
        status = summarize(store.layout.run(row["id"])).status
        if status in _OVER or row["state"] == RunState.RUNNING:
            try:
                _end(store, row["id"])
            except StorageError as error:
                notices.append(str(error))
    return tuple(notices)


def _end(store: Store, run_id: str) -> None:
    if store.layout.run(run_id).is_dir():
        finish(store, run_id)
        return
    with store.database.transaction():
        store.database.write(
            "UPDATE runs SET state = ?, reason = ?, stale = 1 WHERE id = ?",
            (RunState.BROKEN.value, "The run's folder is gone.", run_id),
        )


def _empty_rest_of_trash(store: Store) -> None:
    """Folders of runs that are still known go back to their place, the others for good."""
    for folder in _run_folders(store.layout.trash):
        known = store.database.value("SELECT 1 FROM runs WHERE id = ?", (folder.name,)) is not None
        with suppress(OSError):  # the next time, then
            if known and not store.layout.run(folder.name).exists():
                store.files.rename(folder, store.layout.run(folder.name))
            elif not known:
                store.files.remove_tree(folder)


def _take_up_unknown_folders(store: Store) -> list[str]:
    for half in store.layout.runs.glob(f".*{PART_SUFFIX}"):
        with suppress(OSError):
            store.files.remove_tree(half)
    known = {row["id"] for row in store.database.read("SELECT id FROM runs")}
    notices: list[str] = []
    settled: list[Run] = []
    for folder in _run_folders(store.layout.runs):
        if folder.name not in known:
            try:
                settled += _take_up(store, folder)
            except (JobError, StorageError, OSError) as error:
                notices.append(f"{folder} belongs to no run of this project and was left alone ({error})")
    for run in settled:  # only now are all the runs there that they may come from
        with store.database.transaction():
            put_run(store.database, with_found_lineage(store, run))
    return notices


def _take_up(store: Store, folder: Path) -> list[Run]:
    """The runs that were made of their folder alone."""
    try:
        run = read_run_sheet(store.layout.run_sidecar(folder.name))
    except SidecarError:
        if not (folder / EVENTS_NAME).exists() and not (folder / CHECKPOINTS_NAME).exists():
            store.files.remove_tree(folder)  # begun, and cut off before anything was computed
            return []
        return [settle(store, folder)]
    with store.database.transaction():
        put_run(store.database, run, stale=False)
    return []


def _run_folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if is_run_id(path.name)) if parent.is_dir() else []

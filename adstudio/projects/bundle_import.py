"""A verified bundle into a project: objects first, then folders, then all rows in one commit."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adstudio.projects.bundle_export import objects_of
from adstudio.projects.bundle_format import BESIDE, object_member
from adstudio.projects.bundle_read import Bundle
from adstudio.projects.files import in_words
from adstudio.projects.layout import new_run_id
from adstudio.projects.rows import number_of, put_run
from adstudio.projects.sidecars import mark_project
from adstudio.projects.store import Store
from adstudio.projects.values import Board, Frame, Health, Run, StoredObject

JOB_NAME = "job.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """runs: ids of those that are new here. known: of those that were here already, and stay as they are.

    renamed: bundle's id to ours, for runs whose id another run has here. missing: how many pictures the bundle lacks.
    """

    runs: tuple[str, ...]
    known: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    missing: int = 0


def import_bundle(store: Store, path: Path) -> TakenIn:
    """See `Project.import_bundle`."""
    with Bundle.opened(path) as bundle:
        runs = bundle.verify()
        with store.change("the bundle cannot be taken in"):
            return _taken_in(store, bundle, runs)


def _taken_in(store: Store, bundle: Bundle, runs: Sequence[Run]) -> TakenIn:
    known = {run.id for run in runs if _is_here(store, run)}
    names = {run.id: _free_id(store, run) for run in runs if run.id not in known}
    fresh = [run for run in runs if run.id in names]
    folders = [store.layout.run(new_id) for new_id in names.values()]
    try:
        objects = _objects(store, bundle, fresh)
        ready = [_at_home(run, names, objects) for run in fresh]
        for run, ours in zip(fresh, ready, strict=True):
            _lay_out(store, bundle, run, ours)
        with store.database.transaction():
            for ours in ready:
                put_run(store.database, ours)
            for board in bundle.manifest.boards:
                _put_board(store, board, names)
    except BaseException:
        for folder in folders:
            store.files.remove_tree(folder)
        raise
    return TakenIn(
        runs=tuple(names.values()),
        known=tuple(sorted(known)),
        renamed=tuple((old, new) for old, new in names.items() if old != new),
        missing=len(bundle.manifest.missing),
    )


def _is_here(store: Store, run: Run) -> bool:
    """Whether the project has this very run: the same job with the same results."""
    if store.database.value("SELECT 1 FROM runs WHERE id = ?", (run.id,)) is None:
        return False
    ours = store.run(run.id)
    return ours.inputs_and_results() == run.inputs_and_results()


def _free_id(store: Store, run: Run) -> str:
    taken = store.database.value("SELECT 1 FROM runs WHERE id = ?", (run.id,)) is not None
    return new_run_id(run.created) if taken or store.layout.run(run.id).exists() else run.id


def _objects(store: Store, bundle: Bundle, runs: Sequence[Run]) -> Mapping[str, StoredObject]:
    """Every picture of these runs as the project has it now, by digest."""
    found: dict[str, StoredObject] = {}
    with in_words(store.layout.folder, "the bundle cannot be unpacked"), tempfile.TemporaryDirectory() as scratch:
        for run in runs:
            for one in objects_of(run):
                if one.digest not in found:
                    found[one.digest] = _object(store, bundle, one, Path(scratch) / "member")
    return found


def _object(store: Store, bundle: Bundle, stored: StoredObject, scratch: Path) -> StoredObject:
    if not bundle.has_object(stored.digest):
        return replace(stored, health=store.objects.look_at(stored.digest))
    with scratch.open("wb") as writer:
        for chunk in bundle.content(object_member(stored.digest)):
            writer.write(chunk)
    ours = store.objects.add(scratch)
    store.fresh.add(ours.digest)
    return replace(ours, media_type=stored.media_type if ours.width is None else ours.media_type, health=Health.SOUND)


def _at_home(run: Run, names: Mapping[str, str], objects: Mapping[str, StoredObject]) -> Run:
    """A run with this project's ids and objects."""

    def frame(one: Frame) -> Frame:
        return replace(
            one,
            picture=objects[one.picture.digest] if one.picture is not None else None,
            latents=objects[one.latents.digest] if one.latents is not None else None,
        )

    return replace(
        run,
        id=names[run.id],
        inputs=tuple(replace(one, object=objects[one.object.digest]) for one in run.inputs),
        results=tuple(replace(one, object=objects[one.object.digest]) for one in run.results),
        frames=tuple(frame(one) for one in run.frames),
        lineage=tuple(replace(one, parent_id=names.get(one.parent_id, one.parent_id)) for one in run.lineage),
    )


def _lay_out(store: Store, bundle: Bundle, run: Run, ours: Run) -> None:
    """The run's folder as the engine would have left it."""
    folder = store.layout.run(ours.id)
    store.files.make_folder(folder / "inputs")
    named: list[tuple[str, StoredObject]] = [(one.file, one.object) for one in ours.inputs]
    named += [(one.file, one.object) for one in ours.results]
    for file, stored in named:
        if stored.usable:
            store.objects.place(stored.digest, folder / file)
    if ours.job_text:
        store.files.write_whole(folder / JOB_NAME, ours.job_text.encode())
    for name in BESIDE[1:]:
        content = bundle.text(f"runs/{run.id}/{name}")
        if content:
            store.files.write_whole(folder / name, content)


def _put_board(store: Store, board: Board, names: Mapping[str, str]) -> None:
    """A board of the bundle, or what it adds to the one that is here already."""
    write: Any = store.database.write
    write("INSERT OR IGNORE INTO boards VALUES (?, ?, ?)", (board.id, board.name, board.notes))
    last = float(store.database.value("SELECT max(position) FROM board_runs WHERE board = ?", (board.id,)) or 0.0)
    for place, run_id in enumerate((one for one in board.run_ids if one in names), start=1):
        number = number_of(store.database, names[run_id])
        write("INSERT OR IGNORE INTO board_runs VALUES (?, ?, ?)", (board.id, number, last + place))
    mark_project(store.database)

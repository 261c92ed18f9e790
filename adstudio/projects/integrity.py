"""Whether a project is as it should be, looked at file by file, and what can be mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from adstudio.projects.files import digest_and_size
from adstudio.projects.layout import Layout, is_run_id
from adstudio.projects.opening import complaint_about, require_project
from adstudio.projects.resuming import flag, look_again
from adstudio.projects.sidecars import mark_project, project_sheet, run_sheet
from adstudio.projects.store import Store
from adstudio.projects.trash import collect
from adstudio.projects.values import Health

Progress = Callable[[int, int], None]


class Fault(StrEnum):
    """What can be wrong."""

    DATABASE = "database"
    OBJECT = "object"
    SIDECAR = "sidecar"
    FOLDER = "folder"
    ORPHANS = "orphans"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """what: in words, with the file. mended: it is put right now; otherwise way_out says what helps."""

    fault: Fault
    what: str
    way_out: str = ""
    mended: bool = False


def broken_database(folder: Path) -> Finding | None:
    """What is wrong with the database of a project that nobody has open, None where nothing is; changes nothing.

    Raises ProjectError where the folder is no project.
    """
    layout = Layout(folder.absolute())
    require_project(layout)
    complaint = complaint_about(layout, read_only=True)
    if not complaint:
        return None
    return Finding(
        fault=Fault.DATABASE,
        what=f"{layout.database}: the database {complaint}",
        way_out="adstudio doctor PROJECT --repair makes it anew from its backup and the runs' own files",
    )


def check(store: Store, progress: Progress = lambda _done, _of: None) -> tuple[Finding, ...]:
    """Read everything and say what is wrong; changes nothing. progress: objects read, and how many there are."""
    found = list(_database(store))
    found += [finding for finding, _, _ in _objects(store, progress)]
    found += [finding for finding, _ in _sidecars(store)]
    found += _folders(store)
    found += _orphans(store)
    return tuple(found)


def repair(store: Store, progress: Progress = lambda _done, _of: None) -> tuple[Finding, ...]:
    """The same, and mend what can be mended. Raises StorageError where the disk refuses."""
    found = list(_database(store))
    with store.change("the project cannot be mended"):
        for finding, digest, health in list(_objects(store, progress)):
            mended = _mend_object(store, digest)
            flag(store, digest, Health.SOUND if mended else health)
            found.append(replace(finding, mended=True) if mended else finding)
        look_again(store)
        behind = list(_sidecars(store))
        with store.database.transaction():
            for _, number in behind:
                if number is None:
                    mark_project(store.database)
                else:
                    store.database.write("UPDATE runs SET stale = 1 WHERE number = ?", (number,))
        left = store.sidecars.follow()
        found += [replace(finding, mended=left == 0) for finding, _ in behind]
        found += _folders(store)
        orphans = list(_orphans(store))
        if orphans:
            collect(store)
        found += [replace(finding, mended=True) for finding in orphans]
    return tuple(found)


def _database(store: Store) -> Iterator[Finding]:
    complaint = store.database.complaint(thorough=True)
    if complaint:
        yield Finding(
            fault=Fault.DATABASE,
            what=f"{store.layout.database}: {complaint}",
            way_out="close the project everywhere and run adstudio doctor PROJECT --repair",
        )


def _objects(store: Store, progress: Progress) -> Iterator[tuple[Finding, str, Health]]:
    digests = [row["digest"] for row in store.database.read("SELECT digest FROM objects ORDER BY digest")]
    for index, digest in enumerate(digests):
        health = store.objects.look_at(digest)
        progress(index + 1, len(digests))
        if health is not Health.SOUND:
            finding = Finding(
                fault=Fault.OBJECT,
                what=f"{store.objects.path(digest)}: {_called(store, digest)} is {health}",
                way_out="put the file back from a copy of the project; it is not used until then",
            )
            yield finding, digest, health


def _called(store: Store, digest: str) -> str:
    for sql in (
        "SELECT name, id FROM inputs JOIN runs ON run = number WHERE digest = ? LIMIT 1",
        "SELECT file, id FROM results JOIN runs ON run = number WHERE digest = ? LIMIT 1",
    ):
        rows = store.database.read(sql, (digest,))
        if rows:
            return f"{rows[0][0]} of run {rows[0]['id']}"
    return "a picture"


def _sidecars(store: Store) -> Iterator[tuple[Finding, int | None]]:
    """With the row of the run, None for the project's own."""
    if not _holds(store, store.layout.sidecar.name, project_sheet(store.database).content()):
        what = f"{store.layout.sidecar}: does not say what the database does"
        yield Finding(fault=Fault.SIDECAR, what=what, way_out=_REWRITE), None
    for row in store.database.read("SELECT id, number FROM runs ORDER BY number"):
        path = store.layout.run_sidecar(row["id"])
        if not _holds(store, path.relative_to(store.layout.folder).as_posix(), run_sheet(store.run(row["id"]))):
            what = f"{path}: does not say what the database does"
            yield Finding(fault=Fault.SIDECAR, what=what, way_out=_REWRITE), int(row["number"])


_REWRITE = "adstudio doctor PROJECT --repair writes it anew"


def _holds(store: Store, name: str, content: bytes) -> bool:
    try:
        return (store.layout.folder / name).read_bytes() == content
    except OSError:
        return False


def _folders(store: Store) -> Iterator[Finding]:
    known = {row["id"] for row in store.database.read("SELECT id FROM runs")}
    there = list(store.layout.runs.iterdir()) if store.layout.runs.is_dir() else []
    for path in sorted(there):
        if path.name not in known and (is_run_id(path.name) or path.is_dir()):
            yield Finding(
                fault=Fault.FOLDER, what=f"{path}: belongs to no run", way_out="look into it, and move it elsewhere"
            )


def _orphans(store: Store) -> Iterator[Finding]:
    known = {row["digest"] for row in store.database.read("SELECT digest FROM objects")}
    sizes = [size_bytes for digest, size_bytes in store.objects.all() if digest not in known]
    sizes += [path.stat().st_size for path in store.objects.left_overs()]
    if sizes:
        yield Finding(
            fault=Fault.ORPHANS,
            what=f"{store.layout.objects}: {len(sizes)} files of {sum(sizes)} bytes belong to nothing",
            way_out="adstudio doctor PROJECT --repair removes them",
        )


def _mend_object(store: Store, digest: str) -> bool:
    """Take the content from a run's folder where it is still whole there."""
    for table in ("inputs", "results"):
        rows = store.database.read(
            f"SELECT id, file FROM {table} JOIN runs ON run = number WHERE digest = ?",  # noqa: S608 (own words)
            (digest,),
        )
        for row in rows:
            path = store.layout.run(row["id"]) / row["file"]
            try:
                whole = digest_and_size(path)[0] == digest
            except OSError:
                continue
            if whole:
                store.objects.adopt(path)
                return True
    return False

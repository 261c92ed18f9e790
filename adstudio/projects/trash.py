"""What goes for good: the trash when it is emptied, and objects that nothing refers to any more."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from adstudio.errors import StorageError
from adstudio.projects.rows import in_parts, milliseconds, number_of
from adstudio.projects.sidecars import mark_project
from adstudio.projects.store import Store

_log = logging.getLogger(__name__)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_USES = (
    "SELECT digest FROM inputs",
    "SELECT digest FROM results",
    "SELECT picture FROM frames WHERE picture IS NOT NULL",
    "SELECT latents FROM frames WHERE latents IS NOT NULL",
)
_TEXTS = ("SELECT value FROM desk", "SELECT before FROM changes", "SELECT after FROM changes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What was removed. freed_bytes: may be less on the disk where other files share the content."""

    files: int
    freed_bytes: int


def empty(store: Store, *, before: datetime | None = None) -> tuple[str, ...]:
    """Delete for good what is in the trash, or what was put there before a moment; the ids of the runs.

    Runs that are being computed stay. First the folders move aside, then the database forgets the runs, then the
    folders go: a crash in between is finished or taken back when the project is next opened.
    """
    sql, values = "SELECT id FROM runs WHERE trashed IS NOT NULL", []
    if before is not None:
        sql, values = f"{sql} AND trashed < ?", [milliseconds(before)]
    with store.change("the trash cannot be emptied"):
        found = [row["id"] for row in store.database.read(sql, values)]
        run_ids = tuple(run_id for run_id in found if run_id not in store.active)
        moved: list[str] = []
        try:
            store.files.make_folder(store.layout.trash)
            for run_id in run_ids:
                if store.layout.run(run_id).exists():
                    store.files.rename(store.layout.run(run_id), store.layout.trash / run_id)
                    moved.append(run_id)
            _forget(store, run_ids)
        except BaseException:
            for run_id in moved:
                with suppress(OSError):  # then it is put back when the project is next opened
                    store.files.rename(store.layout.trash / run_id, store.layout.run(run_id))
            raise
        try:
            for run_id in moved:
                store.files.remove_tree(store.layout.trash / run_id)
            collect(store)
        except (OSError, StorageError) as error:
            _log.info("%s: emptied, but not all files could be removed yet (%s)", store.layout.trash, error)
    return run_ids


def collect(store: Store) -> Collected:
    """Remove every object that no run, frame, desk or undo step refers to, and what crashes left half-written."""
    with store.change("what is not needed cannot be removed"):
        used = set(_used(store))
        known = {row["digest"] for row in store.database.read("SELECT digest FROM objects")}
        with store.database.transaction():
            for digest in known - used:
                store.database.write("DELETE FROM objects WHERE digest = ?", (digest,))
        files = freed_bytes = 0
        for digest, size_bytes in list(store.objects.all()):
            if digest not in used:
                store.objects.remove(digest)
                files, freed_bytes = files + 1, freed_bytes + size_bytes
        for path in list(store.objects.left_overs()):
            store.files.remove(path)
    return Collected(files=files, freed_bytes=freed_bytes)


def remove_unused(store: Store, digests: Sequence[str]) -> None:
    """Remove those of these objects that nothing refers to any more."""
    going = [digest for digest in digests if digest not in store.fresh and not _is_used(store, digest)]
    with store.database.transaction():
        for digest in going:
            store.database.write("DELETE FROM objects WHERE digest = ?", (digest,))
    for digest in going:
        with suppress(OSError):  # an orphan, collected later
            store.objects.remove(digest)


def _forget(store: Store, run_ids: Sequence[str]) -> None:
    database = store.database
    with database.transaction():
        numbers = [number_of(database, run_id) for run_id in run_ids]
        for part in in_parts(numbers):
            marks = ", ".join("?" * len(part))
            database.write(f"DELETE FROM words WHERE rowid IN ({marks})", part)  # noqa: S608 (marks)
            database.write(f"DELETE FROM runs WHERE number IN ({marks})", part)  # noqa: S608 (marks)
        store.log.forget(run_ids)
        mark_project(database)


def _used(store: Store) -> Iterator[str]:
    yield from store.fresh
    for sql in _USES:
        yield from (row[0] for row in store.database.read(sql))
    for sql in _TEXTS:
        yield from _digests_in(row[0] for row in store.database.read(sql))


def _is_used(store: Store, digest: str) -> bool:
    database = store.database
    columns = (("inputs", "digest"), ("results", "digest"), ("frames", "picture"), ("frames", "latents"))
    if any(
        database.value(f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1", (digest,))  # noqa: S608 (own words)
        for table, column in columns
    ):
        return True
    return any(digest in text for sql in _TEXTS for text in _digests_in(row[0] for row in database.read(sql)))


def _digests_in(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from _DIGEST.findall(text)

"""The part of the face of a project that looks at runs and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adstudio.jobs.spec import Job
from adstudio.projects import copying, resuming
from adstudio.projects.rows import in_parts, put_object, runs_of, stored_object
from adstudio.projects.search import Query, count_of, ids_of, page_of
from adstudio.projects.store import Store
from adstudio.projects.thumbnails import thumbnail
from adstudio.projects.values import Health, Page, Run, StoredObject


class Contents:
    """Runs and pictures of an open project."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, run_id: str) -> Run:
        """With all that belongs to it."""
        return self._store.run(run_id)

    def job(self, run: Run) -> Job:
        """What the run was to do, its pictures those in the run's folder."""
        return copying.job_of(self._store, run)

    def folder_of(self, run_id: str) -> Path:
        """Where the run's job, inputs, log, checkpoints and results lie."""
        self._store.run(run_id)
        return self._store.layout.run(run_id)

    def page(self, query: Query | None = None, *, offset: int = 0, limit: int = 60) -> Page:
        """A part of what a query finds, and how much there is in all; without the runs' frames."""
        return page_of(self._store.database, query or Query(), offset, limit)

    def run_ids(self, query: Query | None = None) -> tuple[str, ...]:
        """All that a query finds, in its order."""
        return ids_of(self._store.database, query or Query())

    def runs(self, run_ids: Sequence[str]) -> tuple[Run, ...]:
        """These runs, in this order, without their frames; those that are gone for good are left out."""
        numbers: dict[str, int] = {}
        for part in in_parts(run_ids):
            marks = ", ".join("?" * len(part))
            rows = self._store.database.read(f"SELECT id, number FROM runs WHERE id IN ({marks})", part)  # noqa: S608
            numbers |= {row["id"]: row["number"] for row in rows}
        return runs_of(self._store.database, [numbers[one] for one in run_ids if one in numbers], frames=False)

    def count(self, query: Query | None = None) -> int:
        return count_of(self._store.database, query or Query())

    def children_of(self, run_id: str) -> tuple[str, ...]:
        """The runs that took something from this one, oldest first."""
        rows = self._store.database.read(
            "SELECT DISTINCT id, number FROM lineage JOIN runs ON number = run WHERE parent_id = ? ORDER BY number",
            (run_id,),
        )
        return tuple(row["id"] for row in rows)

    def tags(self) -> dict[str, int]:
        """Every tag with the number of runs that have it, trash aside."""
        return self._counted(
            "SELECT tag, count(*) FROM tags JOIN runs ON number = run WHERE trashed IS NULL GROUP BY 1"
        )

    def models(self) -> dict[str, int]:
        """Every model with the number of its runs, trash aside."""
        return self._counted("SELECT model, count(*) FROM runs WHERE trashed IS NULL GROUP BY 1")

    def add_object(self, content: bytes, name: str) -> StoredObject:
        """Keep a picture or a mask that no run has yet. A later session collects it where nothing refers to it."""
        with self._store.change("the picture cannot be kept"):
            stored = self._store.objects.add_bytes(content, name)
            self._register(stored)
        return stored

    def add_file(self, source: Path) -> StoredObject:
        """The same for a file, which stays where it is."""
        with self._store.change(f"{source} cannot be kept"):
            stored = self._store.objects.add(source)
            self._register(stored)
        return stored

    def object(self, digest: str) -> StoredObject | None:
        """None for what the project does not have."""
        rows = self._store.database.read("SELECT * FROM objects WHERE digest = ?", (digest,))
        return stored_object(rows[0]) if rows else None

    def object_path(self, digest: str) -> Path:
        """The file of an object, to be read only. Whether it is there tells its `health`, or `check_object`."""
        return self._store.objects.path(digest)

    def thumbnail(self, digest: str, side_px: int) -> bytes | None:
        """A JPEG no side of which is longer than side_px, from the cache or made now; None where that is impossible."""
        return thumbnail(self._store.objects.path(digest), digest, side_px)

    def check_object(self, digest: str) -> Health:
        """Read an object to its end and remember how it is."""
        health = self._store.objects.look_at(digest)
        if self._store.read_only is None:
            with self._store.change("what was found cannot be kept"):
                resuming.flag(self._store, digest, health)
        return health

    def _register(self, stored: StoredObject) -> None:
        self._store.fresh.add(stored.digest)
        with self._store.database.transaction():
            put_object(self._store.database, stored)

    def _counted(self, sql: str) -> dict[str, int]:
        return {row[0]: int(row[1]) for row in self._store.database.read(f"{sql} ORDER BY 2 DESC, 1")}

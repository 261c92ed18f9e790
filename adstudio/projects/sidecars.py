"""`runs/<id>/run.json` and `project.json`: readable copies of the database's rows, from which it can be rebuilt.

They follow each commit. What could not be written (the disk is full) stays marked as stale in the database and is
written later, at the latest when the project is next opened.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from adstudio.projects.database import Database
from adstudio.projects.files import Files
from adstudio.projects.layout import Layout
from adstudio.projects.rows import runs_of
from adstudio.projects.values import Board, Run

_log = logging.getLogger(__name__)
FORMAT = 1
_MAX_BYTES = 64_000_000
_RUN: TypeAdapter[Run] = TypeAdapter(Run)
_LEFT_OUT: dict[str, Any] = {
    "inputs": {"__all__": {"object": {"health"}}},
    "results": {"__all__": {"object": {"health"}}},
    "frames": {"__all__": {"picture": {"health"}, "latents": {"health"}}},
}


class ProjectSheet(BaseModel):
    """What belongs to no single run. desk: the window's set-up, by key, as JSON."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    id: str
    name: str
    created: int
    boards: tuple[Board, ...] = ()
    desk: dict[str, str] = {}

    def content(self) -> bytes:
        """Of the file."""
        return self.model_dump_json(indent=2).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarError(Exception):
    """A sidecar that is damaged or absent; reason in words."""

    reason: str


class Sidecars:
    """Writes what is stale and reads it back.

    That something is not stale any more is entered with the next commit of somebody else: one of its own for each edit
    would take as long as the edit. Until then `_written` and `_project_written` know.
    """

    def __init__(self, layout: Layout, files: Files, database: Database) -> None:
        self._layout = layout
        self._files = files
        self._database = database
        self._written: set[int] = set()
        self._project_written = False
        database.accompany(self._unmark, self._forget)

    def follow(self, limit: int | None = None) -> int:
        """Bring stale sidecars up to date, at most `limit` of the runs; how many are left.

        Never raises for a disk that refuses: the marks stay for another time.
        """
        if not self._project_written and self._database.value("SELECT 1 FROM meta WHERE key = 'stale'"):
            self._project_written = self._write(self._layout.sidecar, project_sheet(self._database).content())
        stale = self._stale()
        for done, number in enumerate(stale if limit is None else stale[:limit]):
            (run,) = runs_of(self._database, [number])
            if not self._write(self._layout.run_sidecar(run.id), run_sheet(run)):
                return len(stale) - done
            self._written.add(number)
        return max(0, len(stale) - (len(stale) if limit is None else limit))

    def behind(self) -> int:
        """How many of the runs' are stale."""
        return len(self._stale())

    def settle(self) -> None:
        """Enter what has been written, for there may be no commit any more. Raises as a commit does."""
        if self._written or self._project_written:
            with self._database.transaction():
                pass

    def _stale(self) -> list[int]:
        rows = self._database.read("SELECT number FROM runs WHERE stale = 1")
        return [row["number"] for row in rows if row["number"] not in self._written]

    def _unmark(self) -> None:
        if self._written:
            self._database.write_many("UPDATE runs SET stale = 0 WHERE number = ?", [(one,) for one in self._written])
        if self._project_written:
            self._database.write("DELETE FROM meta WHERE key = 'stale'")

    def _forget(self) -> None:
        self._written.clear()
        self._project_written = False

    def _write(self, path: Path, content: bytes) -> bool:
        try:
            self._files.make_folder(path.parent)
            self._files.write_whole(path, content)
        except OSError as error:
            _log.info("%s: is behind, to be written later (%s)", path, error)
            return False
        return True


def mark_project(database: Database) -> None:
    """Mark `project.json` as stale, inside a transaction."""
    database.write("INSERT OR REPLACE INTO meta VALUES ('stale', '1')")


def project_sheet(database: Database) -> ProjectSheet:
    """What `project.json` should hold now."""
    meta = {row["key"]: row["value"] for row in database.read("SELECT key, value FROM meta")}
    return ProjectSheet(
        id=meta.get("id", ""),
        name=meta.get("name", ""),
        created=int(meta.get("created", "0")),
        boards=all_boards(database),
        desk={row["key"]: row["value"] for row in database.read("SELECT key, value FROM desk")},
    )


def all_boards(database: Database) -> tuple[Board, ...]:
    """Every board, by name."""
    members: dict[str, list[str]] = {}
    for row in database.read(
        "SELECT board, id FROM board_runs JOIN runs ON runs.number = board_runs.run ORDER BY board, position"
    ):
        members.setdefault(row["board"], []).append(row["id"])
    return tuple(
        Board(id=row["id"], name=row["name"], notes=row["notes"], run_ids=tuple(members.get(row["id"], ())))
        for row in database.read("SELECT * FROM boards ORDER BY name COLLATE NOCASE, id")
    )


def run_sheet(run: Run) -> bytes:
    """The content of `run.json`; the job stands in it as an object, for readers. What a look found is left out."""
    sheet: dict[str, Any] = {"format": FORMAT, **_RUN.dump_python(run, mode="json", exclude=_LEFT_OUT)}
    sheet["job"] = json.loads(run.job_text) if run.job_text else None
    del sheet["job_text"]
    return json.dumps(sheet, ensure_ascii=False, indent=2).encode() + b"\n"


def read_run_sheet(path: Path) -> Run:
    """The run in a `run.json`. Raises SidecarError."""
    run = run_from_sheet(_read(path), str(path))
    if run.id != path.parent.name:
        raise SidecarError(reason=f"{path}: belongs to another run, {run.id}")
    return run


def run_from_sheet(sheet: Any, place: str) -> Run:
    """The run that `run_sheet` wrote. place: of the sheet, for words. Raises SidecarError."""
    try:
        fields = dict(sheet)
        job = fields.pop("job", None)
        fields.pop("format", None)
        fields["job_text"] = json.dumps(job, ensure_ascii=False, indent=2) + "\n" if job is not None else ""
        return _RUN.validate_python(fields)
    except (ValidationError, ValueError, TypeError, RecursionError) as error:
        raise SidecarError(reason=f"{place}: does not hold a run") from error


def read_project_sheet(path: Path) -> ProjectSheet:
    """What a `project.json` holds. Raises SidecarError."""
    try:
        return ProjectSheet.model_validate(_read(path))
    except ValidationError as error:
        raise SidecarError(reason=f"{path}: does not describe a project") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        sheet = json.loads(content) if len(content) <= _MAX_BYTES else None
    except FileNotFoundError as error:
        raise SidecarError(reason=f"{path}: is not there") from error
    except (OSError, ValueError, RecursionError) as error:
        raise SidecarError(reason=f"{path}: cannot be read ({error})") from error
    if not isinstance(sheet, dict):
        raise SidecarError(reason=f"{path}: does not hold an object")
    return sheet

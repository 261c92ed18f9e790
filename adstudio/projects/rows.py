"""Runs as rows of the database and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from adstudio.errors import ProjectError
from adstudio.jobs.choices import Task
from adstudio.projects.database import Database
from adstudio.projects.values import (
    Frame,
    Health,
    Lineage,
    Relation,
    Run,
    RunInput,
    RunResult,
    RunState,
    StoredObject,
)

_MANY = 500  # values in one statement; SQLite takes more, old ones 999
_COLUMNS = (
    "id, state, task, model, model_digest, created, finished, seconds, device, reason, versions, job, prompt, seed, "
    "width, height, origin, rating, favourite, notes, trashed"
)
_PUT = (
    f"INSERT INTO runs ({_COLUMNS}, stale) VALUES ({', '.join('?' * 22)}) "  # noqa: S608 (constants)
    "ON CONFLICT (id) DO UPDATE SET stale = excluded.stale, "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:])
)


def put_object(database: Database, stored: StoredObject) -> None:
    """Register an object; one that is known keeps its row, but what was just written is not missing any more."""
    database.write(
        "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET health = excluded.health",
        (stored.digest, stored.size_bytes, stored.media_type, stored.width, stored.height, stored.health.value),
    )


def put_run(database: Database, run: Run, *, stale: bool = True) -> None:
    """Write a run with all that belongs to it, in place of what was there under its id.

    stale: whether its sidecar is still to be written.
    """
    database.write(_PUT, (*_values(run), stale))
    number = number_of(database, run.id)
    for table in ("inputs", "results", "frames", "lineage", "tags"):
        database.write(f"DELETE FROM {table} WHERE run = ?", (number,))  # noqa: S608 (a name from the line above)
    for stored in _objects(run):
        put_object(database, stored)
    database.write_many(
        "INSERT INTO inputs VALUES (?, ?, ?, ?, ?, ?)",
        [(number, i, one.field, one.name, one.file, one.object.digest) for i, one in enumerate(run.inputs)],
    )
    database.write_many(
        "INSERT INTO results VALUES (?, ?, ?, ?)",
        [(number, i, one.file, one.object.digest) for i, one in enumerate(run.results)],
    )
    database.write_many("INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?)", [_frame(number, one) for one in run.frames])
    database.write_many(
        "INSERT INTO lineage VALUES (?, ?, ?, ?, ?, ?)",
        [(number, i, one.relation.value, one.parent_id, one.digest, one.step) for i, one in enumerate(run.lineage)],
    )
    database.write_many("INSERT INTO tags VALUES (?, ?)", [(number, tag) for tag in run.tags])
    index_words(database, number)


def put_frame(database: Database, number: int, frame: Frame) -> None:
    """Write one frame of a run, in place of what was there of that picture and step."""
    for stored in (frame.picture, frame.latents):
        if stored is not None:
            put_object(database, stored)
    database.write("INSERT OR REPLACE INTO frames VALUES (?, ?, ?, ?, ?, ?, ?)", _frame(number, frame))


def index_words(database: Database, number: int) -> None:
    """Make a run findable by the words that stand in it now."""
    database.write("DELETE FROM words WHERE rowid = ?", (number,))
    database.write(
        """INSERT INTO words (rowid, prompt, notes, names, tags)
        SELECT number, prompt, notes,
            coalesce((SELECT group_concat(name, ' ') FROM inputs WHERE run = number), ''),
            coalesce((SELECT group_concat(tag, ' ') FROM tags WHERE run = number), '')
        FROM runs WHERE number = ?""",
        (number,),
    )


def number_of(database: Database, run_id: str) -> int:
    """The row of a run. Raises ProjectError where there is no such run."""
    number = database.value("SELECT number FROM runs WHERE id = ?", (run_id,))
    if number is None:
        raise ProjectError(f"{database.path.parent}: has no run {run_id}; it may have been deleted for good")
    return int(number)


def runs_of(database: Database, numbers: Sequence[int], *, frames: bool = True) -> tuple[Run, ...]:
    """The runs of these rows, in this order, each with all that belongs to it; with frames=False, without those."""
    wanted = {name: sql for name, sql in _PARTS.items() if frames or name != "frames"}
    parts = {name: _by_run(database, sql, numbers) for name, sql in wanted.items()}
    rows = {row["number"]: row for row in _in_parts(database, "SELECT * FROM runs WHERE number IN ({})", numbers)}
    return tuple(
        _run(rows[number], {name: found.get(number, []) for name, found in parts.items()})
        for number in numbers
        if number in rows
    )


def stored_object(row: Any, prefix: str = "") -> StoredObject:
    """An object from the columns of `objects`. prefix: of the columns' names."""
    return StoredObject(
        digest=row[f"{prefix}digest"],
        size_bytes=row[f"{prefix}size_bytes"],
        media_type=row[f"{prefix}media_type"],
        width=row[f"{prefix}width"],
        height=row[f"{prefix}height"],
        health=Health(row[f"{prefix}health"]),
    )


def milliseconds(moment: datetime) -> int:
    """Since 1970 in UTC."""
    return round(moment.timestamp() * 1000)


def now() -> datetime:
    """To the millisecond, as moments are kept."""
    return moment_of(milliseconds(datetime.now(UTC)))


def moment_of(since_1970_ms: int) -> datetime:
    """In UTC."""
    return datetime.fromtimestamp(since_1970_ms / 1000, UTC)


def in_parts(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """A long list in pieces that fit into one statement."""
    return (items[start : start + _MANY] for start in range(0, len(items), _MANY))


_PARTS = {
    "inputs": "SELECT * FROM inputs JOIN objects USING (digest) WHERE run IN ({}) ORDER BY run, position",
    "results": "SELECT * FROM results JOIN objects USING (digest) WHERE run IN ({}) ORDER BY run, position",
    "frames": """SELECT f.run, f.image_index, f.step, f.pinned, f.time_s,
            p.digest AS p_digest, p.size_bytes AS p_size_bytes, p.media_type AS p_media_type, p.width AS p_width,
            p.height AS p_height, p.health AS p_health,
            l.digest AS l_digest, l.size_bytes AS l_size_bytes, l.media_type AS l_media_type, l.width AS l_width,
            l.height AS l_height, l.health AS l_health
        FROM frames f LEFT JOIN objects p ON p.digest = f.picture LEFT JOIN objects l ON l.digest = f.latents
        WHERE f.run IN ({}) ORDER BY f.run, f.image_index, f.step""",
    "lineage": "SELECT * FROM lineage WHERE run IN ({}) ORDER BY run, position",
    "tags": "SELECT * FROM tags WHERE run IN ({}) ORDER BY run, tag",
}


def _values(run: Run) -> tuple[Any, ...]:
    return (
        run.id,
        run.state.value,
        run.task.value if run.task is not None else None,
        run.model,
        run.model_digest,
        milliseconds(run.created),
        milliseconds(run.finished) if run.finished is not None else None,
        run.seconds,
        run.device,
        run.reason,
        json.dumps(run.versions),
        run.job_text,
        run.prompt,
        run.seed,
        run.width,
        run.height,
        run.origin,
        run.rating,
        run.favourite,
        run.notes,
        milliseconds(run.trashed) if run.trashed is not None else None,
    )


def _frame(number: int, frame: Frame) -> tuple[Any, ...]:
    picture, latents = frame.picture, frame.latents
    return (
        number,
        frame.image_index,
        frame.step,
        picture.digest if picture is not None else None,
        latents.digest if latents is not None else None,
        frame.pinned,
        frame.time_s,
    )


def _objects(run: Run) -> Iterable[StoredObject]:
    yield from (one.object for one in run.inputs)
    yield from (one.object for one in run.results)
    for frame in run.frames:
        yield from (one for one in (frame.picture, frame.latents) if one is not None)


def _by_run(database: Database, sql: str, numbers: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in _in_parts(database, sql, numbers):
        found.setdefault(row["run"], []).append(row)
    return found


def _in_parts(database: Database, sql: str, numbers: Sequence[int]) -> Iterable[Any]:
    for part in in_parts(numbers):
        yield from database.read(sql.format(", ".join("?" * len(part))), part)


def _run(row: Any, parts: dict[str, list[Any]]) -> Run:
    return Run(
        id=row["id"],
        state=RunState(row["state"]),
        task=Task(row["task"]) if row["task"] is not None else None,
        model=row["model"],
        model_digest=row["model_digest"],
        created=moment_of(row["created"]),
        finished=moment_of(row["finished"]) if row["finished"] is not None else None,
        seconds=row["seconds"],
        device=row["device"],
        reason=row["reason"],
        versions=json.loads(row["versions"]),
        job_text=row["job"],
        prompt=row["prompt"],
        seed=row["seed"],
        width=row["width"],
        height=row["height"],
        origin=row["origin"],
        rating=row["rating"],
        favourite=bool(row["favourite"]),
        notes=row["notes"],
        trashed=moment_of(row["trashed"]) if row["trashed"] is not None else None,
        inputs=tuple(
            RunInput(field=one["field"], name=one["name"], file=one["file"], object=stored_object(one))
            for one in parts["inputs"]
        ),
        results=tuple(RunResult(file=one["file"], object=stored_object(one)) for one in parts["results"]),
        frames=tuple(
            Frame(
                image_index=one["image_index"],
                step=one["step"],
                picture=stored_object(one, "p_") if one["p_digest"] is not None else None,
                latents=stored_object(one, "l_") if one["l_digest"] is not None else None,
                pinned=bool(one["pinned"]),
                time_s=one["time_s"],
            )
            for one in parts.get("frames", ())
        ),
        lineage=tuple(
            Lineage(
                relation=Relation(one["relation"]), parent_id=one["parent_id"], digest=one["digest"], step=one["step"]
            )
            for one in parts["lineage"]
        ),
        tags=tuple(one["tag"] for one in parts["tags"]),
    )

"""Everything an artist changes, as pairs of before and after: an edit is undone by writing the old side back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from adstudio.errors import ProjectError
from adstudio.projects.database import Database
from adstudio.projects.rows import index_words, number_of
from adstudio.projects.sidecars import mark_project


class Target(StrEnum):
    """What a change is about; the key names which one.

    Of a run (key: its id): RATING, FAVOURITE, NOTES, TAGS, TRASHED. BOARD (its id): name and notes, null for none.
    MEMBER (board id, space, run id): the run's place on it, null for none. DESK (key): any JSON, null for none.
    """

    RATING = "rating"
    FAVOURITE = "favourite"
    NOTES = "notes"
    TAGS = "tags"
    TRASHED = "trashed"
    BOARD = "board"
    MEMBER = "member"
    DESK = "desk"


_OF_A_RUN = frozenset({Target.RATING, Target.FAVOURITE, Target.NOTES, Target.TRASHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """before, after: values of JSON."""

    target: Target
    key: str
    before: Any
    after: Any


def value_of(database: Database, target: Target, key: str) -> Any:
    """How it stands now."""
    if target in _OF_A_RUN:
        column = target.value
        return database.value(f"SELECT {column} FROM runs WHERE number = ?", (number_of(database, key),))  # noqa: S608
    if target is Target.TAGS:
        rows = database.read("SELECT tag FROM tags WHERE run = ? ORDER BY tag", (number_of(database, key),))
        return [row["tag"] for row in rows]
    if target is Target.BOARD:
        rows = database.read("SELECT name, notes FROM boards WHERE id = ?", (key,))
        return {"name": rows[0]["name"], "notes": rows[0]["notes"]} if rows else None
    if target is Target.MEMBER:
        board, run_id = key.split(" ")
        return database.value(
            "SELECT position FROM board_runs WHERE board = ? AND run = ?", (board, number_of(database, run_id))
        )
    text = database.value("SELECT value FROM desk WHERE key = ?", (key,))
    return json.loads(text) if text is not None else None


def write_value(database: Database, target: Target, key: str, value: Any) -> None:
    """Make it stand so, inside a transaction. Raises ProjectError where the run or board is gone for good."""
    if target in _OF_A_RUN or target is Target.TAGS:
        _write_of_run(database, target, number_of(database, key), value)
        return
    if target is Target.BOARD:
        _write_board(database, key, value)
    elif target is Target.MEMBER:
        board, run_id = key.split(" ")
        _write_member(database, board, number_of(database, run_id), value)
    elif value is None:
        database.write("DELETE FROM desk WHERE key = ?", (key,))
    else:
        text = json.dumps(value, allow_nan=False)
        database.write("INSERT OR REPLACE INTO desk VALUES (?, ?)", (key, text))
    mark_project(database)


def _write_of_run(database: Database, target: Target, number: int, value: Any) -> None:
    if target is Target.TAGS:
        database.write("DELETE FROM tags WHERE run = ?", (number,))
        database.write_many("INSERT INTO tags VALUES (?, ?)", [(number, tag) for tag in value])
        database.write("UPDATE runs SET stale = 1 WHERE number = ?", (number,))
    else:
        database.write(f"UPDATE runs SET {target.value} = ?, stale = 1 WHERE number = ?", (value, number))  # noqa: S608
    if target in (Target.TAGS, Target.NOTES):
        index_words(database, number)


def _write_board(database: Database, board: str, value: Any) -> None:
    if value is None:
        database.write("DELETE FROM boards WHERE id = ?", (board,))
    else:
        database.write(
            "INSERT INTO boards VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
            "notes = excluded.notes",
            (board, value["name"], value["notes"]),
        )


def _write_member(database: Database, board: str, number: int, position: Any) -> None:
    if position is None:
        database.write("DELETE FROM board_runs WHERE board = ? AND run = ?", (board, number))
        return
    if database.value("SELECT 1 FROM boards WHERE id = ?", (board,)) is None:
        raise ProjectError(f"{database.path.parent}: has no board {board}; it was deleted")
    database.write("INSERT OR REPLACE INTO board_runs VALUES (?, ?, ?)", (board, number, position))

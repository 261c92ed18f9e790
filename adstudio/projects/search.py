"""Which runs to list: words and filters as one frozen value, answered by the database alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from adstudio.jobs.choices import Task
from adstudio.projects.database import Database
from adstudio.projects.rows import milliseconds, runs_of
from adstudio.projects.values import Page, RunState

_WORD = re.compile(r"\w+")
# Scripts written without spaces: a word of these stands anywhere in a longer run of letters.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


class Order(StrEnum):
    """How runs are sorted; the newest first within equals."""

    NEWEST = "newest"
    OLDEST = "oldest"
    BEST = "best"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Every condition must hold; an empty one lets all pass.

    text: words, each the beginning of one in the run's prompt, notes, tags or names of pictures; in any case, without
    accents. reference: digest of a picture that the job names. tags: all of them. board: its id. created_from is
    inclusive, created_before is not. trashed: the runs in the trash instead of the others.
    """

    text: str = ""
    tasks: frozenset[Task] = frozenset()
    models: frozenset[str] = frozenset()
    states: frozenset[RunState] = frozenset()
    reference: str = ""
    min_rating: int = 0
    favourite: bool = False
    tags: frozenset[str] = frozenset()
    board: str = ""
    created_from: datetime | None = None
    created_before: datetime | None = None
    trashed: bool = False
    order: Order = Order.NEWEST


def page_of(database: Database, query: Query, offset: int, limit: int) -> Page:
    """Runs number offset … offset + limit of what a query finds, without their frames."""
    where, values = _where(query)
    rows = database.read(
        f"SELECT number FROM runs WHERE {where} ORDER BY {_ORDERS[query.order]} LIMIT ? OFFSET ?",  # noqa: S608 (own words)
        (*values, max(0, limit), max(0, offset)),
    )
    return Page(runs=runs_of(database, [row["number"] for row in rows], frames=False), total=count_of(database, query))


def ids_of(database: Database, query: Query) -> tuple[str, ...]:
    """The ids of all runs that a query finds, in its order."""
    where, values = _where(query)
    sql = f"SELECT id FROM runs WHERE {where} ORDER BY {_ORDERS[query.order]}"  # noqa: S608 (own words)
    return tuple(row["id"] for row in database.read(sql, values))


def count_of(database: Database, query: Query) -> int:
    """How many runs a query finds."""
    where, values = _where(query)
    return int(database.value(f"SELECT count(*) FROM runs WHERE {where}", values))  # noqa: S608 (own words)


_ORDERS = {
    Order.NEWEST: "created DESC, number DESC",
    Order.OLDEST: "created, number",
    Order.BEST: "rating DESC, favourite DESC, created DESC, number DESC",
}


def _where(query: Query) -> tuple[str, list[Any]]:
    conditions = [f"trashed IS {'NOT ' if query.trashed else ''}NULL"]
    values: list[Any] = []

    def require(condition: str, *given: Any) -> None:
        conditions.append(condition)
        values.extend(given)

    def require_one_of(column: str, choices: Sequence[str]) -> None:
        if choices:
            require(f"{column} IN ({', '.join('?' * len(choices))})", *choices)

    require_one_of("task", sorted(query.tasks))
    require_one_of("model", sorted(query.models))
    require_one_of("state", sorted(query.states))
    if query.reference:
        require("number IN (SELECT run FROM inputs WHERE digest = ?)", query.reference)
    if query.min_rating > 0:
        require("rating >= ?", query.min_rating)
    if query.favourite:
        require("favourite = 1")
    for tag in sorted(query.tags):
        require("number IN (SELECT run FROM tags WHERE tag = ?)", tag)
    if query.board:
        require("number IN (SELECT run FROM board_runs WHERE board = ?)", query.board)
    if query.created_from is not None:
        require("created >= ?", milliseconds(query.created_from))
    if query.created_before is not None:
        require("created < ?", milliseconds(query.created_before))
    _require_words(query.text, require)
    return " AND ".join(conditions), values


def _require_words(text: str, require: Any) -> None:
    words = _WORD.findall(text)
    if text.strip() and not words:
        require("0")  # signs alone: nothing is called that
    prefixes = [word for word in words if not _UNSPACED.search(word)]
    if prefixes:
        match = " ".join(f'"{word}"*' for word in prefixes)
        require("number IN (SELECT rowid FROM words WHERE words MATCH ?)", match)
    for word in words:
        if _UNSPACED.search(word):
            anywhere = "instr(prompt || ' ' || notes || ' ' || names || ' ' || tags, ?)"
            require(f"number IN (SELECT rowid FROM words WHERE {anywhere})", word)  # noqa: S608 (own words)

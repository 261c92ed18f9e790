"""What an artist says about runs: ratings, tags, notes, boards and the trash; every edit can be undone."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from adstudio.errors import ProjectError
from adstudio.projects.edits import Target, value_of
from adstudio.projects.rows import milliseconds
from adstudio.projects.store import Store
from adstudio.projects.undo import Command
from adstudio.projects.values import MAX_RATING, sound_text

MAX_TEXT = 100_000
MAX_TAG = 100
_REFUSED = "the change cannot be kept"

Wish = tuple[Target, str, Any]


def edit(store: Store, label: str, wishes: Sequence[Wish], *, merge_key: str = "") -> bool:
    """Make everything stand as wished, as one step of undo; False where all stood so already."""
    with store.change(_REFUSED):
        return store.log.do(label, wishes, merge_key=merge_key)


def undo(store: Store) -> Command | None:
    """Take the newest edit back; None where there is none."""
    with store.change("the step cannot be undone"):
        return store.log.undo()


def redo(store: Store) -> Command | None:
    """Do the edit again that was last undone; None where there is none."""
    with store.change("the step cannot be done again"):
        return store.log.redo()


def rating(run_ids: Iterable[str], stars: int) -> list[Wish]:
    """Raises ProjectError for what is no rating."""
    if not 0 <= stars <= MAX_RATING:
        raise ProjectError(f"rating: must be 0 to {MAX_RATING}, got {stars}")
    return [(Target.RATING, run_id, stars) for run_id in run_ids]


def notes(run_id: str, text: str) -> list[Wish]:
    """Raises ProjectError for a text that is too long."""
    if len(text) > MAX_TEXT:
        raise ProjectError(f"notes: must be at most {MAX_TEXT} characters, got {len(text)}")
    return [(Target.NOTES, run_id, sound_text(text))]


def tagging(store: Store, run_ids: Iterable[str], add: Iterable[str], remove: Iterable[str]) -> list[Wish]:
    """Tags are compared as they are written, without the space around them. Raises ProjectError."""
    added, removed = {_tag(one) for one in add}, {_tag(one) for one in remove}
    return [
        (Target.TAGS, run_id, sorted((set(value_of(store.database, Target.TAGS, run_id)) | added) - removed))
        for run_id in run_ids
    ]


def trashing(store: Store, run_ids: Iterable[str], *, into: bool) -> list[Wish]:
    """Runs that are in the trash already keep the moment they were put there."""
    now = milliseconds(datetime.now(UTC))
    wishes: list[Wish] = []
    for run_id in run_ids:
        since = value_of(store.database, Target.TRASHED, run_id)
        wishes.append((Target.TRASHED, run_id, (since or now) if into else None))
    return wishes


def new_board(name: str) -> tuple[str, list[Wish]]:
    """The id of a new board, and what makes it."""
    board_id = uuid.uuid4().hex
    return board_id, [(Target.BOARD, board_id, {"name": _name(name), "notes": ""})]


def board_change(store: Store, board_id: str, *, name: str | None, notes_: str | None) -> list[Wish]:
    """Raises ProjectError where there is no such board."""
    there = require_board(store, board_id)
    changed = {
        "name": there["name"] if name is None else _name(name),
        "notes": there["notes"] if notes_ is None else sound_text(notes_[:MAX_TEXT]),
    }
    return [(Target.BOARD, board_id, changed)]


def board_removal(store: Store, board_id: str) -> list[Wish]:
    """The runs on it stay where they are."""
    require_board(store, board_id)
    rows = store.database.read(
        "SELECT id FROM board_runs JOIN runs ON runs.number = board_runs.run WHERE board = ? ORDER BY position",
        (board_id,),
    )
    wishes: list[Wish] = [(Target.MEMBER, f"{board_id} {row['id']}", None) for row in rows]
    return [*wishes, (Target.BOARD, board_id, None)]


def placing(store: Store, board_id: str, run_ids: Sequence[str], before: str | None) -> list[Wish]:
    """Put runs on a board, together: in front of another one that is there, or at the end."""
    require_board(store, board_id)
    rows = store.database.read(
        "SELECT id, position FROM board_runs JOIN runs ON runs.number = board_runs.run WHERE board = ? "
        "ORDER BY position",
        (board_id,),
    )
    there = [(row["id"], float(row["position"])) for row in rows if row["id"] not in set(run_ids)]
    index = next((i for i, (run_id, _) in enumerate(there) if run_id == before), len(there))
    low = there[index - 1][1] if index else (there[0][1] - len(run_ids) - 1 if there else 0.0)
    high = there[index][1] if index < len(there) else low + len(run_ids) + 1
    step = (high - low) / (len(run_ids) + 1)
    return [(Target.MEMBER, f"{board_id} {run_id}", low + step * (i + 1)) for i, run_id in enumerate(run_ids)]


def require_board(store: Store, board_id: str) -> Any:
    """Its name and notes. Raises ProjectError where there is no such board."""
    there = value_of(store.database, Target.BOARD, board_id)
    if there is None:
        raise ProjectError(f"{store.layout.folder}: has no board {board_id}; it was deleted")
    return there


def _tag(text: str) -> str:
    tag = " ".join(sound_text(text).split())
    if not tag or len(tag) > MAX_TAG:
        raise ProjectError(f"tags: must have 1 to {MAX_TAG} characters, got {text!r:.60}")
    return tag


def _name(text: str) -> str:
    name = " ".join(sound_text(text).split())
    if not name or len(name) > MAX_TAG:
        raise ProjectError(f"name: must have 1 to {MAX_TAG} characters, got {text!r:.60}")
    return name

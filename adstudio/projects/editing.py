"""The part of the face of a project that edits: what an artist changes, each method one step of undo."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adstudio.projects import annotating
from adstudio.projects.edits import Target, value_of, write_value
from adstudio.projects.sidecars import all_boards
from adstudio.projects.store import Store
from adstudio.projects.undo import Command
from adstudio.projects.values import Board


class Edits:
    """Edits of an open project. label: what the menu calls the step."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rate(self, run_ids: Iterable[str], stars: int, *, label: str = "Rate") -> None:
        annotating.edit(self._store, label, annotating.rating(run_ids, stars))

    def set_favourite(self, run_ids: Iterable[str], favourite: bool, *, label: str = "Favourite") -> None:
        annotating.edit(self._store, label, [(Target.FAVOURITE, one, int(favourite)) for one in run_ids])

    def set_notes(self, run_id: str, text: str, *, label: str = "Notes") -> None:
        """Changes that follow each other become one step."""
        annotating.edit(self._store, label, annotating.notes(run_id, text), merge_key=f"notes {run_id}")

    def change_tags(
        self, run_ids: Iterable[str], *, add: Iterable[str] = (), remove: Iterable[str] = (), label: str = "Tags"
    ) -> None:
        annotating.edit(self._store, label, annotating.tagging(self._store, run_ids, add, remove))

    def trash(self, run_ids: Iterable[str], *, label: str = "Delete") -> None:
        annotating.edit(self._store, label, annotating.trashing(self._store, run_ids, into=True))

    def restore(self, run_ids: Iterable[str], *, label: str = "Restore") -> None:
        """Out of the trash."""
        annotating.edit(self._store, label, annotating.trashing(self._store, run_ids, into=False))

    def boards(self) -> tuple[Board, ...]:
        """By name."""
        return all_boards(self._store.database)

    def add_board(self, name: str, *, label: str = "New board") -> str:
        """Its id."""
        board_id, wishes = annotating.new_board(name)
        annotating.edit(self._store, label, wishes)
        return board_id

    def change_board(
        self, board_id: str, *, name: str | None = None, notes: str | None = None, label: str = "Change board"
    ) -> None:
        annotating.edit(self._store, label, annotating.board_change(self._store, board_id, name=name, notes_=notes))

    def remove_board(self, board_id: str, *, label: str = "Delete board") -> None:
        """The runs on it stay."""
        annotating.edit(self._store, label, annotating.board_removal(self._store, board_id))

    def put_on_board(
        self, board_id: str, run_ids: Sequence[str], *, before: str | None = None, label: str = "Put on board"
    ) -> None:
        """At the end, or in front of a run that is on it; also to change the order."""
        annotating.edit(self._store, label, annotating.placing(self._store, board_id, run_ids, before))

    def take_off_board(self, board_id: str, run_ids: Iterable[str], *, label: str = "Take off board") -> None:
        annotating.edit(self._store, label, [(Target.MEMBER, f"{board_id} {one}", None) for one in run_ids])

    def desk(self, key: str) -> Any:
        """What the window keeps under a key (references, masks, parameters), as JSON; None for nothing."""
        return value_of(self._store.database, Target.DESK, key)

    def set_desk(self, values: Mapping[str, Any], *, label: str, merge_key: str = "") -> None:
        """Keep values of JSON under their keys; None removes. Objects are named by their digests, and so kept.

        merge_key: edits that follow each other with the same one become a single step.
        """
        plain = json.loads(json.dumps(dict(values), allow_nan=False))
        wishes = [(Target.DESK, key, value) for key, value in plain.items()]
        annotating.edit(self._store, label, wishes, merge_key=merge_key)

    @property
    def last_step(self) -> int:
        """Grows by one with each new step; an edit that changed nothing, or became part of the last, adds none."""
        return self._store.log.last_step

    def keep_on_desk(self, key: str, value: Any) -> None:
        """The same for one key as it is now, without a step of undo: for a window that has its own."""
        plain = json.loads(json.dumps(value, allow_nan=False))
        with self._store.change("what is laid out cannot be kept"), self._store.database.transaction():
            write_value(self._store.database, Target.DESK, key, plain)

    def next_undo(self) -> Command | None:
        """The step that `undo` would take back."""
        return self._store.log.next_undo()

    def next_redo(self) -> Command | None:
        return self._store.log.next_redo()

    def undo(self) -> Command | None:
        """Take the newest edit back, in whatever session it was made; what it was, None where there is none."""
        return annotating.undo(self._store)

    def redo(self) -> Command | None:
        return annotating.redo(self._store)

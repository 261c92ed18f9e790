"""The log of edits: each can be undone and redone, after a restart too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adstudio.projects.database import Database
from adstudio.projects.edits import Change, Target, value_of, write_value
from adstudio.projects.rows import milliseconds
from adstudio.projects.values import sound_text

KEPT_COMMANDS = 1000
MERGED_WITHIN_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One edit as the artist sees it. label: what it was, for the menu; changes: in the order they were made."""

    number: int
    label: str
    changes: tuple[Change, ...]


class UndoLog:
    """Edits of one project. All methods that write are to be called inside a transaction or make one of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def do(self, label: str, wishes: Sequence[tuple[Target, str, Any]], *, merge_key: str = "") -> bool:
        """Make each target stand as wished and remember how it stood; False where all stood so already.

        merge_key: edits that follow each other closely with the same one (not "") become a single step, as of a slider
        drag.
        """
        database = self._database
        with database.transaction():
            changes: list[Change] = []
            for target, key, after in wishes:
                before = value_of(database, target, key)
                if before != after:
                    write_value(database, target, key, after)
                    changes.append(Change(target=target, key=key, before=before, after=after))
            if changes:
                self._remember(label, changes, merge_key)
        return bool(changes)

    @property
    def last_step(self) -> int:
        """How many steps were ever made; an edit that changed nothing, or became part of the last, adds none."""
        return int(self._database.value("SELECT seq FROM sqlite_sequence WHERE name = 'commands'") or 0)

    def next_undo(self) -> Command | None:
        """What `undo` would take back."""
        return self._command("SELECT number, label FROM commands WHERE undone = 0 ORDER BY number DESC LIMIT 1")

    def next_redo(self) -> Command | None:
        """What `redo` would do again."""
        return self._command("SELECT number, label FROM commands WHERE undone = 1 ORDER BY number LIMIT 1")

    def undo(self) -> Command | None:
        """Take the newest edit back; None where there is none."""
        with self._database.transaction():
            command = self.next_undo()
            if command is not None:
                for change in reversed(command.changes):
                    write_value(self._database, change.target, change.key, change.before)
                self._database.write("UPDATE commands SET undone = 1 WHERE number = ?", (command.number,))
        return command

    def redo(self) -> Command | None:
        """Do the edit again that was last undone; None where there is none."""
        with self._database.transaction():
            command = self.next_redo()
            if command is not None:
                for change in command.changes:
                    write_value(self._database, change.target, change.key, change.after)
                self._database.write("UPDATE commands SET undone = 0 WHERE number = ?", (command.number,))
        return command

    def forget(self, run_ids: Sequence[str]) -> None:
        """Drop what cannot be undone any more because these runs are gone for good."""
        for run_id in run_ids:
            self._database.write("DELETE FROM changes WHERE key = ? OR key LIKE '% ' || ?", (run_id, run_id))
        self._database.write("DELETE FROM commands WHERE number NOT IN (SELECT command FROM changes)")

    def forget_all(self) -> None:
        """Drop the whole log."""
        self._database.write("DELETE FROM commands")

    def _remember(self, label: str, changes: Sequence[Change], merge_key: str) -> None:
        database = self._database
        database.write("DELETE FROM commands WHERE undone = 1")
        last = database.read("SELECT number, merge_key, at FROM commands ORDER BY number DESC LIMIT 1")
        now = milliseconds(datetime.now(UTC))
        if merge_key and last and last[0]["merge_key"] == merge_key and now - last[0]["at"] <= MERGED_WITHIN_MS:
            number = int(last[0]["number"])
            database.write("UPDATE commands SET at = ? WHERE number = ?", (now, number))
        else:
            database.write(
                "INSERT INTO commands (label, merge_key, at, undone) VALUES (?, ?, ?, 0)",
                (sound_text(label), sound_text(merge_key), now),
            )
            number = int(database.value("SELECT max(number) FROM commands"))
            database.write("DELETE FROM commands WHERE number <= ?", (number - KEPT_COMMANDS,))
        for change in changes:
            self._add(number, change)

    def _add(self, number: int, change: Change) -> None:
        """A change of the same thing in the same command keeps the older `before`."""
        database = self._database
        after = json.dumps(change.after)
        same = (number, change.target.value, change.key)
        if database.write("UPDATE changes SET after = ? WHERE command = ? AND target = ? AND key = ?", (after, *same)):
            return
        place = database.value("SELECT count(*) FROM changes WHERE command = ?", (number,))
        before = json.dumps(change.before)
        database.write(
            "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?)",
            (number, place, change.target.value, change.key, before, after),
        )

    def _command(self, sql: str) -> Command | None:
        rows = self._database.read(sql)
        if not rows:
            return None
        number = int(rows[0]["number"])
        changes = tuple(
            Change(
                target=Target(row["target"]),
                key=row["key"],
                before=json.loads(row["before"]),
                after=json.loads(row["after"]),
            )
            for row in self._database.read("SELECT * FROM changes WHERE command = ? ORDER BY position", (number,))
        )
        return Command(number=number, label=rows[0]["label"], changes=changes)

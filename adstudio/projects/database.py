"""The database of a project: one connection, one writer, and errors in words.

`journal_mode=TRUNCATE` and `synchronous=FULL` survive USB sticks and synced folders, where shared memory does not.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from adstudio.errors import (
    AdStudioError,
    ProjectBusyError,
    ProjectError,
    ProjectReadOnlyError,
    StorageError,
    StorageFullError,
)

_BUSY_WAIT_S = 5.0
_CACHE_KIB = 16_384
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_DISK = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})

Values = Sequence[Any] | dict[str, Any]


class DamagedDatabaseError(ProjectError):
    """The database is no database any more, or contradicts itself."""


class Database:
    """One connection for all threads, which take turns.

    before_commit: called before each commit; what it raises undoes the transaction.
    Raises ProjectError or StorageError, from every method, in place of sqlite3's own.
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, before_commit: Callable[[], None] = lambda: None
    ) -> None:
        self.path = path
        self._turn = threading.RLock()
        self._depth = 0
        self._before_commit = before_commit
        self._at_begin: Callable[[], None] = lambda: None
        self._after_commit: Callable[[], None] = lambda: None
        mode = "ro" if read_only else "rwc"
        with self._in_words():
            self._connection = sqlite3.connect(
                f"{_uri(path)}?mode={mode}",
                uri=True,
                timeout=_BUSY_WAIT_S,
                isolation_level=None,
                check_same_thread=False,
            )
        self._connection.row_factory = sqlite3.Row
        try:
            self._set_up(read_only=read_only)
        except BaseException:
            self._connection.close()
            raise

    def accompany(self, at_begin: Callable[[], None], after_commit: Callable[[], None]) -> None:
        """Have something written at the beginning of the next transactions, and be told of each commit."""
        self._at_begin, self._after_commit = at_begin, after_commit

    def close(self) -> None:
        """Close the connection; more than once is fine."""
        with self._turn, self._in_words():
            self._connection.close()

    def read(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._turn, self._in_words():
            return self._connection.execute(sql, values).fetchall()

    def value(self, sql: str, values: Values = ()) -> Any:
        """The first column of the first row, None where there is none."""
        rows = self.read(sql, values)
        return rows[0][0] if rows else None

    def write(self, sql: str, values: Values = ()) -> int:
        """Run one statement inside a transaction; how many rows it changed."""
        with self._turn, self._in_words():
            self._require_transaction()
            return self._connection.execute(sql, values).rowcount

    def write_many(self, sql: str, rows: Sequence[Values]) -> None:
        """Run one statement for many rows inside a transaction."""
        with self._turn, self._in_words():
            self._require_transaction()
            self._connection.executemany(sql, rows)

    def script(self, statements: Sequence[str]) -> None:
        """Run statements of a schema inside a transaction."""
        for statement in statements:
            self.write(statement)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one inside another belongs to the outer one."""
        with self._turn:
            if self._depth:
                yield
                return
            with self._in_words():
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                self._at_begin()
                yield
                self._before_commit()
                with self._in_words():
                    self._connection.execute("COMMIT")
                self._after_commit()
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._depth = 0

    @contextmanager
    def without_foreign_keys(self) -> Iterator[None]:
        """While tables are rebuilt; outside any transaction."""
        with self._turn, self._in_words():
            self._connection.execute("PRAGMA foreign_keys = OFF")
            try:
                yield
            finally:
                self._connection.execute("PRAGMA foreign_keys = ON")

    @property
    def changed(self) -> bool:
        """Whether anything was written since it was opened."""
        return self._connection.total_changes > 0

    def copy_to(self, path: Path) -> None:
        """A copy as of the last commit, in a file of its own. Raises StorageError where it cannot be written."""
        with self._turn, self._in_words():
            target = sqlite3.connect(path)
            try:
                self._connection.backup(target)
            finally:
                target.close()

    def complaint(self, *, thorough: bool = False) -> str:
        """What is wrong with the structure of the file, "" where nothing is."""
        try:
            rows = self.read("PRAGMA integrity_check(1)" if thorough else "PRAGMA quick_check(1)")
            strays = self.read("PRAGMA foreign_key_check") if thorough else []
        except DamagedDatabaseError as error:
            return str(error)
        except StorageError as error:
            return str(error)
        if strays:
            return f"a row of {strays[0]['table']} refers to a row of {strays[0]['parent']} that is not there"
        return "" if rows and rows[0][0] == "ok" else str(rows[0][0] if rows else "no answer")

    @property
    def version(self) -> int:
        """Of the schema; 0 for an empty file."""
        return int(self.value("PRAGMA user_version"))

    def set_version(self, version: int) -> None:
        self.write(f"PRAGMA user_version = {version:d}")

    def _set_up(self, *, read_only: bool) -> None:
        with self._in_words():
            if not read_only:
                self._connection.execute("PRAGMA journal_mode = TRUNCATE")
                self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.execute("PRAGMA trusted_schema = OFF")
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def _require_transaction(self) -> None:
        if not self._depth:
            raise RuntimeError("writing needs a transaction")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # a full disk has undone it already
            with self._in_words():
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error


def _uri(path: Path) -> str:
    """With an empty host, so that drives and network shares of Windows are understood too."""
    name = path.absolute().as_posix()
    return f"file://{quote(os.fsencode(name if name.startswith('/') else f'/{name}'), safe='/:')}"


def _translated(error: sqlite3.Error, path: Path) -> AdStudioError:
    code = getattr(error, "sqlite_errorcode", 0) or 0
    base = code & 0xFF
    if base == sqlite3.SQLITE_FULL:
        return StorageFullError(f"{path}: nothing was changed, because the disk is full; make room and try again")
    if base in _DAMAGE:
        return DamagedDatabaseError(
            f"{path}: the database is damaged ({error}); `adstudio doctor PROJECT --repair` mends it"
        )
    if base in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ProjectBusyError(f"{path}: another program holds the database; close it and try again")
    if base in (*_DISK, sqlite3.SQLITE_READONLY) and not path.exists():
        return StorageError(f"{path}: cannot be reached, because the folder is gone; was a drive unplugged?")
    if base == sqlite3.SQLITE_READONLY:
        return ProjectReadOnlyError(f"{path}: may not be written here; save the project elsewhere with Save As")
    if base in _DISK:
        return StorageError(f"{path}: the disk does not answer as it should ({error}); nothing was changed; try again")
    return DamagedDatabaseError(f"{path}: the database does not hold what it should ({error})")

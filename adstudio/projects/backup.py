"""Copies of the database in `backups/`, fewer the older they are."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adstudio.errors import AdStudioError
from adstudio.projects.database import Database
from adstudio.projects.files import Files
from adstudio.projects.layout import Layout
from adstudio.projects.schema import VERSION

LEAST_APART = timedelta(minutes=10)
_STAMP = "%Y%m%d-%H%M%S"
_NAME = re.compile(r"^(\d{8}-\d{6})(-before-v\d+)?\.db$")
_NEWEST_KEPT = 5
_DAYS, _WEEKS, _MONTHS = 7, 8, 12


def back_up(database: Database, layout: Layout, files: Files, *, note: str = "", at: datetime | None = None) -> Path:
    """Write a copy of the database as of the last commit, then thin the others out. Raises OSError, StorageError."""
    now = at or datetime.now(UTC)
    files.make_folder(layout.backups)
    target = layout.backups / f"{now:{_STAMP}}{note}.db"
    part = layout.backups / f".{secrets.token_hex(8)}.part"
    try:
        files.step("backup", part)
        database.copy_to(part)
        with part.open("rb+") as stream:
            files.step("fsync", part)
            os.fsync(stream.fileno())
        files.rename(part, target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    _thin(layout, files, now)
    return target


def is_due(layout: Layout, at: datetime | None = None) -> bool:
    """Whether the newest copy is old enough for another one."""
    newest = next(iter(backups(layout)), None)
    return newest is None or (at or datetime.now(UTC)) - newest[0] >= LEAST_APART


def backups(layout: Layout) -> list[tuple[datetime, Path]]:
    """(moment, file) of every copy, newest first."""
    if not layout.backups.is_dir():
        return []
    found = [
        (datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC), path)
        for path in layout.backups.iterdir()
        if (match := _NAME.match(path.name))
    ]
    return sorted(found, reverse=True)


def newest_sound(layout: Layout) -> Path | None:
    """The newest copy that is whole and of a version that is understood here."""
    for _, path in backups(layout):
        try:
            database = Database(path, read_only=True)
        except AdStudioError:
            continue
        try:
            if 0 < database.version <= VERSION and not database.complaint(thorough=True):
                return path
        except AdStudioError:
            continue
        finally:
            database.close()
    return None


def kept(moments: Iterable[datetime], now: datetime) -> set[datetime]:
    """Which copies stay: the newest few, then the last of each day, week and month for some time."""
    newest_first = sorted(moments, reverse=True)
    staying = set(newest_first[:_NEWEST_KEPT])
    for span, periods in ((timedelta(days=1), _DAYS), (timedelta(weeks=1), _WEEKS), (timedelta(days=30), _MONTHS)):
        staying.update(_newest_of_each(newest_first, now, span, periods))
    return staying


def _newest_of_each(newest_first: list[datetime], now: datetime, span: timedelta, periods: int) -> Iterator[datetime]:
    seen: set[int] = set()
    for moment in newest_first:
        period = int(moment.timestamp() // span.total_seconds())
        if period not in seen and now - moment < span * periods:
            seen.add(period)
            yield moment


def _thin(layout: Layout, files: Files, now: datetime) -> None:
    found = backups(layout)
    staying = kept([moment for moment, _ in found], now)
    for moment, path in found:
        if moment not in staying:
            with suppress(OSError):  # it goes the next time
                files.remove(path)

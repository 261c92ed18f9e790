"""Bringing the tables of an older version up to this one: backup first, then all in one transaction or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adstudio.projects.database import DamagedDatabaseError, Database
from adstudio.projects.schema import TABLES, VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """The step from version `to` - 1. It may rebuild tables: what refers to what is checked after the last step."""

    to: int
    run: Callable[[Database], None]


MIGRATIONS: tuple[Migration, ...] = ()


def create_tables(database: Database) -> None:
    """Make an empty database one of this version."""
    with database.transaction():
        database.script(TABLES)
        database.set_version(VERSION)


def migrate(
    database: Database,
    back_up: Callable[[int], None],
    *,
    migrations: Sequence[Migration] | None = None,
    target: int | None = None,
) -> bool:
    """Bring a database to the target version; False where it is there already.

    migrations, target: those of this version where not given.
    back_up: called with the old version before anything is changed. Whatever fails leaves the database as it was.
    Raises ProjectError, StorageError.
    """
    migrations = MIGRATIONS if migrations is None else migrations
    target = VERSION if target is None else target
    version = database.version
    if version >= target:
        return False
    steps = [one for one in migrations if version < one.to <= target]
    if [one.to for one in steps] != list(range(version + 1, target + 1)):
        raise DamagedDatabaseError(
            f"{database.path}: has the version {version}, from which no way leads to {target}; "
            "it is no database of AD Studio"
        )
    back_up(version)
    with database.without_foreign_keys(), database.transaction():
        for step in steps:
            step.run(database)
        strays = database.read("PRAGMA foreign_key_check")
        if strays:
            raise DamagedDatabaseError(
                f"{database.path}: cannot be brought to version {target}, because a row of {strays[0]['table']} "
                f"refers to nothing; nothing was changed; `adstudio doctor PROJECT --repair` mends it"
            )
        database.set_version(target)
    return True

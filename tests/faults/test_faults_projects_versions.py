"""Faults 8 and 9: projects of newer versions, and migrations that fail midway."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adstudio.errors import ProjectReadOnlyError
from adstudio.projects import Project, ReadOnlyReason, migrations, opening
from adstudio.projects.backup import back_up, backups
from adstudio.projects.database import DamagedDatabaseError, Database
from adstudio.projects.files import Files
from adstudio.projects.layout import Layout
from adstudio.projects.migrations import Migration, create_tables, migrate
from adstudio.projects.schema import VERSION
from tests.faults.full_shelf import full_shelf, state_of
from tests.projects.makers import contents

SCHEMAS = Path(__file__).resolve().parents[1] / "projects" / "schemas"


@pytest.fixture(scope="module")
def shelf() -> Iterator[Path]:
    with full_shelf() as folder:
        yield folder


@pytest.fixture
def copy(shelf: Path, tmp_path: Path) -> Path:
    return shutil.copytree(shelf, tmp_path / "copy.adproj")


def test_fault_8_a_project_of_a_newer_version_is_read_only(copy: Path) -> None:
    with Project.open(copy, read_only=True) as project:
        expected = state_of(project)
    connection = sqlite3.connect(copy / "project.db")
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.execute("ALTER TABLE runs ADD COLUMN mood TEXT")
    connection.commit()
    connection.close()
    (copy / "project.db.sha256").unlink()
    before = contents(copy)
    with Project.open(copy) as project:
        assert project.read_only is ReadOnlyReason.NEWER
        assert "made by a newer version" in project.notices[0]
        assert state_of(project) == expected
        with pytest.raises(ProjectReadOnlyError):
            project.undo()
    after = contents(copy)
    assert {name: data for name, data in after.items() if name != "project.lock"} == {
        name: data for name, data in before.items() if name != "project.lock"
    }


def test_fault_8_a_broken_database_of_a_newer_version_is_left_to_it(copy: Path) -> None:
    sheet = (copy / "project.json").read_text()
    (copy / "project.json").write_text(sheet.replace('"format": 1', '"format": 2'))
    (copy / "project.db").write_bytes(b"")
    before = contents(copy)
    with pytest.raises(DamagedDatabaseError, match="made by a newer version"):
        Project.open(copy)
    assert (copy / "project.db").read_bytes() == b""
    assert set(contents(copy)) == set(before)


def dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        return [f"-- version {version}", *connection.iterdump()]
    finally:
        connection.close()


def kept_before(folder: Path) -> Path:
    """The backup that a migration begins with."""
    (found,) = (path for _, path in backups(Layout(folder)) if path.name.endswith(f"-before-v{VERSION + 1}.db"))
    return found


def rename_column(database: Database) -> None:
    database.write("ALTER TABLE boards RENAME COLUMN notes TO remarks")


def rebuild_table(database: Database) -> None:
    database.write("CREATE TABLE boards_new (id TEXT PRIMARY KEY, name TEXT NOT NULL, notes TEXT, colour TEXT)")
    database.write("INSERT INTO boards_new SELECT id, name, remarks, 'grey' FROM boards")
    database.write("DROP TABLE boards")
    database.write("ALTER TABLE boards_new RENAME TO boards")


def fail(database: Database) -> None:
    database.write("DELETE FROM runs")
    database.write("INSERT INTO nowhere VALUES (1)")


def orphan(database: Database) -> None:
    database.write("DELETE FROM objects")


@pytest.mark.parametrize("last", [fail, orphan])
def test_fault_9_a_migration_that_fails_midway_changes_nothing(copy: Path, last: Callable[[Database], None]) -> None:
    layout = Layout(copy)
    before = dump(layout.database)
    steps = tuple(
        Migration(to=VERSION + 1 + number, run=run) for number, run in enumerate((rename_column, rebuild_table, last))
    )
    database = Database(layout.database)

    def keep(version: int) -> None:
        back_up(database, layout, Files(), note=f"-before-v{version + 1}")

    try:
        with pytest.raises(DamagedDatabaseError):
            migrate(database, keep, migrations=steps, target=VERSION + 3)
        assert dump(layout.database) == before
        assert migrate(database, lambda _version: None, migrations=steps[:2], target=VERSION + 2)
        assert database.version == VERSION + 2
        assert database.complaint(thorough=True) == ""
        assert database.read("SELECT name, colour FROM boards")[0]["colour"] == "grey"
        with pytest.raises(DamagedDatabaseError, match="FOREIGN KEY"), database.transaction():
            database.write("INSERT INTO tags VALUES (12345, 'stray')")
    finally:
        database.close()
    assert dump(kept_before(copy)) == before


def test_fault_9_a_project_is_opened_only_once_its_migration_succeeds(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.open(copy, read_only=True) as project:
        expected = state_of(project)
    before = dump(copy / "project.db")

    def add_column(database: Database) -> None:
        database.write("ALTER TABLE boards ADD COLUMN colour TEXT")

    def use(*steps: Callable[[Database], None]) -> None:
        made = tuple(Migration(to=VERSION + 1 + number, run=run) for number, run in enumerate(steps))
        monkeypatch.setattr(migrations, "MIGRATIONS", made)
        monkeypatch.setattr(migrations, "VERSION", VERSION + len(made))
        monkeypatch.setattr(opening, "VERSION", VERSION + len(made))

    use(add_column, fail)
    with pytest.raises(DamagedDatabaseError):
        Project.open(copy)
    assert dump(copy / "project.db") == before
    assert dump(kept_before(copy)) == before
    use(add_column)
    with Project.open(copy) as project:
        assert state_of(project) == expected
        assert project._store.database.version == VERSION + 1
        assert project.next_undo() is not None
        assert project.check() == ()


def test_fault_9_every_recorded_schema_comes_to_this_version(tmp_path: Path) -> None:
    recorded = sorted(SCHEMAS.glob("v*.sql"))
    assert [path.stem for path in recorded] == [f"v{number}" for number in range(1, VERSION + 1)]
    fresh = Database(tmp_path / "fresh.db")
    create_tables(fresh)
    fresh.close()
    for path in recorded:
        connection = sqlite3.connect(tmp_path / f"{path.stem}.db")
        connection.executescript(path.read_text())
        connection.close()
        database = Database(tmp_path / f"{path.stem}.db")
        migrate(database, lambda _version: None)
        assert database.version == VERSION
        assert database.complaint(thorough=True) == ""
        database.close()
        assert tables(tmp_path / f"{path.stem}.db") == tables(tmp_path / "fresh.db")


def tables(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    finally:
        connection.close()
    return {name: " ".join(sql.split()) for name, sql in rows}


def test_fault_9_a_gap_in_the_migrations_is_no_way(tmp_path: Path) -> None:
    database = Database(tmp_path / "old.db")
    create_tables(database)
    step = Migration(to=VERSION + 2, run=rename_column)
    with pytest.raises(DamagedDatabaseError, match="no way leads"):
        migrate(database, lambda _version: None, migrations=[step], target=VERSION + 2)
    database.close()

"""A new database in place of a broken one: from the newest sound backup, and over it from the sidecars of the runs."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

from adstudio.projects.backup import newest_sound
from adstudio.projects.database import Database
from adstudio.projects.files import Files
from adstudio.projects.layout import SUFFIX, Layout, is_run_id
from adstudio.projects.migrations import create_tables, migrate
from adstudio.projects.rows import milliseconds, put_run
from adstudio.projects.sidecars import SidecarError, mark_project, read_project_sheet, read_run_sheet
from adstudio.projects.values import Health, sound_text

_log = logging.getLogger(__name__)


def rebuild(layout: Layout, files: Files, why: str) -> str:
    """Set the database aside and put a new one in its place; what was done, in words. Raises OSError, AdStudioError.

    A crash at any moment leaves either the old database or none, and then this is done again.
    """
    part = layout.folder / f".{secrets.token_hex(8)}.part"
    try:
        backup = newest_sound(layout)
        if backup is not None:
            shutil.copyfile(backup, part)
        database = Database(part)
        try:
            if backup is None:
                create_tables(database)
            migrate(database, lambda _version: None)
            with database.transaction():
                runs = _fill(database, layout)
        finally:
            database.close()
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        aside = _set_aside(layout, files)
        files.rename(part, layout.database)
    finally:
        for left in (part, part.with_name(f"{part.name}-journal")):
            left.unlink(missing_ok=True)
    source = "the runs' own files" if backup is None else f"the backup {backup.name} and the runs' own files"
    kept = f"; the old one is kept as {aside.name}" if aside is not None else ""
    return (
        f"The database {why}. It was made anew from {source}, with {runs} runs{kept}. Earlier steps cannot be undone."
    )


def _fill(database: Database, layout: Layout) -> int:
    database.write("DELETE FROM commands")
    there = layout.runs.iterdir() if layout.runs.is_dir() else ()
    folders = {path.name: path for path in there if is_run_id(path.name)}
    for row in database.read("SELECT id, number FROM runs"):
        if row["id"] not in folders:
            database.write("DELETE FROM words WHERE rowid = ?", (row["number"],))
            database.write("DELETE FROM runs WHERE number = ?", (row["number"],))
    for run_id in sorted(folders):
        try:
            put_run(database, read_run_sheet(layout.run_sidecar(run_id)))
        except SidecarError as error:
            _log.info("%s", error.reason)  # the backup's row stays; what is in neither is taken up by `recovery`
            database.write("UPDATE runs SET stale = 1 WHERE id = ?", (run_id,))
    _fill_project(database, layout)
    for row in database.read("SELECT digest FROM objects"):
        if not layout.object(row["digest"]).is_file():
            database.write("UPDATE objects SET health = ? WHERE digest = ?", (Health.MISSING.value, row["digest"]))
    return int(database.value("SELECT count(*) FROM runs"))


def _fill_project(database: Database, layout: Layout) -> None:
    try:
        sheet = read_project_sheet(layout.sidecar)
    except SidecarError as error:
        _log.info("%s", error.reason)
        if database.value("SELECT 1 FROM meta WHERE key = 'id'") is None:
            name_project(database, layout.folder.name.removesuffix(SUFFIX))
        mark_project(database)
        return
    for key, value in (("id", sheet.id), ("name", sheet.name), ("created", str(sheet.created))):
        database.write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
    database.write("DELETE FROM boards")
    numbers = {row["id"]: row["number"] for row in database.read("SELECT id, number FROM runs")}
    for board in sheet.boards:
        database.write("INSERT INTO boards VALUES (?, ?, ?)", (board.id, board.name, board.notes))
        database.write_many(
            "INSERT INTO board_runs VALUES (?, ?, ?)",
            [(board.id, numbers[one], place) for place, one in enumerate(board.run_ids) if one in numbers],
        )
    database.write("DELETE FROM desk")
    database.write_many("INSERT INTO desk VALUES (?, ?)", list(sheet.desk.items()))


def name_project(database: Database, name: str) -> None:
    """Give a project without identity one, inside a transaction."""
    created = milliseconds(datetime.now(UTC))
    for key, value in (("id", uuid.uuid4().hex), ("name", sound_text(name)), ("created", str(created))):
        database.write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _set_aside(layout: Layout, files: Files) -> Path | None:
    """Rename the broken database with its journal; where it is now, None where there was none."""
    if not layout.database.exists():
        _remove_rest(layout, files)
        return None
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    names = (f"{layout.database.name}.damaged-{stamp}" + (f"-{n}" if n > 1 else "") for n in range(1, 1000))
    aside = next(path for path in map(layout.folder.joinpath, names) if not path.exists())
    if layout.journal_holds():
        files.rename(layout.journal, aside.with_name(f"{aside.name}-journal"))
    files.rename(layout.database, aside)
    _remove_rest(layout, files)
    return aside


def _remove_rest(layout: Layout, files: Files) -> None:
    """What belonged to the old database; only now, because the seal is what tells that it was altered."""
    files.remove(layout.journal)
    files.remove(layout.seal)
    files.sync_folder(layout.folder)

"""Making a project's folder, and opening one whatever became of it."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from adstudio.errors import ProjectError, ProjectReadOnlyError, StorageError
from adstudio.projects.backup import back_up
from adstudio.projects.database import DamagedDatabaseError, Database
from adstudio.projects.files import Files, digest_and_size, in_words
from adstudio.projects.layout import SUFFIX, Layout
from adstudio.projects.locks import ProjectLock
from adstudio.projects.migrations import create_tables, migrate
from adstudio.projects.objects import Objects
from adstudio.projects.rebuild import name_project, rebuild
from adstudio.projects.recovery import recover
from adstudio.projects.schema import VERSION
from adstudio.projects.sidecars import FORMAT, SidecarError, Sidecars, mark_project, read_project_sheet
from adstudio.projects.store import Store
from adstudio.projects.undo import UndoLog
from adstudio.projects.values import ReadOnlyReason

_FOLLOWED_AT_OPENING = 64


@dataclass(kw_only=True)
class Opened:
    """An open store. notices: what was put right, for the artist. lock: None where it is read-only."""

    store: Store
    lock: ProjectLock | None
    notices: tuple[str, ...] = ()
    on_close: ExitStack = field(default_factory=ExitStack)


def create(folder: Path, files: Files, name: str) -> Opened:
    """A new project in a folder that is absent or empty. Raises ProjectError, StorageError."""
    layout = Layout(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{folder}: is there already and not empty; choose another name for the project")
    was_there = folder.exists()
    with in_words(folder, "the project cannot be made"), ExitStack() as stack:
        try:
            files.make_folder(folder)
            lock = ProjectLock(layout.lock, folder)
            stack.callback(lock.release)
            for part in (layout.objects, layout.runs, layout.backups, layout.trash):
                files.make_folder(part)
            database = Database(layout.database, before_commit=lambda: files.step("commit", layout.database))
            stack.callback(database.close)
            with database.transaction():
                create_tables(database)
                name_project(database, name or folder.name.removesuffix(SUFFIX))
                mark_project(database)
            store = _store(layout, files, database, None)
            store.sidecars.follow()
        except BaseException:
            stack.close()
            if not was_there:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        stack.pop_all()
    return Opened(store=store, lock=lock)


def open_store(folder: Path, files: Files, *, read_only: bool) -> Opened:
    """Open a project; a damaged database is made anew, what a crash cut in two is put right.

    Raises ProjectBusyError where somebody else writes it, ProjectError where it is none, StorageError.
    """
    layout = Layout(folder)
    require_project(layout)
    reason = ReadOnlyReason.ASKED if read_only else None
    with ExitStack() as stack:
        lock: ProjectLock | None = None
        if reason is None:
            try:
                lock = ProjectLock(layout.lock, folder)
                stack.callback(lock.release)
            except OSError:
                reason = ReadOnlyReason.FOLDER
        if lock is None:
            return _opened_read_only(layout, files, reason or ReadOnlyReason.FOLDER)
        try:
            with in_words(folder, "the project cannot be opened"):
                opened = _opened_for_writing(layout, files, lock)
        except ProjectReadOnlyError:
            lock.release()
            return _opened_read_only(layout, files, ReadOnlyReason.FOLDER)
        stack.pop_all()
    return opened


def _opened_for_writing(layout: Layout, files: Files, lock: ProjectLock) -> Opened:
    notices: list[str] = []
    complaint = complaint_about(layout)
    if complaint:
        _require_known_format(layout)
        notices.append(rebuild(layout, files, complaint))
    with ExitStack() as stack:
        database = Database(layout.database, before_commit=lambda: files.step("commit", layout.database))
        stack.callback(database.close)
        if database.version > VERSION:
            database.close()
            lock.release()
            return _opened_read_only(layout, files, ReadOnlyReason.NEWER)
        if layout.seal.exists():
            files.remove(layout.seal)
            files.sync_folder(layout.folder)
        migrate(database, lambda version: _keep_before(database, layout, files, version))
        store = _store(layout, files, database, None)
        notices.extend(recover(store))
        store.sidecars.follow(_FOLLOWED_AT_OPENING)
        stack.pop_all()
    return Opened(store=store, lock=lock, notices=tuple(notices))


def _opened_read_only(layout: Layout, files: Files, reason: ReadOnlyReason) -> Opened:
    words = {
        ReadOnlyReason.ASKED: "The project is open for reading only.",
        ReadOnlyReason.NEWER: "The project was made by a newer version of AD Studio and is open for reading only; "
        "update AD Studio to go on with it.",
        ReadOnlyReason.FOLDER: "The project's folder may not be written: it is open for reading only; "
        "Save As puts a copy where you may.",
    }
    with ExitStack() as stack:
        database = _readable(layout, stack)
        stack.callback(database.close)
        complaint = database.complaint()
        if complaint:
            raise DamagedDatabaseError(
                f"{layout.database}: is damaged ({complaint}); open the project for writing to have it made anew"
            )
        if database.version < 1:
            raise DamagedDatabaseError(f"{layout.database}: holds no project")
        store = _store(layout, files, database, reason)
        return Opened(store=store, lock=None, notices=(words[reason],), on_close=stack.pop_all())


def _readable(layout: Layout, stack: ExitStack) -> Database:
    """The database itself; or, where a crash left a commit half done in a folder that may not be written, a copy."""
    with suppress(ProjectReadOnlyError, StorageError):
        return Database(layout.database, read_only=True)
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="adstudio-", ignore_cleanup_errors=True)))
    with in_words(layout.folder, "the project cannot be read"):
        for path in (layout.database, layout.journal):
            if path.exists():
                shutil.copyfile(path, place / path.name)
    return Database(place / layout.database.name)


def complaint_about(layout: Layout, *, read_only: bool = False) -> str:
    """What is wrong with the database file, "" where nothing is; in words that follow "The database".

    read_only: leaves a commit that a crash left half done as it is, and looks at a copy.
    """
    if not layout.database.exists():
        return "was gone"
    try:
        sealed = layout.seal.read_text("ascii", "replace").strip() if layout.seal.exists() else ""
        if sealed:
            return "" if digest_and_size(layout.database)[0] == sealed else "was changed while nobody had it open"
    except OSError as error:
        return f"could not be read ({error.strerror})"
    with ExitStack() as stack:
        try:
            database = _readable(layout, stack) if read_only else Database(layout.database)
        except DamagedDatabaseError:
            return "was damaged"
        stack.callback(database.close)
        if database.version < 1:
            return "held no project"
        return "was damaged" if database.complaint() else ""


def require_project(layout: Layout) -> None:
    """Raise ProjectError where the folder is no project."""
    if not layout.folder.exists():
        raise ProjectError(f"{layout.folder}: there is no such project; was it moved, or a drive unplugged?")
    if not (layout.database.is_file() or layout.sidecar.is_file()):
        raise ProjectError(
            f"{layout.folder}: is not a project of AD Studio (a folder with {layout.database.name} in it)"
        )


def _require_known_format(layout: Layout) -> None:
    """Nothing is made anew from files whose meaning is not known here."""
    try:
        newer = read_project_sheet(layout.sidecar).format > FORMAT
    except SidecarError:
        return
    if newer:
        raise DamagedDatabaseError(
            f"{layout.database}: is damaged, and was made by a newer version of AD Studio; open it with that one"
        )


def _keep_before(database: Database, layout: Layout, files: Files, version: int) -> None:
    back_up(database, layout, files, note=f"-before-v{version + 1}")


def _store(layout: Layout, files: Files, database: Database, reason: ReadOnlyReason | None) -> Store:
    return Store(
        layout=layout,
        files=files,
        database=database,
        objects=Objects(layout, files),
        sidecars=Sidecars(layout, files, database),
        log=UndoLog(database),
        read_only=reason,
    )

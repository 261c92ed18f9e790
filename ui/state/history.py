"""The runs of the open project as a list model: a page at a time, thumbnails when a row is looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import (
    QAbstractListModel,
    QDate,
    QLocale,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QUrl,
    Signal,
)
from PySide6.QtGui import QImage

from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.jobs.spec import Task
from adstudio.projects import Project, Query
from ui.state.background import Background
from ui.state.model_choice import model_name
from ui.state.project_room import ProjectRoom
from ui.state.roles import CardRole
from ui.state.runs import HistoryEntry, entry_of, picture_thumbnail
from ui.state.words import short_name

_THUMBNAIL_PX = 256
_PROMPT_LETTERS = 120
_PAGE = 60
_KEPT_ENTRIES = 600
_KEPT_IMAGES = 400
_ROW_BY_ROW = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """ids: all that the query finds. entries: of those that were asked for. total: of runs out of the trash."""

    query: Query
    ids: tuple[str, ...]
    entries: tuple[HistoryEntry, ...]
    total: int


class HistoryModel(QAbstractListModel):
    """failed: what could not be read. refreshed: what is listed is as the project has it."""

    failed = Signal(str)
    refreshed = Signal()

    def __init__(self, room: ProjectRoom, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._room, self._background = room, background
        self._query = Query()
        self._ids: tuple[str, ...] = ()
        self._rows: dict[str, int] = {}
        self._entries: OrderedDict[str, HistoryEntry] = OrderedDict()
        self._asked: set[int] = set()
        self._images: OrderedDict[tuple[Path, int], QImage | None] = OrderedDict()
        self._running: frozenset[Path] = frozenset()
        self.total = 0
        self._names = {
            Task.STYLE_TRANSFER: self.tr("Style transfer"),
            Task.APPEARANCE_TRANSFER: self.tr("Appearance"),
            Task.TEXT_TO_IMAGE: self.tr("Text to image"),
            Task.TEXTURE: self.tr("Texture"),
        }
        self._short_names = self._names | {Task.STYLE_TRANSFER: self.tr("Style"), Task.TEXT_TO_IMAGE: self.tr("Text")}
        self._readers: dict[int, Callable[[HistoryEntry], object]] = {
            Qt.ItemDataRole.DisplayRole: self._caption,
            Qt.ItemDataRole.ToolTipRole: self._tooltip,
            Qt.ItemDataRole.AccessibleTextRole: self._tooltip,
            CardRole.IMAGE: self._image,
            CardRole.BADGE: self._status,
            CardRole.COUNT: lambda entry: len(entry.results),
            CardRole.RATING: lambda entry: entry.rating,
            CardRole.FAVOURITE: lambda entry: entry.favourite,
            CardRole.VALUE: lambda entry: entry,
        }
        room.opened.connect(self._on_opened)
        room.changed.connect(self.refresh)

    @property
    def query(self) -> Query:
        """What is listed."""
        return self._query

    def set_query(self, query: Query) -> None:
        """List what this finds."""
        if query != self._query:
            self._query = query
            self.refresh()

    def refresh(self) -> None:
        """Read the list again, and the rows that are known."""
        query = self._query
        known = tuple(self._entries)[-4 * _PAGE :]

        def work(project: Project) -> _Listed:
            ids = project.run_ids(query)
            found = set(ids)
            wanted = dict.fromkeys((*ids[:_PAGE], *(one for one in known if one in found)))
            entries = tuple(entry_of(project, run) for run in project.runs(tuple(wanted)))
            return _Listed(query=query, ids=ids, entries=entries, total=project.count())

        self._room.ask(work, self._on_listed, self.failed.emit, key="history")

    def _on_opened(self) -> None:
        self._query = Query()
        self._entries.clear()
        self._images.clear()
        self._list(())

    def _on_listed(self, listed: _Listed) -> None:
        self.total = listed.total
        self._asked.clear()
        for one in listed.entries:
            old = self._entries.get(one.run_id)
            self._keep(one)
            row = self._rows.get(one.run_id, -1)
            if old is not None and old != one and row >= 0:
                self.dataChanged.emit(self.index(row), self.index(row))
        self._list(listed.ids)
        self.refreshed.emit()

    def _list(self, ids: tuple[str, ...]) -> None:
        """Change only the rows that are different, so that selection and scrolling stay; all where many are."""
        if ids == self._ids:
            return
        wanted, there = set(ids), set(self._ids)
        gone = [row for row, one in enumerate(self._ids) if one not in wanted]
        come = [row for row, one in enumerate(ids) if one not in there]
        same_order = [one for one in self._ids if one in wanted] == [one for one in ids if one in there]
        if not same_order or len(gone) + len(come) > _ROW_BY_ROW:
            self.beginResetModel()
            self._set_ids(ids)
            self.endResetModel()
            return
        for row in reversed(gone):
            self.beginRemoveRows(QModelIndex(), row, row)
            self._set_ids((*self._ids[:row], *self._ids[row + 1 :]))
            self.endRemoveRows()
        for row in come:
            self.beginInsertRows(QModelIndex(), row, row)
            self._set_ids((*self._ids[:row], ids[row], *self._ids[row:]))
            self.endInsertRows()

    def _set_ids(self, ids: tuple[str, ...]) -> None:
        self._ids = ids
        self._rows = {one: row for row, one in enumerate(ids)}

    def _keep(self, entry: HistoryEntry) -> None:
        self._entries[entry.run_id] = entry
        self._entries.move_to_end(entry.run_id)
        while len(self._entries) > _KEPT_ENTRIES:
            self._entries.popitem(last=False)

    @property
    def entries(self) -> tuple[HistoryEntry, ...]:
        """The runs that have been read, newest first."""
        return tuple(sorted(self._entries.values(), key=lambda one: one.created, reverse=True))

    def entry(self, row: int) -> HistoryEntry | None:
        """The run of a row; None where there is none, or it is still being read."""
        if not 0 <= row < len(self._ids):
            return None
        found = self._entries.get(self._ids[row])
        if found is None:
            self._ask_for_page(row // _PAGE)
        return found

    def run_ids(self, rows: Iterable[int]) -> tuple[str, ...]:
        """The runs of these rows, read or not."""
        return tuple(self._ids[row] for row in rows if 0 <= row < len(self._ids))

    def folder_of(self, run_id: str) -> Path:
        """Where a run of the open project lies."""
        current = self._room.current
        return (current.folder if current is not None else Path()) / "runs" / run_id

    def row_of(self, folder: Path) -> int:
        """The row of a run's folder, -1 where it is not listed."""
        return self._rows.get(folder.name, -1)

    def _ask_for_page(self, page: int) -> None:
        if page in self._asked:
            return
        self._asked.add(page)
        ids = self._ids[page * _PAGE : (page + 1) * _PAGE]

        def work(project: Project) -> tuple[HistoryEntry, ...]:
            return tuple(entry_of(project, run) for run in project.runs(ids))

        self._room.ask(work, self._on_page, self.failed.emit)

    def _on_page(self, entries: Sequence[HistoryEntry]) -> None:
        rows = []
        for one in entries:
            self._keep(one)
            rows.append(self._rows.get(one.run_id, -1))
        rows = [row for row in rows if row >= 0]
        self._asked -= {row // _PAGE for row in rows}
        if rows:
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._ids)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entry(index.row()) if index.isValid() else None
        reader = self._readers.get(role)
        return reader(entry) if entry is not None and reader is not None else None

    def set_running(self, folders: frozenset[Path]) -> None:
        """Which runs go on or wait right now."""
        if folders != self._running:
            self._running = folders
            if self._ids:
                self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1), [CardRole.BADGE])

    def _status(self, entry: HistoryEntry) -> str:
        if entry.folder in self._running:
            return "running"
        return "broken" if entry.damaged else entry.status

    def _caption(self, entry: HistoryEntry) -> str:
        """Task and time, short enough for a card."""
        moment = _short_moment(entry.created)
        return f"{self._short_names[entry.task]} · {moment}" if entry.task is not None else moment

    def _tooltip(self, entry: HistoryEntry) -> str:
        states = {
            "failed": self.tr("failed"),
            "cancelled": self.tr("cancelled"),
            "running": self.tr("running or waiting"),
            "queued": self.tr("running or waiting"),
            "interrupted": self.tr("interrupted"),
            "broken": self.tr("damaged"),
        }
        task = self._names.get(entry.task, "") if entry.task is not None else ""
        lines = [f"{task} · {_moment(entry.created)}" if task else _moment(entry.created)]
        status = self._status(entry)
        if status in states:
            lines.append(f"{states[status]}: {entry.reason}" if entry.reason else states[status])
        if entry.damaged:
            lines.append(self.tr("A picture of this run is missing or not as it was."))
        if entry.names:
            lines.append(" + ".join(entry.names))
        if entry.job is not None:
            size = f"{entry.job.width} × {entry.job.height} · " if entry.job.width and entry.job.height else ""
            model = f"{short_name(model_name(entry.job.model))} · " if entry.job.model != PATCH_MODEL else ""
            lines.append(model + size + self.tr("seed {seed}").format(seed=entry.job.seed))
            if entry.job.prompt:
                lines.append(f"“{entry.job.prompt[:_PROMPT_LETTERS]}{'…' * (len(entry.job.prompt) > _PROMPT_LETTERS)}”")
        said = [self.tr("{count} of 5 stars").format(count=entry.rating)] if entry.rating else []
        said += [self.tr("favourite")] if entry.favourite else []
        said += [", ".join(entry.tags)] if entry.tags else []
        if said:
            lines.append(" · ".join(said))
        return "\n".join(lines)

    def _image(self, entry: HistoryEntry) -> QImage | None:
        key = entry.folder, len(entry.results)
        if key not in self._images:
            self._images[key] = None
            while len(self._images) > _KEPT_IMAGES:
                self._images.popitem(last=False)
            self._background.submit(
                lambda: picture_thumbnail(entry, _THUMBNAIL_PX), lambda image: self._on_image(key, image)
            )
        self._images.move_to_end(key)
        return self._images[key]

    def _on_image(self, key: tuple[Path, int], image: QImage | None) -> None:
        row = self.row_of(key[0])
        if row >= 0 and image is not None:
            self._images[key] = image
            self.dataChanged.emit(self.index(row), self.index(row), [CardRole.IMAGE])

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    def mimeData(self, indexes: object) -> QMimeData:
        """Results drag out as files."""
        entries = [self.entry(index.row()) for index in indexes]  # type: ignore[attr-defined]
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(e.results[0])) for e in entries if e is not None and e.results])
        return mime


def _short_moment(when: datetime) -> str:
    """Time of today, day and month otherwise."""
    if when.date() == datetime.now().astimezone().date():
        return f"{when:%H:%M}"
    return QLocale().toString(QDate(when.year, when.month, when.day), "d MMM")


def _moment(when: datetime) -> str:
    """Time of today, date and time otherwise."""
    return f"{when:%H:%M:%S}" if when.date() == datetime.now().astimezone().date() else f"{when:%Y-%m-%d %H:%M}"

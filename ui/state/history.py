"""The runs on disk, newest first, as a list model; thumbnails come in from the background when a row is looked at."""

from __future__ import annotations

from collections.abc import Iterable
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
from ui.state.background import Background
from ui.state.model_choice import model_name
from ui.state.roles import CardRole
from ui.state.runs import HistoryEntry, list_entries, picture_thumbnail
from ui.state.words import short_name

_THUMBNAIL_PX = 256
_PROMPT_LETTERS = 120


class HistoryModel(QAbstractListModel):
    """failed: what could not be read."""

    failed = Signal(str)
    refreshed = Signal()

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._entries: tuple[HistoryEntry, ...] = ()
        self._images: dict[Path, QImage | None] = {}
        self._folder: Path | None = None
        self._running: frozenset[Path] = frozenset()
        self._names = {
            Task.STYLE_TRANSFER: self.tr("Style transfer"),
            Task.APPEARANCE_TRANSFER: self.tr("Appearance"),
            Task.TEXT_TO_IMAGE: self.tr("Text to image"),
            Task.TEXTURE: self.tr("Texture"),
        }
        self._short_names = self._names | {Task.STYLE_TRANSFER: self.tr("Style"), Task.TEXT_TO_IMAGE: self.tr("Text")}

    def open(self, folder: Path) -> None:
        """List the runs of a folder, in the background."""
        self._folder = folder
        self.refresh()

    def refresh(self) -> None:
        """Read the list again."""
        folder = self._folder
        if folder is not None:
            self._background.submit(lambda: list_entries(folder), self._on_listed, self.failed.emit, key="history")

    def _on_listed(self, entries: Iterable[HistoryEntry]) -> None:
        """Change only the rows that are different, so that selection and scrolling stay."""
        listed = tuple(entries)
        wanted = {entry.folder for entry in listed}
        for row in range(len(self._entries) - 1, -1, -1):
            if self._entries[row].folder not in wanted:
                self.beginRemoveRows(QModelIndex(), row, row)
                self._entries = self._entries[:row] + self._entries[row + 1 :]
                self.endRemoveRows()
        for row, entry in enumerate(listed):
            if row < len(self._entries) and self._entries[row].folder == entry.folder:
                if self._entries[row] != entry:
                    self._entries = (*self._entries[:row], entry, *self._entries[row + 1 :])
                    self._images.pop(entry.folder, None)
                    self.dataChanged.emit(self.index(row), self.index(row))
            elif any(old.folder == entry.folder for old in self._entries):
                self.beginResetModel()
                self._entries = listed
                self.endResetModel()
                break
            else:
                self.beginInsertRows(QModelIndex(), row, row)
                self._entries = (*self._entries[:row], entry, *self._entries[row:])
                self.endInsertRows()
        self.refreshed.emit()

    @property
    def entries(self) -> tuple[HistoryEntry, ...]:
        """All runs, newest first."""
        return self._entries

    def entry(self, row: int) -> HistoryEntry | None:
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def row_of(self, folder: Path) -> int:
        """The row of a run folder, -1 where it is not listed."""
        return next((row for row, entry in enumerate(self._entries) if entry.folder == folder), -1)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._entries)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entry(index.row()) if index.isValid() else None
        if entry is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._caption(entry)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._tooltip(entry)
        if role == CardRole.IMAGE:
            return self._image(entry)
        if role == CardRole.BADGE:
            return self._status(entry)
        if role == CardRole.COUNT:
            return len(entry.results)
        return entry if role == CardRole.VALUE else None

    def set_running(self, folders: frozenset[Path]) -> None:
        """Which runs go on or wait right now; on disk they look interrupted."""
        if folders != self._running:
            self._running = folders
            if self._entries:
                self.dataChanged.emit(self.index(0), self.index(len(self._entries) - 1), [CardRole.BADGE])

    def _status(self, entry: HistoryEntry) -> str:
        return "running" if entry.folder in self._running else entry.status

    def _caption(self, entry: HistoryEntry) -> str:
        """Task and time, short enough for a card."""
        moment = _short_moment(entry.created)
        return f"{self._short_names[entry.task]} · {moment}" if entry.task is not None else moment

    def _tooltip(self, entry: HistoryEntry) -> str:
        states = {
            "failed": self.tr("failed"),
            "cancelled": self.tr("cancelled"),
            "running": self.tr("running or waiting"),
            "interrupted": self.tr("interrupted"),
            "broken": self.tr("damaged"),
        }
        task = self._names.get(entry.task, "") if entry.task is not None else ""
        lines = [f"{task} · {_moment(entry.created)}" if task else _moment(entry.created)]
        status = self._status(entry)
        if status in states:
            lines.append(f"{states[status]}: {entry.reason}" if entry.reason else states[status])
        if entry.names:
            lines.append(" + ".join(entry.names))
        if entry.job is not None:
            size = f"{entry.job.width} × {entry.job.height} · " if entry.job.width and entry.job.height else ""
            model = f"{short_name(model_name(entry.job.model))} · " if entry.job.model != PATCH_MODEL else ""
            lines.append(model + size + self.tr("seed {seed}").format(seed=entry.job.seed))
            if entry.job.prompt:
                lines.append(f"“{entry.job.prompt[:_PROMPT_LETTERS]}{'…' * (len(entry.job.prompt) > _PROMPT_LETTERS)}”")
        return "\n".join(lines)

    def _image(self, entry: HistoryEntry) -> QImage | None:
        if entry.folder not in self._images:
            self._images[entry.folder] = None
            self._background.submit(
                lambda: picture_thumbnail(entry, _THUMBNAIL_PX), lambda image: self._on_image(entry.folder, image)
            )
        return self._images[entry.folder]

    def _on_image(self, folder: Path, image: QImage | None) -> None:
        row = self.row_of(folder)
        if row >= 0 and image is not None:
            self._images[folder] = image
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

"""The pictures that come with the application: the style library and the first setup."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt, QUrl
from PySide6.QtGui import QImage

from adstudio.errors import StorageError
from adstudio.jobs.spec import Task
from ui.state.background import Background
from ui.state.roles import CardRole
from ui.state.slot_loading import load_thumbnail

THUMBNAIL_PX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """role: "content", "style", "appearance" or "texture"."""

    name: str
    path: Path
    role: str
    title: str
    description: str

    @property
    def caption(self) -> str:
        """What is written under its card, in a word or two: "painting_oil" is Oil."""
        return self.name.partition("_")[2].replace("_", " ").capitalize() or self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """demo: per task the names of the pictures to start with, by role ("content", "style")."""

    all: tuple[Sample, ...] = ()
    demo: tuple[tuple[Task, dict[str, str]], ...] = ()

    def named(self, name: str) -> Sample | None:
        return next((sample for sample in self.all if sample.name == name), None)

    def first_pair(self, task: Task) -> tuple[Sample | None, Sample | None]:
        """Content and style to fill in at the first start; pictures from words begin with a style alone."""
        demo = dict(self.demo)
        if task is Task.TEXT_TO_IMAGE and task not in demo:
            return None, self.named(demo.get(Task.STYLE_TRANSFER, {}).get("style", ""))
        pair = demo.get(task, {})
        return self.named(pair.get("content", "")), self.named(pair.get("style", ""))

    def are_first_pictures(self, content: Path | None, styles: Iterable[Path]) -> bool:
        """Whether these are what a first start (for any task) had filled in, and so may be exchanged unasked."""
        pairs = [self.first_pair(task) for task, _ in self.demo]
        contents = {pair[0].path for pair in pairs if pair[0] is not None}
        known = {pair[1].path for pair in pairs if pair[1] is not None}
        return bool(pairs) and (content is None or content in contents) and set(styles) <= known

    def for_content(self) -> tuple[Sample, ...]:
        """Pictures to paint."""
        return tuple(sample for sample in self.all if sample.role == "content")

    def for_style(self, task: Task) -> tuple[Sample, ...]:
        """Pictures whose look can be taken, those that suit the task first."""
        first = {Task.APPEARANCE_TRANSFER: "appearance", Task.TEXTURE: "texture"}.get(task, "style")
        others = [sample for sample in self.all if sample.role != "content"]
        return tuple(sorted(others, key=lambda sample: sample.role != first))


def read_samples(folder: Path) -> Samples:
    """Read `samples.json`; pictures that are not there are left out. Raises StorageError for a damaged file."""
    listing = folder / "samples.json"
    try:
        found = json.loads(listing.read_text(encoding="utf-8"))
        samples = tuple(
            Sample(
                name=str(item["name"]),
                path=folder / str(item["file"]),
                role=str(item["role"]),
                title=str(item["title"]),
                description=str(item["description"]),
            )
            for item in found["samples"]
        )
        known = {task.value: task for task in Task}
        demo = tuple((known[task], dict(pair)) for task, pair in found.get("demo", {}).items() if task in known)
    except OSError:
        return Samples()
    except (ValueError, KeyError, TypeError) as problem:
        raise StorageError(f"{listing} is damaged; install the application again.") from problem
    return Samples(all=tuple(sample for sample in samples if sample.path.is_file()), demo=demo)


class LibraryModel(QAbstractListModel):
    """The samples as cards; thumbnails come in from the background."""

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._samples: tuple[Sample, ...] = ()
        self._images: dict[Path, QImage] = {}

    def set_samples(self, samples: tuple[Sample, ...]) -> None:
        """Show these, in this order."""
        if samples == self._samples:
            return
        self.beginResetModel()
        self._samples = samples
        self.endResetModel()
        for sample in samples:
            if sample.path not in self._images:
                self._ask_for(sample.path)

    def _ask_for(self, path: Path) -> None:
        self._background.submit(lambda: load_thumbnail(path, THUMBNAIL_PX), lambda image: self._on_image(path, image))

    def _on_image(self, path: Path, image: QImage) -> None:
        self._images[path] = image
        for row, sample in enumerate(self._samples):
            if sample.path == path:
                self.dataChanged.emit(self.index(row), self.index(row), [CardRole.IMAGE])

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._samples)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        sample = self._samples[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return sample.caption
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return sample.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{sample.title}\n{sample.description}\n{self.tr('Click to use it, drag it to add it.')}"
        if role == CardRole.IMAGE:
            return self._images.get(sample.path)
        return sample if role == CardRole.VALUE else None

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    def mimeData(self, indexes: object) -> QMimeData:
        mime = QMimeData()
        rows = [index.row() for index in indexes if isinstance(index, QModelIndex)]  # type: ignore[attr-defined]
        mime.setUrls([QUrl.fromLocalFile(str(self._samples[row].path)) for row in rows])
        return mime

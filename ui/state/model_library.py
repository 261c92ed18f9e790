"""The installed models as the window knows them: read, added and taken off the list in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from PySide6.QtCore import QObject, Signal

from adstudio.errors import AdStudioError, ModelError
from adstudio.jobs.choices import Task
from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.jobs.parameters import parameters_for
from adstudio.models.find import find_model, is_model_path
from adstudio.models.library import (
    Entry,
    Health,
    Library,
    add_to_library,
    load_library,
    look_at,
    remove_from_library,
)
from adstudio.models.library_file import Kind
from adstudio.paths import models_dir
from ui.state.background import Background
from ui.state.model_words import told

SUFFIX = ".safetensors"
_KEY = "models"
_NOT = {Kind.MODEL: "is no model", Kind.LORA: "is no LoRA file", Kind.CONTROL: "is no ControlNet"}
_ORDER = (Kind.MODEL, Kind.LORA, Kind.CONTROL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A file or folder that was not added. reason: a sentence."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What came of adding: the new entries by name, and what was refused."""

    names: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was taken off the list. place: the file or folder, which lies where it lay. names: of the models in it."""

    place: Path
    names: tuple[str, ...]
    is_folder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One look at everything. outside: models that a job names by path and that are not on the list."""

    library: Library
    outside: dict[str, Entry] = field(default_factory=dict)


class ModelLibrary(QObject):
    """changed: other models are installed, or one is in another state. added, removed: an Added, a Removed.

    failed: a sentence; the list itself could not be read or written. Files are only looked at, never touched.
    """

    changed = Signal()
    added = Signal(object)
    removed = Signal(object)
    failed = Signal(str)

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._seen = _Seen(library=Library(entries=()))
        self._wanted: set[str] = set()
        self._loaded = False
        self._one_at_a_time = Lock()  # the list is read, changed and written by several workers
        self._looks = self._shown = 0

    # What is there

    @property
    def loaded(self) -> bool:
        """Whether the list has been read once."""
        return self._loaded

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Models first, then LoRA files and ControlNets; each by name."""
        return tuple(sorted(self._seen.library.entries, key=lambda one: (_ORDER.index(one.kind), one.name.casefold())))

    @property
    def folders(self) -> tuple[tuple[Path, bool], ...]:
        """The folders that are looked through, with whether each is there."""
        return self._seen.library.folders

    def find(self, model: str) -> Entry | None:
        """The entry of a model as a job names it, by name or by path."""
        library = self._seen.library
        if not is_model_path(model):
            return library.find(model)
        path = Path(model)
        return next((one for one in library.entries if one.path == path), None) or self._seen.outside.get(model)

    def called(self, model: str) -> str:
        """What a job should call something that it gives by path: its name in the library, where it has one."""
        entry = self.find(model)
        return entry.name if entry is not None and self.find(entry.name) is entry else model

    def folder_of(self, entry: Entry) -> Path | None:
        """The folder on the list through which an entry was found; it can only be taken off with it."""
        places = [folder for folder, _ in self.folders if entry.path.is_relative_to(folder)]
        return max(places, key=lambda folder: len(folder.parts)) if places else None

    def can_remove(self, entry: Entry) -> bool:
        """Whether the entry, or the folder it was found through, is on the list; the models folder always is."""
        folder = self.folder_of(entry)
        return folder != models_dir() if folder is not None else entry.added

    # Changes

    def refresh(self, *also: str) -> None:
        """Look again at what the command line or a drive may have changed. also: names and paths that jobs use."""
        self._wanted.update(also)
        self._ask(lambda: None, _nothing)

    def meet(self, model: str, then: Callable[[], None], *beside: str) -> None:
        """Look at a model that a job names, then go on; at once for the built-in one. beside: what goes with it."""
        if model == PATCH_MODEL:
            then()
            return
        self._wanted.update((model, *beside))
        self._ask(lambda: None, lambda _: then(), lambda _: then())

    def add(self, places: Iterable[Path]) -> None:
        """Put files and folders on the list, where they lie."""
        chosen = tuple(places)

        def work() -> Added:
            names: list[str] = []
            refused: list[Refusal] = []
            for place in chosen:
                try:
                    names += [entry.name for entry in add_to_library(place)]
                except (AdStudioError, OSError) as problem:
                    refused.append(Refusal(path=place, reason=told(str(problem), place)))
            return Added(names=tuple(names), refused=tuple(refused))

        if chosen:
            self._ask(work, self.added.emit)

    def bring(self, places: tuple[Path, ...], kind: Kind, then: Callable[[Added], None]) -> None:
        """Put files and folders of one kind on the list where they are not on it yet, and go on with their names."""

        def work() -> Added:
            library, names, refused = load_library(), list[str](), list[Refusal]()
            for place in places:
                known = next((one for one in library.entries if one.path == place.absolute()), None)
                entry = known or look_at(place.absolute())
                try:
                    if entry.health is not Health.READY:
                        raise ModelError(entry.problem)
                    if entry.kind is not kind:
                        raise ModelError(f"{place}: {_NOT[kind]}")
                    names += [known.name] if known else [one.name for one in add_to_library(place)]
                except (AdStudioError, OSError) as problem:
                    refused.append(Refusal(path=place, reason=told(str(problem), place)))
            return Added(names=tuple(names), refused=tuple(refused))

        self._ask(work, lambda added: then(added) if isinstance(added, Added) else None)

    def remove(self, entry: Entry) -> None:
        """Take an entry off the list, or the folder it was found through; the files stay."""
        folder = self.folder_of(entry)
        if folder is not None:
            self.remove_folder(folder)
        else:
            self._remove(entry.path, (entry.name,), is_folder=False)

    def remove_folder(self, folder: Path) -> None:
        """Take a folder with all its models off the list; the files stay."""
        names = tuple(entry.name for entry in self.entries if entry.path.is_relative_to(folder))
        self._remove(folder, names, is_folder=True)

    def _remove(self, place: Path, names: tuple[str, ...], *, is_folder: bool) -> None:
        def work() -> Removed:
            remove_from_library(str(place))
            return Removed(place=place, names=names, is_folder=is_folder)

        self._ask(work, self.removed.emit)

    # Inside

    def _ask(
        self,
        work: Callable[[], object],
        then: Callable[[object], None],
        otherwise: Callable[[str], None] | None = None,
    ) -> None:
        """Do something to the list and look at everything afterwards, so that what is told can be found."""
        wanted = tuple(self._wanted)

        def done_and_seen() -> tuple[int, object, _Seen]:
            with self._one_at_a_time:
                done, seen = work(), _look(wanted)
                self._looks += 1
                return self._looks, done, seen

        self._background.submit(
            done_and_seen,
            lambda found: self._on_seen(found[0], found[2], lambda: then(found[1])),
            lambda problem: self._on_failed(problem, otherwise),
            key=_KEY if then is _nothing else "",
        )

    def _on_seen(self, number: int, seen: _Seen, then: Callable[[], None]) -> None:
        """number: of the look; an older one never follows a newer one."""
        if number > self._shown:
            changed = seen != self._seen or not self._loaded
            self._seen, self._loaded, self._shown = seen, True, number
            if changed:
                self.changed.emit()
        then()

    def _on_failed(self, problem: str, then: Callable[[str], None] | None) -> None:
        if not self._loaded:
            self._loaded = True
            self.changed.emit()
        self.failed.emit(problem)
        if then is not None:
            then(problem)


def _nothing(_: object) -> None:
    """What follows where only the list is looked at."""


def can_do(entry: Entry) -> bool:
    """Whether a model could be chosen at all."""
    return entry.kind is Kind.MODEL and entry.health is Health.READY


def _look(wanted: Iterable[str]) -> _Seen:
    """Everything installed, and the models that jobs name by path; their parameters are looked up on the way."""
    library = load_library()
    outside: dict[str, Entry] = {}
    for model in wanted:
        if is_model_path(model) and all(entry.path != Path(model) for entry in library.entries):
            outside[model] = _outside(model, library)
    first = next((entry.name for entry in library.entries if can_do(entry)), "")
    for model in {*wanted, first} - {""}:
        entry = outside.get(model) or library.find(model) or _by_path(library, model)
        if entry is not None and can_do(entry):
            parameters_for(Task.TEXTURE, model)  # remembered there, so that panels need not wait for the disk
    return _Seen(library=library, outside=outside)


def _by_path(library: Library, model: str) -> Entry | None:
    return next((entry for entry in library.entries if entry.path == Path(model)), None)


def _outside(model: str, library: Library) -> Entry:
    path = Path(model)
    beside = look_at(path)
    if beside.kind is not Kind.MODEL:
        return replace(beside, problem=told(beside.problem, path) if beside.problem else "")
    try:
        found = find_model(model, library)
    except (AdStudioError, OSError) as problem:
        there = path.exists()
        health = Health.UNUSABLE if there else Health.OFFLINE
        return Entry(name=path.stem, path=path, kind=Kind.MODEL, health=health, problem=told(str(problem), path))
    return Entry(
        name=path.stem,
        path=path,
        kind=Kind.MODEL,
        health=Health.READY,
        family=found.family,
        size_bytes=found.size_bytes,
        model=found,
    )

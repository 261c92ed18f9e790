"""The installed models: what the user added, and what lies in the folders that are looked through.

Models are used where they lie. Nothing here is copied, moved or deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from adstudio.errors import AdStudioError, ModelError, UnavailableError
from adstudio.models.completing import completed, require_complete
from adstudio.models.control import ControlDescription, inspect_control, is_control
from adstudio.models.description import ModelDescription
from adstudio.models.families import Family
from adstudio.models.folder import INDEX_NAME
from adstudio.models.header import read_header
from adstudio.models.inspect import inspect_model
from adstudio.models.library_file import AddedModel, Kind, LibraryFile, load_library_file, save_library_file
from adstudio.models.lora import LoraDescription, inspect_lora
from adstudio.models.recognise import is_lora
from adstudio.paths import library_path, models_dir

MAX_FOUND = 500
_RESERVED_NAMES = frozenset({"patch"})
_SAFE = ".safetensors"


class Health(StrEnum):
    """Whether an installed model can be used, and if not, why."""

    READY = "ready"
    INCOMPLETE = "incomplete"
    OFFLINE = "offline"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One installed model, LoRA file or ControlNet.

    model: for a model that is there, with what it lacks taken from the others. lora, control: for one that is there.
    problem: a sentence where health is not READY. added: by the user, not found in a folder.
    """

    name: str
    path: Path
    kind: Kind
    health: Health
    family: Family | None = None
    size_bytes: int = 0
    model: ModelDescription | None = None
    lora: LoraDescription | None = None
    control: ControlDescription | None = None
    problem: str = ""
    added: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """All installed models at one moment. folders: those looked through, with whether each is there."""

    entries: tuple[Entry, ...]
    folders: tuple[tuple[Path, bool], ...] = ()

    def find(self, name: str) -> Entry | None:
        """The entry of a name; upper and lower case are the same where that is not ambiguous."""
        return next((entry for entry in self.entries if entry.name == name), None) or next(
            (entry for entry in self.entries if entry.name.casefold() == name.casefold()), None
        )

    @property
    def models(self) -> tuple[ModelDescription, ...]:
        """The models that are there, whole or not."""
        return tuple(entry.model for entry in self.entries if entry.model is not None)


def load_library(path: Path | None = None) -> Library:
    """Look at everything installed; only headers and configs are read.

    path: of the list, by default this user's. Raises StorageError where the list itself cannot be read.
    """
    listed = load_library_file(path if path is not None else library_path())
    entries = [_entry(one.name, one.path, one) for one in listed.models]
    known = {entry.path for entry in entries}
    names = {entry.name.casefold() for entry in entries}
    folders = (models_dir(), *listed.folders)
    for found in _found(folders):
        if found not in known:
            name = _free_name(found, names)
            entries.append(_entry(name, found, None))
            known.add(found)
            names.add(name.casefold())
    shown = tuple((folder, folder.is_dir()) for folder in folders if folder.is_dir() or folder != models_dir())
    return Library(entries=_with_loans(entries), folders=shown)


def add_to_library(place: Path, *, name: str = "", path: Path | None = None) -> tuple[Entry, ...]:
    """Add a model, a LoRA file, a ControlNet, or a folder with any number of them; the entries that came with it.

    name: for a single model; by default its file's or folder's, made unique.
    Raises ModelError where there is nothing that can be used or the name is taken, StorageError where the list cannot
    be written.
    """
    file = path if path is not None else library_path()
    listed = load_library_file(file)
    place = place.resolve() if ".." in place.parts else place.absolute()
    is_collection = place.is_dir() and not _is_one(place)
    candidates = list(_found((place,))) if is_collection else [place]
    if is_collection and not candidates:
        raise ModelError(f"{place}: holds no model, neither a diffusers folder nor a .safetensors file")
    if is_collection and name:
        raise ModelError(f"{place}: is a folder of several models, which keep their own names; leave --name out")
    taken = {one.name.casefold() for one in listed.models}
    present = {one.path: one.name for one in listed.models}
    entries: list[Entry] = []
    for candidate in candidates:
        if candidate in present and not is_collection:
            raise ModelError(f'{candidate}: is in the library already, as "{present[candidate]}"')
        if candidate in present:
            continue
        chosen = _checked_name(name, taken) if name else _free_name(candidate, taken)
        entry = _entry(chosen, candidate, None)
        if entry.health is Health.READY:
            taken.add(chosen.casefold())
            entries.append(replace(entry, added=True))
        elif not is_collection:
            raise ModelError(entry.problem)
    added = tuple(
        AddedModel(name=one.name, path=one.path, family=one.family, kind=one.kind, size_bytes=one.size_bytes)
        for one in entries
    )
    folders = (*listed.folders, place) if is_collection and place not in listed.folders else listed.folders
    save_library_file(LibraryFile(models=(*listed.models, *added), folders=folders), file)
    names = {one.name for one in entries}
    return tuple(entry for entry in load_library(file).entries if entry.name in names)


def remove_from_library(name: str, *, path: Path | None = None) -> tuple[str, ...]:
    """Take a model, by name, or a folder with its models, by path, off the list; the names taken off.

    The files stay. Raises UnavailableError where there is no such entry.
    """
    file = path if path is not None else library_path()
    listed = load_library_file(file)
    folder = Path(name).absolute()
    if folder in listed.folders:
        gone = [one for one in listed.models if one.path.is_relative_to(folder)]
        kept = tuple(one for one in listed.folders if one != folder)
    else:
        gone = [one for one in listed.models if one.name.casefold() == name.casefold() or one.path == folder]
        kept = listed.folders
        if not gone:
            raise UnavailableError(_not_listed(name, file))
    models = tuple(one for one in listed.models if one not in gone)
    save_library_file(LibraryFile(models=models, folders=kept), file)
    return tuple(one.name for one in gone)


def look_at(path: Path) -> Entry:
    """What lies in a place that is not on the list, under the name that it would have there."""
    return _entry(_free_name(path, ()), path, None)


def _not_listed(name: str, file: Path) -> str:
    found = load_library(file).find(name)
    if found is not None:
        return (
            f'"{name}" was not added by itself: it lies in {found.path.parent}, which is looked through; '
            "move it out of there, or remove that folder"
        )
    return f'no model named "{name}" is installed; `adstudio models list` shows those that are'


def _entry(name: str, path: Path, listed: AddedModel | None) -> Entry:
    remembered = Entry(
        name=name,
        path=path,
        kind=listed.kind if listed is not None else Kind.MODEL,
        health=Health.OFFLINE,
        family=listed.family if listed is not None else None,
        size_bytes=listed.size_bytes if listed is not None else 0,
        problem=f"{path}: is not there; plug its drive in, or remove it from the list",
        added=listed is not None,
    )
    try:
        if not path.exists():
            return remembered
        kind = _kind(path)
        remembered = replace(remembered, kind=kind)
        found: ModelDescription | LoraDescription | ControlDescription
        match kind:
            case Kind.LORA:
                found = lora = replace(inspect_lora(path), name=name)
                ready = replace(remembered, lora=lora)
            case Kind.CONTROL:
                found = control = replace(inspect_control(path), name=name)
                ready = replace(remembered, control=control)
            case Kind.MODEL:
                found = model = inspect_model(path).renamed(name)
                ready = replace(remembered, model=model)
    except (AdStudioError, OSError) as error:
        return replace(remembered, health=Health.UNUSABLE, problem=str(error))
    return replace(ready, health=Health.READY, family=found.family, size_bytes=found.size_bytes, problem="")


def _kind(path: Path) -> Kind:
    """What lies in a place, going by its config or header. Raises as `read_header` does."""
    if is_control(path):
        return Kind.CONTROL
    is_file = path.is_file() and path.suffix.lower() == _SAFE
    return Kind.LORA if is_file and is_lora(read_header(path)) else Kind.MODEL


def _is_one(folder: Path) -> bool:
    """Whether a folder is one model or ControlNet, and no place with several."""
    return (folder / INDEX_NAME).is_file() or is_control(folder)


def _with_loans(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    entries = tuple(entries)
    models = [entry.model for entry in entries if entry.model is not None]
    finished = []
    for entry in entries:
        if entry.model is None:
            finished.append(entry)
            continue
        model = completed(entry.model, [other for other in models if other is not entry.model])
        changed = replace(entry, model=model)
        try:
            require_complete(model)
        except UnavailableError as error:
            changed = replace(changed, health=Health.INCOMPLETE, problem=str(error))
        finished.append(changed)
    return tuple(finished)


def _found(folders: Iterable[Path]) -> Iterator[Path]:
    """Diffusers folders, ControlNets and .safetensors files in folders and one level below them."""
    count = 0
    for folder in folders:
        for place in (folder, *_subfolders(folder)):
            if place != folder and _is_one(place):
                candidates = [place]
            else:
                candidates = sorted(one for one in _children(place) if one.suffix.lower() == _SAFE and one.is_file())
            for candidate in candidates:
                count += 1
                if count > MAX_FOUND:
                    return
                yield candidate


def _subfolders(folder: Path) -> list[Path]:
    """Folders inside, but not those that hold the configs of a file beside them."""
    children = _children(folder)
    stems = {one.stem for one in children if one.suffix.lower() == _SAFE}
    return sorted(
        one
        for one in children
        if one.is_dir()
        and not one.name.startswith(".")
        and one.suffix != ".config"
        and (one.name not in stems or _is_one(one))
    )


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _free_name(path: Path, taken: Iterable[str]) -> str:
    taken = {*taken, *_RESERVED_NAMES}
    plain = path.stem if path.suffix.lower() == _SAFE else path.name
    shown = "".join(one if one.isprintable() and one != "\\" else "-" for one in plain)
    base = shown.strip()[:80] or "model"
    names = (base if number == 1 else f"{base} {number}" for number in range(1, MAX_FOUND + 100))
    return next(name for name in names if name.casefold() not in taken)


def _checked_name(name: str, taken: Iterable[str]) -> str:
    name = name.strip()
    if not name or len(name) > 80 or "/" in name or "\\" in name or name.lower().endswith(_SAFE):
        raise ModelError("--name: must be 1 to 80 characters without slashes, and not end in .safetensors")
    if not name.isprintable():
        raise ModelError("--name: must be on one line, without tabs and other invisible characters")
    if name.casefold() in {*taken, *_RESERVED_NAMES}:
        raise ModelError(f'--name: "{name}" is taken; choose another one')
    return name

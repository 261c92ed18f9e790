"""From what a job says about its model to the model itself."""

from __future__ import annotations

from pathlib import Path

from adstudio.errors import JobError, ModelError, StorageError, UnavailableError
from adstudio.models.completing import completed, require_complete
from adstudio.models.description import ModelDescription
from adstudio.models.inspect import PICKLE_SUFFIXES, inspect_model
from adstudio.models.library import Entry, Health, Library, load_library
from adstudio.models.library_file import Kind

_FIELD = "model"


def is_model_path(model: str) -> bool:
    """Whether a model is given as a file or folder rather than by name."""
    return "/" in model or "\\" in model or Path(model).suffix.lower() in {".safetensors", ".gguf", *PICKLE_SUFFIXES}


def find_model(name_or_path: str, library: Library | None = None) -> ModelDescription:
    """The model of a job, whole: parts that it lacks come from other installed models of its family.

    library: what is installed, by default looked at now.
    Raises JobError where a path leads to no usable model, UnavailableError where no model of that name is installed,
    its drive is away, or a part is missing that no other model has.
    """
    library = load_library() if library is None else library
    given_as_path = is_model_path(name_or_path)
    model = _at(Path(name_or_path), library) if given_as_path else _named(name_or_path, library)
    require_complete(model)
    return model


def _at(path: Path, library: Library) -> ModelDescription:
    try:
        model = inspect_model(path)
    except (ModelError, StorageError) as error:
        raise JobError(f"model: {error}", field=_FIELD) from error
    return completed(model, [other for other in library.models if other.path != model.path])


def _named(name: str, library: Library) -> ModelDescription:
    entry = library.find(name)
    if entry is None:
        raise UnavailableError(f'model: no model named "{name}" is installed; {_installed(library)}')
    if entry.kind is Kind.LORA:
        raise JobError(f'model: "{name}" is a LoRA, changes to a model and not a model', field=_FIELD)
    if entry.kind is Kind.CONTROL:
        raise JobError(f'model: "{name}" is a ControlNet, which goes with a model and is none', field=_FIELD)
    if entry.health is Health.OFFLINE:
        raise UnavailableError(f'model: "{name}" is offline: {entry.problem}')
    if entry.model is None:
        raise JobError(f"model: {entry.problem}", field=_FIELD)
    return entry.model


def _installed(library: Library) -> str:
    names = [entry.name for entry in library.entries if _is_usable(entry)]
    listed = f"installed: {', '.join(['patch', *names[:10]])}{' …' if len(names) > 10 else ''}"
    return f"{listed}; add one with `adstudio models add PATH`"


def _is_usable(entry: Entry) -> bool:
    return entry.kind is Kind.MODEL and entry.health is Health.READY

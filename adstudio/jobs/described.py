"""What is known of a job's model, looked at once and remembered, so that panels need not wait for the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adstudio.errors import AdStudioError
from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.models.description import ModelDescription
from adstudio.models.find import find_model
from adstudio.models.folder import INDEX_NAME
from adstudio.paths import library_path

_Mark = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A model that was looked at, with marks of the list of models and of its own files at that moment."""

    model: ModelDescription
    listed: _Mark
    files: tuple[_Mark, ...]


_known: dict[str, _Known] = {}


def described_model(model: str) -> ModelDescription | None:
    """What is known of a model by name or path; None for the patch model and one that is not here.

    It is looked at once, and again when the list of models or the model itself has changed. That reads a few files: for
    the first time not before a picture of the window is shown. A model whose drive is away stays known.
    """
    if model == PATCH_MODEL:
        return None
    known = _known.get(model)
    if known is None or _is_stale(known):
        _known.pop(model, None)
        listed = _mark(library_path())
        try:
            found = find_model(model)
        except AdStudioError:
            return None
        known = _known[model] = _Known(model=found, listed=listed, files=_marks(found.path))
    return known.model


def _is_stale(known: _Known) -> bool:
    if _mark(library_path()) != known.listed:
        return True
    now = _marks(known.model.path)
    return now[0] is not None and now != known.files


def _marks(model: Path) -> tuple[_Mark, ...]:
    return _mark(model), _mark(model / INDEX_NAME)


def _mark(path: Path) -> _Mark:
    """What changes when a file is written anew; None where it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size

"""Which models and folders the user added: one JSON file, beside the settings and not in them.

The window keeps the settings in memory while it is open, and writes them whole; a model added on the command line in
the meantime would be lost.
"""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adstudio.errors import StorageError
from adstudio.images import atomic_write_bytes
from adstudio.jobs.fields import FilePath
from adstudio.models.families import Family
from adstudio.settings import set_aside

_log = logging.getLogger(__name__)


class AddedModel(BaseModel):
    """A model or LoRA file that is used where it lies. family, size_bytes: as last seen, for when its drive is away."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    path: FilePath
    family: Family | None = None
    is_lora: bool = False
    size_bytes: int = Field(default=0, ge=0)


class LibraryFile(BaseModel):
    """Frozen; change it with `model_copy(update=…)` and `save_library_file`. folders: looked through at each start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[AddedModel, ...] = ()
    folders: tuple[FilePath, ...] = ()


def load_library_file(path: Path) -> LibraryFile:
    """The list in a file, or an empty one where there is none; a damaged file is kept beside under a new name.

    Raises StorageError where the file is there and the system refuses to read it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return LibraryFile()
    except OSError as error:
        raise StorageError(
            f"{path}: the list of models cannot be read ({error.strerror}); check its permissions"
        ) from error
    try:
        return LibraryFile.model_validate_json(content)
    except ValidationError:
        kept = set_aside(path)
        _log.info("%s was damaged or of another version: an empty list is used, the old file is %s", path, kept)
        return LibraryFile()


def save_library_file(library: LibraryFile, path: Path) -> None:
    """Write the list whole or not at all. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(path, library.model_dump_json(indent=2).encode() + b"\n")
    except OSError as error:
        raise StorageError(f"{path}: the list of models cannot be written ({error.strerror})") from error

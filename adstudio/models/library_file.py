"""Which models and folders the user added: one JSON file, beside the settings and not in them.

The window keeps the settings in memory while it is open, and writes them whole; a model added on the command line in
the meantime would be lost.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adstudio.errors import StorageError
from adstudio.images import atomic_write_bytes
from adstudio.jobs.fields import FilePath
from adstudio.models.families import Family
from adstudio.settings import set_aside

_log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What an entry of the library is. LORA, CONTROL: what goes with a model of its family."""

    MODEL = "model"
    LORA = "lora"
    CONTROL = "control"


class AddedModel(BaseModel):
    """A model, LoRA file or ControlNet that is used where it lies.

    family, size_bytes: as last seen, for when its drive is away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    path: FilePath
    family: Family | None = None
    kind: Kind = Kind.MODEL
    size_bytes: int = Field(default=0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _as_written_before(cls, given: Any) -> Any:
        """The first lists knew LoRA files by a mark of their own."""
        if isinstance(given, dict) and "is_lora" in given:
            rest = {name: value for name, value in given.items() if name != "is_lora"}
            return rest | {"kind": Kind.LORA if given["is_lora"] else Kind.MODEL}
        return given


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

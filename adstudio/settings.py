"""What the artist chose once and for all, in one JSON file."""

from __future__ import annotations

import logging
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adstudio.errors import StorageError
from adstudio.images import atomic_write_bytes
from adstudio.jobs.choices import Device, Task
from adstudio.jobs.fields import FilePath, Flag, Number

_log = logging.getLogger(__name__)


class Appearance(StrEnum):
    """Colours of the window."""

    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"


class Settings(BaseModel):
    """Frozen; change it with `model_copy(update=…)` and `save_settings`.

    project: the one that was open last, None for the usual one in Pictures/AD Studio. runs_dir: where earlier
    versions kept runs as plain folders, None for Pictures/AD Studio; the usual project takes them in.
    memory_limit_gb: what a run may take in all, None for what is free. show_advanced: the fold of the parameters is
    open. window_layout: size and place of the window and its parts, as it gave them itself when it was last closed.
    left_running: folder of the run that closing the window had stopped. models: the model last chosen for a task.
    offline: nothing is fetched, asked for or not. recent_commands: names of the actions of the palette used last,
    newest first. shortcuts: keys of actions that have others than the usual ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    appearance: Appearance = Appearance.SYSTEM
    project: FilePath | None = None
    runs_dir: FilePath | None = None
    device: Device = Device.AUTO
    memory_limit_gb: Number | None = Field(default=None, gt=0, le=4096)
    show_advanced: Flag = False
    window_layout: str = Field(default="", max_length=10_000)
    left_running: FilePath | None = None
    offline: Flag = False
    models: dict[Task, str] = Field(default_factory=dict)
    shortcuts: dict[str, tuple[str, ...]] = Field(default_factory=dict, max_length=1000)
    recent_commands: tuple[str, ...] = Field(default=(), max_length=100)

    @property
    def memory_limit_bytes(self) -> int | None:
        return bytes_of(self.memory_limit_gb)


def bytes_of(gigabytes: float | None) -> int | None:
    """A limit in gigabytes as bytes; None stays None."""
    return None if gigabytes is None else round(gigabytes * (1 << 30))


def load_settings(path: Path) -> Settings:
    """The settings in a file, or the defaults where there is none.

    A file that is damaged, or holds what this version does not know, is kept beside under a new name.
    Raises StorageError where the file is there and the system refuses to read it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise StorageError(f"{path}: the settings cannot be read ({error.strerror}); check its permissions") from error
    try:
        return Settings.model_validate_json(content)
    except ValidationError:
        kept = set_aside(path)
        _log.info("%s was damaged or of another version: defaults are used, the old file is %s", path, kept)
        return Settings()


def save_settings(settings: Settings, path: Path) -> None:
    """Write the settings whole or not at all. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(path, settings.model_dump_json(indent=2).encode() + b"\n")
    except OSError as error:
        raise StorageError(f"{path}: the settings cannot be written ({error.strerror})") from error


def set_aside(path: Path) -> Path:
    """Keep a damaged file beside under a new name, and return where it is now."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    names = (f"{path.name}.{stamp}.old" if n == 1 else f"{path.name}.{stamp}-{n}.old" for n in range(1, 1000))
    kept = next((path.with_name(name) for name in names if not path.with_name(name).exists()), path)
    try:
        path.replace(kept)
    except OSError:
        return path  # a read-only folder: the file stays where it is, and is not overwritten either
    return kept

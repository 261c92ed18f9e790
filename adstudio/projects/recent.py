"""The projects that this user opened last, in a small file beside the settings."""

from __future__ import annotations

import json
from pathlib import Path

from adstudio.errors import StorageError
from adstudio.images import atomic_write_bytes
from adstudio.paths import recent_path

KEPT = 20


def recent_projects() -> tuple[Path, ...]:
    """Newest first; some may be gone or on a drive that is away. A damaged list is an empty one."""
    try:
        listed = json.loads(recent_path().read_bytes())
    except (OSError, ValueError, RecursionError):
        return ()
    if not isinstance(listed, list):
        return ()
    return tuple(Path(one) for one in listed if isinstance(one, str) and one and "\0" not in one)[:KEPT]


def remember_project(folder: Path) -> None:
    """Put a project at the top of the list. Raises StorageError."""
    folder = folder.absolute()
    _write([folder, *(one for one in recent_projects() if one != folder)][:KEPT])


def forget_project(folder: Path) -> None:
    """Take a project off the list; the project itself stays. Raises StorageError."""
    folder = folder.absolute()
    _write([one for one in recent_projects() if one != folder])


def _write(folders: list[Path]) -> None:
    path = recent_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: the list of recent projects cannot be written ({error.strerror})") from error
    atomic_write_bytes(path, json.dumps([str(one) for one in folders], ensure_ascii=False, indent=2).encode() + b"\n")

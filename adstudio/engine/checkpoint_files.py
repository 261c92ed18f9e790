"""Checkpoint files of a run folder: numbered, written whole, with a check sum for every array, the two newest kept."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adstudio.images import atomic_write_bytes

FOLDER_NAME = "checkpoints"
UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    RuntimeError,  # a flipped bit that says "encrypted" or "compressed in an unknown way"
    MemoryError,  # or that asks for an endless array
    zipfile.BadZipFile,
    zlib.error,
)
_KEPT = 2
_NAME = re.compile(r"^(\d{6})\.npz$")
_LEFT_OVER = re.compile(r"^\.(\d{6}\.npz\..*|[0-9a-f]{16})\.part$")

Arrays = Mapping[str, NDArray[Any]]


def write_arrays(folder: Path, arrays: Arrays) -> Path:
    """Write a checkpoint into the run folder; older ones beyond the two newest go. Raises StorageError."""
    directory = folder / FOLDER_NAME
    directory.mkdir(exist_ok=True)
    existing = _numbered(directory)
    path = directory / f"{(existing[-1][0] + 1 if existing else 1):06d}.npz"
    buffer = io.BytesIO()
    named: Any = dict(arrays)
    np.savez(buffer, **named)
    atomic_write_bytes(path, buffer.getvalue())
    for _, old in _numbered(directory)[:-_KEPT]:
        old.unlink(missing_ok=True)
    return path


def checkpoint_paths(folder: Path) -> Iterator[Path]:
    """The checkpoint files of a run folder, newest first, sound or not."""
    for _, path in reversed(_numbered(folder / FOLDER_NAME)):
        yield path


@contextlib.contextmanager
def opened_arrays(path: Path) -> Iterator[Arrays]:
    """The arrays of a checkpoint, read as they are asked for. Raises one of UNREADABLE where it is damaged."""
    with path.open("rb") as stream:
        with zipfile.ZipFile(stream) as archive:  # all of it first: headers of arrays are parsed before their check sum
            wrong = archive.testzip()
        if wrong is not None:
            raise zipfile.BadZipFile(f"{wrong} is not as it was written")
        stream.seek(0)
        with np.load(stream, allow_pickle=False) as arrays:
            yield arrays


def clear_checkpoints(folder: Path) -> None:
    """Remove all checkpoints of a run that is over, and what a crash left of half-written ones."""
    directory = folder / FOLDER_NAME
    for path in directory.iterdir() if directory.is_dir() else ():
        if _NAME.match(path.name) or _LEFT_OVER.match(path.name):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not there, or somebody keeps something of theirs in it
        directory.rmdir()


def _numbered(directory: Path) -> list[tuple[int, Path]]:
    if not directory.is_dir():
        return []
    found = [(int(match[1]), path) for path in directory.iterdir() if (match := _NAME.match(path.name))]
    return sorted(found)

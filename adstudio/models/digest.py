"""One number for the weights of a model or ControlNet (headers whole, of the tensors samples) and for a whole file."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from adstudio.errors import StorageError
from adstudio.models.control import ControlDescription
from adstudio.models.description import Component, ModelDescription

_SAMPLES = 64
_SAMPLE_BYTES = 16 << 10
_HEAD_BYTES = 1 << 20


def model_digest(model: ModelDescription) -> str:
    """64 hexadecimal digits that change with any part of a model, its loans included; the same wherever it lies.

    Own choice: reading gigabytes before each run would cost more than it is worth, so each file is sampled.
    Raises StorageError where a file cannot be read.
    """
    digest = hashlib.sha256()
    for _, part in sorted(model.components.items()):
        _take_in(digest, part)
    return digest.hexdigest()


def control_digest(control: ControlDescription) -> str:
    """The same of a ControlNet. Raises StorageError where a file cannot be read."""
    digest = hashlib.sha256()
    _take_in(digest, control.component)
    return digest.hexdigest()


def _take_in(digest: hashlib._Hash, part: Component) -> None:
    for weights in part.weights:
        for path in weights.files:
            digest.update(f"{part.role}\n{part.prefix}\n{sampled_digest(path)}\n".encode())


def whole_digest(path: Path) -> str:
    """SHA-256 of all of a file, for LoRA files, which are small. Raises StorageError where it cannot be read."""
    try:
        status = path.stat()
        return _whole(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error}); is its drive plugged in?") from error


@lru_cache(maxsize=64)
def _whole(path: Path, _size_bytes: int, _changed_ns: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sampled_digest(path: Path) -> str:
    """The same of one file of weights. Raises StorageError where it cannot be read."""
    try:
        status = path.stat()
        return _file_digest(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error}); is its drive plugged in?") from error


@lru_cache(maxsize=256)
def _file_digest(path: Path, size_bytes: int, _changed_ns: int) -> str:
    digest = hashlib.sha256(str(size_bytes).encode())
    with path.open("rb") as stream:
        digest.update(stream.read(_HEAD_BYTES))
        step = max(1, (size_bytes - _HEAD_BYTES) // _SAMPLES)
        for place in range(_HEAD_BYTES, size_bytes, step):
            stream.seek(place)
            digest.update(stream.read(min(step, _SAMPLE_BYTES)))
    return digest.hexdigest()

"""Files from the hub into a folder: gone on with where it was left, checked, and there under their names only whole.

A file on its way is `NAME.<digest>.part`, so what is left of another version is never gone on with.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from adstudio.errors import ModelError, StorageError, StorageFullError, UnavailableError
from adstudio.models.hub import CHUNK_BYTES, BrokenOffError, Hub, HubFile, Listing

_MARGIN_BYTES = 64 << 20
_MAX_BREAKS = 5


class StoppedError(UnavailableError):
    """The user paused; what came so far is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """How far it is. file: the one on its way. checking: its checksum is being computed."""

    file: str
    done_bytes: int
    total_bytes: int
    checking: bool = False


Report = Callable[[Fetching], None]


def fetch_files(
    hub: Hub,
    listing: Listing,
    files: Sequence[HubFile],
    folder: Path,
    *,
    report: Report = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Bring files into a folder; those that are there and whole are left.

    Raises StoppedError where `stopped` says so, BrokenOffError where the connection fails again and again,
    StorageFullError before anything is asked where the disk has no room, ModelError for a wrong checksum.
    """
    for file in files:
        if file.size_bytes < 0 or not (file.sha256 or file.git_sha1):
            raise ModelError(f"{listing.repository}: says no size or checksum of {file.name}, so it is not fetched")
    _make(folder)
    _require_room(files, folder)
    progress = _Progress(files, report, stopped)
    for file in files:
        progress.file = file
        target = folder / file.name
        if target.is_file() and target.stat().st_size == file.size_bytes and _digest(target, file, progress):
            progress.finished()
            continue
        _fetch(hub, listing, file, folder, progress)
        progress.finished()


def part_of(folder: Path, file: HubFile) -> Path:
    """Where a file lies while it is not whole."""
    target = folder / file.name
    return target.with_name(f"{target.name}.{(file.sha256 or file.git_sha1)[:12]}.part")


class _Progress:
    def __init__(self, files: Sequence[HubFile], report: Report, stopped: Callable[[], bool]) -> None:
        self.file = files[0] if files else HubFile(name="", size_bytes=0)
        self._report, self._stopped = report, stopped
        self._before = 0
        self._total = sum(file.size_bytes for file in files)

    def at(self, size_bytes: int, *, checking: bool = False) -> None:
        if self._stopped():
            raise StoppedError(f"{self.file.name}: paused; what came so far is kept")
        done = self._before + size_bytes
        self._report(Fetching(file=self.file.name, done_bytes=done, total_bytes=self._total, checking=checking))

    def finished(self) -> None:
        self._before += self.file.size_bytes


def _fetch(hub: Hub, listing: Listing, file: HubFile, folder: Path, progress: _Progress) -> None:
    part = part_of(folder, file)
    _make(part.parent)
    breaks = 0
    while True:
        before = _size(part)
        if before > file.size_bytes:
            part.unlink()
            before = 0
        progress.at(before)
        if before == file.size_bytes and part.exists():
            break
        try:
            _append(hub, listing, file, part, progress)
        except BrokenOffError as error:
            breaks += 1
            if breaks >= _MAX_BREAKS or _size(part) <= before:
                raise BrokenOffError(
                    f"{file.name}: {error}; {_size(part) / 1e6:.1f} of {file.size_bytes / 1e6:.1f} MB are kept, "
                    "start it again to go on"
                ) from error
    if not _digest(part, file, progress):
        part.unlink()
        raise ModelError(
            f"{file.name}: is not what its publisher has (its checksum differs), and was thrown away; download it again"
        )
    try:
        part.replace(folder / file.name)
    except OSError as error:
        raise StorageError(f"{folder / file.name}: cannot be written ({error.strerror or error})") from error


def _append(hub: Hub, listing: Listing, file: HubFile, part: Path, progress: _Progress) -> None:
    with hub.open(listing, file.name, _size(part)) as body, _opened(part) as stream:
        stream.truncate(body.start)
        stream.seek(body.start)
        size = body.start
        for chunk in body.chunks():
            size += len(chunk)
            if size > file.size_bytes:
                raise ModelError(f"{file.name}: is longer than its listing says; try again later")
            _write(stream, chunk, part)
            progress.at(size)
    if size < file.size_bytes:
        raise BrokenOffError("the connection ended early")


def _opened(part: Path) -> BinaryIO:
    try:
        return os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b", buffering=0)
    except OSError as error:
        raise StorageError(f"{part}: cannot be written ({error.strerror or error}); choose another folder") from error


def _write(stream: BinaryIO, chunk: bytes, part: Path) -> None:
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[stream.write(rest) :]
    except OSError as error:
        raise StorageError(
            f"{part}: cannot be written ({error.strerror or error}); make room or choose another folder, what came so "
            "far is kept"
        ) from error


def _digest(path: Path, file: HubFile, progress: _Progress) -> bool:
    """Whether a file is what the hub has: by SHA-256, or by its git blob id where it is a small one."""
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(f"blob {file.size_bytes}\0".encode())  # noqa: S324  git's
    done = 0
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                done += len(chunk)
                progress.at(done, checking=True)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from error
    return digest.hexdigest() == (file.sha256 or file.git_sha1)


def _require_room(files: Sequence[HubFile], folder: Path) -> None:
    needed = sum(
        file.size_bytes - min(file.size_bytes, max(_size(folder / file.name), _size(part_of(folder, file))))
        for file in files
    )
    free = shutil.disk_usage(folder).free
    if needed and needed + _MARGIN_BYTES > free:
        raise StorageFullError(
            f"{folder}: {needed / (1 << 30):.1f} GB are still to come, and {free / (1 << 30):.1f} GB are free on this "
            "disk; make room or choose another folder"
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be made ({error.strerror or error}); choose another folder") from error

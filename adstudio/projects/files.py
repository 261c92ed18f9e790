"""Every change that a project makes to files, as few single steps; tests put a layer here that fails at the n-th."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from adstudio.errors import ProjectReadOnlyError, StorageError, StorageFullError

PART_SUFFIX = ".part"
_CHUNK_BYTES = 1 << 20
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EACCES, errno.EINVAL})


class Files:
    """The steps. `step` is called before each with its name and path; the base class lets all pass."""

    def step(self, name: str, path: Path) -> None:
        """Called before every change; raising OSError here stands for the system refusing it."""

    def make_folder(self, folder: Path) -> None:
        """With all that lead to it; fine where it is there."""
        if not folder.is_dir():
            self.step("mkdir", folder)
            folder.mkdir(parents=True, exist_ok=True)
            self.sync_folder(folder.parent)

    def write_whole(self, path: Path, content: bytes) -> None:
        """The file with this content or as it was: written beside, synced, renamed, folder synced."""
        with self._beside(path) as part:
            with self._created(part) as stream:
                stream.write(content)
                self._synced(stream, part)
            self.rename(part, path)

    def copy_in(self, source: Path, folder: Path, target_of: Callable[[str], Path]) -> tuple[str, int]:
        """Copy a file to the path that its SHA-256 decides; (digest, size in bytes). source is only read.

        folder: on the file system of the target, takes the copy until its digest is known.
        """
        with source.open("rb") as reader, self._beside(folder / "incoming") as part:
            digest = hashlib.sha256()
            size_bytes = 0
            with self._created(part) as writer:
                while chunk := reader.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    size_bytes += len(chunk)
                    self.step("write", part)
                    writer.write(chunk)
                self._synced(writer, part)
            name = digest.hexdigest()
            target = target_of(name)
            self.make_folder(target.parent)
            self.rename(part, target)
        return name, size_bytes

    def copy(self, source: Path, target: Path) -> None:
        """A copy that has nothing in common with its source, whole or not at all."""
        with self._beside(target) as part:
            self._copy(source, part)
            self.rename(part, target)

    def link_or_copy(self, source: Path, target: Path) -> None:
        """The same content under a second name: a hard link, or a copy where the file system has none."""
        with self._beside(target) as part:
            try:
                self.step("link", part)
                os.link(source, part)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self._copy(source, part)
            self.rename(part, target)

    def rename(self, source: Path, target: Path) -> None:
        """Move within a file system, over a file that is there; both folders are synced."""
        self.step("rename", target)
        source.replace(target)
        self.sync_folder(target.parent)
        if source.parent != target.parent:
            self.sync_folder(source.parent)

    def remove(self, path: Path) -> None:
        """Remove a file; fine where it is gone."""
        self.step("unlink", path)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()

    def remove_tree(self, folder: Path) -> None:
        """Remove a folder with all in it, read-only files included; fine where it is gone."""
        self.step("rmtree", folder)
        if folder.exists():
            if sys.version_info >= (3, 12):
                shutil.rmtree(folder, onexc=_made_removable)
            else:
                shutil.rmtree(folder, onerror=_made_removable)

    def protect(self, path: Path) -> None:
        """Make a file read-only, against programs that would change it in place. On Windows it would bar renaming."""
        if os.name != "nt":
            self.step("chmod", path)
            with contextlib.suppress(OSError):  # a file system without rights: the digest still tells
                path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)

    def sync_folder(self, folder: Path) -> None:
        """Have the names in a folder on the disk."""
        self.step("sync", folder)
        if os.name == "nt":  # folders cannot be synced there
            return
        with contextlib.suppress(OSError):  # some file systems refuse; the files themselves are safe
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    @contextmanager
    def _beside(self, path: Path) -> Iterator[Path]:
        """A free name in the same folder, which is gone afterwards."""
        part = path.with_name(f".{secrets.token_hex(8)}{PART_SUFFIX}")
        try:
            yield part
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _copy(self, source: Path, target: Path) -> None:
        with source.open("rb") as reader, self._created(target) as writer:
            shutil.copyfileobj(reader, writer, _CHUNK_BYTES)
            self._synced(writer, target)

    def _created(self, path: Path) -> BinaryIO:
        self.step("create", path)
        return path.open("xb")

    def _synced(self, stream: BinaryIO, path: Path) -> None:
        self.step("fsync", path)
        stream.flush()
        os.fsync(stream.fileno())


def digest_and_size(path: Path) -> tuple[str, int]:
    """SHA-256 and size in bytes of a file. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), os.fstat(stream.fileno()).st_size


@contextmanager
def in_words(place: Path, doing: str) -> Iterator[None]:
    """Translate OSError into StorageError. doing: what could not be done, as in "the run cannot be written"."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, place, doing) from error


def storage_error(error: OSError, place: Path, doing: str) -> StorageError | ProjectReadOnlyError:
    """What happened to the disk, with the way out."""
    if error.errno in _FULL:
        return StorageFullError(f"{place}: {doing}, because the disk is full; make room and try again")
    if error.errno in _READ_ONLY:
        return ProjectReadOnlyError(
            f"{place}: {doing}, because this place may not be written; save the project elsewhere with Save As"
        )
    if not place.exists():
        return StorageError(f"{place}: {doing}, because the folder is gone; was a drive unplugged?")
    return StorageError(f"{place}: {doing} ({error.strerror or error}); try again, or save the project elsewhere")


def _made_removable(function: Callable[..., object], path: str, _error: object) -> None:
    Path(path).chmod(stat.S_IRWXU)
    function(path)

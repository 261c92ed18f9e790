"""One writer at a time: a lock of the operating system, which ends with the process that holds it.

So a lock is never stale for longer than the system needs to notice that its holder is dead; the text in the file only
says who it was.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import sys
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

import psutil

from adstudio.errors import ProjectBusyError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LOCKED_BYTE = 1 << 30  # far behind the text, so that others can still read it on Windows
_LONGEST_TEXT = 4096
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, getattr(errno, "EOPNOTSUPP", errno.ENOSYS)})
_HELD = frozenset({errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK, errno.EDEADLK})
_KNOCK_SUFFIX = ".knock"


class ProjectLock:
    """Held from construction until `release`. Raises ProjectBusyError, OSError where the file cannot be made."""

    def __init__(self, path: Path, project: Path) -> None:
        self._path = path
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._stream: FileIO | None = FileIO(os.open(path, flags, 0o644), "r+")
        try:
            held = _is_held(self._stream, path)
        except OSError:
            self._stream.close()
            raise
        if held:
            self._stream.close()
            self._stream = None
            holder = holder_of(path)
            raise ProjectBusyError(
                f"{project}: is open in {holder}; go on there, close it, or open the project for reading only",
                holder=holder,
            )
        text = json.dumps(
            {
                "process": os.getpid(),
                "computer": platform.node(),
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )
        self._stream.truncate(0)
        self._stream.seek(0)
        self._stream.write(text.encode())
        self._knock = path.with_name(path.name + _KNOCK_SUFFIX)
        with contextlib.suppress(OSError):
            self._knock.unlink(missing_ok=True)

    def knocked(self) -> bool:
        """Whether somebody wants this project's window to come forward, since this was last asked."""
        try:
            self._knock.unlink()
        except OSError:
            return False
        return True

    def release(self) -> None:
        """Let others write; more than once is fine. The file stays: removing it would race with the next holder."""
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.truncate(0)
            with contextlib.suppress(OSError):
                _unlock(self._stream)
            self._stream.close()
            self._stream = None


def holder_of(path: Path) -> str:
    """Who wrote the lock file, in words."""
    holder = _holder(path)
    if holder is None:
        return "another window"
    computer, process = holder
    where = "" if computer == platform.node() else f" on {computer}"
    return f"another window{where} (process {process})"


def knock(path: Path) -> bool:
    """Ask the holder of a lock to come forward; False where nothing can be written beside it."""
    try:
        path.with_name(path.name + _KNOCK_SUFFIX).touch()
    except OSError:
        return False
    return True


def _is_held(stream: FileIO, path: Path) -> bool:
    """Take the lock; whether somebody else has it. On a file system without locks, whether its last holder lives."""
    try:
        _lock(stream)
    except OSError as error:
        if error.errno in _HELD:
            return True
        if error.errno not in _NO_LOCKS:
            raise
        return _lives(path)
    return False


def _lives(path: Path) -> bool:
    holder = _holder(path)
    if holder is None or holder[0] != platform.node():
        return False
    return holder[1] != os.getpid() and bool(psutil.pid_exists(holder[1]))


def _holder(path: Path) -> tuple[str, int] | None:
    try:
        with path.open("rb") as stream:
            holder = json.loads(stream.read(_LONGEST_TEXT))
        return str(holder["computer"]), int(holder["process"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lock(stream: FileIO) -> None:
    if sys.platform == "win32":
        stream.seek(_LOCKED_BYTE)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unlock(stream: FileIO) -> None:
    if sys.platform == "win32":
        stream.seek(_LOCKED_BYTE)
        msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(stream.fileno(), fcntl.LOCK_UN)

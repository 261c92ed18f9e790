"""What goes wrong in the engine thread, told in one sentence."""

from __future__ import annotations

import contextlib
import errno
import platform
import traceback
from pathlib import Path

import adstudio
from adstudio.errors import AdStudioError, StorageError, StorageFullError, UnavailableError
from adstudio.jobs.events import Failed

CRASH_LOG_NAME = "crash.log"
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def failed_from(error: BaseException, folder: Path) -> Failed:
    """The Failed event for an exception; one that nobody foresaw leaves its traceback in `folder / "crash.log"`."""
    if isinstance(error, AdStudioError):
        return Failed(reason=_one_line(str(error)), exit_status=error.exit_status)
    if isinstance(error, MemoryError):
        return Failed(
            reason="There is not enough memory for this picture; make it smaller or close other programs.",
            exit_status=UnavailableError.exit_status,
        )
    if isinstance(error, OSError) and error.errno in _FULL:
        return Failed(
            reason=f"The disk that holds {folder} is full; make room and resume the run.",
            exit_status=StorageError.exit_status,
        )
    where = f"; the details are in {folder / CRASH_LOG_NAME}" if write_crash_log(error, folder) else ""
    return Failed(reason=_one_line(f"The engine stopped unexpectedly ({type(error).__name__}: {error}){where}."))


def is_for_want_of_room(error: BaseException) -> bool:
    """Whether nothing is wrong but that the disk is full."""
    if isinstance(error, StorageFullError):
        return True
    return isinstance(error, OSError) and error.errno in _FULL


def write_crash_log(error: BaseException, folder: Path) -> bool:
    """Append the traceback to the run's crash log; False where even that cannot be written."""
    lines = [
        f"AD Studio {adstudio.__version__}, Python {platform.python_version()}, {platform.platform()}\n",
        *traceback.format_exception(error),
        "\n",
    ]
    with contextlib.suppress(OSError):
        with (folder / CRASH_LOG_NAME).open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines(lines)
        return True
    return False


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 500 else line[:499] + "…"

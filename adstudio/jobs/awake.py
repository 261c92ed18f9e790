"""Keeps the machine from going to sleep while pictures are made; the screen may still turn off."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

_log = logging.getLogger(__name__)

_WINDOWS_CONTINUOUS = 0x80000000
_WINDOWS_SYSTEM_REQUIRED = 0x00000001
_END_S = 2.0

Find = Callable[[str], str | None]


@contextlib.contextmanager
def kept_awake(*, platform: str = sys.platform, find: Find = shutil.which) -> Iterator[None]:
    """While inside, the system does not put itself to sleep. Where that cannot be had nothing happens but a log entry.

    However the program ends, kill -9 included, the machine may sleep again. find: where a command's file is.
    """
    if platform == "win32":
        with _windows_awake():
            yield
        return
    with _holding(awake_command(platform, find)):
        yield


def awake_command(platform: str, find: Find) -> tuple[str, ...] | None:
    """The command that keeps this system awake for as long as it runs; it ends by itself once we are gone."""
    if platform == "darwin":
        tool = find("caffeinate")
        return (tool, "-i", "-w", str(os.getpid())) if tool is not None else None
    tool, waiting = find("systemd-inhibit"), find("cat")  # cat ends with its standard input, and that with us
    if tool is None or waiting is None:
        return None
    return (tool, "--what=sleep:idle", "--who=AD Studio", "--why=Pictures are being made", "--mode=block", waiting)


@contextlib.contextmanager
def _holding(command: Sequence[str] | None) -> Iterator[None]:
    process = _start(command) if command is not None else None
    if process is None:
        _log.debug("The machine may go to sleep meanwhile: nothing here keeps it awake (%s)", command)
    try:
        yield
    finally:
        if process is not None:
            _end(process)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes] | None:
    try:
        return subprocess.Popen(  # noqa: S603 (our own command, found on the path)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl+C is not for it, and it finds no terminal to ask for a password
        )
    except OSError as error:
        _log.debug("%s could not be started: %s", command[0], error)
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.returncode > 0:
        _log.debug("The machine was not kept awake: %s ended with %s", process.args, process.returncode)


@contextlib.contextmanager
def _windows_awake() -> Iterator[None]:
    library = getattr(ctypes, "windll", None)  # typed on Windows alone
    if library is None:
        _log.debug("The machine may go to sleep meanwhile: there is no SetThreadExecutionState")
        yield
        return
    ask = library.kernel32.SetThreadExecutionState
    if not ask(_WINDOWS_CONTINUOUS | _WINDOWS_SYSTEM_REQUIRED):
        _log.debug("The machine may go to sleep meanwhile: SetThreadExecutionState refused")
    try:
        yield
    finally:
        ask(_WINDOWS_CONTINUOUS)

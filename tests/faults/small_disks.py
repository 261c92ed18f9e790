"""File systems of a test's own: small, full, or not to be written."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, size_bytes: int) -> Iterator[Path]:
    """A file system in memory, mounted at a new folder; skips the test where this user may mount none."""
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs Linux and root")
    place.mkdir()
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here ({done.stderr.decode().strip()})")
    try:
        yield place
    finally:
        subprocess.run([unmount, "-l", str(place)], check=True)


def make_read_only(place: Path) -> None:
    """From now on the file system takes no change."""
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)


def fill(disk: Path, left_bytes: int) -> Path:
    """Fill a file system up to so many bytes; removing the file that this returns makes room again."""
    filler = disk / "filler"
    free = os.statvfs(disk)
    with filler.open("wb") as stream:
        stream.write(bytes(max(0, free.f_bavail * free.f_frsize - left_bytes)))
    return filler

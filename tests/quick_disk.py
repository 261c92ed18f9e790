"""A folder in memory for tests that have the disk confirm every step: thousands of times, which would take minutes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 256 << 20


@contextmanager
def quick_folder() -> Iterator[Path]:
    """In memory where the system has such a place with room, otherwise wherever temporary files go."""
    usable = _SHARED_MEMORY.is_dir() and shutil.disk_usage(_SHARED_MEMORY).free > _ENOUGH_BYTES
    place = _SHARED_MEMORY if usable else None
    with tempfile.TemporaryDirectory(prefix="adstudio-tests-", dir=place, ignore_cleanup_errors=True) as folder:
        yield Path(folder)

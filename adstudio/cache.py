"""How much room what can be made again takes on the disk, and how to have that room back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from adstudio.paths import cache_dir

_PARTS = ("thumbnails", "features", "latents", "decoders", "embeddings")
"""Not what was learnt about this machine's speed: that lies beside and is small."""


def cache_bytes(folder: Path | None = None) -> int:
    """What thumbnails, features and the like take. folder: of the caches, None for this user's."""
    total = 0
    for part in _PARTS:
        for place, _, names in os.walk((folder or cache_dir()) / part):
            total += sum(_size(Path(place) / name) for name in names)
    return total


def clear_cache(folder: Path | None = None) -> int:
    """Delete them and return how many bytes are left: of files that are in use or may not be deleted."""
    for part in _PARTS:
        shutil.rmtree((folder or cache_dir()) / part, ignore_errors=True)
    return cache_bytes(folder)


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:
        return 0  # gone meanwhile

"""Small pictures of objects, made once and kept in the cache folder of this user, not in the project."""

from __future__ import annotations

import logging
from pathlib import Path

from adstudio.errors import AdStudioError, ImageError
from adstudio.images import atomic_write_bytes, encode_thumbnail, load_image, read_digest
from adstudio.paths import cache_dir

_log = logging.getLogger(__name__)
_LARGEST_PIXELS = 64_000_000


def thumbnail(picture: Path, digest: str, side_px: int) -> bytes | None:
    """A JPEG no side of which is longer than side_px; None for what is no picture, damaged, or gone.

    The cache is by digest, so an altered picture is never shown under its old name; a cache that cannot be written is
    done without.
    """
    kept = cache_dir() / "thumbnails" / digest[:2] / f"{digest}-{side_px}.jpg"
    try:
        return kept.read_bytes()
    except OSError:
        pass
    try:
        if read_digest(picture) != digest:
            return None
        content = encode_thumbnail(load_image(picture, reduce_to_pixels=_LARGEST_PIXELS).pixels, side_px)
    except ImageError:
        return None
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(kept, content)
    except (OSError, AdStudioError) as error:
        _log.info("%s: the thumbnail is not kept (%s)", kept, error)
    return content

"""Reading pictures for slots and lists. Everything here is slow and belongs into the background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtGui import QImage

from adstudio.errors import ImageError
from ui.state.pictures import make_thumbnail

SLOT_THUMBNAIL_PX = 192


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a slot learns about its picture; error: why it cannot be used."""

    thumbnail: QImage | None = None
    width_px: int = 0
    height_px: int = 0
    detail: str = ""
    error: str = ""


def read_rgb(path: Path) -> NDArray[np.uint8]:
    try:
        return np.asarray(Image.open(path).convert("RGB"))
    except (OSError, ValueError) as e:
        raise ImageError(f"{path.name}: cannot be read") from e


def load_slot(path: Path) -> Loaded:
    """Decode a picture for its slot. Raises ImageError with the reason in words."""
    rgb = read_rgb(path)
    height, width = rgb.shape[:2]
    return Loaded(
        thumbnail=make_thumbnail(rgb, SLOT_THUMBNAIL_PX), width_px=width, height_px=height, detail=f"{width} × {height}"
    )


def load_thumbnail(path: Path, side_px: int) -> QImage:
    """Decode a picture for a list. Raises ImageError."""
    return make_thumbnail(read_rgb(path), side_px)

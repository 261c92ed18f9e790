"""Reading pictures for slots and lists. Everything here is slow and belongs into the background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QImage

from adstudio.errors import ImageError, ImageTooLargeError
from ui.state.image_files import decode
from ui.state.pictures import make_thumbnail

SLOT_THUMBNAIL_PX = 192


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a slot learns about its picture; error: why it cannot be used. too_large: a smaller copy could be."""

    thumbnail: QImage | None = None
    width_px: int = 0
    height_px: int = 0
    detail: str = ""
    error: str = ""
    too_large: bool = False


def load_slot(path: Path) -> Loaded:
    """Decode a picture for its slot. What is wrong with it is said without its name, which the slot shows anyway."""
    try:
        found = decode(path)
    except ImageError as problem:
        reason = str(problem).removeprefix(f"{path.name}: ")
        return Loaded(error=f"{reason[:1].upper()}{reason[1:]}", too_large=isinstance(problem, ImageTooLargeError))
    height, width = found.rgb.shape[:2]
    return Loaded(
        thumbnail=make_thumbnail(found.rgb, SLOT_THUMBNAIL_PX),
        width_px=width,
        height_px=height,
        detail=f"{width} × {height} · {found.format_name}",
    )


def load_thumbnail(path: Path, side_px: int) -> QImage:
    """Decode a picture for a list. Raises ImageError."""
    return make_thumbnail(decode(path).rgb, side_px)

"""Reading pictures for slots and lists. Everything here is slow and belongs into the background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtGui import QImage

from adstudio.errors import ImageError, ImageTooLargeError
from ui.state.image_files import decode
from ui.state.pictures import make_thumbnail
from ui.state.setup import Setup, SlotPicture, SlotStatus

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


def filled(setup: Setup, path: Path, loaded: Loaded) -> Setup:
    """The setup with every slot that waits for this picture told about it."""

    def told(slot: SlotPicture) -> SlotPicture:
        if slot.path != path or slot.status is not SlotStatus.LOADING:
            return slot
        return replace(
            slot,
            status=SlotStatus.BROKEN if loaded.error else SlotStatus.READY,
            detail=loaded.detail,
            width_px=loaded.width_px,
            height_px=loaded.height_px,
            thumbnail=loaded.thumbnail,
            error=loaded.error,
            too_large=loaded.too_large,
        )

    return setup.mapped(told)


def unread(setup: Setup) -> Setup:
    """The setup with every picture to be read anew."""
    return setup.mapped(lambda slot: replace(slot, status=SlotStatus.LOADING))


def load_thumbnail(path: Path, side_px: int) -> QImage:
    """Decode a picture for a list. Raises ImageError."""
    return make_thumbnail(decode(path).rgb, side_px)

"""Colours and strength of a finished result: computed from the result and its content, kept beside the result."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adstudio.images import atomic_write_bytes, blend_color, blend_strength, to_uint8

FILE_NAME = "adjustment.json"
_STRIP_PIXELS = 1 << 18
_writing = threading.Lock()  # the file holds the adjustments of all pictures of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """color: 0 the content's colours … 1 the reference's. strength: 0 the content itself … 1 the result."""

    color: float = 1.0
    strength: float = 1.0

    @property
    def is_neutral(self) -> bool:
        """Whether it changes nothing."""
        return self.color >= 1.0 and self.strength >= 1.0


def apply(adjustment: Adjustment, result: NDArray[np.uint8], content: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """What the job's `color` and `strength` would have made of it.

    result, content: uint8 [height, width, 3] of the same size.
    """
    if content is None or adjustment.is_neutral:
        return result
    adjusted = np.empty_like(result)
    rows = max(1, _STRIP_PIXELS // max(result.shape[1], 1))
    for top in range(0, len(result), rows):  # pixel by pixel anyway: in strips it needs little memory
        own, other = _unit(result[top : top + rows]), _unit(content[top : top + rows])
        blended = blend_strength(blend_color(own, other, adjustment.color), other, adjustment.strength)
        adjusted[top : top + rows] = to_uint8(blended)
    return adjusted


def _unit(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    return rgb.astype(np.float32) / np.float32(255)


def read_adjustment(picture: Path) -> Adjustment:
    """What was kept with a result; neutral where nothing (readable) was."""
    try:
        kept = _all_kept(picture.parent)[picture.name]
        color, strength = float(kept["color"]), float(kept["strength"])
    except (KeyError, TypeError, ValueError):
        return Adjustment()
    if not (np.isfinite(color) and np.isfinite(strength)):
        return Adjustment()
    return Adjustment(color=min(max(color, 0.0), 1.0), strength=min(max(strength, 0.0), 1.0))


def write_adjustment(picture: Path, adjustment: Adjustment) -> None:
    """Keep an adjustment beside its result; a neutral one needs no file. Raises StorageError, OSError."""
    target = picture.parent / FILE_NAME
    with _writing:
        kept = _all_kept(picture.parent)
        kept.pop(picture.name, None)
        if not adjustment.is_neutral:
            kept[picture.name] = asdict(adjustment)
        if kept:
            atomic_write_bytes(target, json.dumps(kept, indent=2).encode())
        else:
            target.unlink(missing_ok=True)


def _all_kept(folder: Path) -> dict[str, Mapping[str, float]]:
    """Adjustments by the name of the picture; empty where there are none or the file is damaged."""
    try:
        found = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: kept for name, kept in found.items() if isinstance(kept, dict)} if isinstance(found, dict) else {}

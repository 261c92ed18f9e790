"""Colours and strength of a finished result: computed from the result and its content, kept beside the result."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FILE_NAME = "adjustment.json"


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
    """result, content: uint8 [height, width, 3] of the same size."""
    if content is None or adjustment.is_neutral:
        return result
    adjusted = result
    if adjustment.color < 1:
        adjusted = _with_colors_of(content, adjusted, adjustment.color)
    if adjustment.strength < 1:
        share = round(adjustment.strength * 256)
        mixed = adjusted.astype(np.uint16) * share + content.astype(np.uint16) * (256 - share) + 128
        adjusted = (mixed >> 8).astype(np.uint8)
    return adjusted


def _with_colors_of(content: NDArray[np.uint8], result: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Brightness of the result, and of its chroma the share; the rest of the chroma is the content's."""
    bright, blue, red = (np.asarray(band) for band in Image.fromarray(result).convert("YCbCr").split())
    _, own_blue, own_red = (np.asarray(band) for band in Image.fromarray(content).convert("YCbCr").split())
    weight = round(share * 256)

    def mix(there: NDArray[np.uint8], own: NDArray[np.uint8]) -> NDArray[np.uint8]:
        mixed = there.astype(np.uint16) * weight + own.astype(np.uint16) * (256 - weight) + 128
        return (mixed >> 8).astype(np.uint8)

    bands = np.stack((bright, mix(blue, own_blue), mix(red, own_red)), axis=-1)
    return np.asarray(Image.fromarray(bands, "YCbCr").convert("RGB"))


def read_adjustment(folder: Path) -> Adjustment:
    """What was kept with a run; neutral where nothing (readable) was."""
    try:
        kept = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        color, strength = float(kept["color"]), float(kept["strength"])
    except (OSError, ValueError, KeyError, TypeError):
        return Adjustment()
    return Adjustment(color=min(max(color, 0.0), 1.0), strength=min(max(strength, 0.0), 1.0))


def write_adjustment(folder: Path, adjustment: Adjustment) -> None:
    """Keep an adjustment with its run; a neutral one needs no file. Raises OSError."""
    target = folder / FILE_NAME
    if adjustment.is_neutral:
        target.unlink(missing_ok=True)
        return
    partial = target.with_name(FILE_NAME + ".part")
    partial.write_text(json.dumps(asdict(adjustment)), encoding="utf-8")
    partial.replace(target)

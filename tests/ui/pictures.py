"""Pictures that the tests make for themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def gradient(width: int, height: int) -> NDArray[np.uint8]:
    """A scene of sorts: sky to ground with a dark square, uint8 [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack((x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), 160 + 0 * x), axis=-1)
    rgb[height // 3 : height // 2, width // 3 : width // 2] = 30
    return rgb.astype(np.uint8)


def stripes(width: int, height: int) -> NDArray[np.uint8]:
    """A look: warm diagonal strokes, uint8 [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width]
    on = ((x + y) // 6) % 2 == 0
    return np.where(on[..., None], np.array([220, 120, 30]), np.array([40, 30, 90])).astype(np.uint8)


def save(path: Path, rgb: NDArray[np.uint8]) -> Path:
    Image.fromarray(rgb).save(path)
    return path

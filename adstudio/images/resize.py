"""Other sizes of a picture, in float32 throughout."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_Scalar = TypeVar("_Scalar", bound=np.generic)


def fit_within(size: tuple[int, int], long_side_px: int) -> tuple[int, int]:
    """(width, height) with the same aspect and no side above long_side_px; never larger than before."""
    longest = max(size)
    if longest <= long_side_px:
        return size
    scale = long_side_px / longest
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def centre_crop_to_aspect(pixels: NDArray[_Scalar], width: int, height: int) -> NDArray[_Scalar]:
    """The largest centred part with the aspect width : height. pixels: [h, w, …]; a view is returned."""
    rows, columns = pixels.shape[:2]
    if columns * height > rows * width:
        keep = max(1, round(rows * width / height))
        left = (columns - keep) // 2
        return pixels[:, left : left + keep]
    keep = max(1, round(columns * height / width))
    top = (rows - keep) // 2
    return pixels[top : top + keep]


def resize(pixels: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Pixels at another size, Lanczos with a filter as wide as the reduction. [h, w] or [h, w, channels], 0 … 1."""
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels, np.float32)
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    out = np.empty((height, width, planes.shape[2]), np.float32)
    for channel in range(planes.shape[2]):
        plane = Image.fromarray(np.ascontiguousarray(planes[..., channel], np.float32))
        out[..., channel] = np.asarray(plane.resize((width, height), Image.Resampling.LANCZOS))
    np.clip(out, 0, 1, out=out)
    return out[..., 0] if pixels.ndim == 2 else out


def resize_labels(labels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A label map [h, w] at another size, by nearest neighbour."""
    rows = (np.arange(height) * 2 + 1) * labels.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * labels.shape[1] // (2 * width)
    return np.ascontiguousarray(labels[rows[:, None], columns[None, :]])

"""Small pictures of the state of things."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

_LONG_SIDE_PX = 512


def preview_of(picture: Tensor) -> NDArray[np.uint8]:
    """uint8 [h, w, 3], sides at most 512, read-only, of a picture [3, height, width] in -1 … 1."""
    longest = max(picture.shape[-2:])
    if longest > _LONG_SIDE_PX:
        scale = _LONG_SIDE_PX / longest
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[2] * scale))
        picture = F.interpolate(picture[None], size, mode="area")[0]
    pixels = ((picture.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    pixels = np.ascontiguousarray(pixels)
    pixels.setflags(write=False)
    return pixels

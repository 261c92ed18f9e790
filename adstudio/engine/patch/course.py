"""The course of a texture's marks: which way they run and how coarse they are, place by place."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from adstudio.engine.patch.smoothing import blurred
from adstudio.engine.patch.tones import luminance, shrunk

_ANALYSIS_PX = 384
_OCTAVES = 4
_POOL_PX = 4
_SIGMA_SHARE = 1 / 20
_COARSENESS_WEIGHT = 2.0


def course(picture: Tensor) -> Tensor:
    """The course of a picture [3, height, width] in -1 … 1: float32 [3, h, w] on the CPU, a few dozen to a side.

    Channels: cosine and sine of twice the angle across the marks, times how clear it is (0 … 1); coarseness, in octaves
    around its mean, weighted. Source: the structure tensor, pooled over octaves.
    """
    height, width = picture.shape[-2:]
    scale = min(1.0, _ANALYSIS_PX / max(height, width))
    light = luminance(shrunk(picture, (max(1, round(height * scale)), max(1, round(width * scale))))).cpu()
    grid = max(1, light.shape[1] // _POOL_PX), max(1, light.shape[2] // _POOL_PX)
    octaves = []
    for _ in range(_OCTAVES):
        inner = F.pad(light[None], (1, 1, 1, 1), mode="replicate")
        dx = (inner[0, :, 1:-1, 2:] - inner[0, :, 1:-1, :-2]) / 2
        dy = (inner[0, :, 2:, 1:-1] - inner[0, :, :-2, 1:-1]) / 2
        tensor = torch.cat((dx * dx - dy * dy, 2 * dx * dy, dx * dx + dy * dy))
        octaves.append(shrunk(tensor, grid) if tensor.shape[1] >= grid[0] else _spread(tensor, grid))
        light = F.avg_pool2d(F.avg_pool2d(inner, 3, 1), 2, 2, ceil_mode=True)[0]
    pooled = torch.stack([blurred(octave, _SIGMA_SHARE * max(grid)) for octave in octaves])
    total = pooled.sum(0)
    numbers = torch.arange(_OCTAVES, dtype=torch.float32).view(-1, 1, 1)
    coarseness = (pooled[:, 2] * numbers).sum(0) / total[2].clamp(min=1e-6)
    coarseness = _COARSENESS_WEIGHT * (coarseness - coarseness.mean())
    return torch.cat((total[:2] / total[2:].clamp(min=1e-5), coarseness[None]))


def _spread(values: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(values[None], size, mode="bilinear", align_corners=False)[0]

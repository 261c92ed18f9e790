"""How strong the references' marks are, fine to coarse, and queries that ask for marks as strong.

A search held to a content finds places that fit it, and these are not the strongest of the references, nor their mean
colour: folds fade, plain areas go plainer than the paper. So what is looked for is the picture with the contrast of its
marks, size by size, and at last its mean colour brought to the references'. Only the queries change; every pixel still
comes from a reference. Own choice, measured with tests/benchmarks/side_by_side.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_SIZES = 4
_GAIN_RANGE = (0.6, 1.6)
_LEAST_STRENGTH = 1e-3
_COLOUR_GAIN = 0.8


@dataclass(frozen=True, slots=True)
class Marks:
    """What marks are to be like at one level.

    strengths: contrast of marks, fine to coarse; colour: mean of the picture [3, 1, 1] in -1 … 1, or None for its own.
    """

    strengths: tuple[float, ...]
    colour: Tensor | None = None

    @classmethod
    def of(cls, references: Sequence[Tensor], colour: Tensor | None = None) -> Marks:
        """Marks of the mean strength of the references [3, h, w], as large as they are at the level."""
        each = [[_strength(band) for band in _bands(reference)[0]] for reference in references]
        return cls(tuple(sum(same) / len(same) for same in zip(*each, strict=True)), colour)

    def asked_of(self, picture: Tensor) -> Tensor:
        """What to look for instead of the picture [3, height, width]: the same with such marks and colour."""
        bands, asked = _bands(picture)
        if self.colour is not None:
            asked += _COLOUR_GAIN * (self.colour - picture.mean((1, 2), keepdim=True))
        low, high = _GAIN_RANGE
        for band, wanted in zip(reversed(bands), reversed(self.strengths), strict=True):
            gain = min(max(wanted / _strength(band), low), high)
            asked = band.mul_(gain).add_(_enlarged(asked, band))
        return asked


def _strength(band: Tensor) -> float:
    """Root mean square; marks have no mean to speak of."""
    length = float(torch.linalg.vector_norm(band))
    return max(length / math.sqrt(band.numel()), _LEAST_STRENGTH)


def _bands(picture: Tensor) -> tuple[list[Tensor], Tensor]:
    """Marks of the picture, fine to coarse, each at half the size of the one before, and what is left at the end."""
    bands = []
    for _ in range(_SIZES):
        small = F.avg_pool2d(picture[None], 4, 2, padding=1, ceil_mode=True, count_include_pad=False)[0]
        bands.append(_enlarged(small, picture).neg_().add_(picture))
        picture = small
    return bands, picture


def _enlarged(small: Tensor, like: Tensor) -> Tensor:
    size = like.shape[-2], like.shape[-1]
    if small.shape[-2:] == size:
        return small.clone()
    return F.interpolate(small[None], size, mode="bilinear", align_corners=False)[0]

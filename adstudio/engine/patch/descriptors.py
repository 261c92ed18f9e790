"""Patch descriptors: queries and keys of the attention over patches.

A patch of colour joined with its guide channels is weighted towards its centre and projected onto the principal
components of the references' patches. Distances between descriptors are then distances between patches, at a sixth of
the cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from adstudio.engine.patch.bands import Bands

DEPTH = 16
PATCH_PX = 5
_CENTRE_SIGMA_PX = 1.5
_SAMPLES = 6000


def patch_weights() -> Tensor:
    """How much each pixel of a patch counts: float32 [PATCH_PX, PATCH_PX], 1 at most."""
    offset = torch.arange(PATCH_PX, dtype=torch.float32) - PATCH_PX // 2
    bell = torch.exp(-offset.square() / (2 * _CENTRE_SIGMA_PX**2))
    return bell[:, None] * bell[None, :]


def padded(picture: Tensor, wrap_y: bool, wrap_x: bool) -> Tensor:
    """[channels, height, width] with half a patch added all around, wrapped where the picture tiles."""
    half = PATCH_PX // 2
    picture = F.pad(picture[None], (half, half, 0, 0), mode=_mode(wrap_x, picture.shape[-1], half))
    return F.pad(picture, (0, 0, half, half), mode=_mode(wrap_y, picture.shape[-2], half))[0]


def _mode(wrap: bool, size: int, half: int) -> str:
    if wrap and size >= half:
        return "circular"
    return "reflect" if size > half else "replicate"


class Projection:
    """The linear map from patches to descriptors, learnt from the references of one level.

    pictures: per reference [channels, height, width], guides included. seed: of the patches it looks at.
    """

    def __init__(self, pictures: Sequence[Tensor], *, seed: int) -> None:
        rng = np.random.default_rng(seed)
        root = patch_weights().sqrt().flatten()
        samples = []
        total = sum(picture.shape[-2] * picture.shape[-1] for picture in pictures)
        for picture in pictures:
            channels, height, width = picture.shape
            share = max(1, _SAMPLES * height * width // total)
            index = torch.from_numpy(rng.integers(0, height * width, min(share, height * width)))
            windows = padded(picture.cpu(), False, False).unfold(1, PATCH_PX, 1).unfold(2, PATCH_PX, 1)
            patches = windows[:, index // width, index % width].permute(1, 0, 2, 3).flatten(1)
            samples.append(patches * root.repeat(channels))
        stacked = torch.cat(samples).double().numpy()
        mean = stacked.mean(0)
        centred = stacked - mean
        values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
        basis = vectors[:, ::-1][:, :DEPTH].copy()
        channels = pictures[0].shape[0]
        device = pictures[0].device
        kernel = torch.from_numpy((basis.T * np.tile(root.numpy(), channels)).astype(np.float32))
        self._kernel = kernel.view(DEPTH, channels, PATCH_PX, PATCH_PX).contiguous().to(device)
        self._offset = torch.from_numpy((-mean @ basis).astype(np.float32)).to(device)
        self.spread = float(values[::-1][:DEPTH].clip(min=0).sum())
        """Variance of the descriptors, summed over their components: the unit of all costs."""

    def describe(self, picture: Tensor, bands: Bands | None, *, wrap_y: bool = False, wrap_x: bool = False) -> Tensor:
        """Descriptors float32 [height, width, DEPTH] of a picture [channels, height, width]."""
        _, height, width = picture.shape
        margin = padded(picture, wrap_y, wrap_x)
        if bands is None:
            return F.conv2d(margin[None], self._kernel, self._offset)[0].permute(1, 2, 0).contiguous()
        out = torch.empty(height, width, DEPTH)

        def band(first: int, last: int) -> None:
            rows = margin[None, :, first : last + PATCH_PX - 1]
            out[first:last] = F.conv2d(rows, self._kernel, self._offset)[0].permute(1, 2, 0)

        bands.each(height, width, band)
        return out

"""Patch descriptors: queries and keys of the attention over patches.

A patch of colour joined with its guide channels, and around it a sparser patch of smoothed colour, the context, are
weighted towards their centre and projected onto the principal components of the references' patches. Distances between
descriptors are then distances between patches, at a tenth of the cost. The context makes strokes run on coherently; the
guides stay local, so that it costs no structure.
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
COLOURS = 3
CONTEXT_STEP_PX = 2
REACH_PX = CONTEXT_STEP_PX * (PATCH_PX // 2) + 1
"""How far from its pixel a descriptor looks; the context is smoothed by one pixel more than it spans."""
_CENTRE_SIGMA_PX = 1.5
_SAMPLES = 6000


def patch_weights() -> Tensor:
    """How much each pixel of a patch counts: float32 [PATCH_PX, PATCH_PX], 1 at most."""
    offset = torch.arange(PATCH_PX, dtype=torch.float32) - PATCH_PX // 2
    bell = torch.exp(-offset.square() / (2 * _CENTRE_SIGMA_PX**2))
    return bell[:, None] * bell[None, :]


def padded(picture: Tensor, wrap_y: bool, wrap_x: bool) -> Tensor:
    """[channels, height, width] with REACH_PX added all around, wrapped where the picture tiles."""
    margin = REACH_PX
    picture = F.pad(picture[None], (margin, margin, 0, 0), mode=_mode(wrap_x, picture.shape[-1], margin))
    return F.pad(picture, (0, 0, margin, margin), mode=_mode(wrap_y, picture.shape[-2], margin))[0]


def _mode(wrap: bool, size: int, margin: int) -> str:
    if wrap and size >= margin:
        return "circular"
    return "reflect" if size > margin else "replicate"


def smoothed(picture: Tensor) -> Tensor:
    """The colours [3, height, width] of a picture [channels, height, width], each the mean of 3 × 3 pixels."""
    return F.avg_pool2d(picture[None, :COLOURS], 3, 1, padding=1, count_include_pad=False)[0]


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
            margin = padded(picture.cpu(), False, False)
            near = _patches(margin, index // width, index % width, 1)
            far = _patches(smoothed(margin), index // width, index % width, CONTEXT_STEP_PX)
            samples.append(torch.cat((near * root.repeat(channels), far * root.repeat(COLOURS)), 1))
        stacked = torch.cat(samples).double()
        mean = stacked.mean(0)
        centred = stacked - mean
        values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
        basis = vectors.flip(1)[:, :DEPTH]
        channels = pictures[0].shape[0]
        device = pictures[0].device
        kernel = (basis.T * root.repeat(channels + COLOURS)).float().view(DEPTH, -1, PATCH_PX, PATCH_PX)
        self._near = kernel[:, :channels].contiguous().to(device)
        self._far = kernel[:, channels:].contiguous().to(device)
        self._offset = -(mean @ basis).float().to(device)
        self.spread = float(values.flip(0)[:DEPTH].clamp(min=0).sum())
        """Variance of the descriptors, summed over their components: the unit of all costs."""

    def describe(self, picture: Tensor, bands: Bands | None, *, wrap_y: bool = False, wrap_x: bool = False) -> Tensor:
        """Descriptors float32 [height, width, DEPTH] of a picture [channels, height, width]."""
        _, height, width = picture.shape
        margin = padded(picture, wrap_y, wrap_x)
        inset = REACH_PX - PATCH_PX // 2

        def rows(first: int, last: int) -> Tensor:
            here = margin[:, first : last + 2 * REACH_PX]
            near = here[None, :, inset : here.shape[1] - inset, inset : here.shape[2] - inset]
            far = smoothed(here)[None, :, 1:-1, 1:-1]
            described = F.conv2d(near, self._near, self._offset) + F.conv2d(far, self._far, dilation=CONTEXT_STEP_PX)
            return described[0].permute(1, 2, 0)

        if bands is None:
            return rows(0, height).contiguous()
        out = torch.empty(height, width, DEPTH)

        def band(first: int, last: int) -> None:
            out[first:last] = rows(first, last)

        bands.each(height, width, band)
        return out


def _patches(margin: Tensor, y: Tensor, x: Tensor, step: int) -> Tensor:
    """Patches of PATCH_PX² pixels, step apart, around (y, x) of a padded picture: [patches, channels × pixels]."""
    offset = (torch.arange(PATCH_PX) - PATCH_PX // 2) * step + REACH_PX
    rows, columns = y[:, None, None] + offset[:, None], x[:, None, None] + offset[None, :]
    return margin[:, rows, columns].permute(1, 0, 2, 3).flatten(1)

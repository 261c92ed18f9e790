"""What holds the content in place: channels joined to the colours of every patch, of the picture and the references.

Style transfer is guided by luminance (the content's tones brought to the reference's) and by edge strength (where the
content is busy the reference's busy places go). Appearance transfer is guided by where a pixel lies in its object, see
`correspondence`. Channels are comparable between the two sides and scaled to the colours' range of -1 … 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_BINS = 2048
_LUMINANCE = (0.299, 0.587, 0.114)
_TONE_WEIGHT = (3.0, 2.2, 1.6, 0.8, 0.35, 0.2, 0.12, 0.1)
_EDGE_WEIGHT = (6.0, 6.0, 6.0, 4.0, 2.0, 1.0, 0.6, 0.4)


class Guides(Protocol):
    """Makes the guide channels of one level."""

    def at(
        self, level: int, size: tuple[int, int], reference_sizes: Sequence[tuple[int, int]]
    ) -> tuple[Tensor | None, list[Tensor | None]]:
        """Channels of the picture [channels, *size] and of each reference; None where nothing guides.

        level counts from the coarsest, 0; sizes are (height, width).
        """


class NoGuides:
    """Texture synthesis: nothing to keep."""

    def at(
        self, level: int, size: tuple[int, int], reference_sizes: Sequence[tuple[int, int]]
    ) -> tuple[Tensor | None, list[Tensor | None]]:
        del level, size
        return None, [None] * len(reference_sizes)


@dataclass(frozen=True, slots=True)
class ToneAndEdges:
    """Guides of style transfer.

    content: [3, height, width] in -1 … 1; tones: its luminance as the references would have it [1, height, width];
    references: [3, h, w] each; strength: 0 lets the reference repaint freely, 1 is the default, more holds tighter.
    """

    content: Tensor
    tones: Tensor
    references: tuple[Tensor, ...]
    strength: float

    def at(
        self, level: int, size: tuple[int, int], reference_sizes: Sequence[tuple[int, int]]
    ) -> tuple[Tensor | None, list[Tensor | None]]:
        if self.strength == 0:
            return None, [None] * len(self.references)
        tone = self.strength * _TONE_WEIGHT[min(level, len(_TONE_WEIGHT) - 1)]
        edge = self.strength * _EDGE_WEIGHT[min(level, len(_EDGE_WEIGHT) - 1)]
        lights = [luminance(shrunk(r, s)) for r, s in zip(self.references, reference_sizes, strict=True)]
        edges = [edge_strength(light) for light in lights]
        content_edges = matched(edge_strength(luminance(shrunk(self.content, size))), edges)
        target = torch.cat((tone * shrunk(self.tones, size), edge * content_edges))
        return target, [torch.cat((tone * light, edge * e)) for light, e in zip(lights, edges, strict=True)]


def luminance(picture: Tensor) -> Tensor:
    """[3, height, width] -> [1, height, width], in the same range."""
    weights = torch.tensor(_LUMINANCE, device=picture.device).view(3, 1, 1)
    return (picture * weights).sum(0, keepdim=True)


def shrunk(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """[channels, height, width] brought to a size: area averages when smaller, bicubic when larger."""
    if picture.shape[-2:] == size:
        return picture
    if size[0] <= picture.shape[-2] and size[1] <= picture.shape[-1]:
        return F.interpolate(picture[None], size, mode="area")[0]
    return F.interpolate(picture[None], size, mode="bicubic", align_corners=False)[0]


def edge_strength(light: Tensor) -> Tensor:
    """Length of the luminance gradient (Sobel, per pixel): [1, height, width] -> the same."""
    kernel = torch.tensor([[[[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]]], device=light.device) / 8
    margin = F.pad(light[None], (1, 1, 1, 1), mode="replicate")
    across, along = F.conv2d(margin, kernel), F.conv2d(margin, kernel.transpose(2, 3))
    return (across.square() + along.square() + 1e-4).sqrt()[0]


def matched(values: Tensor, targets: Sequence[Tensor], weights: Sequence[float] | None = None) -> Tensor:
    """Values brought, in order, to the distribution of the targets taken together (histogram matching).

    values: any shape; targets: any shapes; weights: share per pixel of each target, equal by default.
    """
    source = values.cpu().numpy().ravel()
    weights = weights or [1.0] * len(targets)
    pools = [target.cpu().numpy().ravel() for target in targets]
    low = min(float(source.min()), *(float(pool.min()) for pool in pools))
    high = max(float(source.max()), *(float(pool.max()) for pool in pools))
    if high - low < 1e-6:
        return values
    scale = (_BINS - 1) / (high - low)
    wanted = np.zeros(_BINS)
    for pool, weight in zip(pools, weights, strict=True):
        wanted += weight * np.bincount(((pool - low) * scale).astype(np.int64), minlength=_BINS)
    bins = ((source - low) * scale).astype(np.int64)
    have = np.bincount(bins, minlength=_BINS).astype(np.float64)
    have_rank = (np.cumsum(have) - have / 2) / have.sum()
    want_rank = (np.cumsum(wanted) - wanted / 2) / wanted.sum()
    used = wanted > 0
    centres = (np.arange(_BINS) + 0.5) / scale + low
    curve = np.interp(have_rank, want_rank[used], centres[used]).astype(np.float32)
    return torch.from_numpy(curve[bins]).view(values.shape).to(values.device)


def colour_matched(content: Tensor, references: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The content with the references' mean and covariance of colour, by the least movement of colours.

    content: [3, height, width] in -1 … 1; the same is returned. Source: the Monge map between Gaussians, as in linear
    colour transfer (Pitié and Kokaram 2007).
    """
    flat = content.flatten(1).double()
    pooled = torch.cat([r.flatten(1).double() for r in references], 1)
    share = torch.cat([torch.full((r.shape[1] * r.shape[2],), w) for r, w in zip(references, weights, strict=True)])
    share = (share / share.sum()).double().to(content.device)
    mean = flat.mean(1, keepdim=True)
    wanted_mean = (pooled * share).sum(1, keepdim=True)
    floor = 1e-4 * torch.eye(3, dtype=torch.float64)
    covariance = ((flat - mean) @ (flat - mean).T / flat.shape[1]).cpu() + floor
    centred = pooled - wanted_mean
    wanted = ((centred * share) @ centred.T).cpu() + floor
    root = _power(covariance, 0.5)
    inverse = _power(covariance, -0.5)
    move = inverse @ _power(root @ wanted @ root, 0.5) @ inverse
    moved = move.to(content.device) @ (flat - mean) + wanted_mean
    return moved.float().view_as(content).clamp(-1, 1)


def _power(symmetric: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(symmetric)
    powers = values.clamp(min=1e-12) ** exponent
    power: Tensor = (vectors * powers) @ vectors.T
    return power

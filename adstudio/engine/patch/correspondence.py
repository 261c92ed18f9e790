"""Appearance transfer: which part of the reference a part of the picture corresponds to.

Each side gets a soft figure-ground separation (colours of the picture's border against the rest), and every pixel the
place it has in its figure: across, along, and how deep inside; together with tone and edges at several scales. Patches
then find partners that lie in the same part of the other object, so material and colour move from part to part.
Own choice: semantic features would need a network; these need none and serve objects on plain grounds and scenes alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from adstudio.engine.patch.tones import edge_strength, luminance, matched, shrunk

_ANALYSIS_PX = 192
_FIGURE_WEIGHT = (9.0, 8.0, 6.0, 4.0, 2.5, 1.5, 1.0, 0.8)
_PLACE_WEIGHT = (3.0, 2.5, 2.0, 1.2, 0.7, 0.4, 0.3, 0.2)
_SHADE_WEIGHT = (2.0, 1.6, 1.3, 0.9, 0.5, 0.3, 0.2, 0.15)
_EDGE_WEIGHT = (4.0, 4.0, 4.0, 3.0, 1.5, 0.8, 0.5, 0.4)


@dataclass(frozen=True, slots=True)
class PartGuides:
    """Guides of appearance transfer.

    content [3, height, width] and references [3, h, w] in -1 … 1; parts: of each side, [4, a, b]: figure, across,
    along, shade, at analysis size; strength: 1 is the default, more holds tighter.
    """

    content: Tensor
    references: tuple[Tensor, ...]
    content_parts: Tensor
    reference_parts: tuple[Tensor, ...]
    strength: float

    @classmethod
    def of(cls, content: Tensor, references: tuple[Tensor, ...], strength: float) -> PartGuides:
        """Analyse both sides."""
        own = _parts(content)
        others = tuple(_parts(reference) for reference in references)
        shade = _matched_shade(own, others)
        return cls(content, references, shade, others, strength)

    def hold(self, picture: Tensor) -> float:
        """Always as usual: an appearance may differ from the content as much as it will."""
        del picture
        return 1.0

    def at(
        self, level: int, size: tuple[int, int], reference_sizes: Sequence[tuple[int, int]], hold: float
    ) -> tuple[Tensor | None, list[Tensor | None]]:
        if self.strength == 0:
            return None, [None] * len(self.references)
        figure, place, shade, edge = (
            hold * self.strength * weights[min(level, len(weights) - 1)]
            for weights in (_FIGURE_WEIGHT, _PLACE_WEIGHT, _SHADE_WEIGHT, _EDGE_WEIGHT)
        )
        scale = torch.tensor([figure, place, place, shade], device=self.content.device).view(4, 1, 1)
        lights = [luminance(shrunk(r, s)) for r, s in zip(self.references, reference_sizes, strict=True)]
        edges = [edge_strength(light) for light in lights]
        content_edges = matched(edge_strength(luminance(shrunk(self.content, size))), edges)
        target = torch.cat((scale * _spread(self.content_parts, size), edge * content_edges))
        guides = [
            torch.cat((scale * _spread(parts, s), edge * e))
            for parts, s, e in zip(self.reference_parts, reference_sizes, edges, strict=True)
        ]
        return target, list(guides)


def _spread(parts: Tensor, size: tuple[int, int]) -> Tensor:
    if size[0] <= parts.shape[1] and size[1] <= parts.shape[2]:
        return shrunk(parts, size)
    return F.interpolate(parts[None], size, mode="bilinear", align_corners=False)[0]


def _parts(picture: Tensor) -> Tensor:
    """Figure, place across and along it, and shade within it: float32 [4, h, w], each about -1 … 1."""
    longest = max(picture.shape[-2:])
    scale = min(1.0, _ANALYSIS_PX / longest)
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[2] * scale))
    small = shrunk(picture, size)
    figure = figure_probability(small)
    height, width = size
    y = torch.linspace(-1, 1, height, device=small.device)[:, None].expand(height, width)
    x = torch.linspace(-1, 1, width, device=small.device)[None, :].expand(height, width)
    mass = figure.sum().clamp(min=1e-3)
    centre_y, centre_x = (figure * y).sum() / mass, (figure * x).sum() / mass
    spread_y = ((figure * (y - centre_y).square()).sum() / mass).sqrt().clamp(min=0.05)
    spread_x = ((figure * (x - centre_x).square()).sum() / mass).sqrt().clamp(min=0.05)
    across = ((x - centre_x) / (2 * spread_x)).clamp(-1.5, 1.5)
    along = ((y - centre_y) / (2 * spread_y)).clamp(-1.5, 1.5)
    light = _blurred(luminance(small), max(size) / 64)[0]
    return torch.stack((figure * 2 - 1, across, along, light))


def figure_probability(picture: Tensor) -> Tensor:
    """How much each pixel belongs to a figure before a ground: [3, height, width] in -1 … 1 -> [height, width], 0 … 1.

    The ground is what the border's colours, in three clusters, explain; a border unlike itself leaves everything at
    0.5.
    """
    _, height, width = picture.shape
    rim = max(1, round(0.04 * min(height, width)))
    border = torch.ones(height, width, dtype=torch.bool, device=picture.device)
    border[rim : height - rim, rim : width - rim] = False
    if bool(border.all()):
        return torch.full((height, width), 0.5, device=picture.device)
    smooth = _blurred(picture, 1.0)
    samples = smooth[:, border].T.double().cpu().numpy()
    centres = _clusters(samples, 3)
    flat = smooth.flatten(1).T.double().cpu().numpy()
    to_ground = np.sqrt(np.min(((flat[:, None] - centres[None]) ** 2).sum(2), axis=1))
    own = np.sqrt(np.min(((samples[:, None] - centres[None]) ** 2).sum(2), axis=1))
    noise = max(float(np.quantile(own, 0.9)), 0.04)
    odds = np.clip(to_ground / noise / 2.5, 0, 4) ** 2
    probability = torch.from_numpy((odds / (1 + odds)).astype(np.float32)).view(height, width).to(picture.device)
    return _blurred(probability[None], max(height, width) / 96)[0]


def _clusters(samples: np.ndarray, count: int) -> np.ndarray:
    """k-means, started from spread quantiles of brightness: centres [count, 3]."""
    order = np.argsort(samples.sum(1))
    centres = samples[order[(np.arange(count) * 2 + 1) * len(order) // (2 * count)]]
    for _ in range(12):
        nearest = ((samples[:, None] - centres[None]) ** 2).sum(2).argmin(1)
        centres = np.stack(
            [samples[nearest == k].mean(0) if (nearest == k).any() else centres[k] for k in range(count)]
        )
    return centres


def _matched_shade(own: Tensor, others: Sequence[Tensor]) -> Tensor:
    """The content's parts with its shades brought to the references', figure to figure and ground to ground."""
    out = own.clone()
    for inside in (True, False):
        here = (own[0] > 0) == inside
        there = [parts[3][(parts[0] > 0) == inside] for parts in others]
        there = [pool for pool in there if len(pool)]
        if bool(here.any()) and there:
            out[3][here] = matched(own[3][here], there)
    return out


def _blurred(picture: Tensor, sigma_px: float) -> Tensor:
    """Gaussian blur of [channels, height, width]."""
    reach = max(1, round(2.5 * sigma_px))
    offset = torch.arange(-reach, reach + 1, device=picture.device, dtype=torch.float32)
    bell = torch.exp(-offset.square() / (2 * sigma_px**2))
    bell = bell / bell.sum()
    channels = picture.shape[0]
    rows = F.pad(picture[None], (reach, reach, 0, 0), mode="replicate")
    rows = F.conv2d(rows, bell.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
    columns = F.pad(rows, (0, 0, reach, reach), mode="replicate")
    return F.conv2d(columns, bell.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)[0]

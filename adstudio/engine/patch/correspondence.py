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
from numpy.typing import NDArray
from torch import Tensor

from adstudio.engine.patch.guides import Target
from adstudio.engine.patch.smoothing import blurred
from adstudio.engine.patch.tones import edge_strength, luminance, matched, shrunk

_ANALYSIS_PX = 192
_GROUND_SHARE = 0.15  # of the border: what is rarer there is a figure that touches it
_SMALLEST_FIGURE, _LARGEST_FIGURE = 0.03, 0.7
_RIM_SHARE = 0.25
_CLEARNESS = 0.7
_FREE_STEP = 0.05
_ISLAND_SHARE = 0.1
_GAP_PX = 3  # an outline is closed where it is broken by less than twice this
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
    ) -> tuple[Target | None, list[Tensor | None]]:
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
        channels = torch.cat((scale * _spread(self.content_parts, size), edge * content_edges))
        guides = [
            torch.cat((scale * _spread(parts, s), edge * e))
            for parts, s, e in zip(self.reference_parts, reference_sizes, edges, strict=True)
        ]
        return Target(channels=channels), list(guides)


def _spread(parts: Tensor, size: tuple[int, int]) -> Tensor:
    if size[0] <= parts.shape[1] and size[1] <= parts.shape[2]:
        return shrunk(parts, size)
    return F.interpolate(parts[None], size, mode="bilinear", align_corners=False)[0]


def _parts(picture: Tensor) -> Tensor:
    """Figure, place across and along it, and shade within it: float32 [4, h, w], each about -1 … 1."""
    small = _analysed(picture)
    size = small.shape[-2], small.shape[-1]
    mask = figure_mask(small)
    if mask is None:
        figure = figure_probability(small)
    else:
        figure = blurred(torch.from_numpy(mask)[None].float().to(small.device), max(size) / 96)[0]
    height, width = size
    y = torch.linspace(-1, 1, height, device=small.device)[:, None].expand(height, width)
    x = torch.linspace(-1, 1, width, device=small.device)[None, :].expand(height, width)
    mass = figure.sum().clamp(min=1e-3)
    centre_y, centre_x = (figure * y).sum() / mass, (figure * x).sum() / mass
    spread_y = ((figure * (y - centre_y).square()).sum() / mass).sqrt().clamp(min=0.05)
    spread_x = ((figure * (x - centre_x).square()).sum() / mass).sqrt().clamp(min=0.05)
    across = ((x - centre_x) / (2 * spread_x)).clamp(-1.5, 1.5)
    along = ((y - centre_y) / (2 * spread_y)).clamp(-1.5, 1.5)
    light = blurred(luminance(small), max(size) / 64)[0]
    return torch.stack((figure * 2 - 1, across, along, light))


def _analysed(picture: Tensor) -> Tensor:
    """The picture with its long side at _ANALYSIS_PX at most."""
    scale = min(1.0, _ANALYSIS_PX / max(picture.shape[-2:]))
    return shrunk(picture, (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[2] * scale))))


def figure_probability(picture: Tensor) -> Tensor:
    """How much each pixel belongs to a figure before a ground: [3, height, width] in -1 … 1 -> [height, width], 0 … 1.

    The ground is what the colours of the border explain; a border unlike itself leaves everything at 0.5.
    """
    distance, noise = _distance_to_ground(picture)
    odds = (distance / noise / 2.5).clamp(0, 4).square()
    return blurred((odds / (1 + odds))[None], max(picture.shape[-2:]) / 96)[0]


def figure_mask(picture: Tensor) -> NDArray[np.bool_] | None:
    """Where the one figure before a plain ground is, [h, w] at analysis size; None where there is no such thing.

    picture: [3, height, width] in -1 … 1. Colours far from those of the border, split where the two classes differ most
    (Otsu 1979), holes filled; the figure has to be clear, neither tiny nor nearly all, and hardly on the border.
    """
    small = _analysed(picture)
    colours = blurred(_distance_to_ground(small)[0][None], 0.7)[0].cpu().numpy()
    if _split(colours)[1] < _CLEARNESS:
        return None
    # The power lets a pale part of the figure count with its strong ones.
    distance = (colours + _climb_from_border(blurred(small, 0.7).cpu().numpy())) ** 0.75
    threshold, _ = _split(distance)
    thick = F.max_pool2d(torch.from_numpy(distance >= threshold)[None, None].float(), 2 * _GAP_PX + 1, 1, _GAP_PX) > 0
    ground = torch.from_numpy(_reached_from_border(~thick[0, 0].numpy()))
    figure = (F.max_pool2d(ground[None, None].float(), 2 * _GAP_PX + 1, 1, _GAP_PX) == 0)[0, 0].numpy()
    rim = np.concatenate((figure[0], figure[-1], figure[:, 0], figure[:, -1]))
    share = float(figure.mean())
    fits = _SMALLEST_FIGURE < share < _LARGEST_FIGURE and float(rim.mean()) < _RIM_SHARE
    return figure if fits else None


def _distance_to_ground(picture: Tensor) -> tuple[Tensor, float]:
    """Distance of each colour to those of the border [height, width], and how far the border's own are from them."""
    _, height, width = picture.shape
    rim = max(1, round(0.04 * min(height, width)))
    border = torch.ones(height, width, dtype=torch.bool, device=picture.device)
    border[rim : height - rim, rim : width - rim] = False
    if bool(border.all()):
        return torch.ones(height, width, device=picture.device), 0.4
    smooth = blurred(picture, 1.0)
    samples = smooth[:, border].T.double().cpu().numpy()
    centres = _clusters(samples, 4)
    flat = smooth.flatten(1).T.double().cpu().numpy()
    to_ground = np.sqrt(np.min(((flat[:, None] - centres[None]) ** 2).sum(2), axis=1))
    own = np.sqrt(np.min(((samples[:, None] - centres[None]) ** 2).sum(2), axis=1))
    noise = max(float(np.quantile(own, 0.9)), 0.04)
    return torch.from_numpy(to_ground.astype(np.float32)).view(height, width).to(picture.device), noise


def _climb_from_border(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The least sum of steps of colour on any way in from the border, small steps free: float32 [height, width].

    What an outline closes in is far away even where its colour is the ground's. picture: [3, height, width].
    """
    down = np.maximum(np.abs(np.diff(picture, axis=1)).sum(0) - _FREE_STEP, 0)
    right = np.maximum(np.abs(np.diff(picture, axis=2)).sum(0) - _FREE_STEP, 0)
    climb = np.full(picture.shape[1:], 9.0, np.float32)
    climb[[0, -1]] = climb[:, [0, -1]] = 0
    while True:
        before = climb.copy()
        climb[1:] = np.minimum(climb[1:], climb[:-1] + down)
        climb[:-1] = np.minimum(climb[:-1], climb[1:] + down)
        climb[:, 1:] = np.minimum(climb[:, 1:], climb[:, :-1] + right)
        climb[:, :-1] = np.minimum(climb[:, :-1], climb[:, 1:] + right)
        if np.array_equal(climb, before):
            return climb


def _split(values: NDArray[np.float32]) -> tuple[float, float]:
    """The threshold between two classes, and the share of the variance that the classes explain."""
    counts, edges = np.histogram(values, 128)
    centres = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts) / counts.sum()
    mean_below = np.cumsum(counts * centres) / counts.sum()
    mean = mean_below[-1]
    between = (mean * below - mean_below) ** 2 / np.maximum(below * (1 - below), 1e-9)
    best = int(between[:-1].argmax())
    return float(edges[best + 1]), float(between[best] / max(float(values.var()), 1e-12))


def without_islands(figure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A figure [h, w] without pieces of less than _ISLAND_SHARE of its largest one."""
    pieces = torch.arange(1, figure.size + 1, dtype=torch.float64).view(1, 1, *figure.shape)
    inside = torch.from_numpy(figure)
    pieces = torch.where(inside, pieces, 0.0)
    while True:
        grown = torch.where(inside, F.max_pool2d(pieces, 3, 1, 1), 0.0)
        if torch.equal(grown, pieces):
            break
        pieces = grown
    counts = torch.bincount(pieces.flatten().long())
    counts[0] = 0
    kept: NDArray[np.bool_] = (counts >= _ISLAND_SHARE * counts.max())[pieces[0, 0].long()].numpy() & figure
    return kept


def _reached_from_border(open_: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of an area that hangs together with the picture's border."""
    reached = np.zeros_like(open_)
    reached[[0, -1]], reached[:, [0, -1]] = open_[[0, -1]], open_[:, [0, -1]]
    while True:
        grown = reached.copy()
        grown[1:] |= reached[:-1]
        grown[:-1] |= reached[1:]
        grown[:, 1:] |= reached[:, :-1]
        grown[:, :-1] |= reached[:, 1:]
        grown &= open_
        if np.array_equal(grown, reached):
            return reached
        reached = grown


def _clusters(samples: np.ndarray, count: int) -> np.ndarray:
    """k-means, started from spread quantiles of brightness: centres [count, 3]."""
    order = np.argsort(samples.sum(1))
    centres = samples[order[(np.arange(count) * 2 + 1) * len(order) // (2 * count)]]
    for _ in range(12):
        nearest = ((samples[:, None] - centres[None]) ** 2).sum(2).argmin(1)
        centres = np.stack(
            [samples[nearest == k].mean(0) if (nearest == k).any() else centres[k] for k in range(count)]
        )
    nearest = ((samples[:, None] - centres[None]) ** 2).sum(2).argmin(1)
    share = np.bincount(nearest, minlength=count) / len(samples)
    return centres[share >= min(_GROUND_SHARE, float(share.max()))]


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

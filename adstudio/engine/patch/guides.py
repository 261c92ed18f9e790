"""What holds the content in place: channels joined to the colours of every patch, of the picture and the references.

Style transfer is guided by luminance (the content's tones as planned, see `tones`) and by edge strength (where the
content is busy the reference's busy places go). Appearance transfer is guided by where a pixel lies in its object, see
`correspondence`. Channels are comparable between the two sides and scaled to the colours' range of -1 … 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from adstudio.engine.patch.marks import Marks
from adstudio.engine.patch.tones import Forms, edge_strength, luminance, matched, shrunk

_TONE_WEIGHT = (4.2, 3.1, 2.2, 1.5, 0.64, 0.36, 0.22, 0.18)
_EDGE_WEIGHT = (8.4, 8.4, 8.4, 7.3, 3.6, 1.8, 1.1, 0.7)
_HEIGHT_WEIGHT = (2.0, 1.6, 1.2, 0.8, 0.4, 0.2, 0.1)
_HELD_BY_SIDE = ((48, 0.53), (96, 0.79), (192, 1.0), (math.inf, 1.1))
_HOLD_POWER = 2.0
_COARSENESS_PRICE = 9.5
_HOLD_RANGE = (0.2, 3.0)
_FEW_FINE_MARKS = (0.25, 0.5)
_FEW_FINE_MARKS_TIGHTEN = 2.8
_FREE_FROM_LEVEL = 2
_FREE_PX = 3
_LEAST_EDGE = 0.01
_COLOUR_FROM_LEVEL = 3
_SAMPLED_PIXELS = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Guide channels of the picture at one level.

    channels: [channels, height, width]; free: [1, height, width], where there is nothing to keep, 0 … 1, or None;
    marks: what they are to be like, or None; tone, edge: weights of the first two channels.
    """

    channels: Tensor
    free: Tensor | None = None
    marks: Marks | None = None
    tone: float = 0.0
    edge: float = 0.0

    def asked_of(self, picture: Tensor) -> Tensor:
        """What to look for in one round: the picture, as it is before the round, as `marks` would have it."""
        return picture if self.marks is None else self.marks.asked_of(picture)

    def beside(self, picture: Tensor) -> Tensor:
        """The channels for one round; picture: [3, height, width] in -1 … 1, as it is before the round.

        Where the picture is free its own fine marks and edges are what is wanted, on top of the planned tone: strokes
        run on there, while a plain tone held to the pixel would break them into grain.
        """
        if self.free is None:
            return self.channels
        light = luminance(picture)
        edges = self.edge * edge_strength(light)
        light -= _mean(_mean(light, _FREE_PX), _FREE_PX)
        edges -= self.channels[1:2]
        tone = light.mul_(self.free).mul_(self.tone).add_(self.channels[:1])
        return torch.cat((tone, edges.mul_(self.free).add_(self.channels[1:2]), self.channels[2:]))


class Guides(Protocol):
    """Makes the guide channels of one level."""

    def hold(self, picture: Tensor) -> float:
        """How much tighter than usual the next level is to hold the content, judged by the picture so far; 1 is usual.

        picture: [3, height, width] in -1 … 1, of the level before.
        """

    def at(
        self, level: int, size: tuple[int, int], reference_sizes: Sequence[tuple[int, int]], hold: float
    ) -> tuple[Target | None, list[Tensor | None]]:
        """Channels of the picture and, [channels, height, width], of each reference; None where nothing guides.

        level counts from the coarsest, 0; sizes are (height, width); hold: as `hold` gave it.
        """


class NoGuides:
    """Texture synthesis: nothing to keep."""

    def hold(self, picture: Tensor) -> float:
        del picture
        return 1.0

    def at(
        self, level: int, size: tuple[int, int], reference_sizes: Sequence[tuple[int, int]], hold: float
    ) -> tuple[Target | None, list[Tensor | None]]:
        del level, size, hold
        return None, [None] * len(reference_sizes)


@dataclass(frozen=True, slots=True)
class ToneAndEdges:
    """Guides of style transfer.

    light: luminance of the content [1, height, width] in -1 … 1; tones: as the references would have it, of any size;
    references: [3, h, w] each; forms: what was planned; colour: mean of the picture [3, 1, 1] as the references would
    have it; strength: 0 lets the reference repaint freely, 1 is the default, more holds tighter; heights: whether what
    is high up in the references goes high up, too: sky to sky.
    """

    light: Tensor
    tones: Tensor
    references: tuple[Tensor, ...]
    forms: Forms
    colour: Tensor
    strength: float
    heights: bool = False

    def hold(self, picture: Tensor) -> float:
        """Tighter where structure is being lost, looser where marks grow coarser than the references' (own choice)."""
        kept, coarser = self.forms.seen_in(picture)
        side = min(picture.shape[-2:])
        usual = next(share for limit, share in _HELD_BY_SIDE if side < limit)
        few, many = _FEW_FINE_MARKS
        usual *= 1 + _FEW_FINE_MARKS_TIGHTEN * max(0.0, min(many - self.forms.fine, self.forms.fine - few))
        hold: float = (usual / max(kept, 0.05)) ** _HOLD_POWER * math.exp(-_COARSENESS_PRICE * coarser)
        return min(max(hold, _HOLD_RANGE[0]), _HOLD_RANGE[1])

    def at(
        self, level: int, size: tuple[int, int], reference_sizes: Sequence[tuple[int, int]], hold: float
    ) -> tuple[Target | None, list[Tensor | None]]:
        if self.strength == 0:
            return None, [None] * len(self.references)
        tone, edge = self._weights(level, hold)
        pictures = [shrunk(r, s) for r, s in zip(self.references, reference_sizes, strict=True)]
        lights = [luminance(picture) for picture in pictures]
        edges = [edge_strength(light) for light in lights]
        content_edges = matched(edge_strength(shrunk(self.light, size)), edges)
        height = self.strength * _HEIGHT_WEIGHT[min(level, len(_HEIGHT_WEIGHT) - 1)]
        channels = self._joined(tone * shrunk(self.tones, size), edge * content_edges, height)
        free = self._freedom(size) if level >= _FREE_FROM_LEVEL else None
        marks = Marks.of(pictures, self.colour if level >= _COLOUR_FROM_LEVEL else None)
        each = zip(lights, edges, strict=True)
        return Target(channels=channels, free=free, marks=marks, tone=tone, edge=edge), [
            self._joined(tone * light, edge * e, height) for light, e in each
        ]

    def _freedom(self, size: tuple[int, int]) -> Tensor:
        """Where the content is plain: [1, *size], 0 at its edges and 1 far from any."""
        edges = edge_strength(shrunk(self.light, size)) - _LEAST_EDGE
        near = _mean(F.max_pool2d(edges[None], 5, 1, padding=2)[0], 3)
        return (1 - near / near.mean().clamp(min=_LEAST_EDGE)).clamp(0, 1)

    def _weights(self, level: int, hold: float) -> tuple[float, float]:
        """Of tone and edge at a level."""
        tone = _TONE_WEIGHT[min(level, len(_TONE_WEIGHT) - 1)]
        return hold * self.strength * tone, hold * self.strength * _EDGE_WEIGHT[min(level, len(_EDGE_WEIGHT) - 1)]

    def _joined(self, tone: Tensor, edge: Tensor, height: float) -> Tensor:
        if not self.heights:
            return torch.cat((tone, edge))
        place = torch.linspace(-height, height, tone.shape[1], device=tone.device)
        return torch.cat((tone, edge, place[None, :, None].expand(tone.shape)))


def tight(strength: float) -> float:
    """How tight tones and edges hold at a strength of the content, 1 being the default for both.

    Above that, its root: guides that outweigh colours by far leave no room for them in the descriptors, so that pixels
    of any colour but the right tone mix to grain (own choice).
    """
    return strength if strength <= 1 else math.sqrt(strength)


def _mean(values: Tensor, reach_px: int) -> Tensor:
    """Means over squares that reach so far from their centre: [1, height, width] -> the same."""
    side = 2 * reach_px + 1
    across = F.avg_pool2d(values[None], (1, side), 1, padding=(0, reach_px), count_include_pad=False)
    return F.avg_pool2d(across, (side, 1), 1, padding=(reach_px, 0), count_include_pad=False)[0]


def colour_matched(content: Tensor, references: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The content with the references' mean and covariance of colour, by the least movement of colours.

    content: [3, height, width] in -1 … 1; the same is returned. Means and covariances are taken over at most about
    260,000 pixels of each picture. Source: the Monge map between Gaussians, as in linear colour transfer (Pitié and
    Kokaram 2007).
    """
    flat = _sampled(content)
    pools = [_sampled(reference) for reference in references]
    pixels = [w * r.shape[1] * r.shape[2] for r, w in zip(references, weights, strict=True)]
    each = zip(pools, pixels, strict=True)
    share = torch.cat([torch.full((pool.shape[1],), count / pool.shape[1]) for pool, count in each])
    share = (share / share.sum()).double().to(content.device)
    pooled = torch.cat(pools, 1)
    mean = flat.mean(1, keepdim=True)
    wanted_mean = (pooled * share).sum(1, keepdim=True)
    floor = 1e-4 * torch.eye(3, dtype=torch.float64)
    covariance = ((flat - mean) @ (flat - mean).T / flat.shape[1]).cpu() + floor
    centred = pooled - wanted_mean
    wanted = ((centred * share) @ centred.T).cpu() + floor
    root = _power(covariance, 0.5)
    inverse = _power(covariance, -0.5)
    move = (inverse @ _power(root @ wanted @ root, 0.5) @ inverse).float().to(content.device)
    offset = wanted_mean.float() - move @ mean.float()
    return (torch.einsum("ij,jhw->ihw", move, content) + offset[:, :, None]).clamp(-1, 1)


def _sampled(picture: Tensor) -> Tensor:
    """Colours of evenly spaced pixels: float64 [3, pixels]."""
    flat = picture.flatten(1)
    return flat[:, :: max(1, flat.shape[1] // _SAMPLED_PIXELS)].double()


def _power(symmetric: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(symmetric)
    powers = values.clamp(min=1e-12) ** exponent
    power: Tensor = (vectors * powers) @ vectors.T
    return power

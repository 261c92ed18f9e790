"""Tones: which of the references' tones each part of the content takes.

A plain histogram match gives the references' tones in the content's order. That loses pictures: a drawing is paper with
a few dark lines, and all but the content's darkest areas would become paper. So a plan is made first, on small
pictures: how far large areas give way to the edges of forms, how far edges are as dark (or as light) as the references'
edges are, and how much of the content's own contrast stays. Own choice, measured with tests/benchmarks/side_by_side.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from adstudio.images.fidelity import structure

_BINS = 2048
_APPEAL_BINS = 64
_LUMINANCE = (0.299, 0.587, 0.114)
_PLANNING_PX = 128
_SMALLEST_PX = 48  # a quarter of it must hold the window of the structural similarity
_BROAD_PX = 8
_AREAS_PX = 64
_AREAS_REACH_PX = 6
_AREAS_VARIANCE = 0.04
_GRAIN_VARIANCE = 0.01
_CALMING_PX = 256
_DEPARTURE_PRICE = 17.0
_BUSY_PRICE = 0.2
_MARK_SIZES = 4
_CHOICES = (
    ("detail_share", (0.0, 1.6)),
    ("soft_share", (0.0, 0.5, 0.9)),
    ("edge_share", (0.0, 0.5, 1.0)),
    ("own_share", (0.05, 0.1, 0.2, 0.4, 0.7)),
)


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


def calmed(light: Tensor) -> Tensor:
    """Luminance without its grain, edges kept: [1, height, width] -> the same.

    Without this a histogram match would blow up the grain of a plain area to the contrast of the references' marks.
    Source: the self-guided filter of He, Sun and Tang 2013, in the fast form of He and Sun 2015.
    """
    return _guided(light, _CALMING_PX, 2, _GRAIN_VARIANCE)


def form_edges(light: Tensor) -> Tensor:
    """Edge strength at the scale of forms rather than grain: [1, height, width] -> the same."""
    small = _for_planning(light)
    edges = F.avg_pool2d(edge_strength(small), 3, 1, padding=1, count_include_pad=False)
    return F.interpolate(edges[None], light.shape[-2:], mode="bilinear", align_corners=False)[0]


def _guided(light: Tensor, side_px: int, reach_px: int, variance: float) -> Tensor:
    """Luminance smoothed but for its edges, at a size of side_px: [1, height, width] -> the same.

    Source: the self-guided filter of He, Sun and Tang 2013, in the fast form of He and Sun 2015.
    """
    height, width = light.shape[-2:]
    scale = min(1.0, side_px / min(height, width))
    small = shrunk(light, (max(1, round(height * scale)), max(1, round(width * scale))))

    def mean(values: Tensor) -> Tensor:
        for _ in range(2):
            values = F.avg_pool2d(values[None], 2 * reach_px + 1, 1, padding=reach_px, count_include_pad=False)[0]
        return values

    level = mean(small)
    spread = (mean(small.square()) - level.square()).clamp(min=0)
    keep = spread / (spread + variance)
    both = torch.cat((mean(keep), mean((1 - keep) * level)))
    large = F.interpolate(both[None], (height, width), mode="bilinear", align_corners=False)[0]
    return large[:1] * light + large[1:]


def matched(values: Tensor, targets: Sequence[Tensor], weights: Sequence[float] | None = None) -> Tensor:
    """Values brought, in order, to the distribution of the targets taken together (histogram matching).

    values: any shape; targets: any shapes; weights: share per pixel of each target, equal by default.
    """
    source = values.cpu().numpy().ravel()
    weights = weights or [1.0] * len(targets)
    pools = [target.cpu().numpy().ravel() for target in targets]
    low, scale = _binning([source])
    wanted_low, wanted_scale = _binning(pools)
    wanted = np.zeros(_BINS)
    for pool, weight in zip(pools, weights, strict=True):
        wanted += weight * np.bincount(_binned(pool, wanted_low, wanted_scale), minlength=_BINS)
    bins = _binned(source, low, scale)
    have = np.bincount(bins, minlength=_BINS).astype(np.float64)
    have_rank = (np.cumsum(have) - have / 2) / have.sum()
    reached = np.searchsorted(np.cumsum(wanted) / wanted.sum(), have_rank)
    curve = ((reached.clip(max=_BINS - 1) + 0.5) / wanted_scale + wanted_low).astype(np.float32)
    return torch.from_numpy(curve[bins]).view(values.shape).to(values.device)


def appeal(tones: Tensor, light: Tensor) -> Tensor:
    """How often each tone of a reference is wanted over how often it is there: the shape of light, 0.2 … 5.

    tones: of the picture to be made; light: of the reference. Any shapes.
    """
    wanted, there = tones.cpu().numpy().ravel(), light.cpu().numpy()
    low, scale = _binning([wanted, there])
    scale *= _APPEAL_BINS / _BINS

    def histogram(values: NDArray[np.float32]) -> NDArray[np.float64]:
        counts = np.bincount(_binned(values.ravel(), low, scale), minlength=_APPEAL_BINS)
        smooth: NDArray[np.float64] = np.convolve(counts / counts.sum(), [0.05, 0.25, 0.4, 0.25, 0.05], mode="same")
        return smooth + 1e-3

    ratio = (histogram(wanted) / histogram(there)).clip(0.2, 5.0).astype(np.float32)
    return torch.from_numpy(ratio[_binned(there, low, scale)]).to(light.device)


@dataclass(frozen=True, slots=True, kw_only=True)
class TonePlan:
    """How a content's tones become a reference's.

    detail_share, soft_share: of its large areas' tones given up for its forms, see `Areas`; edge_share: 0 … 1 of the
    references' bond of tone and edge; own_share: 0 … 1 of the content's own contrasts; light_part, edge_part: of the
    mixture that gives this bond; structure: SSIM of the planned tones' gradients with the content's.
    """

    detail_share: float = 0.0
    soft_share: float = 0.0
    edge_share: float = 0.0
    own_share: float = 0.05
    light_part: float = 1.0
    edge_part: float = 0.0
    structure: float = 1.0


@dataclass(frozen=True, slots=True)
class Areas:
    """Tones of a content's large areas, [1, height, width] each: sharp up to their edges, and soft across them.

    What is given up of the soft ones leaves a glow around forms, which keeps them apart where tones are few; of the
    sharp ones more than all may be given up: then what is dark becomes light as a whole, and is still lit as it was.
    """

    sharp: Tensor
    soft: Tensor

    @classmethod
    def of(cls, light: Tensor) -> Areas:
        """light: luminance of the content [1, height, width]."""
        height, width = light.shape[-2:]
        scale = min(1.0, _BROAD_PX / min(height, width))
        small = shrunk(light, (max(1, round(height * scale)), max(1, round(width * scale))))
        soft = F.interpolate(small[None], (height, width), mode="bicubic", align_corners=False)[0]
        return cls(_guided(light, _AREAS_PX, _AREAS_REACH_PX, _AREAS_VARIANCE), soft)

    def taken_from(self, light: Tensor, plan: TonePlan) -> Tensor:
        """The luminance without what the plan gives up of the areas: [1, height, width]."""
        return light - plan.detail_share * self.sharp - plan.soft_share * self.soft


def planned_tones(
    plan: TonePlan,
    forms: Tensor,
    edges: Tensor,
    reference_lights: Sequence[Tensor],
    weights: Sequence[float],
) -> Tensor:
    """The content's tones as the references would have them.

    forms (see `Areas.taken_from`), edges: of the content, of any one shape, which is returned; reference_lights: of any
    shapes; weights: per pixel of each.
    """
    mixed = plan.light_part * _normalised(forms) + plan.edge_part * _normalised(edges)
    full = matched(mixed, reference_lights, weights)
    low, high = _span([mixed])
    wanted_low, wanted_high = _span(reference_lights)
    plain = ((mixed - low) / max(high - low, 1e-6)).clamp(0, 1) * (wanted_high - wanted_low) + wanted_low
    return (1 - plan.own_share) * full + plan.own_share * plain


def best_plan(light: Tensor, reference_lights: Sequence[Tensor], weights: Sequence[float]) -> TonePlan:
    """The plan that keeps most of the content's structure for the least departure from the references' tones.

    light: [1, height, width]; per reference [1, h, w]. One share after the other is settled.
    """
    small = _for_planning(light)
    lights = [_for_planning(reference) for reference in reference_lights]
    edges = form_edges(small)
    areas = Areas.of(small)
    pairs = zip(lights, weights, strict=True)
    bond = sum(w * _correlation(reference, form_edges(reference)) for reference, w in pairs) / sum(weights)
    wanted = matched(small, lights, weights).flatten().sort().values
    content = _grey(small)
    marks = torch.stack([mark_sizes(reference) for reference in lights]).mean(0)

    def judged(plan: TonePlan) -> tuple[float, TonePlan]:
        forms = areas.taken_from(small, plan)
        plan = _with_bond(plan, _correlation(forms, edges), bond)
        tones = planned_tones(plan, forms, edges, lights, weights)
        departure = float((tones.flatten().sort().values - wanted).abs().mean()) / 2
        kept = structure(_grey(tones), content, scales=(1, 2, 4))
        busier = float((mark_sizes(tones.clamp(-1, 1)) - marks).clamp(min=0).mean())
        return kept - _DEPARTURE_PRICE * departure**2 - _BUSY_PRICE * busier, replace(plan, structure=kept)

    best = TonePlan()
    for name, values in _CHOICES:
        _, best = max((judged(replace(best, **{name: value})) for value in values), key=lambda scored: scored[0])
    return best


def mark_sizes(light: Tensor) -> Tensor:
    """Logarithm of the contrast of marks of four sizes, fine to coarse, of [1, height, width] at planning size: [4]."""
    bands = []
    for _ in range(_MARK_SIZES):
        low = F.avg_pool2d(light[None], 5, 1, padding=2, count_include_pad=False)[0]
        bands.append((light - low).std().clamp(min=1e-3).log())
        light = F.avg_pool2d(low[None], 2, ceil_mode=True)[0]
    return torch.stack(bands)


@dataclass(frozen=True, slots=True)
class Forms:
    """What is planned for a content, at planning size: to see during a run how it goes.

    content: [1, h, w]; marks: of the references, [4]; planned: the structure the plan keeps.
    """

    content: Tensor
    marks: Tensor
    planned: float
    fine: float

    @classmethod
    def of(cls, light: Tensor, references: Sequence[Tensor], planned: float) -> Forms:
        """light: luminance of the content [1, height, width]; references: [3, h, w] each."""
        marks = torch.stack([mark_sizes(_for_planning(luminance(r))) for r in references]).mean(0)
        contrast = torch.stack([_for_planning(luminance(r)).std() for r in references]).mean()
        fine = float(marks[0].exp() / contrast.clamp(min=1e-3))
        return cls(_for_planning(light), marks, planned, fine)

    def seen_in(self, picture: Tensor) -> tuple[float, float]:
        """Structure of a picture [3, height, width] over the planned one, and how much coarser its marks are (log)."""
        now = shrunk(luminance(picture), (self.content.shape[-2], self.content.shape[-1]))
        kept = structure(_grey(now), _grey(self.content), scales=(1, 2, 4))
        apart = (mark_sizes(now) - self.marks)[_MARK_SIZES // 2 :]
        return kept / max(self.planned, 0.05), float(apart.clamp(min=0).mean())


def _with_bond(plan: TonePlan, own: float, wanted: float) -> TonePlan:
    """The mixture of tones and edges that has, by the least movement, the wanted correlation (between Gaussians)."""
    wanted = own + plan.edge_share * (wanted - own)
    together, apart = ((1 + wanted) / (1 + own)) ** 0.5, ((1 - wanted) / (1 - own)) ** 0.5
    return replace(plan, light_part=(together + apart) / 2, edge_part=(together - apart) / 2)


def _normalised(values: Tensor) -> Tensor:
    """Brought, in order, to a normal distribution."""
    rank = (torch.arange(_BINS, dtype=torch.float32, device=values.device) + 0.5) / _BINS
    return matched(values, [torch.erfinv(2 * rank - 1) * 2**0.5])


def _correlation(a: Tensor, b: Tensor) -> float:
    return min(max(float((_normalised(a) * _normalised(b)).mean()), -0.95), 0.95)


def _binning(pools: Sequence[NDArray[np.float32]]) -> tuple[float, float]:
    """Lowest value, and bins per unit."""
    low, high = min(float(pool.min()) for pool in pools), max(float(pool.max()) for pool in pools)
    return low, (_BINS - 0.01) / max(high - low, 1e-6)


def _binned(values: NDArray[np.float32], low: float, scale: float) -> NDArray[np.int32]:
    return ((values - np.float32(low)) * np.float32(scale)).astype(np.int32)


def _span(pools: Sequence[Tensor]) -> tuple[float, float]:
    """The lowest value at 1 % and the highest at 99 %."""
    ends = [np.quantile(pool.cpu().numpy().ravel()[::7], (0.01, 0.99)) for pool in pools]
    return min(float(low) for low, _ in ends), max(float(high) for _, high in ends)


def _for_planning(values: Tensor) -> Tensor:
    height, width = values.shape[-2:]
    scale = min(1.0, _PLANNING_PX / min(height, width))
    return shrunk(values, (max(_SMALLEST_PX, round(height * scale)), max(_SMALLEST_PX, round(width * scale))))


def _grey(light: Tensor) -> NDArray[np.float32]:
    pixels = (light[0].cpu().numpy() + 1) / 2
    return np.repeat(pixels[..., None], 3, axis=2)

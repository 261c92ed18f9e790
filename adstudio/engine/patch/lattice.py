"""The lattice of a regular texture: the two steps after which it repeats, and where in its cell each place lies.

Steps are peaks of the picture's autocorrelation. Real weaves bend, so the phase is corrected place by place: the mean
cell, laid out again, is compared with the picture around each place. Own choice throughout: textbook parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from adstudio.engine.patch.smoothing import blurred
from adstudio.engine.patch.tones import luminance, shrunk

_ANALYSIS_PX = 256
_EVEN_SHARE = 1 / 12  # of the side: what is broader than this is light and shade, not pattern
_LEAST_STEP_PX = 5
_REACH_SHARE = 0.45
_AS_GOOD = 0.75
_LEAST_SINE = 0.4
_REGULAR = 0.3
_CELL_BINS = 24
_BEND_CELL_PX = 10
_BEND_SHARES = (-0.3, -0.15, 0.0, 0.15, 0.3)
_BEND_ROUNDS = 3
_BEND_WINDOW = 0.8

Numbers = NDArray[np.float64]
Waves = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """waves: [2, 2], by how many whole cells the pattern moves on per pixel of the picture: rows are the two cell axes,
    columns down and right; regularity: 0 … 1; bend: float32 [2, a, b], what is to be added to the phase, in cells.
    """

    waves: Waves
    regularity: float
    bend: Tensor

    def phases(self, size: tuple[int, int], picture: tuple[int, int]) -> Tensor:
        """Cells passed along both axes, [2, h, w], for a picture of that size brought to `size` (height, width)."""
        scaled = self.waves * [picture[0] / size[0], picture[1] / size[1]]
        bend = F.interpolate(self.bend[None], size, mode="bilinear", align_corners=False)[0]
        return plain_phases(scaled, size, self.bend.device) + bend


def plain_phases(waves: Numbers, size: tuple[int, int], device: torch.device) -> Tensor:
    """Cells passed along both axes since the upper left corner: float32 [2, height, width]."""
    y = (torch.arange(size[0], dtype=torch.float64) + 0.5)[:, None]
    x = (torch.arange(size[1], dtype=torch.float64) + 0.5)[None, :]
    cells = torch.stack([float(down) * y + float(right) * x for down, right in waves])
    return (cells % 1).float().to(device)


def find_lattice(picture: Tensor) -> Lattice | None:
    """The lattice of a picture [3, height, width] in -1 … 1; None where nothing repeats clearly enough."""
    height, width = picture.shape[-2:]
    scale = min(1.0, _ANALYSIS_PX / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    if min(size) < 4 * _LEAST_STEP_PX:
        return None
    pattern: Numbers = _evened(luminance(shrunk(picture, size)))[0].cpu().numpy().astype(np.float64)
    likeness = _autocorrelation(pattern)
    steps = _steps(likeness)
    if steps is None:
        return None
    steps, regularity = _refined(steps, likeness)
    if regularity < _REGULAR:
        return None
    waves = np.linalg.inv(steps).T.astype(np.float64)
    bend = _bend(pattern, waves)
    return Lattice(
        waves=waves * [size[0] / height, size[1] / width], regularity=regularity, bend=bend.to(picture.device)
    )


def _evened(light: Tensor) -> Tensor:
    """A picture without its broad light and shade, of even contrast."""
    sigma = _EVEN_SHARE * max(light.shape[-2:])
    detail = light - blurred(light, sigma)
    return detail / (blurred(detail.square(), sigma).sqrt() + 0.04)


def _autocorrelation(pattern: Numbers) -> Numbers:
    """Mean product of the pattern with itself moved, 1 at no move: [2 a + 1, 2 b + 1], no move in the middle."""
    height, width = pattern.shape
    padded = 2 * height, 2 * width
    pattern = pattern - pattern.mean()

    def self_product(values: Numbers) -> Numbers:
        product: Numbers = np.fft.fftshift(np.fft.irfft2(np.abs(np.fft.rfft2(values, padded)) ** 2, padded))
        return product

    mean = self_product(pattern) / np.maximum(self_product(np.ones_like(pattern)), 1)
    down, right = int(_REACH_SHARE * height), int(_REACH_SHARE * width)
    near = mean[height - down : height + down + 1, width - right : width + right + 1]
    return near / max(float(near[down, right]), 1e-12)


def _peak_near(likeness: Numbers, at: Numbers, reach: int) -> tuple[Numbers, float] | None:
    """The highest place within `reach` of a move, to a part of a pixel, and its height; None at the rim."""
    middle = np.array(likeness.shape) // 2
    y, x = np.round(at).astype(int) + middle
    rows, columns = likeness.shape
    if not (reach < y < rows - reach - 1 and reach < x < columns - reach - 1):
        return None
    window = likeness[y - reach : y + reach + 1, x - reach : x + reach + 1]
    dy, dx = np.unravel_index(int(window.argmax()), window.shape)
    y, x = y - reach + int(dy), x - reach + int(dx)
    place = np.array([y, x], np.float64) - middle
    for axis, (before, here, after) in enumerate((likeness[y - 1 : y + 2, x], likeness[y, x - 1 : x + 2])):
        curve = before - 2 * here + after
        if curve < 0:
            place[axis] += float(np.clip((before - after) / (2 * curve), -0.5, 0.5))
    return place, float(likeness[y, x])


def _steps(likeness: Numbers) -> Numbers | None:
    """The two shortest moves, not along one line, after which the pattern is as like itself as it gets: [2, 2]."""
    window = torch.from_numpy(likeness)[None, None]
    peaks = (F.max_pool2d(window, 5, 1, 2)[0, 0].numpy() == likeness) & (likeness > 0)
    moves = np.argwhere(peaks) - np.array(likeness.shape) // 2
    heights = likeness[peaks]
    half = (moves[:, 0] > 0) | ((moves[:, 0] == 0) & (moves[:, 1] > 0))
    long_enough = np.hypot(moves[:, 0], moves[:, 1]) >= _LEAST_STEP_PX
    moves, heights = moves[half & long_enough], heights[half & long_enough]
    if len(moves) < 2:
        return None
    first = _shortest_good(moves, heights)
    lengths = np.hypot(moves[:, 0], moves[:, 1])
    sines = np.abs(first[0] * moves[:, 1] - first[1] * moves[:, 0]) / (lengths * np.hypot(*first))
    aside = sines >= _LEAST_SINE
    if not aside.any():
        return None
    return np.array([first, _shortest_good(moves[aside], heights[aside])], np.float64)


def _shortest_good(moves: NDArray[np.int64], heights: Numbers) -> NDArray[np.int64]:
    """The shortest of those moves that are about as good as the best."""
    good: NDArray[np.int64] = moves[heights >= _AS_GOOD * heights.max()]
    shortest: NDArray[np.int64] = good[np.hypot(good[:, 0], good[:, 1]).argmin()]
    return shortest


def _refined(steps: Numbers, likeness: Numbers) -> tuple[Numbers, float]:
    """Steps fitted to all peaks they lead to, near ones first, and the mean height of the near ones.

    Far ones are low where the lattice bends.
    """
    reach = max(1, int(0.2 * np.hypot(*steps.T).min()))
    regularity = 0.0
    for order in (1, 2, 4):
        counts, places, heights = [], [], []
        for n in range(-order, order + 1):
            for m in range(-order, order + 1):
                if (n, m) <= (0, 0):
                    continue
                peak = _peak_near(likeness, np.array([n, m]) @ steps, reach)
                if peak is not None:
                    counts.append((n, m))
                    places.append(peak[0])
                    heights.append(peak[1])
        if len(heights) < 2 or np.linalg.matrix_rank(np.array(counts)) < 2:
            return steps, 0.0
        regularity = regularity if order > 2 else float(np.mean(heights))
        steps = np.linalg.lstsq(np.array(counts, np.float64), np.array(places), rcond=None)[0]
    return steps, regularity


def _bend(pattern: Numbers, waves: Numbers) -> Tensor:
    """How far the pattern is off its lattice around each place, in cells: float32 [2, a, b]."""
    cell_px = 1 / float(np.sqrt(abs(np.linalg.det(waves))))
    size = pattern.shape[0], pattern.shape[1]
    scale = min(1.0, _BEND_CELL_PX / cell_px)
    small = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    shown = shrunk(torch.from_numpy(pattern)[None], small)[0]
    plain = plain_phases(waves * [size[0] / small[0], size[1] / small[1]], small, torch.device("cpu"))
    bend = torch.zeros_like(plain)
    shares = torch.tensor(_BEND_SHARES)
    moves = torch.cartesian_prod(shares, shares)
    sigma = _BEND_WINDOW * cell_px * scale
    for _ in range(_BEND_ROUNDS):
        cell = _mean_cell(shown, plain + bend)
        moved = torch.stack([shown * _laid_out(cell, plain + bend + move.view(2, 1, 1)) for move in moves])
        best = blurred(moved.float(), sigma).argmax(0)
        bend = bend + blurred(moves[best].permute(2, 0, 1), sigma)
    return bend


def _mean_cell(shown: Tensor, phases: Tensor) -> Tensor:
    """The mean of the pattern over all cells: float64 [_CELL_BINS, _CELL_BINS], smoothed around its edges."""
    bins = ((phases % 1) * _CELL_BINS).long().clamp(max=_CELL_BINS - 1)
    index = (bins[0] * _CELL_BINS + bins[1]).flatten()
    total = torch.bincount(index, weights=shown.flatten(), minlength=_CELL_BINS**2)
    count = torch.bincount(index, minlength=_CELL_BINS**2)
    cell = torch.stack((total, count.double())).view(2, 1, _CELL_BINS, _CELL_BINS)
    cell = F.avg_pool2d(F.pad(cell, (1, 1, 1, 1), mode="circular"), 3, 1)
    cell = cell[0, 0] / cell[1, 0].clamp(min=1e-9)
    return cell - cell.mean()


def _laid_out(cell: Tensor, phases: Tensor) -> Tensor:
    """The cell as it looks at these phases: [height, width]."""
    bins = (phases % 1 * _CELL_BINS).long().clamp(max=_CELL_BINS - 1)
    return cell[bins[0], bins[1]]


def fitted_waves(waves: Waves, size: tuple[int, int], *, wrap_y: bool, wrap_x: bool) -> tuple[Waves, float]:
    """Waves of which a whole number fits the picture where it tiles, and the strain that takes: 0 is none.

    size: (height, width) in pixels.
    """
    fitted = waves.copy()
    for axis, wraps in enumerate((wrap_y, wrap_x)):
        if wraps:
            fitted[:, axis] = np.round(waves[:, axis] * size[axis]) / size[axis]
    return fitted, float(np.linalg.norm((fitted - waves).T @ np.linalg.inv(waves).T, 2))

"""A new course for a texture: windows of the reference's own, stretched, turned round and blended.

Half a turn leaves directions as they are, so patches need not be turned; but what comes to lie beside what is new, and
the picture is no copy of the reference's layout (own choice).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_WINDOW_SHARE = 0.9
_OVERLAP = 0.5
_TRIALS = 32


def arranged(fields: Tensor, grid: tuple[int, int], *, wrap_y: bool, wrap_x: bool, seed: int) -> Tensor:
    """Fields [channels, h, w] laid out anew over a grid (height, width), without a seam where that wraps.

    Of _TRIALS windows the one that best goes on where others overlap it is taken.
    """
    rng = np.random.default_rng((seed, 3))
    channels, height, width = fields.shape
    counts = [
        max(2 if wraps else 1, round(wanted / there))
        for wanted, there, wraps in zip(grid, (height, width), (wrap_y, wrap_x), strict=True)
    ]
    steps = [wanted / count for wanted, count in zip(grid, counts, strict=True)]
    total, weight = torch.zeros(channels, *grid), torch.zeros(1, *grid)
    for row in range(counts[0]):
        for column in range(counts[1]):
            rows, down, by_row = _reach((row + 0.5) * steps[0], steps[0], grid[0], wrap_y)
            columns, right, by_column = _reach((column + 0.5) * steps[1], steps[1], grid[1], wrap_x)
            place = (slice(None), rows[:, None], columns[None, :])
            share = (by_row[:, None] * by_column[None, :])[None]
            before, already = total[place], weight[place]
            both = share * already
            reaches = ((height, down), (width, right))
            spans = [min(_WINDOW_SHARE * side, len(offsets)) for side, offsets in reaches]
            trials = _TRIALS if bool(both.any()) else 1
            windows = [_window(fields, (down, right), spans, rng) for _ in range(trials)]
            agreed = before / already.clamp(min=1e-6)
            costs = [float((both * (window - agreed).square()).sum()) for window in windows]
            window = windows[int(np.argmin(costs))]
            total[place] = before + share * window
            weight[place] = already + share
    return total / weight


def _reach(centre: float, step: float, side: int, wraps: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The places a window covers along one axis: index in the grid, offset from its centre, weight."""
    half = step * (0.5 + _OVERLAP / 2)
    index = torch.arange(math.ceil(centre - half - 0.5), math.floor(centre + half - 0.5) + 1)
    if not wraps:
        index = index[(index >= 0) & (index < side)]
    offset = index + 0.5 - centre
    ramp = ((half - offset.abs()) / (step * _OVERLAP)).clamp(1e-3, 1)
    return index % side, offset, ramp * ramp * (3 - 2 * ramp)


def _window(fields: Tensor, offsets: tuple[Tensor, Tensor], spans: Sequence[float], rng: np.random.Generator) -> Tensor:
    """A window of the fields at a random place, turned by half a turn.

    offsets: of the places to fill, down and right, any unit; spans: height and width of the window.
    """
    axes = []
    for offset, side, span in zip(offsets, fields.shape[1:], spans, strict=True):
        middle = rng.uniform(span / 2, side - span / 2)
        between = (offset - (offset[0] + offset[-1]) / 2) / max(float(offset[-1] - offset[0]), 1.0)
        axes.append((middle - between.float() * span) / side * 2 - 1)
    down, right = axes
    places = torch.stack((right[None, :].expand(len(down), -1), down[:, None].expand(-1, len(right))), -1)
    return F.grid_sample(fields[None], places[None], mode="bilinear", padding_mode="border", align_corners=False)[0]

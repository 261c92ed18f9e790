"""The distillation step: each pixel becomes what the patches over it say, which is the closed form of an L2 step.

The closer a patch's centre and the better its match, the more its vote counts; the temperature of that attention falls
from level to level, from a soft consensus to the crisp marks of single patches.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from adstudio.engine.patch.bands import Bands
from adstudio.engine.patch.field import shifted

_REACH_PX = 1
_LEAST_WEIGHT = 1e-3


def vote(
    values: Tensor,
    key_label: Tensor,
    query_label: Tensor,
    field: Tensor,
    cost: Tensor,
    *,
    sigma_px: float,
    temperature: float,
    wrap_y: bool,
    wrap_x: bool,
    bands: Bands | None,
) -> Tensor:
    """The picture float32 [3, height, width] that the matched patches vote for.

    values: reference pixels [rows, columns, 3]; labels: uint8 of both, only equal ones vote for each other; field int32
    [2, height, width]; cost: float32 [height, width]; sigma_px: spread of a vote; temperature: in units of cost, > 0.
    """
    height, width = cost.shape
    out = torch.empty(3, height, width, device=cost.device)

    def band(first: int, last: int) -> None:
        out[:, first:last] = _vote_rows(
            values, key_label, query_label, field, cost, first, last, sigma_px, temperature, wrap_y, wrap_x
        )

    if bands is None:
        band(0, height)
    else:
        bands.each(height, width, band)
    return out


def _vote_rows(
    values: Tensor,
    key_label: Tensor,
    query_label: Tensor,
    field: Tensor,
    cost: Tensor,
    first: int,
    last: int,
    sigma_px: float,
    temperature: float,
    wrap_y: bool,
    wrap_x: bool,
) -> Tensor:
    rows, columns, _ = values.shape
    height = cost.shape[0]
    flat_values, flat_label = values.view(-1, 3), key_label.flatten()
    own_label = query_label[first:last]
    taken = torch.arange(first - _REACH_PX, last + _REACH_PX, device=cost.device)
    taken = taken % height if wrap_y else taken.clamp(0, height - 1)
    near_field, near_cost = field.index_select(1, taken), cost.index_select(0, taken)
    own = near_cost[_REACH_PX:-_REACH_PX]
    total = torch.zeros(*own.shape, 1, device=cost.device)
    sums = torch.zeros(*own.shape, 3, device=cost.device)
    for dy in range(-_REACH_PX, _REACH_PX + 1):
        for dx in range(-_REACH_PX, _REACH_PX + 1):
            spatial = math.exp(-(dy * dy + dx * dx) / (2 * sigma_px**2))
            if spatial < _LEAST_WEIGHT:
                continue
            span = slice(_REACH_PX + dy, _REACH_PX + dy + last - first)
            moved, inside = shifted(near_field[:, span], 0, dx, wrap_y, wrap_x)
            moved_cost, _ = shifted(near_cost[None, span], 0, dx, wrap_y, wrap_x)
            v, u = moved[0] - dy, moved[1] - dx
            inside = inside & (v >= 0) & (v < rows) & (u >= 0) & (u < columns)
            if not wrap_y:
                ys = torch.arange(first + dy, last + dy, device=cost.device)
                inside = inside & ((ys >= 0) & (ys < height))[:, None]
            index = v.clamp(0, rows - 1).long() * columns + u.clamp(0, columns - 1).long()
            inside = inside & (flat_label[index] == own_label)
            weight = spatial * torch.exp(((own - moved_cost[0]) / temperature).clamp(-30, 0))
            weight = torch.where(inside, weight, 0.0)[..., None]
            sums += weight * flat_values[index]
            total += weight
    return (sums / total).permute(2, 0, 1)

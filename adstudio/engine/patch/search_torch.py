"""The nearest-patch search in torch operations, for CUDA and MPS: pass for pass what `search_cpu` does."""

from __future__ import annotations

import torch
from torch import Tensor

from adstudio.engine.patch.field import SIDES, shifted

_MASK = 0xFFFFFFFF


def _hash(x: Tensor) -> Tensor:
    state = (x * 747796405 + 2891336453) & _MASK
    word = (((state >> ((state >> 28) + 4)) ^ state) * 277803737) & _MASK
    return (word >> 22) ^ word


def search_pass(
    query: Tensor,
    keys: Tensor,
    bias: Tensor,
    query_label: Tensor,
    key_label: Tensor,
    field: Tensor,
    *,
    wrap_y: bool,
    wrap_x: bool,
    jump: int,
    probes: int,
    radius: int,
    coherence: float,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """One pass over the whole picture; arguments as in `search_cpu.search_rows`.

    Returns the new field int32 [2, height, width] and the costs float32 [height, width] without coherence.
    """
    height, width, depth = query.shape
    rows, columns, _ = keys.shape
    flat_keys, flat_bias, flat_label = keys.view(-1, depth), bias.flatten(), key_label.flatten()
    near = []
    for dy, dx in SIDES:
        v, u, ok = _candidate(field, dy, dx, rows, columns, wrap_y, wrap_x)
        ok &= flat_label[_flat(v, u, rows, columns)] == query_label
        near.append((torch.where(ok, v, -1), torch.where(ok, u, -1)))

    def priced(v: Tensor, u: Tensor, ok: Tensor) -> tuple[Tensor, Tensor]:
        index = _flat(v, u, rows, columns)
        ok = ok & (flat_label[index] == query_label)
        raw = (query - flat_keys[index]).square().sum(-1) + flat_bias[index]
        support = sum(((v == nv) & (u == nu)).to(raw.dtype) for nv, nu in near)
        return raw, torch.where(ok, raw - coherence * support, 1e30)

    best_v, best_u = field[0].clone(), field[1].clone()
    best_raw, best = priced(best_v, best_u, torch.ones_like(query_label, dtype=torch.bool))

    def offer(v: Tensor, u: Tensor, ok: Tensor) -> None:
        nonlocal best_v, best_u, best_raw, best
        raw, price = priced(v, u, ok)
        better = price < best
        best_v, best_u = torch.where(better, v, best_v), torch.where(better, u, best_u)
        best_raw, best = torch.where(better, raw, best_raw), torch.where(better, price, best)

    for v, u in near:
        offer(v, u, v >= 0)
    if jump > 1:
        for dy, dx in SIDES:
            offer(*_candidate(field, dy * jump, dx * jump, rows, columns, wrap_y, wrap_x))
    centre_v, centre_u, reach = best_v, best_u, radius
    position = torch.arange(height * width, device=query.device).view(height, width)
    for probe in range(probes):
        salt = _hash(torch.tensor((seed + probe) & _MASK, device=query.device))
        h = _hash(position ^ salt)
        span = 2 * reach + 1
        v = (centre_v + (((h & 0xFFFF) * span) >> 16) - reach).clamp(0, rows - 1).int()
        u = (centre_u + (((h >> 16) * span) >> 16) - reach).clamp(0, columns - 1).int()
        offer(v, u, torch.ones_like(query_label, dtype=torch.bool))
        reach = max(reach // 4, 1)
    return torch.stack((best_v, best_u)), best_raw


def _flat(v: Tensor, u: Tensor, rows: int, columns: int) -> Tensor:
    return v.clamp(0, rows - 1).long() * columns + u.clamp(0, columns - 1).long()


def _candidate(
    field: Tensor, dy: int, dx: int, rows: int, columns: int, wrap_y: bool, wrap_x: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """What the pixel (dy, dx) away would continue to here, and whether that exists."""
    moved, inside = shifted(field, dy, dx, wrap_y, wrap_x)
    v, u = moved[0] - dy, moved[1] - dx
    return v, u, inside & (v >= 0) & (v < rows) & (u >= 0) & (u < columns)

"""The correspondence field: for every pixel of the picture, the position in the references whose patch it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

SIDES = ((0, -1), (0, 1), (-1, 0), (1, 0))
"""(dy, dx) of the four neighbours a pixel learns from, in the order in which ties are settled."""


def shifted(values: Tensor, dy: int, dx: int, wrap_y: bool, wrap_x: bool) -> tuple[Tensor, Tensor]:
    """The values that lie (dy, dx) away from each pixel, and where such a pixel exists.

    values: [channels, height, width]; returns the same shape (zeros outside) and bool [height, width].
    """
    height, width = values.shape[-2:]
    rows = torch.arange(height, device=values.device) + dy
    columns = torch.arange(width, device=values.device) + dx
    ok_y = torch.ones_like(rows, dtype=torch.bool) if wrap_y else (rows >= 0) & (rows < height)
    ok_x = torch.ones_like(columns, dtype=torch.bool) if wrap_x else (columns >= 0) & (columns < width)
    rows = rows % height if wrap_y else rows.clamp(0, height - 1)
    columns = columns % width if wrap_x else columns.clamp(0, width - 1)
    return values.index_select(-2, rows).index_select(-1, columns), ok_y[:, None] & ok_x[None, :]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the references lie on a sheet: first row, height and width of each, in pixels."""

    offsets: tuple[int, ...]
    heights: tuple[int, ...]
    widths: tuple[int, ...]


def enlarged(field: Tensor, size: tuple[int, int], coarse: Layout, fine: Layout) -> Tensor:
    """The field of the next finer level: each pixel continues its coarse pixel's piece of reference.

    field: int32 [2, h, w] on the coarse layout; size: (height, width) of the finer picture.
    Returns int32 [2, height, width] on the fine layout.
    """
    h, w = field.shape[-2:]
    height, width = size
    device = field.device
    y, x = torch.arange(height, device=device), torch.arange(width, device=device)
    from_y, from_x = y * h // height, x * w // width
    inside_y, inside_x = y - (from_y * height + h - 1) // h, x - (from_x * width + w - 1) // w
    row, column = field.index_select(-2, from_y).index_select(-1, from_x).long()
    starts = torch.tensor(coarse.offsets, device=device)
    entry = torch.bucketize(row, starts, right=True) - 1

    def table(values: Sequence[int]) -> Tensor:
        return torch.tensor(values, device=device)[entry]

    v = (row - table(coarse.offsets)) * table(fine.heights) // table(coarse.heights) + inside_y[:, None]
    u = column * table(fine.widths) // table(coarse.widths) + inside_x[None, :]
    v = torch.minimum(v, table(fine.heights) - 1) + table(fine.offsets)
    u = torch.minimum(u, table(fine.widths) - 1)
    return torch.stack((v, u)).int()

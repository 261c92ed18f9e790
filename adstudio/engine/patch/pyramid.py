"""Sizes from coarse to fine, and the references of one level laid out as one sheet of keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adstudio.engine.patch.bands import Bands
from adstudio.engine.patch.descriptors import DEPTH, Projection
from adstudio.engine.patch.field import Layout

NO_LABEL = 255
"""Label of places on the sheet that are no reference; regions use 0 … 254."""
_COARSEST_PX = 32
_GAP_PX = 2

Size = tuple[int, int]


def level_sizes(size: Size, reference_sizes: Sequence[Size]) -> list[tuple[Size, list[Size]]]:
    """(picture, references) per level, coarsest first; each level doubles the one before, all (height, width)."""
    shortest = min(*size, *(side for s in reference_sizes for side in s))
    count = 1
    while shortest >> count >= _COARSEST_PX * 3 // 4:
        count += 1
    steps = reversed(range(count))
    return [(_divided(size, step), [_divided(side, step) for side in reference_sizes]) for step in steps]


def _divided(size: Size, halvings: int) -> Size:
    return max(1, round(size[0] / 2**halvings)), max(1, round(size[1] / 2**halvings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All references of a level below one another, with gaps between them.

    keys: descriptors [rows, columns, DEPTH]; values: colours [rows, columns, 3]; label: uint8 [rows, columns], NO_LABEL
    in the gaps; share: float32 [rows, columns], the part of the picture each key is meant to serve, summing to 1 per
    label; layout: where each reference lies (one without labels of its own is laid out once per label).
    """

    keys: Tensor
    values: Tensor
    label: Tensor
    share: Tensor
    layout: Layout


def make_sheet(
    pictures: Sequence[Tensor],
    guides: Sequence[Tensor | None],
    labels: Sequence[NDArray[np.uint8] | None],
    weights: Sequence[float | Tensor],
    projection: Projection,
    bands: Bands | None,
    all_labels: Sequence[int],
) -> Sheet:
    """Lay out the references of one level.

    pictures: [3, h, w] each; guides: [channels, h, w] or None; labels: [h, w] or None, which carries every label and so
    is laid out once per label; weights: per reference; all_labels: the labels in use.
    """
    device = pictures[0].device
    copies = [1 if label is not None else len(all_labels) for label in labels]
    heights = [picture.shape[1] for picture, times in zip(pictures, copies, strict=True) for _ in range(times)]
    widths = [picture.shape[2] for picture, times in zip(pictures, copies, strict=True) for _ in range(times)]
    rows, columns = sum(heights) + _GAP_PX * (len(heights) - 1), max(widths)
    keys = torch.zeros(rows, columns, DEPTH, device=device)
    values = torch.zeros(rows, columns, 3, device=device)
    sheet_label = torch.full((rows, columns), NO_LABEL, dtype=torch.uint8, device=device)
    share = torch.zeros(rows, columns, device=device)
    offsets, row = [], 0
    for picture, guide, label, weight in zip(pictures, guides, labels, weights, strict=True):
        described = projection.describe(joined(picture, guide), bands)
        height, width = picture.shape[-2:]
        for value in all_labels if label is None else (NO_LABEL,):
            place = (slice(row, row + height), slice(0, width))
            keys[place] = described
            values[place] = picture.permute(1, 2, 0)
            sheet_label[place] = value if label is None else torch.from_numpy(label).to(device)
            share[place] = weight
            offsets.append(row)
            row += height + _GAP_PX
        del described  # the largest thing here; the next reference needs the room
    layout = Layout(tuple(offsets), tuple(heights), tuple(widths))
    for value in all_labels:
        chosen = sheet_label == value
        total = share[chosen].double().sum().item()
        if total > 0:
            share[chosen] /= total
    return Sheet(keys=keys, values=values, label=sheet_label, share=share, layout=layout)


def joined(picture: Tensor, guide: Tensor | None) -> Tensor:
    """Colours and guide channels in one: [3 + channels, height, width]."""
    return picture if guide is None else torch.cat((picture, guide))


def labels_at(labels: NDArray[np.uint8] | None, size: Size) -> NDArray[np.uint8] | None:
    """A label map at a level's size, by nearest neighbour."""
    if labels is None:
        return None
    height, width = labels.shape
    rows = (np.arange(size[0]) * 2 + 1) * height // (2 * size[0])
    columns = (np.arange(size[1]) * 2 + 1) * width // (2 * size[1])
    return np.ascontiguousarray(labels[rows[:, None], columns[None, :]])

"""How often each place of the references is used, against how often it is meant to be."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from adstudio.engine.patch.pyramid import Sheet


def expected_use(sheet: Sheet, query_label: Tensor, labels: Sequence[int]) -> Tensor:
    """How many pixels of the picture each key is meant to serve: float32 [rows, columns]."""
    expected = torch.zeros_like(sheet.share)
    for value in labels:
        chosen = sheet.label == value
        expected[chosen] = sheet.share[chosen] * float((query_label == value).sum())
    return expected


def use_window(expected: Tensor) -> int:
    """Side, in pixels and odd, of the window over which use is counted: wide enough that about 4 uses are expected."""
    used = expected[expected > 0]
    mean = float(used.double().mean()) if len(used) else 1.0
    side: int = max(3, round((4 / max(mean, 1e-3)) ** 0.5))
    return min(side | 1, 31)


def use_ratio(found: Tensor, sheet: Sheet, expected: Tensor, window: int) -> Tensor:
    """Use of each key over its expected use, smoothed over its surroundings: float32 [rows, columns], 1 without."""
    rows, columns = expected.shape
    index = found[0].long().flatten() * columns + found[1].long().flatten()
    use = torch.bincount(index, minlength=rows * columns).view(rows, columns).float()
    both = torch.stack((use, expected))[None]
    half = window // 2
    smooth = F.avg_pool2d(both, window, 1, padding=half, count_include_pad=True)[0]
    ratio = smooth[0] / smooth[1].clamp(min=1e-9)
    return torch.where(sheet.label == 255, 1.0, ratio)

"""Gaussian blur."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def blurred(picture: Tensor, sigma_px: float) -> Tensor:
    """Gaussian blur of [channels, height, width]."""
    reach = max(1, round(2.5 * sigma_px))
    offset = torch.arange(-reach, reach + 1, device=picture.device, dtype=torch.float32)
    bell = torch.exp(-offset.square() / (2 * sigma_px**2))
    bell = bell / bell.sum()
    channels = picture.shape[0]
    rows = F.pad(picture[None], (reach, reach, 0, 0), mode="replicate")
    rows = F.conv2d(rows, bell.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
    columns = F.pad(rows, (0, 0, reach, reach), mode="replicate")
    return F.conv2d(columns, bell.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)[0]

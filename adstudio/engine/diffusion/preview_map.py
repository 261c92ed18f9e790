"""Previews from latents without the decoder: a linear map, fitted on the user's own pictures and their latents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from adstudio.engine.preview import preview_of

_LONG_SIDE_PX = 512
_LEAST_SIGNAL = 0.3
_RIDGE = 1e-4


class PreviewMap:
    """From latents [1, channels, height, width] to colours, channel by channel the same at every place.

    Source: METHOD's preview, least squares from 4 (or 16) channels and a constant to 3, once a job.
    """

    def __init__(self, images: Sequence[Tensor], latents: Sequence[Tensor]) -> None:
        """images: [1, 3, height, width] in 0 … 1. latents: theirs, with packed ones unpacked."""
        inputs, outputs = [], []
        for image, its_latents in zip(images, latents, strict=True):
            known = its_latents.detach().cpu().double()
            colours = F.interpolate(image.cpu().double(), known.shape[-2:], mode="area")
            inputs.append(_with_constant(known[0].flatten(1).T))
            outputs.append(colours[0].flatten(1).T)
        a, b = torch.cat(inputs), torch.cat(outputs)
        square = a.T @ a
        self._map = torch.linalg.solve(square + _RIDGE * len(a) * torch.eye(len(square), dtype=a.dtype), a.T @ b)

    def preview(self, latents: Tensor, signal: float, shown: tuple[float, float]) -> NDArray[np.uint8]:
        """uint8 [h, w, 3], sides at most 512, read-only.

        signal: share of the picture in noisy latents. shown: shares of the height and width that are kept.
        """
        clean = latents.detach().cpu().double() / max(signal, _LEAST_SIGNAL)
        rows, columns = latents.shape[-2:]
        colours = (_with_constant(clean[0].flatten(1).T) @ self._map).T.reshape(1, 3, rows, columns)
        scale = min(8.0, _LONG_SIDE_PX / max(rows, columns))
        size = max(1, round(rows * scale)), max(1, round(columns * scale))
        large = F.interpolate(colours.float(), size, mode="bilinear")[0]
        kept = large[:, : max(1, round(shown[0] * size[0])), : max(1, round(shown[1] * size[1]))]
        return preview_of(torch.nan_to_num(kept) * 2 - 1)


def _with_constant(values: Tensor) -> Tensor:
    return torch.cat([values, torch.ones_like(values[:, :1])], dim=1)

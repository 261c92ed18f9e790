"""Features of references and content: kept ones first, the others read with several timesteps in one pass."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from adstudio.engine.attention import Need
from adstudio.engine.backbones.base import Backbone, Features
from adstudio.engine.reference_cache import FeatureCache

_MOST_LEVELS = 4
_LATENTS_IN_A_PASS = {"cpu": 8192, "cuda": 16384}


def levels_at_once(backbone: Backbone, pictures: Sequence[Tensor]) -> int:
    """How many timesteps of clean pictures are read in one pass, ≥ 1.

    A larger batch reads the weights fewer times: on a CPU a pass at 32 × 32 latents takes 0.78 of the time per picture
    with four, at 64 × 64 latents 0.94 with two. Depends on nothing but the device and the sizes, so that the batches,
    and with them the last digits, are the same in every run.
    """
    area = max(picture.shape[-2] * picture.shape[-1] for picture in pictures)
    return min(_MOST_LEVELS, max(1, _LATENTS_IN_A_PASS.get(backbone.device.type, 0) // area))


class FeatureSource:
    """Reads features of chosen layers with one model.

    cache: where features are kept for runs to come; None computes them each time.
    """

    def __init__(self, backbone: Backbone, layers: tuple[int, ...], cache: FeatureCache | None) -> None:
        self._backbone, self._layers, self._cache = backbone, layers, cache

    def read(
        self, timesteps: Sequence[float], pictures: Sequence[Tensor], need: Need, beside: tuple[int, int] | None
    ) -> list[list[Features]]:
        """Features of each picture [1, channels, height, width] at each timestep; no graph.

        A pass holds all timesteps, on a CPU of one picture, so that its last digits do not depend on what else is read
        or was kept, on other devices of all pictures of one size.
        """
        kept = [
            [self._kept(timestep, timesteps, picture, need, beside) for timestep in timesteps] for picture in pictures
        ]
        found = [[each for each in row if each is not None] for row in kept]
        missing = [index for index, row in enumerate(found) if len(row) < len(timesteps)]
        for group in self._groups(pictures, missing):
            began = time.monotonic()
            rows = self._pass(timesteps, [pictures[i] for i in group], need, beside)
            cost_s = (time.monotonic() - began) / (len(group) * len(timesteps))
            for index, row in zip(group, rows, strict=True):
                found[index] = row
                if self._cache is not None:
                    for timestep, features in zip(timesteps, row, strict=True):
                        self._cache.put(self._key(timestep, timesteps, pictures[index], need, beside), features, cost_s)
        return found

    def _pass(
        self, timesteps: Sequence[float], pictures: Sequence[Tensor], need: Need, beside: tuple[int, int] | None
    ) -> list[list[Features]]:
        together = torch.cat([picture for picture in pictures for _ in timesteps])
        when = list(timesteps) * len(pictures)
        with torch.no_grad(), self._backbone.reading(self._layers) as read:
            features = read(together, when if len(when) > 1 else when[0], need, beside)
        count = len(timesteps)
        alone = [features] if len(when) == 1 else [_one_of(features, position) for position in range(len(when))]
        return [alone[start : start + count] for start in range(0, len(alone), count)]

    def _groups(self, pictures: Sequence[Tensor], missing: Sequence[int]) -> list[list[int]]:
        if self._backbone.device.type == "cpu":
            return [[index] for index in missing]
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for index in missing:
            by_shape.setdefault(tuple(pictures[index].shape), []).append(index)
        return list(by_shape.values())

    def _kept(
        self,
        timestep: float,
        company: Sequence[float],
        picture: Tensor,
        need: Need,
        beside: tuple[int, int] | None,
    ) -> Features | None:
        if self._cache is None:
            return None
        return self._cache.get(self._key(timestep, company, picture, need, beside), self._backbone.device)

    def _key(
        self,
        timestep: float,
        company: Sequence[float],
        picture: Tensor,
        need: Need,
        beside: tuple[int, int] | None,
    ) -> str:
        """company: the timesteps of the pass, on which the last digits depend."""
        told = beside if self._backbone.target_matters else None
        digest = hashlib.sha256(picture.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()).hexdigest()
        signature = timestep, tuple(company), need.value, told, self._layers, tuple(picture.shape), str(picture.dtype)
        return f"{self._backbone.variant} {signature} {digest}"


def _one_of(features: Features, position: int) -> Features:
    return features.mapped(lambda batched: batched[position : position + 1].clone())

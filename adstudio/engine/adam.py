"""Adam on latents, as a pure function of a small state that can be stored."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Adam's memory.

    mean, square: running means of the gradient and its square, shaped as the latents. count: updates made.
    """

    mean: Tensor
    square: Tensor
    count: int = 0


def no_moments(latents: Tensor) -> Moments:
    """The memory before the first update."""
    return Moments(mean=torch.zeros_like(latents), square=torch.zeros_like(latents))


@torch.no_grad()
def adam_update(latents: Tensor, gradient: Tensor, moments: Moments, learning_rate: float) -> tuple[Tensor, Moments]:
    """Latents and memory after one update; both arguments stay as they were.

    Source: Kingma and Ba (arXiv 1412.6980), β 0.9 and 0.999, ε 1e-8, no decay.
    """
    count = moments.count + 1
    mean = torch.lerp(moments.mean, gradient, 1 - _BETA1)
    square = (moments.square * _BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
    spread = (square.sqrt() / math.sqrt(1 - _BETA2**count)).add_(_EPSILON)
    updated = torch.addcdiv(latents, mean, spread, value=-learning_rate / (1 - _BETA1**count))
    return updated, Moments(mean=mean, square=square, count=count)

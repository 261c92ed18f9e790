"""Numbers and pictures that tests of the patch model's parts begin with."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from adstudio.engine.patch.tones import form_edges

RNG_SEED = 20


def draws(*shape: int, seed: int = RNG_SEED) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def disc_scene(side_px: int = 96) -> torch.Tensor:
    """Luminance [1, side, side] of a bright disc and a dark bar before a slope of grey, with a little grain."""
    y, x = np.mgrid[:side_px, :side_px] / side_px
    light = 0.8 * x - 0.5
    light[np.hypot(y - 0.4, x - 0.4) < 0.25] = 0.7
    light[(y > 0.75) & (y < 0.85)] = -0.8
    return torch.from_numpy((light + 0.02 * draws(side_px, side_px)).astype(np.float32))[None]


def line_drawing(side_px: int = 96) -> torch.Tensor:
    """Luminance [1, side, side] of white paper with some thin dark lines."""
    light = np.full((side_px, side_px), 0.9, np.float32)
    light[::16, :] = light[:, 5::19] = -0.9
    return torch.from_numpy(light)[None]


def parts_of(light: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What tones are planned from where no area is given up: the tones themselves, and edges."""
    return light, form_edges(light)


def as_picture(light: torch.Tensor) -> torch.Tensor:
    return light.expand(3, -1, -1).contiguous()

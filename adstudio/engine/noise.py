"""Where every random number of a run comes from: one seeded generator, drawn from in a documented order.

`optimize` draws START when it begins from noise, VARIATION when the starting latents are varied, nothing else.
`sample` draws START, then REFERENCE_START when it begins from a noised reference, and after each step STEP (schedulers
that add noise themselves), ADAIN, REFERENCE (one per group of references of equal size) and CONTENT, each only where it
is used and only while the level is noisy. MultiDiffusion does the same for every batch of windows, in reading order.
ENCODING is drawn only where the reference code's sampled FLUX latents are reproduced.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import torch
from torch import Tensor


class Draw(StrEnum):
    """What a draw is for."""

    START = "start"
    VARIATION = "variation"
    REFERENCE_START = "reference_start"
    ENCODING = "encoding"
    STEP = "step"
    ADAIN = "adain"
    REFERENCE = "reference"
    CONTENT = "content"


class Noise(Protocol):
    """A source of standard normal numbers."""

    @property
    def generator(self) -> torch.Generator | None:
        """For library code that draws by itself; None where only recorded numbers exist."""
        ...

    def normal(self, shape: Sequence[int], draw: Draw) -> Tensor:
        """Standard normal numbers of a shape, float32 on the CPU."""
        ...

    def state(self) -> Tensor:
        """Where the source stands, as bytes; `restore` goes back there."""
        ...

    def restore(self, state: Tensor) -> None:
        """Go on from a state taken before."""
        ...


class SeededNoise:
    """One generator on the CPU, so that a seed means the same numbers on every device.

    seed: 0 … 2^63 - 1.
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator("cpu").manual_seed(seed)

    @property
    def generator(self) -> torch.Generator:
        return self._generator

    def normal(self, shape: Sequence[int], draw: Draw) -> Tensor:  # noqa: ARG002 - the order decides, not the purpose
        return torch.randn(tuple(shape), generator=self._generator)

    def state(self) -> Tensor:
        return self._generator.get_state()

    def restore(self, state: Tensor) -> None:
        self._generator.set_state(state)

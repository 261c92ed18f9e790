"""What is tried when memory runs out, one step after the other, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Phase(Enum):
    """What was being computed."""

    PICTURES = "turning pictures into latents"
    STEP = "a step"
    DECODE = "turning latents into the picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How memory is saved.

    freed: features kept of earlier runs were let go of, and none are kept. chunked: attention over a few queries at a
    time. tiled: the VAE sees the picture in tiles. vae_on_cpu: the VAE computes on the CPU.
    """

    freed: bool = False
    chunked: bool = False
    tiled: bool = False
    vae_on_cpu: bool = False


_SAID = {
    "freed": "Memory ran out: what was kept of earlier runs was let go of.",
    "chunked": "Memory ran out: attention is now computed in parts, which takes longer.",
    "tiled": "Memory ran out: pictures are now encoded and decoded in tiles.",
    "vae_on_cpu": "Memory ran out: pictures are now encoded and decoded on the CPU, which takes longer.",
}


def next_means(means: Means, phase: Phase, *, on_cpu: bool, may_tile: bool) -> tuple[Means, str] | None:
    """What to try next and the sentence that says so; None when everything was tried.

    may_tile: tiles would not break a picture that wraps around.
    """
    rungs = ["freed", "chunked"] if phase is Phase.STEP else ["freed"]
    if phase is not Phase.STEP and may_tile:
        rungs.append("tiled")
    if not on_cpu:
        rungs.append("vae_on_cpu")
    for rung in rungs:
        if not getattr(means, rung):
            return replace(means, **{rung: True}), _SAID[rung]
    return None

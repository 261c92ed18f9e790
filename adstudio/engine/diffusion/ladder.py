"""What is tried when memory runs out, one step after the other, and what is said of each."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from adstudio.models.forecast import Means


class Phase(Enum):
    """What was being computed."""

    PICTURES = "turning pictures into latents"
    STEP = "a step"
    DECODE = "turning latents into the picture"


_WHAT_HELPS = {
    "freed": "what was kept of earlier runs was let go of",
    "checkpointing": "less is kept for the backward pass and more computed again, which takes a third longer",
    "tiled": "pictures are now encoded and decoded in tiles",
    "chunked": "attention is now computed in parts, which takes longer",
    "vae_on_cpu": "pictures are now encoded and decoded on the CPU, which takes longer",
}
_AHEAD = {
    "checkpointing": "less is kept for the backward pass and more computed again, which takes a third longer",
    "tiled": "pictures are encoded and decoded in tiles",
    "vae_on_cpu": "pictures are encoded and decoded on the CPU",
}


def next_means(means: Means, phase: Phase, *, on_cpu: bool) -> tuple[Means, str] | None:
    """What to try next and the sentence that says so; None when everything was tried."""
    rungs = ["freed"]
    if phase is Phase.STEP:
        rungs += ["checkpointing", "chunked"]
    else:
        rungs.append("tiled")
    if not on_cpu:
        rungs.append("vae_on_cpu")
    for rung in rungs:
        if not getattr(means, rung):
            return replace(means, **{rung: True}), f"Memory ran out: {_WHAT_HELPS[rung]}."
    return None


def said_ahead(means: Means) -> str:
    """What a run does from the start to need less memory, as a sentence's end; empty where nothing."""
    return "; ".join(words for rung, words in _AHEAD.items() if getattr(means, rung))

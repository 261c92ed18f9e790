"""Latent optimisation: one Adam moves the latents through all timesteps of a sampler's list.

Source: Attention Distillation (arXiv 2502.20235), style and appearance transfer and texture synthesis.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from adstudio.engine.adam import Moments, adam_update, no_moments
from adstudio.engine.distillation import Distiller, Evaluation, Objective, Stop, never
from adstudio.engine.feature_source import levels_at_once
from adstudio.engine.interruption import Interrupted
from adstudio.engine.noise import Draw, Noise
from adstudio.engine.schedules import Level, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizeSettings:
    """How the latents are optimised.

    iterations: updates at each timestep, ≥ 1. learning_rate: > 0. final_rate: share of the learning rate that the last
    update has, 0 … 1; the rate falls along a cosine, and stays with 1 as in the paper.
    """

    iterations: int = 1
    learning_rate: float = 0.05
    final_rate: float = 1.0

    def rate_at(self, update: int, updates: int) -> float:
        """The learning rate of an update, counted from 0, of so many."""
        if self.final_rate == 1 or updates < 2:
            return self.learning_rate
        share = (1 + math.cos(math.pi * update / (updates - 1))) / 2
        return self.learning_rate * (self.final_rate + (1 - self.final_rate) * share)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OptimizeState:
    """All that going on needs.

    updates: how many were made. evaluation: of the latents before the last update, for showing; None at the start.
    """

    latents: Tensor
    moments: Moments
    evaluation: Evaluation | None = None

    @property
    def updates(self) -> int:
        return self.moments.count


def start_state(latents: Tensor) -> OptimizeState:
    """The state before the first update. latents: [batch, channels, height, width]."""
    return OptimizeState(latents=latents, moments=no_moments(latents))


def varied(latents: Tensor, noise: Noise, variation: float) -> Tensor:
    """Latents with seeded noise added. variation: its standard deviation, 0 for none (and no draw)."""
    if variation == 0:
        return latents
    return latents + variation * noise.normal(latents.shape, Draw.VARIATION).to(latents)


def optimize(
    distiller: Distiller,
    schedule: Schedule,
    references: Sequence[Tensor],
    content: Tensor | None,
    settings: OptimizeSettings,
    state: OptimizeState,
    stop: Stop = never,
) -> Iterator[OptimizeState]:
    """Yield the state after every update, until all timesteps are done or `stop` says so.

    references: clean latents, [1, channels, any height, any width] each. content: clean latents [1, channels, height,
    width], or None. state: where to begin or go on; the same numbers follow as without the break.
    """
    levels = [clean_level(level) for level in schedule.levels[:-1]]
    pictures = list(references) if content is None else [*references, content]
    quirks = distiller.settings.quirks
    together = 1 if quirks.content_gradient_from_rounding else levels_at_once(distiller.backbone, pictures)
    prepared: list[Objective] = []
    first = -1
    try:
        while state.updates < len(levels) * settings.iterations and not stop():
            step = state.updates // settings.iterations
            start = step - step % together  # counted from the run's beginning, so that a run gone on with has the same
            if start != first:
                size = state.latents.shape[-2], state.latents.shape[-1]
                prepared = []
                prepared = distiller.objectives(levels[start : start + together], references, content, size)
                first = start
            evaluation = distiller.evaluate(
                prepared[step - start],
                state.latents,
                is_content=state.updates == 0 and is_content(distiller, state.latents, content),
            )
            rate = settings.rate_at(state.updates, len(levels) * settings.iterations)
            latents, moments = adam_update(state.latents, evaluation.gradient, state.moments, rate)
            state = OptimizeState(latents=latents, moments=moments, evaluation=evaluation)
            yield state
    except Interrupted:
        return


def clean_level(level: Level) -> Level:
    """Optimisation shows the network clean latents at every timestep."""
    return Level(timestep=level.timestep, signal=1.0, noise=0.0)


def is_content(distiller: Distiller, latents: Tensor, content: Tensor | None) -> bool:
    """Whether latents are exactly the content's (asked once a run, as it waits for the device)."""
    if content is None or distiller.settings.quirks.content_gradient_from_rounding:
        return False
    return bool((latents == content).all())

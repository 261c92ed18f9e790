"""Latent optimisation: one Adam moves the latents through all timesteps of a sampler's list.

Source: Attention Distillation (arXiv 2502.20235), style and appearance transfer and texture synthesis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from adstudio.engine.adam import Moments, adam_update, no_moments
from adstudio.engine.distillation import Distiller, Evaluation, Objective, Stop, never
from adstudio.engine.interruption import Interrupted
from adstudio.engine.noise import Draw, Noise
from adstudio.engine.schedules import Level, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizeSettings:
    """How the latents are optimised. iterations: updates at each timestep, ≥ 1. learning_rate: > 0."""

    iterations: int = 1
    learning_rate: float = 0.05


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
    levels = schedule.levels[:-1]
    objective: Objective | None = None
    try:
        while state.updates < len(levels) * settings.iterations and not stop():
            step, iteration = divmod(state.updates, settings.iterations)
            if objective is None or iteration == 0:
                size = state.latents.shape[-2], state.latents.shape[-1]
                objective = distiller.objective(_clean(levels[step]), references, content, size)
            evaluation = distiller.evaluate(
                objective, state.latents, is_content=state.updates == 0 and _same(distiller, state.latents, content)
            )
            latents, moments = adam_update(state.latents, evaluation.gradient, state.moments, settings.learning_rate)
            state = OptimizeState(latents=latents, moments=moments, evaluation=evaluation)
            yield state
    except Interrupted:
        return


def _clean(level: Level) -> Level:
    """Optimisation shows the network clean latents at every timestep."""
    return Level(timestep=level.timestep, signal=1.0, noise=0.0)


def _same(distiller: Distiller, latents: Tensor, content: Tensor | None) -> bool:
    """Whether latents are exactly the content's (asked once a run, as it waits for the device)."""
    if content is None or distiller.settings.quirks.content_gradient_from_rounding:
        return False
    return bool((latents == content).all())

"""Latent optimisation of pictures larger than the model's: the network sees one window after the other.

Source: own choice. Every update of the whole is made of the gradients of all windows, weighed where they overlap; one
Adam moves the whole, so windows cannot drift apart. With a single window it is `optimize`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adstudio.engine.adam import Moments, adam_update, no_moments
from adstudio.engine.backbones.base import Features
from adstudio.engine.distillation import Distiller, Evaluation, Stop, never
from adstudio.engine.feature_source import levels_at_once
from adstudio.engine.interruption import Interrupted
from adstudio.engine.optimize import OptimizeSettings, clean_level, is_content
from adstudio.engine.regions import Regions
from adstudio.engine.schedules import Schedule
from adstudio.engine.windows import Window, shares


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TiledState:
    """All that going on needs.

    latents: of the whole, after `updates` updates. window: how many windows the next update has seen. total: their
    gradients, weighed. evaluation: of the last window, for showing.
    """

    latents: Tensor
    moments: Moments
    window: int = 0
    total: Tensor
    evaluation: Evaluation | None = None

    @property
    def updates(self) -> int:
        return self.moments.count


class Tiles:
    """The windows of a canvas of latents, all of one size, and what each counts where they overlap.

    regions: labels in pixels of the canvas.
    """

    def __init__(
        self, parts: Sequence[Window], height: int, width: int, ramp: int, regions: Regions | None = None
    ) -> None:
        self.parts = tuple(parts)
        self._shares = shares(self.parts, height, width, ramp)
        self._regions = regions

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a window."""
        return self.parts[0].height, self.parts[0].width

    def regions(self, number: int, latent_px: int) -> Regions | None:
        """The labels of a numbered window."""
        if self._regions is None:
            return None
        part = self.parts[number]
        return self._regions.window(*(latent_px * side for side in (part.top, part.left, part.height, part.width)))

    def added(self, total: Tensor, number: int, gradient: Tensor) -> Tensor:
        """A sum with the gradient of a numbered window added, as far as it counts there."""
        total = total.clone()
        self.parts[number].add(total, gradient * self._shares[number].to(gradient))
        return total


def tiled_start(latents: Tensor) -> TiledState:
    """The state before the first window. latents: [1, channels, height, width]."""
    return TiledState(latents=latents, moments=no_moments(latents), total=torch.zeros_like(latents))


def tiled_optimize(
    distiller: Distiller,
    schedule: Schedule,
    references: Sequence[Tensor],
    content: Tensor | None,
    settings: OptimizeSettings,
    tiles: Tiles,
    state: TiledState,
    stop: Stop = never,
) -> Iterator[TiledState]:
    """Yield the state after every window, until all timesteps are done or `stop` says so; see `optimize`.

    Memory grows with the window, and with the whole only as its latents do.
    """
    levels = [clean_level(level) for level in schedule.levels[:-1]]
    together = levels_at_once(distiller.backbone, references)
    offered: list[list[Features]] = []
    first = -1
    try:
        while state.updates < len(levels) * settings.iterations and not stop():
            step = state.updates // settings.iterations
            start = step - step % together
            if start != first:
                offered = []
                offered = distiller.offered(levels[start : start + together], references, tiles.size)
                first = start
            part = tiles.parts[state.window]
            crop, seen = part.of(state.latents), None if content is None else part.of(content)
            regions = tiles.regions(state.window, distiller.backbone.latent_px)
            objective = distiller.window_objective(levels[step], offered[step - start], seen, tiles.size, regions)
            first_update = state.updates == 0 and is_content(distiller, crop, seen)
            evaluation = distiller.evaluate(objective, crop, is_content=first_update)
            total = tiles.added(state.total, state.window, evaluation.gradient)
            latents, moments, window = state.latents, state.moments, state.window + 1
            if window == len(tiles.parts):
                rate = settings.rate_at(state.updates, len(levels) * settings.iterations)
                latents, moments = adam_update(latents, total, moments, rate)
                total, window = torch.zeros_like(total), 0
            state = TiledState(latents=latents, moments=moments, window=window, total=total, evaluation=evaluation)
            yield state
    except Interrupted:
        return

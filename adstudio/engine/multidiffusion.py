"""Guided sampling of canvases larger than the model's pictures: overlapping windows, averaged after each step.

Source: MultiDiffusion (arXiv 2302.08113) as used by Attention Distillation for expanding textures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adstudio.engine.distillation import Evaluation, Stop, never
from adstudio.engine.interruption import Interrupted
from adstudio.engine.quirks import NO_QUIRKS, ReferenceQuirks
from adstudio.engine.regions import Regions
from adstudio.engine.sample import Sampler, resume
from adstudio.engine.schedules import Level, Schedule, StateValue


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a canvas, in latents."""

    top: int
    left: int
    height: int
    width: int

    def of(self, canvas: Tensor) -> Tensor:
        """The window's part of a canvas [batch, channels, height, width]."""
        return canvas[:, :, self.top : self.top + self.height, self.left : self.left + self.width]


def windows(
    height: int, width: int, window: int = 64, stride: int = 8, quirks: ReferenceQuirks = NO_QUIRKS
) -> tuple[Window, ...]:
    """Windows that cover every row and column of a canvas, row by row; the last of each row ends at the edge.

    All in latents. Along a side shorter than the window, the window is as long as the side.
    """
    rows, columns = _starts(height, window, stride, quirks), _starts(width, window, stride, quirks)
    return tuple(Window(top, left, tall, wide) for top, tall in rows for left, wide in columns)


def _starts(side: int, window: int, stride: int, quirks: ReferenceQuirks) -> list[tuple[int, int]]:
    if side < window:
        if not quirks.negative_windows:
            return [(0, side)]
        start = max(0, 2 * side - window)  # a slice that starts below zero counts from the end
        return [(start, side - start)]
    count = -(-(side - window) // stride) + 1
    return [(min(index * stride, side - window), window) for index in range(count)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CanvasState:
    """All that going on needs.

    latents: the canvas after `step` steps. schedulers: what the scheduler of each window remembers, in their order.
    """

    latents: Tensor
    step: int = 0
    noise: Tensor | None = None
    schedulers: tuple[Mapping[str, StateValue], ...] = ()
    evaluation: Evaluation | None = None


class WindowedSampler:
    """Steps of a canvas.

    schedule: copied for every window, as schedulers remember what they did. batch: windows that go through the network
    together; with regions each goes alone. regions: labels in pixels of the canvas.
    The sampler's content is that of the whole canvas.
    """

    def __init__(
        self,
        sampler: Sampler,
        schedule: Schedule,
        parts: Sequence[Window],
        *,
        batch: int = 1,
        regions: Regions | None = None,
    ) -> None:
        self.sampler, self.levels = sampler, schedule.levels
        self._parts = tuple(parts)
        self._schedules = [schedule.copy() for _ in self._parts]
        self._regions = regions
        self._batch = 1 if regions is not None else batch

    def begin(self, state: CanvasState) -> None:
        """Set noise and schedulers to where a state stands."""
        resume(self.sampler.noise, state.noise)
        for index, schedule in enumerate(self._schedules):
            schedule.begin(state.step)
            if state.schedulers:
                schedule.restore(state.schedulers[index])

    def batches(self) -> Iterator[tuple[int, ...]]:
        """Numbers of the windows that go together, all of one size."""
        start = 0
        while start < len(self._parts):
            yield tuple(range(start, min(start + self._batch, len(self._parts))))
            start += self._batch

    def crop(self, canvas: Tensor, numbers: Sequence[int]) -> Tensor:
        """Numbered windows of a canvas [1, …], as a batch."""
        return torch.cat([self._parts[number].of(canvas) for number in numbers])

    def denoised(self, numbers: Sequence[int], latents: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """The network's answer for a batch of windows, and the windows one step on."""
        prediction = self.sampler.predict(latents, self.levels[step])
        moved = [
            self._schedules[number].step(
                step, prediction[place : place + 1], latents[place : place + 1], self.sampler.noise
            )
            for place, number in enumerate(numbers)
        ]
        return prediction, torch.cat(moved)

    def refined(
        self, numbers: Sequence[int], latents: Tensor, level: Level, content_noise: Tensor | None
    ) -> Iterator[tuple[Tensor, Evaluation]]:
        """Updates of a batch of windows at a level."""
        whole = self.sampler.content
        content = None if whole is None else self.crop(whole, numbers)
        noise = None if content_noise is None else self.crop(content_noise, numbers)
        regions = None if self._regions is None else self._window_regions(self._regions, self._parts[numbers[0]])
        yield from self.sampler.updates(self.sampler.pull(latents, level, noise, content, regions))

    def states(self) -> tuple[Mapping[str, StateValue], ...]:
        """What the windows' schedulers remember."""
        return tuple(schedule.state() for schedule in self._schedules)

    def averaged(self, canvas: Tensor, pieces: Sequence[tuple[int, Tensor]]) -> Tensor:
        """The mean of numbered windows where they overlap; 0 where there is none."""
        total, count = torch.zeros_like(canvas), torch.zeros_like(canvas[:, :1])
        for number, piece in pieces:
            self._parts[number].of(total).add_(piece)
            self._parts[number].of(count).add_(1)
        return total / count.clamp(min=1)

    def _window_regions(self, regions: Regions, part: Window) -> Regions:
        side = self.sampler.backbone.latent_px
        return regions.window(part.top * side, part.left * side, part.height * side, part.width * side)


def multidiffusion(sampler: WindowedSampler, state: CanvasState, stop: Stop = never) -> Iterator[CanvasState]:
    """Yield the canvas after every step, until all are done or `stop` says so.

    state: where to begin or go on, latents [1, channels, height, width]; the same numbers follow as without the break.
    """
    sampler.begin(state)
    try:
        while state.step < len(sampler.levels) - 1 and not stop():
            level, following = sampler.levels[state.step], sampler.levels[state.step + 1]
            guided = sampler.sampler.settings.guides(level)
            content_noise = sampler.sampler.content_noise(following) if guided else None
            pieces: list[tuple[int, Tensor]] = []
            evaluation = None
            for numbers in sampler.batches():
                _, latents = sampler.denoised(numbers, sampler.crop(state.latents, numbers), state.step)
                if guided:
                    for refined, seen in sampler.refined(numbers, latents, following, content_noise):
                        if stop():
                            return
                        latents, evaluation = refined, seen
                pieces += zip(numbers, torch.split(latents, 1), strict=True)
            state = CanvasState(
                latents=sampler.averaged(state.latents, pieces),
                step=state.step + 1,
                noise=sampler.sampler.noise.state(),
                schedulers=sampler.states(),
                evaluation=evaluation,
            )
            yield state
    except Interrupted:
        return

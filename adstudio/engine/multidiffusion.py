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
from adstudio.engine.regions import Regions
from adstudio.engine.sample import Sampler, resume
from adstudio.engine.schedules import Level, Schedule, StateValue
from adstudio.engine.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CanvasState:
    """All that going on needs.

    latents: the canvas after `step` steps. window: how many windows have made the next step. total: their sum where
    they lie. content_noise: drawn for the next step. schedulers: what the scheduler of each window remembers, in order.
    """

    latents: Tensor
    step: int = 0
    window: int = 0
    total: Tensor | None = None
    content_noise: Tensor | None = None
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
        self._schedule = schedule
        self.parts = tuple(parts)
        self._schedules = [schedule.copy() for _ in self.parts]
        self._regions = regions
        self._batch = 1 if regions is not None else batch

    def begin(self, state: CanvasState) -> None:
        """Set noise and schedulers to where a state stands."""
        resume(self.sampler.noise, state.noise)
        for index, schedule in enumerate(self._schedules):
            schedule.begin(state.step)
            if state.schedulers and state.schedulers[index]:
                schedule.restore(state.schedulers[index])

    def guides(self, step: int) -> bool:
        """Whether a step is guided."""
        return self.sampler.settings.guides(self.levels[step]) and self._schedule.completes(step)

    def batches(self, start: int = 0) -> Iterator[tuple[int, ...]]:
        """Numbers of the windows that go together, all of one size, from a number on."""
        while start < len(self.parts):
            yield tuple(range(start, min(start + self._batch, len(self.parts))))
            start += self._batch

    def crop(self, canvas: Tensor, numbers: Sequence[int]) -> Tensor:
        """Numbered windows of a canvas [1, …], as a batch."""
        return torch.cat([self.parts[number].of(canvas) for number in numbers])

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
        regions = None if self._regions is None else self._window_regions(self._regions, self.parts[numbers[0]])
        yield from self.sampler.updates(self.sampler.pull(latents, level, noise, content, regions))

    def states(self, numbers: Sequence[int]) -> tuple[Mapping[str, StateValue], ...]:
        """What the schedulers of numbered windows remember."""
        return tuple(self._schedules[number].state() for number in numbers)

    def added(self, total: Tensor, pieces: Sequence[tuple[int, Tensor]]) -> Tensor:
        """A sum of windows with numbered ones added where they lie."""
        total = total.clone()
        for number, piece in pieces:
            self.parts[number].add(total, piece)
        return total

    def mean(self, total: Tensor) -> Tensor:
        """The sum of all windows over how many there are at each place; 0 where there is none."""
        count = torch.zeros_like(total[:, :1])
        for part in self.parts:
            part.add(count, 1)
        return total / count.clamp(min=1)

    def _window_regions(self, regions: Regions, part: Window) -> Regions:
        side = self.sampler.backbone.latent_px
        return regions.window(part.top * side, part.left * side, part.height * side, part.width * side)


def multidiffusion(sampler: WindowedSampler, state: CanvasState, stop: Stop = never) -> Iterator[CanvasState]:
    """Yield the canvas after every batch of windows, until all steps are done or `stop` says so.

    state: where to begin or go on, latents [1, channels, height, width]; the same numbers follow as without the break.
    """
    sampler.begin(state)
    try:
        while state.step < len(sampler.levels) - 1:
            for following in _one_step(sampler, state, stop):
                yield following
                state = following
    except Interrupted:
        return


def _one_step(sampler: WindowedSampler, state: CanvasState, stop: Stop) -> Iterator[CanvasState]:
    """The states of one step. Raises Interrupted where `stop` says so."""
    following, guided = sampler.levels[state.step + 1], sampler.guides(state.step)
    total, content_noise = state.total, state.content_noise
    if state.window == 0:
        content_noise = sampler.sampler.content_noise(following) if guided else None
    if total is None:
        total = torch.zeros_like(state.latents)
    known = list(state.schedulers) or [{} for _ in sampler.parts]
    for numbers in sampler.batches(state.window):
        if stop():
            raise Interrupted
        evaluation = None
        _, latents = sampler.denoised(numbers, sampler.crop(state.latents, numbers), state.step)
        if guided:
            for refined, seen in sampler.refined(numbers, latents, following, content_noise):
                if stop():
                    raise Interrupted
                latents, evaluation = refined, seen
        total = sampler.added(total, list(zip(numbers, torch.split(latents, 1), strict=True)))
        known[numbers[0] : numbers[-1] + 1] = sampler.states(numbers)
        done = numbers[-1] + 1
        over = done == len(sampler.parts)
        yield CanvasState(
            latents=sampler.mean(total) if over else state.latents,
            step=state.step + over,
            window=0 if over else done,
            total=None if over else total,
            content_noise=None if over else content_noise,
            noise=sampler.sampler.noise.state(),
            schedulers=tuple(known),
            evaluation=evaluation,
        )

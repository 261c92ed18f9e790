"""Guided sampling: ordinary denoising, and after each step the latents are pulled towards the references.

Source: Attention Distillation (arXiv 2502.20235), text to image and texture synthesis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from adstudio.engine.adain import adain, joint_statistics
from adstudio.engine.adam import adam_update, no_moments
from adstudio.engine.backbones.base import Backbone, Guidance
from adstudio.engine.distillation import Distiller, Evaluation, Objective, Stop, never
from adstudio.engine.interruption import Interrupted
from adstudio.engine.noise import Draw, Noise
from adstudio.engine.regions import Regions
from adstudio.engine.schedules import Level, Schedule, StateValue


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSettings:
    """How each step is guided.

    iterations: updates after each step, 0 for none. learning_rate: > 0, a step size for each element, as each step has
    an Adam of its own. adain: take over the references' channel statistics before the updates.
    start_time: steps from a timestep of at least this one are not guided; None guides all.
    shared_noise: statistics and features see the same noised references (as the authors do for FLUX).
    """

    iterations: int = 2
    learning_rate: float = 0.015
    adain: bool = True
    start_time: float | None = None
    shared_noise: bool = False

    def guides(self, level: Level) -> bool:
        """Whether the step from this level is guided."""
        return self.iterations > 0 and (self.start_time is None or level.timestep < self.start_time)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleState:
    """All that going on needs.

    latents: after `step` steps, as the network sees them. noise: state of the noise source, None at the start.
    scheduler: what the scheduler remembers. evaluation: before the step's last update, for showing.
    """

    latents: Tensor
    step: int = 0
    noise: Tensor | None = None
    scheduler: Mapping[str, StateValue] = field(default_factory=dict)
    evaluation: Evaluation | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Pull:
    """Where one step's updates begin, and what they go for.

    statistics, references, content: latents as noisy as they were used; statistics is empty without AdaIN.
    """

    latents: Tensor
    objective: Objective
    statistics: list[Tensor]
    references: list[Tensor]
    content: Tensor | None


class Sampler:
    """The parts of a guided step.

    references: clean latents [1, channels, any height, any width] each. content: clean latents [1, channels, height,
    width], or None.
    """

    def __init__(
        self,
        distiller: Distiller,
        references: Sequence[Tensor],
        content: Tensor | None,
        guidance: Guidance,
        settings: SampleSettings,
        noise: Noise,
    ) -> None:
        self.distiller, self.guidance, self.settings, self.noise = distiller, guidance, settings, noise
        self._references, self.content = list(references), content

    @property
    def backbone(self) -> Backbone:
        return self.distiller.backbone

    def predict(self, latents: Tensor, level: Level) -> Tensor:
        """The network's answer to latents at a level, with guidance."""
        return self.backbone.predict(latents, level, self.guidance)

    def pull(
        self,
        latents: Tensor,
        level: Level,
        content_noise: Tensor | None = None,
        content: Tensor | None = None,
        regions: Regions | None = None,
    ) -> Pull:
        """Prepare the updates at a level.

        latents: [batch, channels, height, width]. content, content_noise: of a window; by default the whole content
        with noise drawn now.
        """
        content = self.content if content is None else content
        statistics: list[Tensor] = []
        references: list[Tensor] = []
        if self.settings.shared_noise:
            references = self._noised(self._references, level, Draw.REFERENCE)
        if self.settings.adain:
            shared = self.settings.shared_noise
            statistics = references if shared else self._noised(self._references, level, Draw.ADAIN)
            latents = adain(latents, joint_statistics(statistics))
        references = references or self._noised(self._references, level, Draw.REFERENCE)
        seen = None
        if content is not None:
            if content_noise is None:
                seen = self._noised([content], level, Draw.CONTENT)[0]
            else:
                seen = level.add_noise(content, content_noise)
        size = latents.shape[-2], latents.shape[-1]
        objective = self.distiller.objective(level, references, seen, size, regions)
        return Pull(latents, objective, statistics, references, seen)

    def updates(self, pull: Pull) -> Iterator[tuple[Tensor, Evaluation]]:
        """Latents after each update of a fresh Adam, with the evaluation before it."""
        latents, moments = pull.latents, no_moments(pull.latents)
        for _ in range(self.settings.iterations):
            evaluation = self.distiller.evaluate(pull.objective, latents)
            latents, moments = adam_update(latents, evaluation.gradient, moments, self.settings.learning_rate)
            yield latents, evaluation

    def content_noise(self, level: Level) -> Tensor | None:
        """Noise for the whole content, from which windows take their part; None where none is needed."""
        if self.content is None or level.noise == 0:
            return None
        return self.backbone.noise_like(self.noise, self.content, Draw.CONTENT)

    def _noised(self, clean: Sequence[Tensor], level: Level, draw: Draw) -> list[Tensor]:
        """Latents at a level. Neighbours of one size share a draw, as if they were one batch."""
        if level.noise == 0:
            return list(clean)
        result: list[Tensor] = []
        start = 0
        while start < len(clean):
            end = start + 1
            while end < len(clean) and clean[end].shape == clean[start].shape:
                end += 1
            together = torch.cat(list(clean[start:end]))
            noised = level.add_noise(together, self.backbone.noise_like(self.noise, together, draw))
            result += torch.split(noised, clean[start].shape[0])
            start = end
        return result


def sample(sampler: Sampler, schedule: Schedule, state: SampleState, stop: Stop = never) -> Iterator[SampleState]:
    """Yield the state after every step, until all are done or `stop` says so.

    state: where to begin or go on; the same numbers follow as without the break.
    """
    levels = schedule.levels
    resume(sampler.noise, state.noise)
    schedule.begin(state.step)
    if state.scheduler:
        schedule.restore(state.scheduler)
    try:
        while state.step < len(levels) - 1 and not stop():
            level, following = levels[state.step], levels[state.step + 1]
            prediction = sampler.predict(state.latents, level)
            latents = schedule.step(state.step, prediction, state.latents, sampler.noise)
            evaluation = None
            if sampler.settings.guides(level) and schedule.completes(state.step):
                for updated, seen in sampler.updates(sampler.pull(latents, following)):
                    if stop():
                        return
                    latents, evaluation = updated, seen
            state = SampleState(
                latents=latents,
                step=state.step + 1,
                noise=sampler.noise.state(),
                scheduler=schedule.state(),
                evaluation=evaluation,
            )
            yield state
    except Interrupted:
        return


def resume(noise: Noise, state: Tensor | None) -> None:
    """Set a noise source to where a stored run stood."""
    if state is not None and state.numel():
        noise.restore(state)


def noised_start(backbone: Backbone, latents: Tensor, schedule: Schedule, step: int, noise: Noise) -> SampleState:
    """Begin from a picture instead of noise: its latents [batch, …] at the level of a later step; see `first_step`."""
    level = schedule.levels[step]
    drawn = backbone.noise_like(noise, latents, Draw.START)
    return SampleState(latents=level.add_noise(latents, drawn), step=step)


def reference_start(backbone: Backbone, reference: Tensor, level: Level, batch: int, noise: Noise) -> SampleState:
    """Begin from a reference [1, channels, height, width] at a level, so that its colours are there from the start."""
    repeated = reference.expand(batch, *reference.shape[1:])
    return SampleState(latents=level.add_noise(repeated, backbone.noise_like(noise, repeated, Draw.REFERENCE_START)))

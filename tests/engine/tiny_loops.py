"""The methods' loops on tiny models, a few steps each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

from adstudio.engine.backbones.base import Backbone, Guidance
from adstudio.engine.distillation import Distillation, Distiller
from adstudio.engine.multidiffusion import CanvasState, WindowedSampler, multidiffusion
from adstudio.engine.noise import SeededNoise
from adstudio.engine.optimize import OptimizeSettings, OptimizeState, optimize, start_state
from adstudio.engine.sample import Sampler, SampleSettings, SampleState, sample
from adstudio.engine.windows import windows
from adstudio.models.families import Family
from tests.engine.tiny_parts import picture

FAMILIES = [Family.SD15, Family.SDXL, Family.FLUX]
STEPS = 4


def distiller(model: Backbone, **keywords: Any) -> Distiller:
    cache = keywords.pop("cache", None)
    return Distiller(model, Distillation(layers=model.default_layers, **keywords), cache)


def optimizing(model: Backbone, state: OptimizeState | None = None, **keywords: Any) -> Iterator[OptimizeState]:
    content = model.encode(picture(32, 48, 1))
    references = [model.encode(picture(32, 32)), model.encode(picture(48, 32, 2))]
    stop = keywords.pop("stop", lambda: False)
    return optimize(
        distiller(model, content_weight=0.25, **keywords),
        model.schedule(STEPS, None, 32, 48),
        references,
        content,
        OptimizeSettings(iterations=2),
        start_state(content) if state is None else state,
        stop,
    )


def sampler(
    model: Backbone, *, content: Tensor | None = None, seed: int = 0, scale: float = 2.0, **keywords: Any
) -> Sampler:
    weight = 0.0 if content is None else 0.25
    return Sampler(
        distiller(model, content_weight=weight, **keywords),
        [model.encode(picture(32, 32))],
        content,
        Guidance(positive=model.empty_prompt, scale=scale),
        SampleSettings(iterations=2),
        SeededNoise(seed),
    )


def sampling(
    model: Backbone, state: SampleState | None = None, *, seed: int = 0, scheduler: str | None = None, **keywords: Any
) -> Iterator[SampleState]:
    parts = sampler(model, content=model.encode(picture(32, 48, 1)), seed=seed)
    if state is None:
        state = SampleState(latents=model.start_noise(parts.noise, 1, 32, 48))
    return sample(parts, model.schedule(STEPS, scheduler, 32, 48), state, **keywords)


def canvas(
    model: Backbone, state: CanvasState | None = None, *, scheduler: str | None = None, batch: int = 2
) -> Iterator[CanvasState]:
    content = model.encode(picture(64, 96, 1))
    parts = sampler(model, content=content)
    schedule = model.schedule(STEPS, scheduler, 64, 96)
    height, width = content.shape[-2:]
    windowed = WindowedSampler(parts, schedule, windows(height, width, 8 * 4 // (model.latent_px // 2), 2), batch=batch)
    if state is None:
        state = CanvasState(latents=model.start_noise(parts.noise, 1, 64, 96))
    return multidiffusion(windowed, state)


LOOPS: dict[str, Callable[..., Iterator[Any]]] = {"optimize": optimizing, "sample": sampling, "canvas": canvas}


def last(states: Iterator[Any]) -> Any:
    *_, state = states
    return state

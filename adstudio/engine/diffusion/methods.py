"""The three methods behind one face: where they begin, their steps, and what of their state is stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from adstudio.engine.adam import Moments
from adstudio.engine.backbones.base import Backbone, Guidance
from adstudio.engine.diffusion.states import Stored
from adstudio.engine.distillation import Distillation, Distiller, Stop
from adstudio.engine.losses import AttentionFunction, sdpa
from adstudio.engine.multidiffusion import CanvasState, Window, WindowedSampler, multidiffusion, windows
from adstudio.engine.noise import SeededNoise
from adstudio.engine.optimize import OptimizeSettings, OptimizeState, optimize, start_state, varied
from adstudio.engine.reference_cache import FeatureCache
from adstudio.engine.regions import Regions
from adstudio.engine.sample import Sampler, SampleSettings, SampleState, noised_start, sample
from adstudio.engine.schedules import Schedule, first_step
from adstudio.errors import EngineError
from adstudio.jobs.choices import Method
from adstudio.jobs.layers import layer_numbers
from adstudio.jobs.spec import Job
from adstudio.models.families import Family

_MOST_WINDOWS = 256

State = OptimizeState | SampleState | CanvasState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """What a picture is made from.

    references, content: clean latents. has_content: whether there will be such. size_px: height and width of the
    computed picture. window_px: side of a window where it is made window by window. cache: for features of clean
    latents. attend: for the ideal output.
    """

    job: Job
    backbone: Backbone
    references: tuple[Tensor, ...]
    content: Tensor | None
    has_content: bool
    weights: tuple[float, ...]
    regions: Regions | None
    guidance: Guidance
    size_px: tuple[int, int]
    window_px: int
    cache: FeatureCache | None = None
    attend: AttentionFunction = sdpa

    def schedule(self) -> Schedule:
        """The job's noise levels."""
        height, width = self.size_px
        return self.backbone.schedule(self.job.num_inference_steps or 1, self.job.scheduler, height, width)

    def distiller(self) -> Distiller:
        """The job's losses."""
        job = self.job
        settings = Distillation(
            layers=layer_numbers(job.layers or "0"),
            content_weight=(job.content_weight or 0.0) if self.has_content else 0.0,
            attention_scale=job.attention_scale,
            weights=self.weights,
            regions=self.regions,
        )
        return Distiller(self.backbone, settings, self.cache, self.attend)


class Passes(ABC):
    """All steps of one picture. method: its name. total: number of steps."""

    method: Method
    total: int

    @abstractmethod
    def begin(self) -> State:
        """The state before the first step."""

    @abstractmethod
    def run(self, state: State, stop: Stop) -> Iterator[State]:
        """States after each step from a state on, until all are done or `stop` says so."""

    @abstractmethod
    def done(self, state: State) -> int:
        """How many steps are done."""

    @abstractmethod
    def stored(self, state: State) -> Stored:
        """What is kept of a state, to go on from."""

    @abstractmethod
    def restored(self, stored: Stored) -> State:
        """The state that was stored. Raises KeyError, TypeError or ValueError where it is of another kind."""

    def signal(self, _state: State) -> float:
        """The share of the picture in the latents of a state, 0 … 1."""
        return 1.0


def passes_for(material: Material, seed: int) -> Passes:
    """The job's method for a picture of this seed."""
    match material.job.method:
        case Method.OPTIMIZE:
            return _Optimizing(material, seed)
        case Method.SAMPLE:
            return _Sampling(material, seed)
        case Method.MULTIDIFFUSION:
            return _Windowed(material, seed)
    raise EngineError("the job has no method yet; it must be resolved before it is run")


class _Optimizing(Passes):
    method = Method.OPTIMIZE

    def __init__(self, material: Material, seed: int) -> None:
        self._material, self._seed = material, seed
        job = material.job
        self._schedule = material.schedule()
        self._settings = OptimizeSettings(iterations=job.iterations or 1, learning_rate=job.learning_rate or 0.05)
        self._distiller = material.distiller()
        self.total = (len(self._schedule.levels) - 1) * self._settings.iterations

    def begin(self) -> OptimizeState:
        noise = SeededNoise(self._seed)
        if self._material.content is not None:
            return start_state(varied(self._material.content, noise, self._material.job.variation or 0.0))
        return start_state(self._material.backbone.start_noise(noise, 1, *self._material.size_px))

    def run(self, state: State, stop: Stop) -> Iterator[State]:
        assert isinstance(state, OptimizeState)
        material = self._material
        return optimize(
            self._distiller, self._schedule, material.references, material.content, self._settings, state, stop
        )

    def done(self, state: State) -> int:
        assert isinstance(state, OptimizeState)
        return state.updates

    def stored(self, state: State) -> Stored:
        assert isinstance(state, OptimizeState)
        moments = state.moments
        return {"latents": state.latents, "mean": moments.mean, "square": moments.square, "count": moments.count}

    def restored(self, stored: Stored) -> OptimizeState:
        latents = _placed(stored["latents"], self._material)
        mean, square = (_like(_placed(stored[name], self._material), latents) for name in ("mean", "square"))
        return OptimizeState(latents=latents, moments=Moments(mean=mean, square=square, count=int(stored["count"])))


class _Guided(Passes):
    """What sampling whole pictures and windows share."""

    def __init__(self, material: Material, seed: int) -> None:
        self._material = material
        job = material.job
        self._noise = SeededNoise(seed)
        self._schedule = material.schedule()
        self._sampler = Sampler(
            material.distiller(),
            material.references,
            material.content,
            material.guidance,
            SampleSettings(
                iterations=job.iterations or 1,
                learning_rate=job.learning_rate or 0.015,
                adain=bool(job.adain),
                start_time=None if job.start_time is None or job.start_time >= 1000 else job.start_time,
                shared_noise=material.backbone.family is Family.FLUX,
            ),
            self._noise,
        )
        steps = len(self._schedule.levels) - 1
        strength = (job.denoising_strength or 1.0) if material.has_content else 1.0
        self._first = 0 if strength >= 1 else first_step(steps, strength)
        self.total = steps - self._first

    def done(self, state: State) -> int:
        assert not isinstance(state, OptimizeState)
        return state.step - self._first

    def signal(self, state: State) -> float:
        assert not isinstance(state, OptimizeState)
        return self._schedule.levels[state.step].signal

    def _start(self) -> tuple[Tensor, Tensor]:
        """The latents to begin with, and the state of the noise after drawing them."""
        material = self._material
        if self._first > 0 and material.content is not None:
            latents = noised_start(
                material.backbone, material.content, self._schedule, self._first, self._noise
            ).latents
        else:
            latents = material.backbone.start_noise(self._noise, 1, *material.size_px)
        return latents, self._noise.state()


class _Sampling(_Guided):
    method = Method.SAMPLE

    def begin(self) -> SampleState:
        latents, noise = self._start()
        return SampleState(latents=latents, step=self._first, noise=noise)

    def run(self, state: State, stop: Stop) -> Iterator[State]:
        assert isinstance(state, SampleState)
        return sample(self._sampler, self._schedule, state, stop)

    def stored(self, state: State) -> Stored:
        assert isinstance(state, SampleState)
        return {
            "latents": state.latents,
            "step": state.step,
            "noise": state.noise,
            "scheduler": dict(state.scheduler),
        }

    def restored(self, stored: Stored) -> SampleState:
        return SampleState(
            latents=_placed(stored["latents"], self._material),
            step=int(stored["step"]),
            noise=stored["noise"],
            scheduler=_on_device(stored["scheduler"], self._material.backbone.device),
        )


class _Windowed(_Guided):
    method = Method.MULTIDIFFUSION

    def __init__(self, material: Material, seed: int) -> None:
        super().__init__(material, seed)
        side = material.backbone.latent_px
        height, width = (length // side for length in material.size_px)
        parts = windows_of(height, width, max(1, material.window_px // side))
        self._windowed = WindowedSampler(
            self._sampler,
            self._schedule,
            parts,
            batch=1 if material.backbone.device.type == "cpu" else 4,
            regions=material.regions,
        )

    def begin(self) -> CanvasState:
        latents, noise = self._start()
        return CanvasState(latents=latents, step=self._first, noise=noise)

    def run(self, state: State, stop: Stop) -> Iterator[State]:
        assert isinstance(state, CanvasState)
        return multidiffusion(self._windowed, state, stop)

    def stored(self, state: State) -> Stored:
        assert isinstance(state, CanvasState)
        return {
            "latents": state.latents,
            "step": state.step,
            "noise": state.noise,
            "schedulers": [dict(each) for each in state.schedulers],
        }

    def restored(self, stored: Stored) -> CanvasState:
        device = self._material.backbone.device
        return CanvasState(
            latents=_placed(stored["latents"], self._material),
            step=int(stored["step"]),
            noise=stored["noise"],
            schedulers=tuple(_on_device(each, device) for each in stored["schedulers"]),
        )


def windows_of(height: int, width: int, side: int) -> tuple[Window, ...]:
    """Windows over a canvas, all in latents: an eighth of a window apart as in the paper, wider on large canvases.

    Own choice: beyond 256 windows they stand a quarter, then half a window apart, so that time grows with the area.
    """
    found: tuple[Window, ...] = ()
    for share in (8, 4, 2):
        found = windows(height, width, side, max(1, side // share))
        if len(found) <= _MOST_WINDOWS:
            break
    return found


def _placed(latents: Tensor, material: Material) -> Tensor:
    """Stored latents on the device. Raises ValueError where they are not of the picture's size."""
    side = material.backbone.latent_px
    if latents.shape[-2:] != tuple(length // side for length in material.size_px):
        raise ValueError(f"latents of {tuple(latents.shape)} belong to another picture")
    return latents.to(material.backbone.device)


def _like(value: Tensor, latents: Tensor) -> Tensor:
    if value.shape != latents.shape:
        raise ValueError("the state does not fit together")
    return value


def _on_device(value: Any, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {key: _on_device(each, device) for key, each in value.items()}
    if isinstance(value, list):
        return [_on_device(each, device) for each in value]
    return value

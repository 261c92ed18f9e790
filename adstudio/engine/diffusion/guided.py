"""Guided sampling as a run takes it: of the whole picture, or window by window."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from adstudio.engine.diffusion.passes import Material, Passes, State, fitting, on_device, placed
from adstudio.engine.diffusion.states import Stored
from adstudio.engine.distillation import Stop
from adstudio.engine.multidiffusion import CanvasState, WindowedSampler, multidiffusion
from adstudio.engine.noise import SeededNoise
from adstudio.engine.sample import Sampler, SampleSettings, SampleState, noised_start, sample
from adstudio.engine.schedules import first_step
from adstudio.engine.windows import Window, whole_axes, windows
from adstudio.jobs.choices import Method, Seamless
from adstudio.models.families import Family

_MOST_WINDOWS = 256


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
        is_begun = material.has_content or job.start_image is not None
        strength = (job.denoising_strength or 1.0) if is_begun else 1.0
        self._first = 0 if strength >= 1 else first_step(self._schedule, strength)
        self.total = steps - self._first
        self.wraps = job.seamless

    def done(self, state: State) -> int:
        assert isinstance(state, SampleState | CanvasState)
        return state.step - self._first

    def signal(self, state: State) -> float:
        assert isinstance(state, SampleState | CanvasState)
        return self._schedule.levels[state.step].signal

    def _start(self) -> tuple[Tensor, Tensor]:
        """The latents to begin with, and the state of the noise after drawing them."""
        material = self._material
        if self._first > 0 and material.begins_with is not None:
            begun = material.begins_with
            latents = noised_start(material.backbone, begun, self._schedule, self._first, self._noise).latents
        else:
            latents = material.backbone.start_noise(self._noise, 1, *material.size_px)
        return latents, self._noise.state()


class Sampling(_Guided):
    """The whole picture at once. One step a step of the schedule."""

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
            latents=placed(stored["latents"], self._material),
            step=int(stored["step"]),
            noise=stored["noise"],
            scheduler=on_device(stored["scheduler"], self._material.backbone.device),
        )


class Windowed(_Guided):
    """Window by window. One step a batch of windows."""

    method = Method.MULTIDIFFUSION

    def __init__(self, material: Material, seed: int) -> None:
        super().__init__(material, seed)
        side, (height, width), axes = material.window_latents, material.size_latents, material.job.seamless
        parts = windows_of(height, width, side, axes)
        self.total *= len(parts)
        self.wraps = whole_axes(height, width, side, axes)
        self._windowed = WindowedSampler(
            self._sampler,
            self._schedule,
            parts,
            batch=1 if material.backbone.device.type == "cpu" else 4,
            regions=material.regions,
        )

    def done(self, state: State) -> int:
        assert isinstance(state, CanvasState)
        return super().done(state) * len(self._windowed.parts) + state.window

    def numbers(self, state: State) -> tuple[Tensor, ...]:
        assert isinstance(state, CanvasState)
        return (state.latents,) if state.total is None else (state.latents, state.total)

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
            "window": state.window,
            "total": state.total,
            "content_noise": state.content_noise,
            "noise": state.noise,
            "schedulers": [dict(each) for each in state.schedulers],
        }

    def restored(self, stored: Stored) -> CanvasState:
        device = self._material.backbone.device
        latents, total, drawn = placed(stored["latents"], self._material), stored["total"], stored["content_noise"]
        window = int(stored["window"])
        if not 0 <= window < len(self._windowed.parts):
            raise ValueError(f"there is no window {window}")
        return CanvasState(
            latents=latents,
            step=int(stored["step"]),
            window=window,
            total=None if total is None else fitting(placed(total, self._material), latents),
            content_noise=None if drawn is None else fitting(placed(drawn, self._material), latents),
            noise=stored["noise"],
            schedulers=tuple(on_device(each, device) for each in stored["schedulers"]),
        )


def windows_of(height: int, width: int, side: int, wraps: Seamless = Seamless.NONE) -> tuple[Window, ...]:
    """Windows over a canvas, all in latents: an eighth of a window apart as in the paper, wider on large canvases.

    Own choice: beyond 256 windows they stand a quarter, then half a window apart, so that time grows with the area.
    """
    found: tuple[Window, ...] = ()
    for share in (8, 4, 2):
        found = windows(height, width, side, max(1, side // share), wraps=wraps)
        if len(found) <= _MOST_WINDOWS:
            break
    return found

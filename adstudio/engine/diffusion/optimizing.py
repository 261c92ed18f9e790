"""Latent optimisation as a run takes it: of the whole picture, or window by window."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from adstudio.engine.adam import Moments
from adstudio.engine.diffusion.passes import Material, Passes, State, fitting, placed
from adstudio.engine.diffusion.states import Stored
from adstudio.engine.distillation import Stop
from adstudio.engine.noise import SeededNoise
from adstudio.engine.optimize import OptimizeSettings, OptimizeState, optimize, start_state, varied
from adstudio.engine.tiled_optimize import TiledState, Tiles, tiled_optimize, tiled_start
from adstudio.engine.windows import whole_axes, windows
from adstudio.jobs.choices import Method
from adstudio.jobs.presets import Course, shortened


class _Moving(Passes):
    """What optimising the whole and windows share."""

    method = Method.OPTIMIZE

    def __init__(self, material: Material, seed: int) -> None:
        self._material, self._seed = material, seed
        job = material.job
        course = shortened(
            job.preset,
            Course(
                num_inference_steps=job.num_inference_steps or 1,
                iterations=job.iterations or 1,
                learning_rate=job.learning_rate or 0.05,
            ),
        )
        self._schedule = material.schedule(course.num_inference_steps)
        self._settings = OptimizeSettings(
            iterations=course.iterations, learning_rate=course.learning_rate, final_rate=course.final_rate
        )
        self._distiller = material.distiller()
        self._updates = (len(self._schedule.levels) - 1) * self._settings.iterations

    def _start(self) -> Tensor:
        noise = SeededNoise(self._seed)
        begun = self._material.begins_with
        if begun is not None:
            return varied(begun, noise, self._material.job.variation or 0.0)
        return self._material.backbone.start_noise(noise, 1, *self._material.size_px)

    def _moments(self, stored: Stored, latents: Tensor) -> Moments:
        mean, square = (fitting(placed(stored[name], self._material), latents) for name in ("mean", "square"))
        return Moments(mean=mean, square=square, count=int(stored["count"]))


class Optimizing(_Moving):
    """The whole picture at once. One step an update."""

    def __init__(self, material: Material, seed: int) -> None:
        super().__init__(material, seed)
        self.total = self._updates
        self.wraps = material.job.seamless

    def begin(self) -> OptimizeState:
        return start_state(self._start())

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
        latents = placed(stored["latents"], self._material)
        return OptimizeState(latents=latents, moments=self._moments(stored, latents))


class TiledOptimizing(_Moving):
    """Window by window. One step a window.

    Windows overlap by a quarter, over which their say falls (own choice; half as much shows no seam either).
    """

    def __init__(self, material: Material, seed: int) -> None:
        super().__init__(material, seed)
        side, (height, width), axes = material.window_latents, material.size_latents, material.job.seamless
        overlap = max(1, side // 4)
        parts = windows(height, width, side, max(1, side - overlap), wraps=axes)
        self._tiles = Tiles(parts, height, width, overlap, material.regions)
        self.total = self._updates * len(parts)
        self.wraps = whole_axes(height, width, side, axes)

    def begin(self) -> TiledState:
        return tiled_start(self._start())

    def run(self, state: State, stop: Stop) -> Iterator[State]:
        assert isinstance(state, TiledState)
        made, settings = self._material, self._settings
        return tiled_optimize(
            self._distiller, self._schedule, made.references, made.content, settings, self._tiles, state, stop
        )

    def done(self, state: State) -> int:
        assert isinstance(state, TiledState)
        return state.updates * len(self._tiles.parts) + state.window

    def numbers(self, state: State) -> tuple[Tensor, ...]:
        assert isinstance(state, TiledState)
        return state.latents, state.total

    def stored(self, state: State) -> Stored:
        assert isinstance(state, TiledState)
        moments = state.moments
        return {
            "latents": state.latents,
            "mean": moments.mean,
            "square": moments.square,
            "count": moments.count,
            "total": state.total,
            "window": state.window,
        }

    def restored(self, stored: Stored) -> TiledState:
        latents = placed(stored["latents"], self._material)
        total = fitting(placed(stored["total"], self._material), latents)
        window = int(stored["window"])
        if not 0 <= window < len(self._tiles.parts):
            raise ValueError(f"there is no window {window}")
        return TiledState(latents=latents, moments=self._moments(stored, latents), total=total, window=window)

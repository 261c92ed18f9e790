"""What every method is to a run: where a picture begins, its steps, and what of its state is stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from adstudio.engine.backbones.base import Backbone, Guidance
from adstudio.engine.diffusion.states import Stored
from adstudio.engine.distillation import Distillation, Distiller, Stop
from adstudio.engine.losses import AttentionFunction, sdpa
from adstudio.engine.multidiffusion import CanvasState
from adstudio.engine.optimize import OptimizeState
from adstudio.engine.reference_cache import FeatureCache
from adstudio.engine.regions import Regions
from adstudio.engine.sample import SampleState
from adstudio.engine.schedules import Schedule
from adstudio.engine.tiled_optimize import TiledState
from adstudio.jobs.choices import Method, Seamless, Start
from adstudio.jobs.diffusion_defaults import is_large
from adstudio.jobs.layers import layer_numbers
from adstudio.jobs.spec import Job

State = OptimizeState | TiledState | SampleState | CanvasState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """What a picture is made from.

    references, content: clean latents. has_content: whether there will be such. start: clean latents that the picture
    begins with, where the job names such a picture. size_px: height and width of the
    computed picture. window_px: side of a window where it is made window by window. cache: for features of clean
    latents. attend: for the ideal output.
    """

    job: Job
    backbone: Backbone
    references: tuple[Tensor, ...]
    content: Tensor | None
    has_content: bool
    start: Tensor | None
    weights: tuple[float, ...]
    regions: Regions | None
    guidance: Guidance
    size_px: tuple[int, int]
    window_px: int
    cache: FeatureCache | None = None
    attend: AttentionFunction = sdpa

    def schedule(self, num_inference_steps: int | None = None) -> Schedule:
        """The job's noise levels, or so many."""
        height, width = self.size_px
        steps = num_inference_steps or self.job.num_inference_steps or 1
        return self.backbone.schedule(steps, self.job.scheduler, height, width)

    @property
    def window_latents(self) -> int:
        """Side of a window in latents."""
        return max(1, self.window_px // self.backbone.latent_px)

    @property
    def size_latents(self) -> tuple[int, int]:
        """Height and width of the computed picture in latents."""
        height, width = (side // self.backbone.latent_px for side in self.size_px)
        return height, width

    @property
    def begins_with(self) -> Tensor | None:
        """Clean latents that the picture begins with; None where it begins with noise, or before encoding."""
        return self.content if self.start is None and self.job.start is not Start.NOISE else self.start

    @property
    def in_windows(self) -> bool:
        """Whether optimising goes window by window."""
        size = self.job.width or 1, self.job.height or 1
        return is_large(self.backbone.family, self.window_px, size)

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
    """All steps of one picture.

    method: its name. total: number of steps. wraps: axes along which the network wraps around meanwhile.
    """

    method: Method
    total: int
    wraps: Seamless

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

    def numbers(self, state: State) -> tuple[Tensor, ...]:
        """What must be finite for a state to be sound."""
        return (state.latents,)

    def signal(self, _state: State) -> float:
        """The share of the picture in the latents of a state, 0 … 1."""
        return 1.0


def placed(latents: Tensor, material: Material) -> Tensor:
    """Stored latents on the device. Raises ValueError where they are not of the picture's size."""
    if latents.shape[-2:] != material.size_latents:
        raise ValueError(f"latents of {tuple(latents.shape)} belong to another picture")
    return latents.to(material.backbone.device)


def fitting(value: Tensor, latents: Tensor) -> Tensor:
    """A stored value of the latents' shape. Raises ValueError for another."""
    if value.shape != latents.shape:
        raise ValueError("the state does not fit together")
    return value


def on_device(value: Any, device: torch.device) -> Any:
    """A stored value with all its tensors on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {key: on_device(each, device) for key, each in value.items()}
    if isinstance(value, list):
        return [on_device(each, device) for each in value]
    return value

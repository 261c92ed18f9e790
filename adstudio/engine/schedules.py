"""Noise levels and sampler steps: any of the listed diffusers schedulers, with the level after each step its own.

Latents are kept as the network sees them (variance preserving), whatever space the scheduler works in, so that AdaIN,
learning rates and references mean the same with every scheduler.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from adstudio.engine.noise import Noise
from adstudio.errors import JobError

StateValue = None | bool | int | float | Tensor | list["StateValue"]

DEFAULT_SCHEDULER = "ddim"
_CLASSES = {
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler_ancestral": "EulerAncestralDiscreteScheduler",
    "dpmpp_2m": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "pndm": "PNDMScheduler",
    "heun": "HeunDiscreteScheduler",
    "kdpm2": "KDPM2DiscreteScheduler",
    "dpmpp_2s": "DPMSolverSinglestepScheduler",
    "dpmpp_2m_sde": "DPMSolverMultistepScheduler",
    "deis": "DEISMultistepScheduler",
}
SCHEDULERS = tuple(_CLASSES)
FLOW_SCHEDULER = "flow_euler"
_SCALED = {"euler", "euler_ancestral", "heun", "kdpm2"}
_STOCHASTIC = {"ddpm", "euler_ancestral", "dpmpp_2m_sde"}
_EVERY_SECOND = {"heun", "kdpm2"}
_OWN_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "dpmpp_2m": {"timestep_spacing": "linspace"},
    "unipc": {"timestep_spacing": "linspace"},
    "deis": {"timestep_spacing": "linspace"},
    "dpmpp_2m_sde": {"timestep_spacing": "linspace", "algorithm_type": "sde-dpmsolver++"},
    "dpmpp_2s": {"lower_order_final": True},
    "pndm": {"skip_prk_steps": True},
}
_SHARED_CONFIG = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "steps_offset",
    "timestep_spacing",
    "rescale_betas_zero_snr",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How noisy latents are: signal · clean + noise · normal numbers.

    timestep: what the network is told (UNets 0 … 999, FLUX 0 … 1000). signal, noise: 0 … 1.
    """

    timestep: float
    signal: float
    noise: float

    def add_noise(self, clean: Tensor, noise: Tensor) -> Tensor:
        """Clean latents brought to this level by normal numbers of the same shape."""
        return self.signal * clean + self.noise * noise


class Schedule(Protocol):
    """The levels of a run and the steps between them, one for each call of the network.

    levels: one more than steps; latents are at levels[i] before step i, at the last one after all steps.
    """

    @property
    def levels(self) -> tuple[Level, ...]: ...

    def begin(self, index: int) -> None:
        """Make ready for the step `index` with no memory of earlier ones."""
        ...

    def completes(self, index: int) -> bool:
        """Whether a step ends with latents that the next one builds on; others only try a place out."""
        ...

    def step(self, index: int, prediction: Tensor, latents: Tensor, noise: Noise) -> Tensor:
        """Latents at levels[index + 1] from those at levels[index] and the network's prediction there."""
        ...

    def state(self) -> dict[str, StateValue]:
        """What the scheduler remembers between steps, for going on later."""
        ...

    def restore(self, state: Mapping[str, StateValue]) -> None:
        """Go on from a state."""
        ...

    def copy(self) -> Schedule:
        """Another one at its beginning, for a window of its own."""
        ...


class DiffusionSchedule:
    """A diffusers scheduler for UNets.

    config: of the model; only the noise process and the kind of prediction are taken from it.
    name: one of SCHEDULERS. Raises JobError for another name or number of steps.
    """

    def __init__(self, config: Mapping[str, Any], num_inference_steps: int, name: str = DEFAULT_SCHEDULER) -> None:
        if name not in _CLASSES:
            raise JobError(f"no scheduler {name!r} for this model; there are {', '.join(_CLASSES)}", field="scheduler")
        self._arguments = config, num_inference_steps, name
        self._name = name
        with _library_notices_ignored():
            self._scheduler = _made(config, name)
        if not 1 <= num_inference_steps <= self._scheduler.config.num_train_timesteps:
            most = self._scheduler.config.num_train_timesteps
            raise JobError(f"{num_inference_steps} steps; this model takes 1 to {most}", field="num_inference_steps")
        with _library_notices_ignored():
            self._scheduler.set_timesteps(num_inference_steps)
        self._fresh = dict(vars(self._scheduler))
        self._timesteps = self._scheduler.timesteps
        self._levels = tuple(self._level(index) for index in range(len(self._timesteps) + 1))

    @property
    def levels(self) -> tuple[Level, ...]:
        return self._levels

    @property
    def draws(self) -> bool:
        """Whether steps add noise of their own."""
        return self._name in _STOCHASTIC

    def begin(self, index: int) -> None:
        for key in set(vars(self._scheduler)) - set(self._fresh):
            delattr(self._scheduler, key)
        for key, value in self._fresh.items():
            setattr(self._scheduler, key, list(value) if isinstance(value, list) else value)
        if hasattr(self._scheduler, "set_begin_index"):
            self._scheduler.set_begin_index(index)

    def step(self, index: int, prediction: Tensor, latents: Tensor, noise: Noise) -> Tensor:
        keywords: dict[str, Any] = {}
        if self.draws:
            if noise.generator is None:
                raise ValueError(f"recorded noise cannot be replayed with the scheduler {self._name}")
            keywords["generator"] = noise.generator
        if self._name == "pndm" and index > 1 and self._scheduler.counter == 1:
            self._scheduler.counter = 2  # the second look at the first level is only there at the list's beginning
        sample = latents * self._scale(index)
        timestep = self._timesteps[index]
        with _library_notices_ignored():
            taken = self._scheduler.step(prediction.to(latents.dtype), timestep, sample, return_dict=False, **keywords)
        result: Tensor = taken[0] / self._scale(index + 1)
        return result.to(latents.dtype)

    def completes(self, index: int) -> bool:
        if index == len(self._timesteps) - 1:
            return True
        if self._name in _EVERY_SECOND:
            return index % 2 == 1
        if self._name == "pndm":
            return index > 0
        if self._name == "dpmpp_2s":
            return bool(self._scheduler.order_list[index + 1] == 1)
        return True

    def state(self) -> dict[str, StateValue]:
        changed = {}
        for key, value in vars(self._scheduler).items():
            before = self._fresh.get(key)
            if value is not before and _storable(value) and not (isinstance(value, int | float) and value == before):
                changed[key] = list(value) if isinstance(value, list) else value
        return changed

    def restore(self, state: Mapping[str, StateValue]) -> None:
        self.begin(0)
        for key, value in state.items():
            setattr(self._scheduler, key, list(value) if isinstance(value, list) else value)

    def copy(self) -> DiffusionSchedule:
        return DiffusionSchedule(*self._arguments)

    def level_at(self, timestep: int) -> Level:
        """The level of a timestep of training, 0 … 999."""
        kept = float(self._scheduler.alphas_cumprod[timestep])
        return Level(timestep=timestep, signal=math.sqrt(kept), noise=math.sqrt(1 - kept))

    def _level(self, index: int) -> Level:
        last = index == len(self._timesteps)
        timestep = 0 if last else self._timesteps[index].item()
        if hasattr(self._scheduler, "sigmas") and self._name != "ddim":
            between = self._name == "kdpm2" and index % 2 == 1
            sigma = float((self._scheduler.sigmas_interpol if between else self._scheduler.sigmas)[index])
            if math.isinf(sigma):
                return Level(timestep=timestep, signal=0.0, noise=1.0)
            signal = 1 / math.sqrt(sigma**2 + 1)
            return Level(timestep=timestep, signal=signal, noise=sigma * signal)
        known = self._scheduler.alphas_cumprod
        cumulative = known[0 if last else min(int(timestep), len(known) - 1)]  # 1000 steps begin one beyond the end
        if last:
            cumulative = getattr(self._scheduler, "final_alpha_cumprod", getattr(self._scheduler, "one", cumulative))
        kept = float(cumulative)
        return Level(timestep=timestep, signal=math.sqrt(kept), noise=math.sqrt(1 - kept))

    def _scale(self, index: int) -> float:
        """From the network's space to the scheduler's."""
        return 1 / self._levels[index].signal if self._name in _SCALED else 1.0


class FlowSchedule:
    """Rectified flow by Euler steps, as FLUX is sampled.

    config: of FlowMatchEulerDiscreteScheduler. image_tokens: of the picture; larger pictures spend longer in noise.
    Source: Esser et al. 2024 (arXiv 2403.03206); the shift over tokens is FLUX's own.
    """

    def __init__(self, config: Mapping[str, Any], num_inference_steps: int, image_tokens: int) -> None:
        from diffusers import FlowMatchEulerDiscreteScheduler

        if not 1 <= num_inference_steps <= 1000:
            raise JobError(f"{num_inference_steps} steps; this model takes 1 to 1000", field="num_inference_steps")
        made: Any = FlowMatchEulerDiscreteScheduler
        scheduler: Any = made.from_config(dict(config))
        ramp = torch.linspace(1, 1 / num_inference_steps, num_inference_steps, dtype=torch.float64).tolist()
        if scheduler.config.use_dynamic_shifting:
            scheduler.set_timesteps(sigmas=ramp, mu=flow_shift(config, image_tokens))
        else:
            scheduler.set_timesteps(sigmas=ramp)
        self._sigmas = tuple(float(sigma) for sigma in scheduler.sigmas)
        self._levels = tuple(Level(timestep=1000 * sigma, signal=1 - sigma, noise=sigma) for sigma in self._sigmas)

    @property
    def levels(self) -> tuple[Level, ...]:
        return self._levels

    @property
    def sigmas(self) -> tuple[float, ...]:
        """Noise shares of the levels, 1 … 0."""
        return self._sigmas

    def begin(self, index: int) -> None:
        """Nothing is remembered."""

    def completes(self, index: int) -> bool:  # noqa: ARG002 - see Schedule
        return True

    def step(self, index: int, prediction: Tensor, latents: Tensor, noise: Noise) -> Tensor:  # noqa: ARG002 - see Schedule
        change = (self._sigmas[index + 1] - self._sigmas[index]) * prediction.to(latents.dtype)
        return latents.to(torch.float32) + change  # the library steps from float32, whatever comes in

    def state(self) -> dict[str, StateValue]:
        return {}

    def restore(self, state: Mapping[str, StateValue]) -> None:
        """Nothing is remembered."""

    def copy(self) -> FlowSchedule:
        return self


def flow_shift(config: Mapping[str, Any], image_tokens: int) -> float:
    """FLUX's μ: linear in the number of image tokens between the two sizes that its scheduler's config names."""
    least, most = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    return float(low + (high - low) / (most - least) * (image_tokens - least))


def first_step(schedule: Schedule, strength: float) -> int:
    """Index of the first step of a run that starts from a picture. strength: share of the steps done, up to 1.

    Steps that only try a place out count as part of the next one.
    """
    calls = len(schedule.levels) - 1
    begins = [index for index in range(calls) if index == 0 or schedule.completes(index - 1)]
    return begins[-max(1, min(len(begins), int(len(begins) * strength + 1e-9)))]


@contextlib.contextmanager
def _library_notices_ignored() -> Iterator[None]:
    """What diffusers' schedulers have to settle with newer numpy is no matter of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _made(config: Mapping[str, Any], name: str) -> Any:
    import diffusers

    chosen: Any = getattr(diffusers, _CLASSES[name])
    shared = {key: config[key] for key in _SHARED_CONFIG if key in config}
    accepted = set(chosen._get_init_keys(chosen))  # noqa: SLF001 - diffusers has no public way to ask
    settings: dict[str, Any] = {"steps_offset": 1, "set_alpha_to_one": False, "clip_sample": False} | shared
    settings |= _OWN_SETTINGS.get(name, {})
    return chosen(**{key: value for key, value in settings.items() if key in accepted})


def _storable(value: object) -> bool:
    if isinstance(value, list):
        return all(_storable(item) for item in value)
    return value is None or isinstance(value, bool | int | float | Tensor)

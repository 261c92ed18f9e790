"""Every scheduler against plain stepping by diffusers itself, with any network in between."""

from __future__ import annotations

import warnings
from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from adstudio.engine.noise import SeededNoise
from adstudio.engine.schedules import SCHEDULERS, DiffusionSchedule, Schedule, first_step

NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
PLAIN: dict[str, tuple[str, dict[str, Any]]] = {
    "ddim": ("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}),
    "ddpm": ("DDPMScheduler", {"clip_sample": False, "steps_offset": 1}),
    "euler": ("EulerDiscreteScheduler", {"steps_offset": 1}),
    "euler_ancestral": ("EulerAncestralDiscreteScheduler", {"steps_offset": 1}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {"steps_offset": 1}),
    "unipc": ("UniPCMultistepScheduler", {"steps_offset": 1}),
    "pndm": ("PNDMScheduler", {"skip_prk_steps": True, "steps_offset": 1, "set_alpha_to_one": False}),
    "heun": ("HeunDiscreteScheduler", {"steps_offset": 1}),
    "kdpm2": ("KDPM2DiscreteScheduler", {"steps_offset": 1}),
    "dpmpp_2s": ("DPMSolverSinglestepScheduler", {"lower_order_final": True}),
    "dpmpp_2m_sde": ("DPMSolverMultistepScheduler", {"steps_offset": 1, "algorithm_type": "sde-dpmsolver++"}),
    "deis": ("DEISMultistepScheduler", {"steps_offset": 1}),
}
ALL = pytest.mark.parametrize("name", SCHEDULERS)


def network(latents: Tensor, timestep: float) -> Tensor:
    """Some function of what a network is given."""
    return torch.tanh(1.3 * latents + 0.4 * latents.roll(1, -1)) * (0.6 + timestep / 2500)


def stepped(schedule: Schedule, latents: Tensor, seed: int, start: int = 0) -> list[Tensor]:
    """Latents after every step from a start on."""
    source, found = SeededNoise(seed), []
    schedule.begin(start)
    for index, level in enumerate(schedule.levels[:-1]):
        if index >= start:
            latents = schedule.step(index, network(latents, level.timestep), latents, source)
            found.append(latents)
    return found


@ALL
@pytest.mark.parametrize("steps", [7, 12])
def test_unguided_steps_are_those_of_diffusers(name: str, steps: int) -> None:
    class_name, config = PLAIN[name]
    library: Any = diffusers
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = getattr(library, class_name)(**NOISE, **config)
        plain.set_timesteps(steps)
    schedule = DiffusionSchedule(NOISE, steps, name)
    start = torch.randn(1, 4, 5, 5, generator=torch.Generator().manual_seed(2))
    first = schedule.levels[0]
    ours = stepped(schedule, start * (first.noise**2 + first.signal**2) ** 0.5, seed=11)
    scaled = float(plain.init_noise_sigma) > 2
    latents = start / first.signal if scaled else start
    generator = torch.Generator().manual_seed(11)
    stochastic = {"generator": generator} if schedule.draws else {}
    assert len(plain.timesteps) == len(ours)
    for timestep in plain.timesteps:
        shown = plain.scale_model_input(latents, timestep)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            latents = plain.step(network(shown, timestep.item()), timestep, latents, **stochastic).prev_sample
    last = schedule.levels[-1].signal if scaled else 1.0
    torch.testing.assert_close(ours[-1], latents * last, rtol=1e-4, atol=1e-4)


@ALL
def test_going_on_after_any_step_gives_the_same_bits(name: str) -> None:
    schedule, other = (DiffusionSchedule(NOISE, 5, name) for _ in range(2))
    source, again = SeededNoise(3), SeededNoise(99)
    latents = torch.randn(1, 4, 5, 5, generator=torch.Generator().manual_seed(2))
    schedule.begin(0)
    kept: list[tuple[Tensor, Any, Tensor]] = []
    for index, level in enumerate(schedule.levels[:-1]):
        kept.append((latents, schedule.state(), source.state()))
        latents = schedule.step(index, network(latents, level.timestep), latents, source)
    for start, (stored, state, drawn) in enumerate(kept):
        again.restore(drawn)
        other.begin(start)
        if state:
            other.restore(state)
        going = stored
        for index in range(start, len(kept)):
            going = other.step(index, network(going, other.levels[index].timestep), going, again)
        assert torch.equal(going, latents), start


@ALL
def test_a_start_in_the_middle_ends_near_the_picture(name: str) -> None:
    """Told what would bring it back, a run from a picture under noise ends at the picture."""
    schedule = DiffusionSchedule(NOISE, 12, name)
    clean = torch.randn(1, 4, 5, 5, generator=torch.Generator().manual_seed(4))
    start = first_step(schedule, 0.5)
    assert 0 < start < len(schedule.levels) - 1
    source = SeededNoise(0)
    latents = schedule.levels[start].add_noise(
        clean, torch.randn(1, 4, 5, 5, generator=torch.Generator().manual_seed(5))
    )
    schedule.begin(start)
    for index in range(start, len(schedule.levels) - 1):
        level = schedule.levels[index]
        latents = schedule.step(index, (latents - level.signal * clean) / level.noise, latents, source)
    torch.testing.assert_close(latents, clean, rtol=0, atol=0.15)


def test_only_the_first_of_two_calls_tries_a_place_out() -> None:
    def tries(name: str, steps: int = 4) -> list[int]:
        schedule = DiffusionSchedule(NOISE, steps, name)
        return [index for index in range(len(schedule.levels) - 1) if not schedule.completes(index)]

    assert tries("heun") == tries("kdpm2") == [0, 2, 4]
    assert tries("pndm") == [0]
    assert tries("dpmpp_2s", 5) == [0, 2]
    assert tries("ddim") == tries("dpmpp_2m") == tries("unipc") == tries("deis") == []

"""Loops on tiny models: restoring, resuming, stopping, caching, windows, and the model left as it was."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from adstudio.engine.interruption import Interrupted, interruptible
from adstudio.engine.multidiffusion import CanvasState, WindowedSampler, multidiffusion
from adstudio.engine.noise import Draw, SeededNoise
from adstudio.engine.optimize import varied
from adstudio.engine.reference_cache import ReferenceCache
from adstudio.engine.regions import Regions
from adstudio.engine.sample import SampleState, noised_start, sample
from adstudio.engine.schedules import SCHEDULERS
from adstudio.engine.windows import windows
from adstudio.models.families import Family
from tests.engine.tiny_loops import FAMILIES, LOOPS, STEPS, last, optimizing, sampler, sampling
from tests.engine.tiny_parts import backbone, picture, traces


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_run_changes_latents_and_leaves_the_model_as_it_was(family: Family, loop: str) -> None:
    model = backbone(family)
    before = traces(model)
    states = list(LOOPS[loop](model))
    assert all(torch.isfinite(state.latents).all() for state in states)
    assert not torch.equal(states[0].latents, states[-1].latents)
    assert traces(model) == before


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("loop", LOOPS)
def test_between_two_states_the_model_is_as_it_was(family: Family, loop: str) -> None:
    model = backbone(family)
    before = traces(model)
    states = LOOPS[loop](model)
    next(states)
    assert traces(model) == before
    states.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("loop", LOOPS)
def test_after_an_exception_inside_the_network_the_model_is_as_it_was(family: Family, loop: str) -> None:
    model = backbone(family)
    before = traces(model)
    module = model.networks[0].get_submodule(model.layer_names[-1])

    def fail(*_: Any) -> None:
        raise FloatingPointError

    handle = module.register_forward_pre_hook(fail)
    with pytest.raises(FloatingPointError):
        next(LOOPS[loop](model))
    handle.remove()
    assert traces(model) == before


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("loop", LOOPS)
def test_going_on_from_a_state_gives_the_same_bits(family: Family, loop: str) -> None:
    model = backbone(family)
    whole = list(LOOPS[loop](model))
    middle = whole[len(whole) // 2 - 1]
    torch.testing.assert_close(last(LOOPS[loop](model, middle)).latents, whole[-1].latents, rtol=0, atol=0)


@pytest.mark.parametrize("loop", ["sample", "canvas"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_going_on_with_every_scheduler_gives_the_same_bits(loop: str, scheduler: str) -> None:
    model = backbone(Family.SD15)
    whole = list(LOOPS[loop](model, scheduler=scheduler))
    assert torch.isfinite(whole[-1].latents).all()
    found = last(LOOPS[loop](model, whole[1], scheduler=scheduler))
    torch.testing.assert_close(found.latents, whole[-1].latents, rtol=0, atol=0)


def test_a_canvas_of_one_window_is_an_ordinary_sample() -> None:
    model = backbone(Family.SD15)
    schedule = model.schedule(STEPS, None, 32, 48)
    start = model.start_noise(SeededNoise(9), 1, 32, 48)
    plain = last(sample(sampler(model), schedule, SampleState(latents=start))).latents
    windowed = WindowedSampler(sampler(model), schedule, windows(4, 6))
    assert torch.equal(plain, last(multidiffusion(windowed, CanvasState(latents=start))).latents)


def test_the_same_seed_gives_the_same_picture_and_another_seed_another() -> None:
    model = backbone(Family.SD15)
    first, again, other = (last(sampling(model, seed=seed)).latents for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_variation_draws_only_where_it_is_asked_for() -> None:
    noise, untouched = SeededNoise(1), SeededNoise(1)
    latents = torch.zeros(1, 4, 2, 2)
    assert varied(latents, noise, 0.0) is latents
    assert torch.equal(noise.state(), untouched.state())
    assert float(varied(latents, noise, 0.1).std()) == pytest.approx(0.1, rel=0.8)


def test_starting_from_a_picture_skips_the_noisiest_steps() -> None:
    model = backbone(Family.SD15)
    parts = sampler(model)
    schedule = model.schedule(STEPS, None, 32, 32)
    clean = model.encode(picture(32, 32, 5))
    start = noised_start(model, clean, schedule, 2, parts.noise)
    assert [state.step for state in sample(parts, schedule, start)] == [3, 4]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stop_inside_the_network_ends_the_loop_with_its_last_sound_state(loop: str) -> None:
    """The stop comes at every point of a step in turn: forward, backward, between."""
    model = backbone(Family.SD15)
    whole = list(LOOPS[loop](model))
    before = traces(model)
    for asked in (1, 40, 300, 700, 1500):
        counter = itertools.count()
        got = []
        while_encoding = contextlib.suppress(Interrupted)
        with while_encoding, interruptible(model.networks, lambda: next(counter) >= asked):  # noqa: B023
            got = list(LOOPS[loop](model))
        assert len(got) < len(whole) or asked > 700
        for mine, theirs in zip(got, whole, strict=False):
            assert torch.equal(mine.latents, theirs.latents)
        assert traces(model) == before


def test_stop_between_steps() -> None:
    model = backbone(Family.SD15)
    answers = iter([False, False, True])
    assert len(list(optimizing(model, stop=lambda: next(answers)))) == 2


@pytest.mark.parametrize("family", FAMILIES)
def test_cached_features_change_nothing_and_spare_the_reference_passes(family: Family) -> None:
    model = backbone(family)
    cache = ReferenceCache(device_bytes=2**24, host_bytes=2**24)
    plain = last(optimizing(model)).latents
    first = last(optimizing(model, cache=cache.for_model("weights"))).latents
    passes = []
    handle = model.networks[0].register_forward_pre_hook(lambda *_: passes.append(1))
    again = last(optimizing(model, cache=cache.for_model("weights"))).latents
    handle.remove()
    assert torch.equal(plain, first) and torch.equal(plain, again)
    assert len(passes) == 2 * STEPS, "only the passes of the latents themselves"


def test_features_of_other_weights_are_not_taken() -> None:
    model = backbone(Family.SD15)
    cache = ReferenceCache(device_bytes=2**24, host_bytes=0)
    list(optimizing(model, cache=cache.for_model("weights")))
    held = cache.held_bytes
    list(optimizing(model, cache=cache.for_model("others")))
    assert cache.held_bytes[0] == 2 * held[0]


def test_the_cache_keeps_within_its_bytes_and_moves_the_oldest_to_memory() -> None:
    model = backbone(Family.SD15)
    cache = ReferenceCache(device_bytes=30_000, host_bytes=20_000)
    with_cache = last(optimizing(model, cache=cache.for_model("weights"))).latents
    assert 0 < cache.held_bytes[0] <= 30_000
    assert 0 < cache.held_bytes[1] <= 20_000
    assert torch.equal(with_cache, last(optimizing(model)).latents)
    cache.clear()
    assert cache.held_bytes == (0, 0)


@pytest.mark.parametrize("family", FAMILIES)
def test_regions_go_through_every_loop(family: Family) -> None:
    model = backbone(family)
    target = torch.zeros(32, 48, dtype=torch.int64)
    target[:, 24:] = 3
    references = (target[:, 8:40], target.T.contiguous())
    regions = Regions(target, references)
    assert torch.isfinite(last(optimizing(model, regions=regions)).latents).all()


@pytest.mark.parametrize("size", [(64, 64), (64, 72), (33, 80), (63, 20), (100, 129), (16, 16)])
@pytest.mark.parametrize("stride", [8, 24, 64])
def test_windows_cover_everything_and_stay_inside(size: tuple[int, int], stride: int) -> None:
    painted = torch.zeros(1, 1, *size)
    for part in windows(*size, 64, stride):
        assert part.top >= 0 and part.left >= 0
        assert part.top + part.height <= size[0] and part.left + part.width <= size[1]
        part.of(painted).add_(1)
    assert painted.min() >= 1


def test_draws_come_in_the_documented_order() -> None:
    drawn: list[Draw] = []

    class Listening(SeededNoise):
        def normal(self, shape: Any, draw: Draw) -> Tensor:
            drawn.append(draw)
            return super().normal(shape, draw)

    model = backbone(Family.SD15)
    content = model.encode(picture(32, 32, 1))
    parts = sampler(model, content=content)
    parts.noise = Listening(0)
    start = SampleState(latents=model.start_noise(parts.noise, 1, 32, 32))
    next(sample(parts, model.schedule(STEPS, None, 32, 32), start))
    assert drawn == [Draw.START, Draw.ADAIN, Draw.REFERENCE, Draw.CONTENT]


def test_16_bit_networks_keep_latents_and_gradients_in_32_bit() -> None:
    from adstudio.engine.backbones.stable_diffusion import StableDiffusion
    from tests.engine.tiny_parts import tiny_parts

    exact = last(optimizing(backbone(Family.SD15))).latents
    model = StableDiffusion(tiny_parts(Family.SD15, dtype=torch.bfloat16))
    state = last(optimizing(model))
    assert state.latents.dtype == state.evaluation.gradient.dtype == torch.float32
    assert float((state.latents - exact).abs().mean()) < 0.1

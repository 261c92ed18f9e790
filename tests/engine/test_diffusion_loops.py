"""Loops on tiny models: restoring, resuming, stopping, caching, windows, and the model left as it was."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from adstudio.engine.backbones.base import Backbone, Guidance
from adstudio.engine.decoder_tuning import TuningSettings, tune_decoder, tuned
from adstudio.engine.distillation import Distillation, Distiller
from adstudio.engine.interruption import Interrupted, interruptible
from adstudio.engine.multidiffusion import CanvasState, WindowedSampler, multidiffusion, windows
from adstudio.engine.noise import Draw, SeededNoise
from adstudio.engine.optimize import OptimizeSettings, OptimizeState, optimize, start_state, varied
from adstudio.engine.reference_cache import ReferenceCache
from adstudio.engine.regions import Regions
from adstudio.engine.sample import Sampler, SampleSettings, SampleState, noised_start, sample
from adstudio.engine.schedules import SCHEDULERS
from adstudio.errors import EngineError, JobError
from adstudio.jobs.choices import Seamless
from adstudio.models.families import Family
from tests.engine.tiny_parts import backbone, picture, traces

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


def test_a_stop_is_noticed_in_the_backward_pass() -> None:
    model = backbone(Family.SD15)
    latents = model.encode(picture(32, 32)).requires_grad_()
    stopping = False
    with interruptible(model.networks, lambda: stopping), model.reading(model.default_layers) as read:
        loss = read(latents, 401).outputs[-1].sum()
        stopping = True
        with pytest.raises(Interrupted):
            torch.autograd.grad(loss, latents)


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


@pytest.mark.parametrize("axes", [Seamless.X, Seamless.Y, Seamless.BOTH])
def test_seamless_decoding_commutes_with_rolling_along_its_axes(axes: Seamless) -> None:
    model = backbone(Family.SD15)
    before = traces(model)
    latents = torch.randn(1, 4, 6, 5, generator=torch.Generator().manual_seed(0))
    rolled = {Seamless.X: (0, 2), Seamless.Y: (3, 0), Seamless.BOTH: (3, 2)}[axes]
    with model.seamless(axes):
        straight, moved = model.decode(latents), model.decode(latents.roll(rolled, (2, 3)))
        encoded = model.encode(picture(32, 32))
    torch.testing.assert_close(straight.roll([8 * by for by in rolled], (2, 3)), moved, rtol=1e-4, atol=1e-5)
    assert torch.equal(encoded, model.encode(picture(32, 32))), "references are encoded without wrapping"
    assert traces(model) == before


def test_seamless_is_undone_by_an_exception_and_refused_for_flux() -> None:
    model = backbone(Family.SD15)
    before = traces(model)
    with pytest.raises(ZeroDivisionError), model.seamless(Seamless.BOTH):
        raise ZeroDivisionError
    assert traces(model) == before
    with pytest.raises(JobError, match="FLUX cannot"), backbone(Family.FLUX).seamless(Seamless.X):
        pass


@pytest.mark.parametrize("size", [(64, 64), (64, 72), (33, 80), (63, 20), (100, 129), (16, 16)])
@pytest.mark.parametrize("stride", [8, 24, 64])
def test_windows_cover_everything_and_stay_inside(size: tuple[int, int], stride: int) -> None:
    painted = torch.zeros(1, 1, *size)
    for part in windows(*size, 64, stride):
        assert part.top >= 0 and part.left >= 0
        assert part.top + part.height <= size[0] and part.left + part.width <= size[1]
        part.of(painted).add_(1)
    assert painted.min() >= 1


def test_tuning_brings_the_decoder_nearer_and_leaves_the_vae() -> None:
    model: Any = backbone(Family.SD15)
    before = traces(model)
    vae, image = model.networks[1], picture(32, 32)
    states = []
    for state in tune_decoder(vae, [image], TuningSettings(steps=6, learning_rate=1e-3)):
        states.append(float(state.loss))
        weights = {name: value.clone() for name, value in state.weights.items()}
    assert states[-1] < states[0]
    assert traces(model) == before
    plain = model.decode(model.encode(image))
    with tuned(vae, weights):
        better = model.decode(model.encode(image))
    assert (better - image).abs().mean() < (plain - image).abs().mean()
    assert torch.equal(model.decode(model.encode(image)), plain)
    with pytest.raises(ValueError, match="another decoder"), tuned(vae, {}):
        pass


def test_layers_the_model_does_not_have_are_refused() -> None:
    model = backbone(Family.SD15)
    with pytest.raises(JobError, match="layers 0 to"), model.reading([0, 99]):
        pass


def test_layers_with_attention_of_their_own_are_refused() -> None:
    model = backbone(Family.SD15)

    class Strange:
        def __call__(self, *_: Any, **__: Any) -> None:
            raise AssertionError

    module: Any = model.networks[0].get_submodule(model.layer_names[-1])
    module.set_processor(Strange())
    with pytest.raises(EngineError, match="way of its own"), model.reading(model.default_layers):
        pass


def test_flux_refuses_negative_prompts() -> None:
    model = backbone(Family.FLUX)
    guidance = Guidance(positive=model.empty_prompt, negative=model.empty_prompt)
    level = model.schedule(2, None, 32, 32).levels[0]
    with pytest.raises(JobError, match="no negative prompt"):
        model.predict(model.start_noise(SeededNoise(0), 1, 32, 32), level, guidance)


def test_flux_reference_keys_stand_beside_the_picture_unless_plain() -> None:
    from adstudio.engine.backbones.flux_attention import Positions

    found = {}
    for positions in Positions:
        model = backbone(Family.FLUX, positions=positions)
        latents = model.encode(picture(32, 32))
        with torch.no_grad(), model.reading(model.default_layers) as read:
            own, other = read(latents, 401.0), read(latents, 401.0, beside=(2, 5))
        found[positions] = own.keys[0], other.keys[0]
        text = own.text_tokens
        assert torch.equal(own.keys[0][:, :, :text], other.keys[0][:, :, :text])
        assert torch.equal(own.outputs[0], other.outputs[0]), "the pass itself is not disturbed"
    assert torch.equal(*found[Positions.PLAIN])
    assert not torch.allclose(*found[Positions.SHIFTED])
    assert not torch.allclose(*found[Positions.DAMPED])
    plain, shifted = found[Positions.SHIFTED]
    torch.testing.assert_close(plain.norm(dim=-1), shifted.norm(dim=-1))
    assert (found[Positions.DAMPED][1].norm(dim=-1) <= plain.norm(dim=-1) + 1e-5).all()


def test_sdxl_is_told_the_size_of_what_it_sees() -> None:
    model: Any = backbone(Family.SDXL)
    told = []
    embedding = model.networks[0].add_time_proj
    handle = embedding.register_forward_pre_hook(lambda _module, inputs: told.append(inputs[0].tolist()))
    with torch.no_grad(), model.reading(model.default_layers) as read:
        read(model.encode(picture(32, 64)), 401, beside=(9, 9))
    handle.remove()
    assert told == [[32.0, 64.0, 0.0, 0.0, 32.0, 64.0]]


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

"""The method's maths against plain implementations written here."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from adstudio.engine.adain import adain, joint_statistics
from adstudio.engine.adam import adam_update, no_moments
from adstudio.engine.attention import Need
from adstudio.engine.chunked_attention import chunked
from adstudio.engine.distillation import Distillation, Distiller
from adstudio.engine.losses import ReferenceLayer, ideal_output, sdpa, weight_bias
from adstudio.engine.noise import SeededNoise
from adstudio.engine.optimize import OptimizeSettings, optimize, start_state
from adstudio.engine.regions import Regions, token_grid
from adstudio.engine.schedules import SCHEDULERS, DiffusionSchedule, Level, first_step
from adstudio.errors import JobError
from adstudio.models.families import Family
from tests.engine.tiny_parts import backbone, picture

FAMILIES = [Family.SD15, Family.SDXL, Family.FLUX]


def plain_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    logits = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    weights = torch.exp(logits - logits.max(-1, keepdim=True).values)
    return weights / weights.sum(-1, keepdim=True) @ value


def size_of(latents: Tensor) -> tuple[int, int]:
    return latents.shape[-2], latents.shape[-1]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_ideal_output_is_attention_to_all_references_with_sharpened_queries() -> None:
    query, keys, values = random(2, 3, 7, 4), random(1, 3, 11, 4, seed=1), random(1, 3, 11, 4, seed=2)
    found = ideal_output(query, ReferenceLayer(key=keys, value=values), 1.3)
    torch.testing.assert_close(found, plain_attention(1.3 * query, keys, values))


def test_weight_two_is_the_reference_given_twice() -> None:
    query, first, second = random(1, 2, 5, 4), random(1, 2, 6, 4, seed=1), random(1, 2, 3, 4, seed=2)
    bias = weight_bias([6, 3], [2.0, 1.0], query)
    weighted = ideal_output(
        query, ReferenceLayer(key=torch.cat([first, second], 2), value=torch.cat([first, second], 2), bias=bias)
    )
    twice = torch.cat([first, first, second], dim=2)
    torch.testing.assert_close(weighted, plain_attention(query, twice, twice))


def test_equal_weights_are_plain_concatenation() -> None:
    assert weight_bias([4, 5, 6], [0.3, 0.3, 0.3], torch.zeros(1)) is None


def test_regions_let_each_label_see_its_own_label_at_any_aspect() -> None:
    target = torch.zeros(16, 48, dtype=torch.int64)
    target[:, 20:] = 9
    reference = torch.zeros(32, 8, dtype=torch.int64)
    reference[10:] = 9
    query, key, value = random(1, 2, 2 * 6, 4), random(1, 2, 4 * 1, 4, seed=1), random(1, 2, 4, 4, seed=2)
    groups = Regions(target, (reference,)).groups((2, 6), ((4, 1),), 0, 0, torch.device("cpu"))
    found = ideal_output(query, ReferenceLayer(key=key, value=value, groups=groups))
    for token in range(12):
        label = target[token // 6 * 16 // 2, token % 6 * 48 // 6]
        seen = [row for row in range(4) if reference[row * 32 // 4, 0] == label]
        wanted = plain_attention(query[:, :, token : token + 1], key[:, :, seen], value[:, :, seen])
        torch.testing.assert_close(found[:, :, token : token + 1], wanted)


def test_a_label_that_no_reference_has_is_refused_by_name() -> None:
    with pytest.raises(JobError, match="label 7"):
        Regions(torch.tensor([[0, 7]]), (torch.tensor([[0, 1]]),))


def test_a_label_too_small_for_a_token_still_finds_the_token_that_holds_it() -> None:
    reference = torch.zeros(32, 32, dtype=torch.int64)
    reference[9, 9] = 1
    groups = Regions(torch.ones(8, 8, dtype=torch.int64), (reference,)).groups(
        (2, 2), ((4, 4),), 0, 0, torch.device("cpu")
    )
    assert [group.keys.tolist() for group in groups] == [[5]]


def test_text_tokens_of_references_are_seen_by_every_label() -> None:
    labels = torch.tensor([[0, 1]])
    groups = Regions(labels, (labels,)).groups((1, 2), ((1, 2),), 3, 0, torch.device("cpu"))
    assert [group.keys.tolist() for group in groups] == [[0, 1, 2, 3], [0, 1, 2, 4]]


@pytest.mark.parametrize(
    ("tokens", "size", "grid"), [(8 * 5, (8, 5), (8, 5)), (4 * 3, (8, 5), (4, 3)), (2 * 2, (8, 5), (2, 2))]
)
def test_token_grids_follow_the_network(tokens: int, size: tuple[int, int], grid: tuple[int, int]) -> None:
    assert token_grid(tokens, *size) == grid


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_chunked_attention_is_exact_forward_and_backward(rows: int) -> None:
    query, key, value = (random(2, 3, 7, 4, seed=seed).requires_grad_() for seed in range(3))
    bias = random(1, 1, 1, 7, seed=4)
    attend = chunked(4 * 2 * 3 * 7 * rows)
    weight = random(2, 3, 7, 4, seed=5)
    for given in (None, bias):
        found, wanted = attend(query, key, value, given), sdpa(query, key, value, given)
        torch.testing.assert_close(found, wanted)
        for mine, theirs in zip(
            torch.autograd.grad((found * weight).sum(), (query, key, value)),
            torch.autograd.grad((wanted * weight).sum(), (query, key, value)),
            strict=True,
        ):
            torch.testing.assert_close(mine, theirs)
    assert torch.autograd.gradcheck(lambda *inputs: attend(inputs[0], inputs[1], inputs[2], None), (query, key, value))


@pytest.mark.parametrize("family", FAMILIES)
def test_chunked_attention_gives_the_same_gradient_through_a_model(family: Family) -> None:
    gradients = []
    for attend in (sdpa, chunked(2048)):
        model = backbone(family, attend=attend)
        reference, latents = model.encode(picture(32, 64)), model.encode(picture(48, 48, 1))
        distiller = Distiller(model, Distillation(layers=model.default_layers), attend=attend)
        objective = distiller.objective(Level(timestep=401, signal=1, noise=0), [reference], None, size_of(latents))
        gradients.append(distiller.evaluate(objective, latents).gradient)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-3, atol=1e-7)


def test_adam_is_adam() -> None:
    start = random(2, 4, 3, 3)
    theirs = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([theirs], lr=0.03)
    mine, moments = start, no_moments(start)
    for step in range(5):
        gradient = random(2, 4, 3, 3, seed=10 + step)
        theirs.grad = gradient.clone()
        optimizer.step()
        mine, moments = adam_update(mine, gradient, moments, 0.03)
    torch.testing.assert_close(mine, theirs.detach())
    assert moments.count == 5


def test_adain_takes_over_mean_and_unbiased_spread() -> None:
    latents, reference = random(2, 3, 6, 4), random(2, 3, 5, 5, seed=1) * 3 + 1
    found = adain(latents, reference)
    joint = reference.transpose(0, 1).flatten(1)
    torch.testing.assert_close(found.mean((2, 3)), joint.mean(1).expand(2, 3))
    torch.testing.assert_close(found.std((2, 3)), joint.std(1).expand(2, 3), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(adain(latents, joint_statistics([reference[:1], reference[1:]])), found)


def test_ddim_steps_are_ddim_steps() -> None:
    config = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    schedule = DiffusionSchedule(config, 10)
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    kept = torch.cumprod(1 - betas, 0)
    x, noise = random(1, 4, 4, 4), random(1, 4, 4, 4, seed=1)
    times = [int(level.timestep) for level in schedule.levels]
    assert times == [901, 801, 701, 601, 501, 401, 301, 201, 101, 1, 0]
    for index, (now, then) in enumerate(itertools.pairwise(times)):
        clean = (x - (1 - kept[now]).sqrt() * noise) / kept[now].sqrt()
        wanted = kept[then].sqrt() * clean + (1 - kept[then]).sqrt() * noise
        torch.testing.assert_close(schedule.step(index, noise, x, SeededNoise(0)), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_brings_noised_latents_back_when_told_the_noise(name: str) -> None:
    """With the true noise as prediction, a sampler without noise of its own stays at the levels it names."""
    schedule = DiffusionSchedule({"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}, 12, name)
    clean, noise = random(1, 4, 4, 4).float(), random(1, 4, 4, 4, seed=1).float()
    schedule.begin(0)
    x = schedule.levels[0].add_noise(clean, noise)
    source = SeededNoise(0)
    deterministic = not schedule.draws
    for index, following in enumerate(schedule.levels[1:]):
        level = schedule.levels[index]
        told = noise if deterministic else (x - level.signal * clean) / max(level.noise, 1e-6)
        x = schedule.step(index, told, x, source)
        if deterministic:
            torch.testing.assert_close(x, following.add_noise(clean, noise), rtol=2e-3, atol=2e-3)
    torch.testing.assert_close(x, schedule.levels[-1].add_noise(clean, noise), rtol=0.05, atol=0.1)


def test_unknown_schedulers_and_numbers_of_steps_are_refused() -> None:
    with pytest.raises(JobError, match="no scheduler 'magic'"):
        DiffusionSchedule({}, 10, "magic")
    with pytest.raises(JobError, match="1 to 1000"):
        DiffusionSchedule({}, 1001)


def test_strength_is_the_share_of_steps_done() -> None:
    def first(name: str, strength: float) -> int:
        return first_step(DiffusionSchedule({"beta_schedule": "scaled_linear"}, 50, name), strength)

    assert [first("ddim", strength) for strength in (1.0, 0.5, 0.001)] == [0, 25, 49]
    assert [first("heun", strength) for strength in (1.0, 0.5, 0.001)] == [0, 50, 98]
    assert [first("pndm", strength) for strength in (1.0, 0.5, 0.001)] == [0, 26, 50]


@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_the_models_own_and_the_pass_ends_early(family: Family) -> None:
    """The output projected by the layer's own weights is what the layer returns in an ordinary forward pass."""
    model = backbone(family)
    latents = model.encode(picture(32, 48))
    layer = len(model.layer_names) - 1
    seen: list[Tensor] = []
    module = model.networks[0].get_submodule(model.layer_names[layer])
    handle = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    try:
        with torch.no_grad():
            network = model.network  # type: ignore[attr-defined]
            told = () if family is Family.FLUX else (size_of(latents),)
            network(latents, 301, model.empty_prompt, *told)
            with model.reading([layer]) as read:
                features = read(latents, 301)
    finally:
        handle.remove()
    assert len(seen) == 1, "the pass for features ends inside its last layer"
    output = features.outputs[0]
    torch.testing.assert_close(output, plain_attention(features.queries[0], features.keys[0], features.values[0]))
    joined = output.transpose(1, 2).flatten(2)
    projected = joined if family is Family.FLUX else module.to_out[0](joined)  # type: ignore[index,operator]
    torch.testing.assert_close(projected, seen[0])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("need", [Need.KEYS_VALUES, Need.QUERIES])
def test_a_part_of_the_features_is_the_same_part(family: Family, need: Need) -> None:
    model = backbone(family)
    latents = model.encode(picture(32, 32))
    with torch.no_grad(), model.reading(model.default_layers) as read:
        everything, part = read(latents, 501), read(latents, 501, need)
    for name in ("queries", "keys", "values", "outputs"):
        for mine, whole in zip(getattr(part, name), getattr(everything, name), strict=False):
            torch.testing.assert_close(mine, whole, rtol=0, atol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_gradient_is_the_plain_losses_gradient(family: Family) -> None:
    """Against a full forward pass whose layers are watched by hooks, plain attention and autograd, by differences."""
    model = backbone(family)
    reference, content = model.encode(picture(32, 32)), model.encode(picture(32, 48, 1))
    latents = content + 0.1 * torch.randn(content.shape, generator=torch.Generator().manual_seed(1))
    distiller = Distiller(model, Distillation(layers=model.default_layers, content_weight=0.25))
    level = Level(timestep=401, signal=1.0, noise=0.0)
    objective = distiller.objective(level, [reference], content, size_of(latents))
    evaluation = distiller.evaluate(objective, latents)
    with torch.no_grad(), model.reading(model.default_layers) as read:
        mine, theirs, goal = (
            read(latents, 401),
            read(reference, 401, beside=size_of(latents)),
            read(content, 401),
        )
    text = mine.text_tokens
    style = sum(
        (mine.outputs[i] - plain_attention(mine.queries[i], theirs.keys[i], theirs.values[i]))[:, :, text:].abs().mean()
        for i in range(len(mine.queries))
    )
    kept = sum((mine.queries[i] - goal.queries[i])[:, :, text:].abs().mean() for i in range(len(mine.queries)))
    torch.testing.assert_close(evaluation.style_loss, style)
    torch.testing.assert_close(evaluation.content_loss, kept)
    torch.testing.assert_close(evaluation.loss, style + 0.25 * kept)
    assert evaluation.gradient.abs().sum() > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_where_latents_are_the_content_its_gradient_is_zero(family: Family) -> None:
    """The first step from the content moves as if there were no content term, whatever the batch."""
    model = backbone(family)
    reference, content = model.encode(picture(32, 32)), model.encode(picture(32, 32, 1))
    schedule = model.schedule(4, None, 32, 32)
    results = []
    for weight in (0.0, 100.0):
        distiller = Distiller(model, Distillation(layers=model.default_layers, content_weight=weight))
        start = start_state(content.repeat(2, 1, 1, 1))
        results.append(next(optimize(distiller, schedule, [reference], content, OptimizeSettings(), start)))
    torch.testing.assert_close(results[0].latents, results[1].latents, rtol=0, atol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradient_checkpointing_changes_nothing(family: Family) -> None:
    gradients = []
    for checkpointing in (False, True):
        model = backbone(family)
        if checkpointing:
            model.networks[0].enable_gradient_checkpointing()  # type: ignore[operator]
        reference, latents = model.encode(picture(32, 32)), model.encode(picture(32, 32, 1))
        distiller = Distiller(model, Distillation(layers=model.default_layers))
        objective = distiller.objective(Level(timestep=401, signal=1, noise=0), [reference], None, size_of(latents))
        gradients.append(distiller.evaluate(objective, latents).gradient)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=0, atol=0)

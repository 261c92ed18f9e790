"""Tones: matched, wanted, planned, calmed."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
import torch

from adstudio.engine.patch.tones import (
    Areas,
    Forms,
    TonePlan,
    appeal,
    best_plan,
    calmed,
    edge_strength,
    luminance,
    mark_sizes,
    matched,
    planned_tones,
    shrunk,
)
from tests.engine.drawn import RNG_SEED, as_picture, disc_scene, draws, line_drawing, parts_of


def test_matched_gives_each_rank_the_targets_value_of_that_rank() -> None:
    values = draws(40, 50)
    target = np.random.default_rng(3).gamma(2.0, size=3000).astype(np.float32)
    out = matched(torch.from_numpy(values), [torch.from_numpy(target)]).numpy()
    order = np.argsort(values, axis=None)
    assert (np.diff(out.ravel()[order]) >= -1e-6).all()
    wanted = np.quantile(target, (np.arange(values.size) + 0.5) / values.size)
    near_all = np.quantile(np.abs(out.ravel()[order] - wanted), 0.98)
    assert near_all < 0.05
    assert np.abs(np.sort(out, axis=None) - wanted).mean() < 0.02


def test_matched_heeds_the_weights_of_its_targets() -> None:
    rng = np.random.default_rng(RNG_SEED)
    low, high = rng.uniform(-1, -0.5, 1000).astype(np.float32), rng.uniform(0.5, 1, 3000).astype(np.float32)
    targets = [torch.from_numpy(low), torch.from_numpy(high)]
    values = torch.from_numpy(draws(100, 100))
    plain, weighted = matched(values, targets), matched(values, targets, [9.0, 1.0])
    assert float((plain < 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert float((weighted < 0).float().mean()) == pytest.approx(0.75, abs=0.02)


def test_matched_leaves_flat_pictures_alone() -> None:
    flat = torch.full((5, 5), 0.3)
    assert torch.equal(matched(flat, [flat]), flat)
    assert torch.isfinite(matched(flat, [torch.from_numpy(draws(9, 9))])).all()


def test_matched_to_two_tones_gives_just_these_two_in_their_shares() -> None:
    target = torch.where(torch.arange(1000) < 730, 0.8, -0.6)
    out = matched(torch.from_numpy(draws(50, 80)), [target])
    low, high = np.unique(out)
    np.testing.assert_allclose((low, high), (-0.6, 0.8), atol=1e-3)
    assert float((out > 0).float().mean()) == pytest.approx(0.73, abs=0.005)


def test_appeal_is_how_often_a_tone_is_wanted_over_how_often_it_is_there() -> None:
    light = torch.where(torch.arange(2000).view(40, 50) % 10 < 2, -0.7, 0.5)
    wanted = torch.where(torch.arange(300) % 5 < 2, -0.7, 0.5)
    out = appeal(wanted, light)
    assert out.shape == light.shape
    np.testing.assert_allclose(out, torch.where(light < 0, 2.0, 0.75), rtol=0.02)
    gone, everywhere = appeal(torch.full((9,), 0.5), light), appeal(torch.full((9,), -0.7), light)
    np.testing.assert_allclose(gone, torch.where(light < 0, 0.2, 1.25), rtol=0.02)
    np.testing.assert_allclose(everywhere, torch.where(light < 0, 5.0, 0.2), rtol=0.02)
    grey = torch.from_numpy(draws(30, 30))
    assert torch.equal(appeal(grey.flip(0), grey), torch.ones(30, 30))


def test_edge_strength_is_the_length_of_the_sobel_gradient() -> None:
    light = draws(9, 11)
    wide = np.pad(light, 1, mode="edge").astype(np.float64)
    out = edge_strength(torch.from_numpy(light)[None])
    assert out.shape == (1, 9, 11)
    for y, x in np.ndindex(9, 11):
        left, right = wide[y : y + 3, x] @ (1, 2, 1), wide[y : y + 3, x + 2] @ (1, 2, 1)
        above, below = wide[y, x : x + 3] @ (1, 2, 1), wide[y + 2, x : x + 3] @ (1, 2, 1)
        assert float(out[0, y, x]) == pytest.approx(math.hypot((left - right) / 8, (above - below) / 8, 0.01), rel=1e-4)


def test_tones_planned_with_no_own_contrasts_are_the_references_histogram() -> None:
    light = disc_scene()
    reference = torch.from_numpy(np.random.default_rng(3).uniform(-0.9, 0.4, 5000).astype(np.float32) ** 3)
    out = planned_tones(TonePlan(own_share=0.0), *parts_of(light), [reference], [1.0])
    assert out.shape == light.shape
    ranks = (np.arange(light.numel()) + 0.5) / light.numel()
    np.testing.assert_allclose(out.flatten().sort().values, np.quantile(reference, ranks), atol=0.01)
    assert (out.flatten()[light.flatten().argsort()].diff() >= 0).all()


def test_tones_planned_with_all_own_contrasts_are_a_linear_stretch() -> None:
    light = torch.arange(96.0 * 96).view(1, 96, 96)
    references = [torch.linspace(-0.8, -0.1, 3001), torch.linspace(0.2, 0.7, 5001)]
    out = planned_tones(TonePlan(own_share=1.0), *parts_of(light), references, [1.0, 5.0])
    low, high = -0.8 + 0.01 * 0.7, 0.7 - 0.01 * 0.5
    normal = NormalDist()
    scores = np.array([normal.inv_cdf((rank + 0.5) / light.numel()) for rank in range(light.numel())])
    wanted = ((scores / normal.inv_cdf(0.99) + 1) / 2).clip(0, 1) * (high - low) + low
    np.testing.assert_allclose(out.flatten(), wanted, atol=0.01)
    assert float(out.max() - out.min()) == pytest.approx(high - low, abs=0.002)


def test_planned_tones_lie_between_histogram_and_stretch_by_the_share() -> None:
    light, reference = disc_scene(), line_drawing()
    none, some, full = (
        planned_tones(TonePlan(own_share=share), *parts_of(light), [reference], [1.0]) for share in (0.0, 0.3, 1.0)
    )
    np.testing.assert_allclose(some, 0.7 * none + 0.3 * full, atol=1e-5)


@pytest.mark.parametrize(
    ("plan", "ordered_by"),
    [
        (TonePlan(own_share=0.0), lambda light, edges: light),
        (TonePlan(own_share=0.0, light_part=0.0, edge_part=1.0), lambda light, edges: edges),
        (TonePlan(own_share=0.0, light_part=0.0, edge_part=-1.0), lambda light, edges: -edges),
    ],
)
def test_planned_tones_follow_what_the_plan_asks_for(
    plan: TonePlan, ordered_by: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
) -> None:
    parts = parts_of(disc_scene())
    out = planned_tones(plan, *parts, [torch.linspace(-1, 1, 5000)], [1.0]).flatten()
    by = ordered_by(*parts).flatten()
    assert (out[by.argsort()].diff() >= -1e-6).all()


def test_what_is_taken_from_areas_turns_a_figure_light_and_leaves_no_glow() -> None:
    light = torch.full((1, 96, 96), 0.4)
    light[:, 30:66, 30:66] = -0.4
    areas = Areas.of(light)
    turned = areas.taken_from(light, TonePlan(detail_share=1.6))[0]
    figure, near, far = turned[40:56, 40:56], turned[24:27, 30:66], turned[4:12, 30:66]
    assert float(figure.mean()) > float(far.mean()) + 0.2
    assert abs(float(near.mean()) - float(far.mean())) < 0.1
    soft = areas.taken_from(light, TonePlan(soft_share=0.9))[0]
    assert float(soft[24:27, 40:56].mean()) > float(soft[4:12, 40:56].mean()) + 0.1
    assert torch.equal(areas.taken_from(light, TonePlan()), light)


def test_the_plan_for_a_line_drawing_gives_up_areas_for_details() -> None:
    light, drawing = disc_scene(), line_drawing()
    plan = best_plan(light, [drawing], [1.0])
    own = best_plan(light, [light], [1.0])
    assert own.detail_share == own.soft_share == 0.0
    assert max(plan.detail_share, plan.soft_share) > 0
    plain = planned_tones(TonePlan(own_share=0.05), *parts_of(light), [drawing], [1.0])
    assert plan.structure > Forms.of(as_picture(light), [as_picture(drawing)], 1.0).seen_in(as_picture(plain))[0]
    assert best_plan(light.clone(), [drawing.clone()], [1.0]) == plan
    assert best_plan(light, [drawing, drawing], [0.5, 0.5]) == best_plan(light, [drawing, drawing], [3.0, 3.0])


def test_mark_sizes_are_the_contrasts_of_four_scales() -> None:
    light = draws(48, 64)
    wanted, here = [], light.astype(np.float64)
    for _ in range(4):
        low = np.zeros_like(here)
        for y, x in np.ndindex(*here.shape):
            low[y, x] = here[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].mean()
        wanted.append(math.log(np.std(here - low, ddof=1)))
        here = low.reshape(low.shape[0] // 2, 2, low.shape[1] // 2, 2).mean((1, 3))
    np.testing.assert_allclose(mark_sizes(torch.from_numpy(light)[None]), wanted, atol=1e-4)
    assert torch.isfinite(mark_sizes(torch.zeros(1, 48, 48))).all()


def test_luminance_and_shrunk_are_plain_means() -> None:
    picture = draws(3, 12, 18)
    light = luminance(torch.from_numpy(picture)).numpy()
    np.testing.assert_allclose(light[0], 0.299 * picture[0] + 0.587 * picture[1] + 0.114 * picture[2], atol=1e-6)
    small = shrunk(torch.from_numpy(picture), (4, 6)).numpy()
    np.testing.assert_allclose(small, picture.reshape(3, 4, 3, 6, 3).mean((2, 4)), atol=1e-6)


def test_calming_takes_the_grain_and_keeps_the_edges() -> None:
    rng = np.random.default_rng(RNG_SEED)
    plain = np.full((1, 96, 96), -0.4, np.float32)
    plain[:, :, 48:] = 0.4
    calm = calmed(torch.from_numpy(plain + rng.normal(0, 0.04, plain.shape).astype(np.float32))).numpy()
    assert calm[:, :, 8:40].std() < 0.02
    assert calm[:, 8:-8, 46].mean() < -0.3
    assert calm[:, 8:-8, 49].mean() > 0.3

"""The patch model's parts against plain loops that follow their definitions word by word."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from adstudio.engine.patch.bands import Bands, Stopped, split_rows
from adstudio.engine.patch.descriptors import (
    COLOURS,
    CONTEXT_STEP_PX,
    DEPTH,
    PATCH_PX,
    REACH_PX,
    Projection,
    patch_weights,
)
from adstudio.engine.patch.field import Layout, enlarged
from adstudio.engine.patch.guides import ToneAndEdges, colour_matched
from adstudio.engine.patch.pyramid import labels_at, level_sizes
from adstudio.engine.patch.tones import (
    Forms,
    TonePlan,
    appeal,
    best_plan,
    broad_tones,
    calmed,
    edge_strength,
    form_edges,
    luminance,
    mark_sizes,
    matched,
    planned_tones,
    shrunk,
)
from adstudio.engine.patch.vote import vote

RNG_SEED = 20


def draws(*shape: int, seed: int = RNG_SEED) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


# --- vote


def plain_vote(
    values: NDArray[np.float32],
    key_label: NDArray[np.uint8],
    query_label: NDArray[np.uint8],
    field: NDArray[np.int32],
    cost: NDArray[np.float32],
    *,
    sigma_px: float,
    temperature: float,
    wrap_y: bool,
    wrap_x: bool,
) -> NDArray[np.float64]:
    """Each pixel: the mean of what patches at it and beside it say of it, nearer ones heavier, worse lighter."""
    height, width = cost.shape
    rows, columns = key_label.shape
    out = np.zeros((3, height, width))
    for y, x in np.ndindex(height, width):
        total, weights = np.zeros(3), 0.0
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                yy, xx = y + dy, x + dx
                yy, xx = yy % height if wrap_y else yy, xx % width if wrap_x else xx
                if not (0 <= yy < height and 0 <= xx < width):
                    continue
                v, u = field[0, yy, xx] - dy, field[1, yy, xx] - dx
                if not (0 <= v < rows and 0 <= u < columns) or key_label[v, u] != query_label[y, x]:
                    continue
                worse = max(0.0, float(cost[yy, xx]) - float(cost[y, x])) / temperature
                weight = math.exp(-(dy * dy + dx * dx) / (2 * sigma_px**2)) * math.exp(-worse)
                total += weight * values[v, u]
                weights += weight
        out[:, y, x] = total / weights
    return out


def labelled_field(size: tuple[int, int], key_label: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Labels 0 … 2 of a picture, and for each pixel some key of its label."""
    rng = np.random.default_rng(RNG_SEED)
    query_label = rng.integers(0, 3, size).astype(np.uint8)
    field = np.zeros((2, *size), np.int32)
    for value in range(3):
        places, chosen = np.argwhere(key_label == value), query_label == value
        field[:, chosen] = places[rng.integers(0, len(places), int(chosen.sum()))].T
    return query_label, field


@pytest.mark.parametrize(("wrap_y", "wrap_x"), [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("size", [(9, 13), (1, 5), (6, 1), (90, 60)])
def test_vote_is_the_weighted_mean_of_what_patches_say(size: tuple[int, int], wrap_y: bool, wrap_x: bool) -> None:
    rng = np.random.default_rng(RNG_SEED)
    key_label = rng.choice(np.array([0, 1, 2, 255], np.uint8), (11, 17))
    query_label, field = labelled_field(size, key_label)
    values, cost = draws(11, 17, 3), 2 * np.abs(draws(*size))
    settings: dict[str, Any] = {"sigma_px": 0.7, "temperature": 0.9, "wrap_y": wrap_y, "wrap_x": wrap_x}
    wanted = plain_vote(values, key_label, query_label, field, cost, **settings)
    arrays = [torch.from_numpy(a) for a in (values, key_label, query_label, field, cost)]
    with Bands(2) as bands:
        for shared in (None, bands):
            ours = vote(*arrays, **settings, bands=shared).numpy()
            np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5)


def test_only_keys_of_its_own_label_vote_for_a_pixel() -> None:
    key_label = np.random.default_rng(RNG_SEED).choice(np.array([0, 1, 2, 255], np.uint8), (20, 20))
    query_label, field = labelled_field((30, 40), key_label)
    values = np.repeat(key_label[..., None].astype(np.float32), 3, axis=2)
    arrays = [torch.from_numpy(a) for a in (values, key_label, query_label, field, np.abs(draws(30, 40)))]
    out = vote(*arrays, sigma_px=2.0, temperature=5.0, wrap_y=True, wrap_x=True, bands=None).numpy()
    np.testing.assert_allclose(out, np.broadcast_to(query_label, (3, 30, 40)), atol=1e-5)


def test_a_better_neighbour_counts_no_more_than_an_equal_one_and_a_worse_one_less() -> None:
    key_label, query_label = torch.zeros(9, 9, dtype=torch.uint8), torch.zeros(3, 3, dtype=torch.uint8)
    values = torch.zeros(9, 9, 3)
    values[4, 4] = 1.0
    field = torch.full((2, 3, 3), 4, dtype=torch.int32)  # only the centre's own patch says 1 of it

    def own_share(centre_cost: float) -> float:
        cost = torch.ones(3, 3)
        cost[1, 1] = centre_cost
        settings: dict[str, Any] = {"sigma_px": 1.0, "temperature": 0.5, "wrap_y": False, "wrap_x": False}
        return float(vote(values, key_label, query_label, field, cost, **settings, bands=None)[0, 1, 1])

    equal = 1 / (1 + 4 * math.exp(-0.5) + 4 * math.exp(-1))
    assert own_share(1.0) == pytest.approx(equal, rel=1e-5)
    assert own_share(100.0) == pytest.approx(equal, rel=1e-5)
    assert own_share(0.5) == pytest.approx(1 / (1 + (1 / equal - 1) * math.exp(-1)), rel=1e-5)


# --- descriptors


def plain_patches(picture: NDArray[np.float32], *, wrap_y: bool = False, wrap_x: bool = False) -> NDArray[np.float64]:
    """Weighted patches [height, width, values]: 5 × 5 of all channels, and 5 × 5 of 3 × 3 means of colours, 2 px apart.

    Beyond a border the picture is mirrored or goes on; one smaller than the reach repeats its last pixel.
    """
    _, height, width = picture.shape
    half = PATCH_PX // 2

    def place(i: int, side: int, wrap: bool) -> int:
        if wrap and side >= REACH_PX:
            return i % side
        if side <= REACH_PX:
            return min(max(i, 0), side - 1)
        return -i if i < 0 else 2 * (side - 1) - i if i >= side else i

    rows = [place(i, height, wrap_y) for i in range(-REACH_PX, height + REACH_PX)]
    columns = [place(i, width, wrap_x) for i in range(-REACH_PX, width + REACH_PX)]
    wide = picture[:, rows][:, :, columns].astype(np.float64)

    def there(dy: int, dx: int, channels: int) -> NDArray[np.float64]:
        top, left = REACH_PX + dy, REACH_PX + dx
        part: NDArray[np.float64] = wide[:channels, top : top + height, left : left + width]
        return part

    def mean_there(dy: int, dx: int) -> NDArray[np.float64]:
        around = [there(dy + a, dx + b, COLOURS) for a in (-1, 0, 1) for b in (-1, 0, 1)]
        return np.asarray(np.mean(around, axis=0))

    root = np.sqrt(patch_weights().numpy().astype(np.float64))
    parts = []
    for i, j in np.ndindex(PATCH_PX, PATCH_PX):
        dy, dx = i - half, j - half
        parts.append(root[i, j] * there(dy, dx, len(picture)))
        parts.append(root[i, j] * mean_there(CONTEXT_STEP_PX * dy, CONTEXT_STEP_PX * dx))
    return np.concatenate(parts).transpose(1, 2, 0)


def with_one(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = patches.reshape(-1, patches.shape[-1])
    return np.concatenate((flat, np.ones((len(flat), 1))), axis=1)


@pytest.mark.parametrize(("wrap_y", "wrap_x"), [(False, False), (True, False), (False, True), (True, True)])
def test_descriptors_are_one_linear_map_of_near_and_context_patches(wrap_y: bool, wrap_x: bool) -> None:
    reference = draws(4, 30, 31, seed=1)
    projection = Projection([torch.from_numpy(reference)], seed=0)
    learnt = projection.describe(torch.from_numpy(reference), None).numpy().reshape(-1, DEPTH).astype(np.float64)
    patches = with_one(plain_patches(reference))
    assert patches.shape == (30 * 31, (4 + 3) * 25 + 1)
    spanned, _, _, _ = np.linalg.lstsq(patches, learnt, rcond=None)
    for size in ((12, 14), (7, 90), (5, 6), (2, 1)):
        picture = draws(4, *size)
        with Bands(2) as bands:
            banded = projection.describe(torch.from_numpy(picture), bands, wrap_y=wrap_y, wrap_x=wrap_x).numpy()
        whole = projection.describe(torch.from_numpy(picture), None, wrap_y=wrap_y, wrap_x=wrap_x).numpy()
        assert whole.shape == (*size, DEPTH)
        np.testing.assert_allclose(banded, whole, atol=1e-5)
        wanted = with_one(plain_patches(picture, wrap_y=wrap_y, wrap_x=wrap_x)) @ spanned
        np.testing.assert_allclose(whole.reshape(-1, DEPTH), wanted, atol=2e-4)


def test_distances_of_descriptors_are_distances_of_patches_where_nothing_is_left_out() -> None:
    rng = np.random.default_rng(RNG_SEED)
    angle = np.linspace(0, math.pi, 40)  # whole half-waves mirror into themselves: two dimensions for each, everywhere
    waves = np.cos(np.arange(1, 4)[:, None] * angle)
    down, across = rng.standard_normal((2, 3, 3)) @ waves
    reference = (down[:, :, None] + across[:, None, :]).astype(np.float32)
    projection = Projection([torch.from_numpy(reference)], seed=0)
    described = projection.describe(torch.from_numpy(reference), None).numpy().reshape(-1, DEPTH).astype(np.float64)
    patches = plain_patches(reference).reshape(len(described), -1)
    pairs = rng.integers(0, len(described), (200, 2))
    ours = np.square(described[pairs[:, 0]] - described[pairs[:, 1]]).sum(1)
    wanted = np.square(patches[pairs[:, 0]] - patches[pairs[:, 1]]).sum(1)
    np.testing.assert_allclose(ours, wanted, rtol=2e-3, atol=1e-3)
    variance = np.cov(patches.T, bias=True).trace()
    assert projection.spread == pytest.approx(variance, rel=0.1)


def test_descriptors_keep_the_largest_part_of_the_variance() -> None:
    reference = np.kron(draws(3, 16, 16), np.ones((1, 3, 3), np.float32))
    projection = Projection([torch.from_numpy(reference)], seed=3)
    patches = plain_patches(reference).reshape(48 * 48, -1)
    values = np.linalg.eigvalsh(np.cov(patches.T, bias=True))[::-1]
    assert projection.spread == pytest.approx(values[:DEPTH].sum(), rel=0.05)
    described = projection.describe(torch.from_numpy(reference), None).numpy().reshape(-1, DEPTH)
    assert float(described.var(0).sum()) == pytest.approx(values[:DEPTH].sum(), rel=0.05)


# --- tones and colour


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


def disc_scene(side_px: int = 96) -> torch.Tensor:
    """Luminance [1, side, side] of a bright disc and a dark bar before a slope of grey, with a little grain."""
    y, x = np.mgrid[:side_px, :side_px] / side_px
    light = 0.8 * x - 0.5
    light[np.hypot(y - 0.4, x - 0.4) < 0.25] = 0.7
    light[(y > 0.75) & (y < 0.85)] = -0.8
    return torch.from_numpy((light + 0.02 * draws(side_px, side_px)).astype(np.float32))[None]


def line_drawing(side_px: int = 96) -> torch.Tensor:
    """Luminance [1, side, side] of white paper with some thin dark lines."""
    light = np.full((side_px, side_px), 0.9, np.float32)
    light[::16, :] = light[:, 5::19] = -0.9
    return torch.from_numpy(light)[None]


def parts_of(light: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the planning looks at: tones, those of large areas, and edges."""
    return light, broad_tones(light), form_edges(light)


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
        (TonePlan(own_share=0.0, detail_share=1.0), lambda light, broad, edges: light - broad),
        (TonePlan(own_share=0.0, detail_share=0.5), lambda light, broad, edges: light - 0.5 * broad),
        (TonePlan(own_share=0.0, light_part=0.0, edge_part=1.0), lambda light, broad, edges: edges),
        (TonePlan(own_share=0.0, light_part=0.0, edge_part=-1.0), lambda light, broad, edges: -edges),
    ],
)
def test_planned_tones_follow_what_the_plan_asks_for(
    plan: TonePlan, ordered_by: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
) -> None:
    parts = parts_of(disc_scene())
    out = planned_tones(plan, *parts, [torch.linspace(-1, 1, 5000)], [1.0]).flatten()
    by = ordered_by(*parts).flatten()
    assert (out[by.argsort()].diff() >= -1e-6).all()


def test_the_plan_for_a_line_drawing_gives_up_areas_for_details() -> None:
    light, drawing = disc_scene(), line_drawing()
    plan = best_plan(light, [drawing], [1.0])
    own = best_plan(light, [light], [1.0])
    assert own.detail_share == 0.0
    assert plan.detail_share > own.detail_share
    plain = planned_tones(TonePlan(own_share=0.05), *parts_of(light), [drawing], [1.0])
    assert plan.structure > Forms.of(as_picture(light), [as_picture(drawing)], 1.0).seen_in(as_picture(plain))[0]
    assert best_plan(light.clone(), [drawing.clone()], [1.0]) == plan
    assert best_plan(light, [drawing, drawing], [0.5, 0.5]) == best_plan(light, [drawing, drawing], [3.0, 3.0])


def as_picture(light: torch.Tensor) -> torch.Tensor:
    return light.expand(3, -1, -1).contiguous()


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


def planned_scene() -> tuple[torch.Tensor, torch.Tensor, Forms]:
    """A content, its planned picture and the forms that both were planned with."""
    light, reference = disc_scene(), disc_scene().flip(2) * 0.6
    plan = best_plan(light, [reference], [1.0])
    planned = as_picture(planned_tones(plan, *parts_of(light), [reference], [1.0]))
    return as_picture(light), planned, Forms.of(as_picture(light), [planned], plan.structure)


def test_the_planned_picture_has_the_planned_structure_and_marks() -> None:
    _, planned, forms = planned_scene()
    kept, coarser = forms.seen_in(planned)
    assert kept == pytest.approx(1.0, abs=0.02)
    assert coarser == pytest.approx(0.0, abs=1e-4)
    twice = torch.nn.functional.interpolate(planned[None], scale_factor=2, mode="nearest")[0]
    np.testing.assert_allclose(forms.seen_in(twice), (kept, 0.0), atol=0.02)


def test_lost_structure_and_coarser_marks_are_seen() -> None:
    _, planned, forms = planned_scene()
    lost, _ = forms.seen_in(planned.flip(1))
    assert lost < 0.8
    blots = torch.nn.functional.interpolate(torch.from_numpy(draws(1, 1, 8, 8)), (96, 96), mode="nearest")[0]
    _, coarser = forms.seen_in(planned + 0.7 * blots)
    assert coarser > 0.1


def test_the_hold_loosens_with_coarser_marks_and_tightens_with_lost_structure() -> None:
    content, planned, forms = planned_scene()

    def hold(*, planned_structure: float = 1.0, finer: float = 0.0) -> float:
        seen = replace(forms, planned=forms.planned * planned_structure, marks=forms.marks - finer)
        return ToneAndEdges(content[:1], content[:1], (planned,), seen, 1.0).hold(planned)

    assert 0.2 < hold() < 3.0
    assert hold(planned_structure=1.2) > hold() > hold(planned_structure=0.9)
    assert hold(finer=0.05) < hold()
    assert hold(finer=-0.05) == hold()
    assert hold(planned_structure=10.0) == 3.0
    assert hold(finer=3.0) == 0.2
    assert hold(planned_structure=10.0, finer=3.0) == 0.2


def test_coarse_levels_are_held_looser() -> None:
    content, planned, forms = planned_scene()
    guides = ToneAndEdges(content[:1], content[:1], (planned,), forms, 1.0)
    twice = torch.nn.functional.interpolate(planned[None], scale_factor=2, mode="nearest")[0]
    assert guides.hold(twice) > guides.hold(planned)


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 4.0)])
def test_colour_matched_has_the_references_mean_and_covariance(weights: tuple[float, float]) -> None:
    rng = np.random.default_rng(RNG_SEED)
    content = (0.15 * draws(3, 30, 40)).astype(np.float32)
    mixes = [0.12 * rng.standard_normal((3, 3)) for _ in weights]
    sizes = [(20, 25), (30, 15)]
    references = [
        (np.einsum("ij,jhw->ihw", mix, draws(3, *size, seed=k)) + 0.1 * k).astype(np.float32)
        for k, (mix, size) in enumerate(zip(mixes, sizes, strict=True))
    ]
    out = colour_matched(torch.from_numpy(content), [torch.from_numpy(r) for r in references], weights).numpy()
    flat = np.concatenate([r.reshape(3, -1) for r in references], axis=1).astype(np.float64)
    share = np.concatenate([np.full(r.shape[1] * r.shape[2], w) for r, w in zip(references, weights, strict=True)])
    mean = np.average(flat, axis=1, weights=share)
    covariance = np.cov(flat, aweights=share, bias=True)
    ours = out.reshape(3, -1).astype(np.float64)
    np.testing.assert_allclose(ours.mean(1), mean, atol=0.01)
    np.testing.assert_allclose(np.cov(ours, bias=True), covariance, atol=0.004)


def test_colour_matched_moves_nothing_where_colours_agree_already() -> None:
    content = 0.2 * torch.from_numpy(draws(3, 20, 20))
    assert torch.allclose(colour_matched(content, [content.flip(1)], [1.0]), content, atol=1e-3)


def test_luminance_and_shrunk_are_plain_means() -> None:
    picture = draws(3, 12, 18)
    light = luminance(torch.from_numpy(picture)).numpy()
    np.testing.assert_allclose(light[0], 0.299 * picture[0] + 0.587 * picture[1] + 0.114 * picture[2], atol=1e-6)
    small = shrunk(torch.from_numpy(picture), (4, 6)).numpy()
    np.testing.assert_allclose(small, picture.reshape(3, 4, 3, 6, 3).mean((2, 4)), atol=1e-6)


# --- levels and fields


@pytest.mark.parametrize("size", [(512, 512), (16, 16), (1, 1), (333, 1000), (4096, 4096), (25, 24)])
@pytest.mark.parametrize("references", [[(512, 512)], [(700, 300), (40, 900)], [(1, 8000)]])
def test_levels_double_up_to_the_pictures_own_size(size: tuple[int, int], references: list[tuple[int, int]]) -> None:
    levels = level_sizes(size, references)
    assert levels[-1] == (size, references)
    for number, (own, others) in enumerate(reversed(levels)):
        for side, whole in zip((*own, *sum(others, ())), (*size, *sum(references, ())), strict=True):
            assert side == max(1, round(whole / 2**number))
    coarsest = min(min(own) for own in (levels[0][0], *levels[0][1]))
    smallest = min(*size, *(side for one in references for side in one))
    assert coarsest >= 24 or len(levels) == 1
    assert coarsest < 48 or smallest < 48


def test_labels_at_a_level_are_the_nearest_pixels() -> None:
    labels = np.random.default_rng(1).integers(0, 9, (23, 31)).astype(np.uint8)
    small = labels_at(labels, (7, 40))
    assert small is not None
    for y, x in np.ndindex(7, 40):
        assert small[y, x] == labels[int((y + 0.5) * 23 / 7), int((x + 0.5) * 31 / 40)]
    assert labels_at(None, (3, 3)) is None


def test_an_enlarged_field_continues_each_pixels_piece() -> None:
    rng = np.random.default_rng(RNG_SEED)
    coarse = Layout((0, 12), (10, 7), (9, 13))
    fine = Layout((0, 22), (20, 14), (18, 26))
    entry = rng.integers(0, 2, (6, 5))
    v = np.where(entry == 0, rng.integers(0, 10, (6, 5)), 12 + rng.integers(0, 7, (6, 5)))
    u = np.where(entry == 0, rng.integers(0, 9, (6, 5)), rng.integers(0, 13, (6, 5)))
    field = np.stack((v, u)).astype(np.int32)
    out = enlarged(torch.from_numpy(field), (12, 10), coarse, fine).numpy()
    for y, x in np.ndindex(12, 10):
        k = entry[y // 2, x // 2]
        row = min(2 * (v[y // 2, x // 2] - coarse.offsets[k]) + y % 2, fine.heights[k] - 1) + fine.offsets[k]
        column = min(2 * u[y // 2, x // 2] + x % 2, fine.widths[k] - 1)
        assert tuple(out[:, y, x]) == (row, column)


@pytest.mark.parametrize(("coarse_px", "fine_px"), [((5, 7), (10, 13)), ((8, 3), (15, 6)), ((4, 4), (9, 9))])
def test_an_enlarged_field_stays_on_its_reference(coarse_px: tuple[int, int], fine_px: tuple[int, int]) -> None:
    coarse = Layout((0, 8), (6, 9), (5, 4))
    fine = Layout((0, 14), (11, 18), (10, 8))
    rng = np.random.default_rng(RNG_SEED)
    entry = rng.integers(0, 2, coarse_px)
    v = np.where(entry == 0, rng.integers(0, 6, coarse_px), 8 + rng.integers(0, 9, coarse_px))
    u = np.where(entry == 0, rng.integers(0, 5, coarse_px), rng.integers(0, 4, coarse_px))
    out = enlarged(torch.from_numpy(np.stack((v, u)).astype(np.int32)), fine_px, coarse, fine).numpy()
    rows_of, columns_of = (np.arange(fine) * coarse // fine for fine, coarse in zip(fine_px, coarse_px, strict=True))
    own = entry[rows_of[:, None], columns_of[None, :]]
    for k in (0, 1):
        rows, columns = out[:, own == k]
        assert (rows >= fine.offsets[k]).all()
        assert (rows < fine.offsets[k] + fine.heights[k]).all()
        assert (columns < fine.widths[k]).all()


# --- bands


@pytest.mark.parametrize("size", [(1, 1), (3, 5000), (1024, 1024), (4096, 4096), (8000, 1)])
def test_bands_cover_every_row_once_and_are_small_enough_to_stop_soon(size: tuple[int, int]) -> None:
    bands = list(split_rows(*size))
    assert bands[0][0] == 0
    assert bands[-1][1] == size[0]
    assert all(one[1] == two[0] for one, two in pairwise(bands))
    assert all((last - first) * size[1] <= max(2 * 32768, size[1]) for first, last in bands)


def test_bands_stop_when_asked_and_hand_on_what_went_wrong() -> None:
    stop = False
    with Bands(2, lambda: stop) as bands:
        seen: list[int] = []
        with pytest.raises(ZeroDivisionError):
            bands.each(64, 64, lambda first, _last: seen.append(1 // (first - first)))
        bands.each(300, 300, lambda first, last: seen.append(last - first))
        assert sum(seen) == 300
        stop = True
        with pytest.raises(Stopped):
            bands.each(64, 64, lambda first, last: None)


def test_calming_takes_the_grain_and_keeps_the_edges() -> None:
    rng = np.random.default_rng(RNG_SEED)
    plain = np.full((1, 96, 96), -0.4, np.float32)
    plain[:, :, 48:] = 0.4
    calm = calmed(torch.from_numpy(plain + rng.normal(0, 0.04, plain.shape).astype(np.float32))).numpy()
    assert calm[:, :, 8:40].std() < 0.02
    assert calm[:, 8:-8, 46].mean() < -0.3
    assert calm[:, 8:-8, 49].mean() > 0.3

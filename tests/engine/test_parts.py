"""The patch model's parts against plain loops that follow their definitions word by word."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from adstudio.engine.patch.bands import Bands, Stopped, split_rows
from adstudio.engine.patch.descriptors import DEPTH, PATCH_PX, Projection, patch_weights
from adstudio.engine.patch.field import Layout, enlarged
from adstudio.engine.patch.guides import colour_matched
from adstudio.engine.patch.pyramid import labels_at, level_sizes
from adstudio.engine.patch.tones import luminance, matched, shrunk
from adstudio.engine.patch.vote import vote

RNG_SEED = 20


def draws(*shape: int, seed: int = RNG_SEED) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


# --- vote


def plain_vote(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    field: NDArray[np.int32],
    cost: NDArray[np.float32],
    *,
    sigma_px: float,
    temperature: float,
    wrap_y: bool,
    wrap_x: bool,
) -> NDArray[np.float64]:
    """Each pixel: the mean of what its own and its neighbours' patches say of it, nearer and better ones heavier."""
    height, width = cost.shape
    rows, columns = valid.shape
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
                if not (0 <= v < rows and 0 <= u < columns) or not valid[v, u]:
                    continue
                better = np.clip((float(cost[y, x]) - float(cost[yy, xx])) / temperature, -30, 3)
                weight = math.exp(-(dy * dy + dx * dx) / (2 * sigma_px**2)) * math.exp(better)
                total += weight * values[v, u]
                weights += weight
        out[:, y, x] = total / weights
    return out


@pytest.mark.parametrize(("wrap_y", "wrap_x"), [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("size", [(9, 13), (1, 5), (6, 1), (90, 60)])
def test_vote_is_the_weighted_mean_of_what_patches_say(size: tuple[int, int], wrap_y: bool, wrap_x: bool) -> None:
    rng = np.random.default_rng(RNG_SEED)
    rows, columns = 11, 17
    valid = rng.random((rows, columns)) > 0.2
    places = np.argwhere(valid)
    field = places[rng.integers(0, len(places), size)].transpose(2, 0, 1).astype(np.int32)
    values, cost = draws(rows, columns, 3), 2 * np.abs(draws(*size))
    settings: dict[str, Any] = {"sigma_px": 0.7, "temperature": 0.9, "wrap_y": wrap_y, "wrap_x": wrap_x}
    wanted = plain_vote(values, valid, field, cost, **settings)
    arrays = [torch.from_numpy(a) for a in (values, valid, np.ascontiguousarray(field), cost)]
    with Bands(2) as bands:
        for shared in (None, bands):
            ours = vote(*arrays, **settings, bands=shared).numpy()
            np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5)


# --- descriptors


def plain_patches(picture: NDArray[np.float32], *, wrap_y: bool = False, wrap_x: bool = False) -> NDArray[np.float64]:
    """Weighted patches [height, width, channels * PATCH_PX**2]; beyond a border the picture is mirrored or goes on."""
    channels, height, width = picture.shape
    half = PATCH_PX // 2

    def place(i: int, side: int, *, wrap: bool) -> int:
        if wrap:
            return i % side
        return -i if i < 0 else 2 * (side - 1) - i if i >= side else i

    root = np.sqrt(patch_weights().numpy().astype(np.float64))
    out = np.zeros((height, width, channels, PATCH_PX, PATCH_PX))
    for y, x, dy, dx in np.ndindex(height, width, PATCH_PX, PATCH_PX):
        row, column = place(y + dy - half, height, wrap=wrap_y), place(x + dx - half, width, wrap=wrap_x)
        out[y, x, :, dy, dx] = picture[:, row, column] * root[dy, dx]
    return out.reshape(height, width, -1)


@pytest.mark.parametrize(("wrap_y", "wrap_x"), [(False, False), (True, False), (False, True), (True, True)])
def test_descriptors_are_the_patches_in_an_orthonormal_basis(wrap_y: bool, wrap_x: bool) -> None:
    picture = draws(4, 12, 14)
    projection = Projection([torch.from_numpy(draws(4, 30, 31, seed=1))], seed=0)
    with Bands(2) as bands:
        banded = projection.describe(torch.from_numpy(picture), bands, wrap_y=wrap_y, wrap_x=wrap_x).numpy()
    whole = projection.describe(torch.from_numpy(picture), None, wrap_y=wrap_y, wrap_x=wrap_x).numpy()
    assert whole.shape == (12, 14, DEPTH)
    np.testing.assert_allclose(banded, whole, atol=1e-5)
    patches = plain_patches(picture, wrap_y=wrap_y, wrap_x=wrap_x).reshape(12 * 14, -1)
    spanned, _, _, _ = np.linalg.lstsq(
        np.c_[patches, np.ones(len(patches))], whole.reshape(-1, DEPTH).astype(np.float64), rcond=None
    )
    np.testing.assert_allclose(np.c_[patches, np.ones(len(patches))] @ spanned, whole.reshape(-1, DEPTH), atol=1e-4)


def test_distances_of_descriptors_are_distances_of_patches_where_nothing_is_left_out() -> None:
    rng = np.random.default_rng(RNG_SEED)
    few = rng.standard_normal((3, 3)).astype(np.float32)
    ramp = np.linspace(-1, 1, 40, dtype=np.float32)
    reference = np.stack([few[c, 0] * ramp[:, None] + few[c, 1] * ramp[None, :] ** 2 for c in range(3)])
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


# --- histogram and colour


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

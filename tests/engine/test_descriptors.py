"""Descriptors against an independent plain implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from adstudio.engine.patch.bands import Bands
from adstudio.engine.patch.descriptors import (
    COLOURS,
    CONTEXT_STEP_PX,
    DEPTH,
    PATCH_PX,
    REACH_PX,
    Projection,
    patch_weights,
)
from tests.engine.drawn import RNG_SEED, draws


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

"""Votes against an independent plain implementation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from adstudio.engine.patch.bands import Bands
from adstudio.engine.patch.vote import vote
from tests.engine.drawn import RNG_SEED, draws


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

"""The compiled search and the one in torch operations: pass for pass the same, and both as the plain loops below."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from adstudio.engine.patch.field import SIDES
from adstudio.engine.patch.search_cpu import search_rows
from adstudio.engine.patch.search_torch import search_pass

DEPTH = 16
_MASK = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True)
class Search:
    """Everything a pass reads. Arrays as in `search_rows`."""

    query: NDArray[np.float32]
    keys: NDArray[np.float32]
    bias: NDArray[np.float32]
    query_label: NDArray[np.uint8]
    key_label: NDArray[np.uint8]
    field: NDArray[np.int32]
    wrap_y: bool = False
    wrap_x: bool = False
    jump: int = 1
    probes: int = 4
    radius: int = 20
    coherence: float = 0.0
    seed: int = 1

    def compiled(self, band_rows: int = 1000) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        height, width = self.query_label.shape
        found, cost = np.full_like(self.field, -9), np.full((height, width), np.nan, np.float32)
        for first in range(0, height, band_rows):
            search_rows(
                self.query,
                self.keys,
                self.bias,
                self.query_label,
                self.key_label,
                self.field,
                found,
                cost,
                first,
                min(first + band_rows, height),
                self.wrap_y,
                self.wrap_x,
                self.jump,
                self.probes,
                self.radius,
                np.float32(self.coherence),
                np.uint32(self.seed),
            )
        return found, cost

    def in_torch(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        arrays = (self.query, self.keys, self.bias, self.query_label, self.key_label, self.field)
        found, cost = search_pass(
            *(torch.from_numpy(array) for array in arrays),
            wrap_y=self.wrap_y,
            wrap_x=self.wrap_x,
            jump=self.jump,
            probes=self.probes,
            radius=self.radius,
            coherence=self.coherence,
            seed=self.seed,
        )
        return found.numpy(), cost.numpy()

    def raw_cost(self, y: int, x: int, v: int, u: int) -> float:
        difference = self.query[y, x].astype(np.float64) - self.keys[v, u]
        return float((difference**2).sum() + self.bias[v, u])

    def continued(self, y: int, x: int, dy: int, dx: int) -> tuple[int, int] | None:
        """The key that continues, at (y, x), the piece of reference the pixel (dy, dx) away shows."""
        height, width = self.query_label.shape
        rows, columns = self.key_label.shape
        yy, xx = y + dy, x + dx
        yy, xx = yy % height if self.wrap_y else yy, xx % width if self.wrap_x else xx
        if not (0 <= yy < height and 0 <= xx < width):
            return None
        v, u = int(self.field[0, yy, xx]) - dy, int(self.field[1, yy, xx]) - dx
        if not (0 <= v < rows and 0 <= u < columns) or self.key_label[v, u] != self.query_label[y, x]:
            return None
        return v, u

    def price(self, y: int, x: int, v: int, u: int) -> float:
        """What the search compares: the cost less what the neighbours that agree take off."""
        if self.key_label[v, u] != self.query_label[y, x]:
            return math.inf
        agree = sum(self.continued(y, x, dy, dx) == (v, u) for dy, dx in SIDES)
        return self.raw_cost(y, x, v, u) - self.coherence * agree

    def candidates(self, y: int, x: int) -> list[tuple[int, int]]:
        """Own match, neighbours and jumps; the random looks are not here, they start from the best of these."""
        own = (int(self.field[0, y, x]), int(self.field[1, y, x]))
        steps = [*SIDES, *((dy * self.jump, dx * self.jump) for dy, dx in SIDES if self.jump > 1)]
        return [own, *(found for dy, dx in steps if (found := self.continued(y, x, dy, dx)) is not None)]

    def looks(self, y: int, x: int, centre: tuple[int, int]) -> list[tuple[int, int]]:
        """The hashed random positions around the best candidate."""
        rows, columns = self.key_label.shape
        reach, found = self.radius, []
        for probe in range(self.probes):
            h = hashed((y * self.query_label.shape[1] + x) ^ hashed(self.seed + probe))
            span = 2 * reach + 1
            v = centre[0] + (((h & 0xFFFF) * span) >> 16) - reach
            u = centre[1] + (((h >> 16) * span) >> 16) - reach
            found.append((min(max(v, 0), rows - 1), min(max(u, 0), columns - 1)))
            reach = max(reach // 4, 1)
        return found


def hashed(x: int) -> int:
    """PCG's output permutation on 32 bits."""
    state = (x * 747796405 + 2891336453) & _MASK
    word = (((state >> ((state >> 28) + 4)) ^ state) * 277803737) & _MASK
    return (word >> 22) ^ word


def random_search(draw: int, *, height: int = 19, width: int = 23, labels: int = 1, **others: Any) -> Search:
    """A random picture against a random sheet; every pixel's match has its own label, as the synthesis sees to."""
    rng = np.random.default_rng(draw)
    rows, columns = 31, 27
    key_label = rng.integers(0, labels, (rows, columns)).astype(np.uint8)
    key_label[14:16] = 255
    key_label[:, 22:][16:] = 255
    query_label = np.sort(rng.integers(0, labels, (height, width)), axis=1).astype(np.uint8)
    field = np.empty((2, height, width), np.int32)
    for y, x in np.ndindex(height, width):
        places = np.argwhere(key_label == query_label[y, x])
        field[:, y, x] = places[rng.integers(0, len(places))]
    return Search(
        query=rng.standard_normal((height, width, DEPTH), dtype=np.float32),
        keys=rng.standard_normal((rows, columns, DEPTH), dtype=np.float32),
        bias=rng.standard_normal((rows, columns), dtype=np.float32),
        query_label=query_label,
        key_label=key_label,
        field=field,
        **others,
    )


CASES = [
    random_search(1),
    random_search(2, wrap_y=True, wrap_x=True, jump=4),
    random_search(3, wrap_x=True, jump=8, coherence=0.7),
    random_search(4, wrap_y=True, coherence=3.0, probes=0),
    random_search(5, labels=3, jump=2, coherence=1.0, radius=3),
    random_search(6, labels=2, wrap_y=True, wrap_x=True, jump=8, coherence=0.5, seed=0xFFFFFFFF),
    random_search(7, height=1, width=40, wrap_y=True, wrap_x=True, jump=4, radius=31),
    random_search(8, height=50, width=2, jump=8, probes=9),
]


@pytest.mark.parametrize("search", CASES, ids=range(len(CASES)))
def test_both_searches_find_the_same_over_several_passes(search: Search) -> None:
    for number in range(4):
        field, cost = search.compiled()
        other_field, other_cost = search.in_torch()
        np.testing.assert_allclose(cost, other_cost, rtol=2e-5, atol=2e-5)
        for y, x in np.argwhere((field != other_field).any(axis=0)):
            one, other = (search.price(y, x, int(f[0, y, x]), int(f[1, y, x])) for f in (field, other_field))
            assert abs(one - other) < 1e-4, "they may differ only between equally good matches"
        search = replace(search, field=field, seed=search.seed ^ (number + 1))


@pytest.mark.parametrize("search", CASES, ids=range(len(CASES)))
def test_the_compiled_search_is_the_plain_loop(search: Search) -> None:
    field, cost = search.compiled()
    for y, x in np.ndindex(*cost.shape):
        best = min(search.candidates(y, x), key=lambda one: search.price(y, x, *one))
        best = min([best, *search.looks(y, x, best)], key=lambda one: search.price(y, x, *one))
        found = (int(field[0, y, x]), int(field[1, y, x]))
        assert search.price(y, x, *found) == pytest.approx(search.price(y, x, *best), abs=1e-4)
        assert cost[y, x] == pytest.approx(search.raw_cost(y, x, *found), abs=1e-4)
        assert search.key_label[found] == search.query_label[y, x]


@pytest.mark.parametrize("search", CASES, ids=range(len(CASES)))
def test_rows_may_be_shared_out_in_any_way(search: Search) -> None:
    field, cost = search.compiled()
    for band_rows in (1, 7):
        other_field, other_cost = search.compiled(band_rows)
        assert np.array_equal(field, other_field)
        assert np.array_equal(cost, other_cost)


def test_a_match_that_has_lost_its_label_is_given_up_for_any_other() -> None:
    search = random_search(9, labels=2, jump=8, radius=31, probes=8)
    strayed = search.field.copy()
    own = search.query_label[9, 11]
    strayed[:, 9, 11] = np.argwhere(search.key_label == 1 - own)[0]
    search = replace(search, field=strayed)
    for field, _cost in (search.compiled(), search.in_torch()):
        assert search.key_label[tuple(field[:, 9, 11])] == own


def test_passes_only_ever_get_better_without_coherence() -> None:
    search = random_search(10, jump=4)
    before = np.inf
    for number in range(6):
        field, cost = search.compiled()
        assert float(cost.mean()) < before
        before = float(cost.mean())
        search = replace(search, field=field, seed=number + 50)

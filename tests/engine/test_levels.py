"""From coarse to fine: sizes, labels and fields of levels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from adstudio.engine.patch.field import Layout, enlarged
from adstudio.engine.patch.pyramid import labels_at, level_sizes
from tests.engine.drawn import RNG_SEED


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

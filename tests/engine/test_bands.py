"""Work in bands of rows."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from adstudio.engine.patch.bands import Bands, Stopped, split_rows


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


def test_works_done_together_overlap_and_keep_their_order() -> None:
    meet = threading.Barrier(2, timeout=30)

    def first() -> str:
        meet.wait()
        return "first"

    def second() -> str:
        meet.wait()
        return "second"

    with Bands(2) as bands:
        assert bands.together(first, second) == ["first", "second"]
        with pytest.raises(ZeroDivisionError):
            bands.together(lambda: 1, lambda: 1 // 0)
    with Bands(1) as alone:
        assert alone.together(lambda: 1, lambda: 2) == [1, 2]

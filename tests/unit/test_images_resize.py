"""Sizes: fitting, cropping, resampling of pictures and of labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adstudio.images import centre_crop_to_aspect, fit_within, resize, resize_labels
from tests.unit.picture_files import quarters

sides = st.integers(1, 300)


@given(sides, sides, sides)
def test_fitting_keeps_the_aspect_and_the_limit(width: int, height: int, longest: int) -> None:
    found = fit_within((width, height), longest)
    if max(width, height) <= longest:
        assert found == (width, height)
        return
    assert max(found) == longest
    assert min(found) >= 1
    assert min(found) == max(1, round(min(width, height) * longest / max(width, height)))


@given(sides, sides, sides, sides)
def test_a_centre_crop_is_the_largest_of_its_aspect(columns: int, rows: int, width: int, height: int) -> None:
    pixels = np.arange(rows * columns).reshape(rows, columns)
    found = centre_crop_to_aspect(pixels, width, height)
    kept_rows, kept_columns = found.shape
    assert kept_rows == rows or kept_columns == columns
    wanted_columns, wanted_rows = min(columns, rows * width / height), min(rows, columns * height / width)
    assert abs(kept_columns - max(1, wanted_columns)) <= 0.5
    assert abs(kept_rows - max(1, wanted_rows)) <= 0.5
    top, left = divmod(int(found[0, 0]), columns)
    assert abs(top - (rows - kept_rows - top)) <= 1
    assert abs(left - (columns - kept_columns - left)) <= 1
    assert (found == pixels[top : top + kept_rows, left : left + kept_columns]).all()


@pytest.mark.parametrize("size", [(7, 5), (40, 24), (80, 48), (3, 90), (1, 1)])
def test_resizing_gives_the_size_and_stays_in_range(size: tuple[int, int]) -> None:
    for pixels in (quarters().astype(np.float32) / np.float32(255), (quarters()[..., 0] > 100).astype(np.float32)):
        found = resize(pixels, *size)
        assert found.shape == (size[1], size[0], *pixels.shape[2:])
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        assert 0 <= found.min() <= found.max() <= 1


def test_resizing_keeps_more_than_eight_bits() -> None:
    ramp = np.linspace(0.5, 0.51, 512, dtype=np.float32)[None, :, None].repeat(3, 2).repeat(4, 0)
    found = resize(ramp, 256, 4)
    np.testing.assert_allclose(found[0, 8:-8, 0], ramp[0, :, 0].reshape(256, 2).mean(1)[8:-8], atol=2e-6)
    assert len(np.unique(found[0])) > 200


def test_making_smaller_averages_all_pixels() -> None:
    """A filter as wide as the reduction: fine stripes become grey, not moiré."""
    stripes = np.zeros((128, 128, 3), np.float32)
    stripes[:, ::2] = 1
    assert np.abs(resize(stripes, 32, 32)[4:-4, 4:-4] - 0.5).max() < 0.02


def test_the_same_size_gives_the_same_pixels() -> None:
    pixels = quarters().astype(np.float32) / np.float32(255)
    assert (resize(pixels, 40, 24) == pixels).all()


@given(sides, sides, st.integers(1, 40), st.integers(1, 40))
def test_labels_are_taken_from_the_nearest_pixel(width: int, height: int, columns: int, rows: int) -> None:
    labels = (np.arange(rows * columns) % 251).astype(np.uint8).reshape(rows, columns)
    found = resize_labels(labels, width, height)
    assert found.shape == (height, width)
    for y in {0, height // 2, height - 1}:
        for x in {0, width // 3, width - 1}:
            row, column = int((y + 0.5) * rows / height), int((x + 0.5) * columns / width)
            assert found[y, x] == labels[row, column]

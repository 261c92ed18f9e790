"""Control pictures: edges, lines and luminance."""

from __future__ import annotations

import numpy as np
import pytest

from adstudio.images.colour import Pixels
from adstudio.images.conditions import control_picture, edges, line_art, luminance_picture
from adstudio.jobs.choices import ControlKind

MAKERS = [edges, line_art, luminance_picture]


def square(background: float, inside: float) -> Pixels:
    pixels = np.full((60, 80, 3), background, np.float32)
    pixels[20:40, 30:60] = inside
    return pixels


@pytest.mark.parametrize("maker", MAKERS)
def test_control_pictures_are_grey_pictures_of_the_same_size(maker: object) -> None:
    pixels = np.random.default_rng(1).random((33, 47, 3)).astype(np.float32)
    assert callable(maker)
    found = maker(pixels)
    assert found.shape == pixels.shape
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_array_equal(found[..., 0], found[..., 2])


@pytest.mark.parametrize(("background", "inside"), [(0.2, 0.8), (0.8, 0.2), (0.50, 0.53)])
def test_edges_run_once_around_a_square_however_faint(background: float, inside: float) -> None:
    found = edges(square(background, inside))[..., 0] > 0.5
    rows, columns = np.nonzero(found)
    assert 85 <= found.sum() <= 110  # the outline is 100 pixels long, its corners are rounded
    near_side = np.minimum(np.abs(rows - 19.5), np.abs(rows - 39.5)) <= 2
    near_end = np.minimum(np.abs(columns - 29.5), np.abs(columns - 59.5)) <= 2
    assert np.all(near_side | near_end)
    middle = found[25:35].sum(axis=1)
    assert np.all(middle == 2)  # one pixel wide on either side


def test_kinds_go_by_their_names_in_the_job_and_depth_stays_as_it_is() -> None:
    pixels = square(0.2, 0.8)
    for kind, maker in (("canny", edges), ("line_art", line_art), ("luminance", luminance_picture)):
        np.testing.assert_array_equal(control_picture(kind, pixels), maker(pixels))
    assert control_picture("depth", pixels) is pixels
    assert {kind.value for kind in ControlKind} == {"canny", "line_art", "luminance", "depth", "pose"}


def test_a_flat_picture_has_no_edges() -> None:
    assert edges(np.full((20, 20, 3), 0.4, np.float32)).sum() == 0
    assert line_art(np.full((20, 20, 3), 0.4, np.float32)).sum() == 0


def test_a_weak_edge_counts_only_where_it_goes_on_from_a_strong_one() -> None:
    pixels = np.zeros((60, 120, 3), np.float32)
    heights = np.interp(np.arange(120), [15, 45], [1.0, 0.1])  # ends under the high threshold, over the low one
    heights[70:75] = 0.0  # the gap after which nothing hangs together with the strong part
    pixels[30:] = heights[None, :, None]
    along = edges(pixels, low=0.05, high=0.5)[25:35, :, 0].max(axis=0) > 0
    assert along[5:60].all()
    assert not along[80:115].any()


def test_lines_are_white_where_the_picture_is_dark() -> None:
    pixels = np.full((64, 64, 3), 0.9, np.float32)
    pixels[:, 31:33] = 0.1
    found = line_art(pixels)[..., 0]
    assert found[:, 31:33].min() > 0.9
    assert found[:, :24].max() == 0
    assert found[:, 40:].max() == 0

"""Queries that ask for marks as strong as the references'."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from adstudio.engine.patch.marks import Marks
from tests.engine.drawn import draws


def marked(*, seed: int = 0) -> torch.Tensor:
    """Fine noise and blots of a few sizes: [3, 96, 80]."""
    out = torch.zeros(1, 3, 96, 80)
    for size in (4, 12, 24, 48, 96):
        noise = torch.from_numpy(draws(1, 3, size, size * 5 // 6, seed=seed + size))
        out += 0.1 * torch.nn.functional.interpolate(noise, (96, 80), mode="bilinear")
    return out[0]


def test_a_picture_with_the_references_marks_is_asked_for_as_it_is() -> None:
    picture = marked()
    before = picture.clone()
    np.testing.assert_allclose(Marks.of([picture]).asked_of(picture), picture, atol=1e-5)
    assert torch.equal(picture, before)


@pytest.mark.parametrize("share", [0.8, 1.25])
def test_weak_marks_are_asked_for_stronger_and_strong_ones_weaker(share: float) -> None:
    wanted = Marks.of([marked()])
    asked = wanted.asked_of(share * marked(seed=1))
    np.testing.assert_allclose(Marks.of([asked]).strengths, wanted.strengths, rtol=0.1)
    assert float(asked.mean()) == pytest.approx(share * float(marked(seed=1).mean()), abs=0.01)


def test_only_the_size_that_is_weak_grows_stronger() -> None:
    reference = marked()
    soft = torch.nn.functional.avg_pool2d(reference[None], 3, 1, padding=1, count_include_pad=False)[0]
    wanted = Marks.of([reference])
    before, after = Marks.of([soft]).strengths, Marks.of([wanted.asked_of(soft)]).strengths
    assert before[0] < 0.6 * wanted.strengths[0]
    assert after[0] > 1.4 * before[0]
    assert after[3] == pytest.approx(wanted.strengths[3], rel=0.1)


def test_strengths_of_several_references_are_averaged() -> None:
    one, two = marked(), 0.5 * marked(seed=5)
    each = [Marks.of([picture]).strengths for picture in (one, two)]
    np.testing.assert_allclose(Marks.of([one, two]).strengths, np.mean(each, 0), rtol=1e-6)


def test_faint_grain_is_not_blown_up_without_limit() -> None:
    faint = Marks.of([0.1 * marked()]).strengths
    asked = Marks.of([marked()]).asked_of(0.1 * marked())
    assert max(np.divide(Marks.of([asked]).strengths, faint)) < 1.7
    plain = torch.full((3, 20, 30), 0.4)
    np.testing.assert_allclose(Marks.of([marked()]).asked_of(plain), plain, atol=1e-5)


def test_the_mean_colour_goes_most_of_the_way_and_marks_stay() -> None:
    picture, colour = marked(), torch.tensor([0.5, -0.2, 0.1]).view(3, 1, 1)
    moved = Marks.of([picture], colour).asked_of(picture) - picture
    expected = (0.8 * (colour - picture.mean((1, 2), keepdim=True))).expand(picture.shape)
    np.testing.assert_allclose(moved, expected, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (5, 64)])
def test_very_small_pictures_have_marks_too(size: tuple[int, int]) -> None:
    picture = 0.3 * torch.from_numpy(draws(3, *size))
    assert torch.isfinite(Marks.of([picture]).asked_of(picture)).all()

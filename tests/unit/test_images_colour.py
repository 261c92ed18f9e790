"""Colour spaces, and what the colour and strength sliders do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from adstudio.images.colour import (
    blend_color,
    blend_strength,
    linear_to_srgb,
    luminance,
    oklab_to_srgb,
    srgb_to_linear,
    srgb_to_oklab,
)
from tests.unit.picture_files import encoded, quarters


def pictures(seed: int = 3) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return rng.random((20, 30, 3), np.float32), rng.random((20, 30, 3), np.float32)


def chroma(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    lab = srgb_to_oklab(pixels)
    return np.hypot(lab[..., 1], lab[..., 2])


def test_the_srgb_curve() -> None:
    light = np.linspace(0, 1, 1001, dtype=np.float32)
    np.testing.assert_allclose(linear_to_srgb(light), encoded(light), atol=1e-6)
    np.testing.assert_allclose(srgb_to_linear(linear_to_srgb(light)), light, atol=1e-6)
    assert linear_to_srgb(np.array([-0.1], np.float32))[0] < 0


@pytest.mark.parametrize(
    ("srgb", "lab"),
    [
        ((1, 1, 1), (1.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((1, 0, 0), (0.627955, 0.224863, 0.125846)),
        ((0, 1, 0), (0.866440, -0.233888, 0.179498)),
        ((0, 0, 1), (0.452014, -0.032457, -0.311528)),
    ],
)
def test_oklab_of_known_colours(srgb: tuple[int, int, int], lab: tuple[float, float, float]) -> None:
    """Values as published for the primaries of sRGB."""
    found = srgb_to_oklab(np.array([[srgb]], np.float32))
    np.testing.assert_allclose(found[0, 0], lab, atol=2e-5)
    np.testing.assert_allclose(oklab_to_srgb(found)[0, 0], srgb, atol=1e-4)


def test_oklab_and_back() -> None:
    pixels, _ = pictures()
    found = srgb_to_oklab(pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(oklab_to_srgb(found), pixels, atol=1e-4)


def test_luma() -> None:
    pixels, _ = pictures()
    wanted = 0.299 * pixels[..., 0] + 0.587 * pixels[..., 1] + 0.114 * pixels[..., 2]
    np.testing.assert_allclose(luminance(pixels), wanted, atol=1e-6)


def test_full_colour_is_the_result_itself() -> None:
    result, content = pictures()
    assert (blend_color(result, content, 1) == result).all()


@pytest.mark.parametrize("color", [0.0, 0.3, 0.7])
def test_colour_keeps_lightness_and_mixes_chroma(color: float) -> None:
    result, content = (0.35 + 0.3 * picture for picture in pictures())  # well inside sRGB
    own, other, found = (srgb_to_oklab(p) for p in (result, content, blend_color(result, content, color)))
    np.testing.assert_allclose(found[..., 0], own[..., 0], atol=1e-4)
    np.testing.assert_allclose(found[..., 1:], color * own[..., 1:] + (1 - color) * other[..., 1:], atol=1e-4)


def test_no_colour_of_a_grey_content_is_grey() -> None:
    result, _ = pictures()
    content = np.full_like(result, 0.4)
    assert chroma(blend_color(result, content, 0)).max() < 1e-3


def test_colours_outside_srgb_lose_chroma_not_lightness() -> None:
    result = np.full((4, 4, 3), 0.97, np.float32)
    content = np.zeros((4, 4, 3), np.float32)
    content[..., 2] = 1
    found = blend_color(result, content, 0)
    assert 0 <= found.min() <= found.max() <= 1
    np.testing.assert_allclose(srgb_to_oklab(found)[..., 0], srgb_to_oklab(result)[..., 0], atol=5e-3)
    assert 0.005 < chroma(found).min() < chroma(content).min()
    own, wanted = srgb_to_oklab(found)[0, 0], srgb_to_oklab(content)[0, 0]
    assert np.arctan2(own[2], own[1]) == pytest.approx(np.arctan2(wanted[2], wanted[1]), abs=0.05)


def test_the_ends_of_strength() -> None:
    result, content = pictures()
    assert (blend_strength(result, content, 1) == result).all()
    assert (blend_strength(result, content, 0) == content).all()


def test_strength_fades_evenly() -> None:
    result, content = pictures()
    for strength in (0.25, 0.5, 0.75):
        found = blend_strength(result, content, strength)
        assert 0 <= found.min() <= found.max() <= 1
        wanted = strength * srgb_to_oklab(result) + (1 - strength) * srgb_to_oklab(content)
        inside = ((oklab_to_srgb(wanted) >= 0) & (oklab_to_srgb(wanted) <= 1)).all(axis=2)
        np.testing.assert_allclose(srgb_to_oklab(found)[inside], wanted[inside], atol=1e-3)
        assert inside.mean() > 0.9


def test_blends_leave_their_inputs_alone() -> None:
    result = quarters().astype(np.float32) / np.float32(255)
    content = result[::-1].copy()
    for picture in (result, content):
        picture.setflags(write=False)
    blend_color(result, content, 0.3)
    blend_strength(result, content, 0.3)

"""Profiles, printing colours and Lab become sRGB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from adstudio.images import load_image, probe_image
from tests.unit.picture_files import (
    EXACT,
    encoded,
    icc_profile,
    quarters,
    ramps,
    saved,
)


def test_a_profile_is_followed_to_srgb(tmp_path: Path) -> None:
    values = (ramps() >> 8).astype(np.uint8)
    wanted = encoded(values / 255)[..., ::-1]
    path = saved(tmp_path / "a.png", values, icc_profile=icc_profile(order=(2, 1, 0)))
    found = load_image(path)
    assert found.had_profile
    assert found.notices == ()
    np.testing.assert_allclose(found.pixels, wanted, atol=2.5 / 255)
    assert np.abs(load_image(saved(tmp_path / "b.png", values)).pixels - wanted).max() > 0.2


def test_the_profile_of_srgb_changes_next_to_nothing(tmp_path: Path) -> None:
    values = (ramps() >> 8).astype(np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = load_image(saved(tmp_path / "a.png", values, icc_profile=profile))
    np.testing.assert_allclose(found.pixels, values / 255, atol=1.5 / 255)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_pictures_follow_grey_and_colour_profiles(tmp_path: Path, mode: str) -> None:
    grey = np.arange(0, 256, 2, dtype=np.uint8).reshape(8, 16)
    for name, profile in (("grey", icc_profile(grey=True)), ("colour", icc_profile())):
        path = saved(tmp_path / f"{name}.png", grey, mode=mode, icc_profile=profile)
        found = load_image(path)
        assert found.notices == ()
        np.testing.assert_allclose(found.pixels, np.repeat(encoded(grey / 255)[..., None], 3, 2), atol=2.5 / 255)


def test_a_profile_leaves_alpha_alone(tmp_path: Path) -> None:
    values = np.dstack(((ramps() >> 8).astype(np.uint8), np.tile(np.arange(40, dtype=np.uint8) * 6, (24, 1))))
    found = load_image(saved(tmp_path / "a.png", values, icc_profile=icc_profile()), matte=(0, 0, 0))
    assert found.alpha is not None
    np.testing.assert_allclose(found.alpha, values[..., 3] / 255, atol=EXACT)
    np.testing.assert_allclose(found.pixels, encoded(values[..., :3] / 255) * values[..., 3:] / 255, atol=2.5 / 255)


@pytest.mark.parametrize(
    ("mode", "profile", "word"),
    [
        ("RGB", b"no profile at all", "broken"),
        ("RGB", icc_profile()[:200], "broken"),
        ("RGB", icc_profile(grey=True), "another kind"),
        ("CMYK", icc_profile(), "another kind"),
    ],
)
def test_a_profile_that_is_no_use_is_told_and_left_out(tmp_path: Path, mode: str, profile: bytes, word: str) -> None:
    path = saved(tmp_path / "a.tif", quarters(), mode=mode, icc_profile=profile)
    found = load_image(path)
    assert word in found.notices[0]
    assert "a.tif" in found.notices[0]
    assert np.abs(found.pixels - quarters() / 255).max() < 0.02


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_printing_colours(tmp_path: Path, suffix: str) -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    cyan.paste((0, 255, 255, 0), (0, 0, 8, 16))
    cyan.paste((0, 0, 0, 255), (0, 8, 16, 16))
    cyan.save(tmp_path / f"a{suffix}", quality=98)
    found = load_image(tmp_path / f"a{suffix}")
    assert np.abs(found.pixels[3, 3] - [1, 0, 0]).max() < 0.05
    assert np.abs(found.pixels[3, 12] - [0, 1, 1]).max() < 0.05
    assert found.pixels[13].max() < 0.05
    assert "CMYK" in found.notices[0]


def test_lab_becomes_srgb(tmp_path: Path) -> None:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(Image.fromarray(quarters()), to_lab)
    assert lab is not None
    lab.save(tmp_path / "a.tif")
    assert probe_image(tmp_path / "a.tif").mode == "LAB"
    np.testing.assert_allclose(load_image(tmp_path / "a.tif").pixels, quarters() / 255, atol=5 / 255)

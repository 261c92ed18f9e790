"""Transparency and palettes: what is seen, on the matte that was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adstudio.images import load_image
from tests.unit.picture_files import (
    EXACT,
    quarters,
    saved,
)


@pytest.mark.parametrize("matte", [(255, 255, 255), (0, 0, 0), (10, 200, 90)])
def test_what_is_transparent_shows_the_matte(tmp_path: Path, matte: tuple[int, int, int]) -> None:
    alpha = np.zeros((24, 40), np.uint8)
    alpha[:, 10:30], alpha[:, 30:] = 128, 255
    found = load_image(saved(tmp_path / "a.png", np.dstack((quarters(), alpha))), matte=matte)
    assert found.alpha is not None
    np.testing.assert_allclose(found.alpha, alpha / 255, atol=EXACT)
    share = alpha[..., None] / 255
    np.testing.assert_allclose(found.pixels, quarters() / 255 * share + np.array(matte) / 255 * (1 - share), atol=1e-5)


def test_the_matte_is_white_unless_stated(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.zeros((4, 4, 4), np.uint8))
    assert load_image(path).pixels.min() == 1


def test_hidden_colours_do_not_bleed_when_made_smaller(tmp_path: Path) -> None:
    values = np.zeros((40, 40, 4), np.uint8)
    values[:, :20] = (255, 0, 0, 0)
    values[:, 20:] = (255, 255, 255, 255)
    found = load_image(saved(tmp_path / "a.png", values), max_pixels=400, reduce_to_pixels=225)
    assert found.pixels.shape == (15, 15, 3)
    assert found.pixels.min() > 0.999


def test_palettes(tmp_path: Path) -> None:
    indexed = Image.fromarray(quarters()).quantize(8)
    indexed.save(tmp_path / "plain.png")
    np.testing.assert_allclose(load_image(tmp_path / "plain.png").pixels, quarters() / 255, atol=EXACT)
    hidden, half = int(np.asarray(indexed)[0, 0]), int(np.asarray(indexed)[0, -1])
    indexed.save(tmp_path / "one.png", transparency=hidden)
    found = load_image(tmp_path / "one.png", matte=(0, 0, 255))
    assert found.alpha is not None
    assert found.pixels[0, 0].tolist() == [0, 0, 1]
    assert found.alpha[0, -1] == 1
    several = bytearray(b"\xff" * 8)
    several[hidden], several[half] = 0, 51
    indexed.save(tmp_path / "several.png", transparency=bytes(several))
    found = load_image(tmp_path / "several.png", matte=(0, 0, 255))
    assert found.alpha is not None
    assert found.alpha[0, 0] == 0
    assert found.alpha[0, -1] == pytest.approx(0.2)
    np.testing.assert_allclose(found.pixels[0, -1], np.array([30, 200, 60]) / 255 * 0.2 + [0, 0, 0.8], atol=1e-5)


@pytest.mark.parametrize(("mode", "colour"), [("L", 100), ("RGB", (10, 20, 30)), ("1", 1)])
def test_one_colour_may_be_transparent(tmp_path: Path, mode: str, colour: Any) -> None:
    image = Image.new(mode, (4, 3), 0)
    image.putpixel((1, 1), colour)
    image.save(tmp_path / "a.png", transparency=colour)
    found = load_image(tmp_path / "a.png", matte=(255, 0, 0))
    assert found.alpha is not None
    assert (found.alpha == 0).sum() == 1
    assert found.pixels[1, 1].tolist() == [1, 0, 0]
    assert found.pixels[0, 0].tolist() == [0, 0, 0]

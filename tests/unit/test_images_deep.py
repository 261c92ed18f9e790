"""Pictures of 16 bits: PNG and TIFF keep what is in their lower bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
import tifffile
from PIL import Image

from adstudio.images import load_image
from tests.unit.picture_files import (
    EXACT,
    encoded,
    icc_chunk,
    icc_profile,
    lzw_tiff,
    png_16,
    ramps,
)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_deep_png_keeps_its_lower_bytes(tmp_path: Path, channels: int) -> None:
    values = ramps(channels=channels)
    (tmp_path / "a.png").write_bytes(png_16(values))
    found = load_image(tmp_path / "a.png", matte=(0, 0, 0))
    alpha = values[..., -1:] / 65535 if channels in (2, 4) else np.ones((24, 40, 1))
    colours = np.repeat(values[..., :1], 3, 2) if channels < 3 else values[..., :3]
    np.testing.assert_allclose(found.pixels, colours / 65535 * alpha, atol=EXACT)
    assert found.bit_depth == 16
    assert (found.alpha is not None) == (channels in (2, 4))
    if found.alpha is not None:
        np.testing.assert_allclose(found.alpha, alpha[..., 0], atol=EXACT)


@pytest.mark.parametrize("greyscale", [True, False])
def test_deep_png_interlaced_and_from_another_writer(tmp_path: Path, greyscale: bool) -> None:
    values = ramps(channels=1 if greyscale else 3)
    with (tmp_path / "a.png").open("wb") as stream:
        writer = png.Writer(40, 24, bitdepth=16, greyscale=greyscale, interlace=True)
        writer.write(stream, values.reshape(24, -1).tolist())
    found = load_image(tmp_path / "a.png")
    np.testing.assert_allclose(found.pixels, np.broadcast_to(values / 65535, (24, 40, 3)), atol=EXACT)


def test_deep_png_with_a_transparent_colour(tmp_path: Path) -> None:
    values = ramps()
    colour = values[5, 6]
    (tmp_path / "a.png").write_bytes(png_16(values, (b"tRNS", colour.astype(">u2").tobytes())))
    found = load_image(tmp_path / "a.png", matte=(255, 255, 255))
    assert found.alpha is not None
    assert np.argwhere(found.alpha == 0).tolist() == [[5, 6]]
    assert found.bit_depth == 16
    np.testing.assert_allclose(found.pixels[0], values[0] / 65535, atol=EXACT)


@pytest.mark.parametrize("channels", [1, 3])
def test_deep_png_follows_its_profile(tmp_path: Path, channels: int) -> None:
    values = ramps(channels=channels)
    profile = icc_profile(order=(2, 1, 0)) if channels == 3 else icc_profile(grey=True)
    (tmp_path / "a.png").write_bytes(png_16(values, icc_chunk(profile)))
    found = load_image(tmp_path / "a.png")
    wanted = encoded(values / 65535)[..., ::-1]
    assert found.notices == ()
    bright = wanted.min(2) > 0.25  # linear light: one step of 8 bits is many of sRGB's near black
    np.testing.assert_allclose(found.pixels[bright], np.broadcast_to(wanted, (24, 40, 3))[bright], atol=2.5 / 255)
    assert len(np.unique(found.pixels[..., 0])) > 256


def test_deep_pictures_say_when_their_profile_is_no_use(tmp_path: Path) -> None:
    for profile, word in ((b"nonsense", "broken"), (icc_profile(grey=True), "another kind")):
        (tmp_path / "a.png").write_bytes(png_16(ramps(), icc_chunk(profile)))
        found = load_image(tmp_path / "a.png")
        assert word in found.notices[0]
        np.testing.assert_allclose(found.pixels, ramps() / 65535, atol=EXACT)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"compression": "lzma"},
        {"rowsperstrip": 5, "compression": "zlib"},
        {"tile": (16, 16), "compression": "zlib"},
        {"bigtiff": True},
    ],
    ids=str,
)
def test_deep_tiff_keeps_its_lower_bytes(tmp_path: Path, options: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", ramps(), photometric="rgb", **options)
    found = load_image(tmp_path / "a.tif")
    assert (found.bit_depth, found.alpha, found.notices) == (16, None, ())
    np.testing.assert_allclose(found.pixels, ramps() / 65535, atol=EXACT)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("rows_per_strip", [7, 24])
def test_deep_tiff_with_lzw(tmp_path: Path, byteorder: str, predictor: bool, rows_per_strip: int) -> None:
    content = lzw_tiff(ramps(), byteorder=byteorder, predictor=predictor, rows_per_strip=rows_per_strip)
    (tmp_path / "a.tif").write_bytes(content)
    found = load_image(tmp_path / "a.tif")
    assert found.bit_depth == 16
    np.testing.assert_allclose(found.pixels, ramps() / 65535, atol=EXACT)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_deep_grey_tiff(tmp_path: Path, photometric: str) -> None:
    grey = ramps(channels=1)[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", grey, photometric=photometric)
    shown = grey if photometric == "minisblack" else 65535 - grey
    found = load_image(tmp_path / "a.tif")
    np.testing.assert_allclose(found.pixels, np.repeat(shown[..., None], 3, 2) / 65535, atol=EXACT)


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("extra", ["unassalpha", "assocalpha", "unspecified"])
def test_further_channels_of_deep_tiff(tmp_path: Path, planes: str, extra: str) -> None:
    values = ramps(channels=4)
    values[..., 3] |= 0x4000
    stored = values.copy()
    if extra == "assocalpha":
        stored[..., :3] = np.round(values[..., :3].astype(float) * values[..., 3:] / 65535).astype(np.uint16)
    laid = np.ascontiguousarray(np.moveaxis(stored, -1, 0)) if planes == "separate" else stored
    tifffile.imwrite(tmp_path / "a.tif", laid, photometric="rgb", planarconfig=planes, extrasamples=[extra])
    found = load_image(tmp_path / "a.tif", matte=(0, 0, 0))
    share = values[..., 3:] / 65535 if extra != "unspecified" else np.ones((24, 40, 1))
    np.testing.assert_allclose(found.pixels, values[..., :3] / 65535 * share, atol=3e-5)
    assert (found.alpha is None) == (extra == "unspecified")


def test_a_depth_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    image = Image.new("F", (4, 3), 0.5)
    image.save(tmp_path / "a.tif")
    found = load_image(tmp_path / "a.tif")
    assert "32 bits" in found.notices[0]
    np.testing.assert_allclose(found.pixels, 0.5, atol=1 / 255)

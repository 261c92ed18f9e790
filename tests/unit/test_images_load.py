"""Reading pictures: orientation, colours, alpha, depth, sizes, and what every kind of file turns into."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from adstudio.errors import ImageError, ImageTooLargeError
from adstudio.images import load_image, probe_image, read_digest
from adstudio.images.load import MAX_PIXELS
from tests.unit.picture_files import (
    as_stored,
    encoded,
    exif_of,
    icc_chunk,
    icc_profile,
    lzw_tiff,
    png_16,
    quarters,
    ramps,
    saved,
    unchanged,
)

EXACT = 1e-6
LOSSY = {".jpg": 8 / 255, ".avif": 8 / 255}


def inner(picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Away from edges, where lossy formats ring."""
    height, width = picture.shape[:2]
    keep = [[2, height // 2 - 3, height // 2 + 2, height - 3], [2, width // 2 - 3, width // 2 + 2, width - 3]]
    return picture[np.ix_(*keep)]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif", ".bmp", ".gif"])
def test_each_format_gives_its_pixels(tmp_path: Path, suffix: str) -> None:
    picture = quarters()
    path = saved(tmp_path / f"a{suffix}", picture)
    found = load_image(path)
    assert (found.width, found.height, found.bit_depth, found.alpha) == (40, 24, 8, None)
    assert found.pixels.dtype == np.float32
    assert not found.pixels.flags.writeable
    assert found.notices == ()
    assert np.abs(inner(found.pixels) - inner(picture) / 255).max() <= LOSSY.get(suffix, EXACT)
    info = probe_image(path)
    assert (info.width, info.height, info.format, info.animated) == (40, 24, found.source_format, False)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif"])
def test_every_orientation_comes_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = saved(tmp_path / f"a{suffix}", as_stored(quarters(), orientation), exif=exif_of(orientation))
    info = probe_image(path)
    assert (info.width, info.height) == (40, 24)
    found = load_image(path)
    assert np.abs(inner(found.pixels) - inner(quarters()) / 255).max() <= LOSSY.get(suffix, EXACT)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_every_orientation_of_deep_pictures_comes_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = ramps(7, 5)
    stored = np.ascontiguousarray(as_stored(upright, orientation))
    path = tmp_path / f"a{suffix}"
    if suffix == ".png":
        path.write_bytes(png_16(stored, (b"eXIf", exif_of(orientation).tobytes()[6:])))
    else:
        tifffile.imwrite(path, stored, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    info = probe_image(path)
    assert (info.width, info.height) == (7, 5)
    found = load_image(path)
    assert found.bit_depth == 16
    np.testing.assert_allclose(found.pixels, upright / 65535, atol=EXACT)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0"]
)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_exif_does_not_cost_the_picture(tmp_path: Path, exif: bytes) -> None:
    path = saved(tmp_path / "a.jpg", quarters(), exif=exif)
    assert load_image(path).pixels.shape == (24, 40, 3)


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


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_the_first_frame_of_what_moves(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (16, 12), colour) for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:], duration=50)
    assert probe_image(tmp_path / f"a{suffix}").animated
    found = load_image(tmp_path / f"a{suffix}")
    assert np.abs(found.pixels - np.array([200, 0, 0]) / 255).max() < 0.03
    assert "animated" in found.notices[0]


def test_pages_and_a_phones_further_pictures(tmp_path: Path) -> None:
    pages = [Image.fromarray(quarters()), Image.new("RGB", (9, 9))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    found = load_image(tmp_path / "a.tif")
    assert "several pages" in found.notices[0]
    np.testing.assert_allclose(found.pixels, quarters() / 255, atol=EXACT)
    pages[0].save(tmp_path / "b.jpg", "MPO", save_all=True, append_images=pages[1:], quality=98)
    found = load_image(tmp_path / "b.jpg")
    assert (found.source_format, found.notices) == ("JPEG", ())
    assert not probe_image(tmp_path / "b.jpg").animated


@given(
    st.tuples(st.integers(0, 39), st.integers(0, 23)).flatmap(
        lambda at: st.tuples(st.just(at[0]), st.just(at[1]), st.integers(1, 40 - at[0]), st.integers(1, 24 - at[1]))
    ),
    st.integers(1, 8),
)
def test_a_crop_counts_in_the_upright_picture(crop: tuple[int, int, int, int], orientation: int) -> None:
    path = Path(os.environ["HOME"]) / f"turned-{orientation}.png"
    values = (ramps() >> 8).astype(np.uint8)
    if not path.exists():
        saved(path, as_stored(values, orientation), exif=exif_of(orientation))
    left, top, width, height = crop
    found = load_image(path, crop_px=crop)
    np.testing.assert_allclose(found.pixels, values[top : top + height, left : left + width] / 255, atol=EXACT)


@pytest.mark.parametrize("crop", [(0, 0, 41, 24), (0, 1, 40, 24), (-1, 0, 5, 5), (0, 0, 0, 4), (40, 24, 1, 1)])
def test_a_crop_outside_is_refused(tmp_path: Path, crop: tuple[int, int, int, int]) -> None:
    path = saved(tmp_path / "a.png", quarters())
    with pytest.raises(ImageError, match=r"a\.png: the crop .* 40 × 24"):
        load_image(path, crop_px=crop)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "deep.png"])
def test_large_pictures_are_refused_or_made_smaller(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "deep.png":
        path.write_bytes(png_16(np.repeat(np.repeat(quarters(), 10, 0), 10, 1).astype(np.uint16) * 257))
    else:
        saved(path, np.repeat(np.repeat(as_stored(quarters(), 6), 10, 0), 10, 1), exif=exif_of(6))
    with pytest.raises(ImageTooLargeError, match="smaller"):
        load_image(path, max_pixels=95_999)
    assert load_image(path, max_pixels=96_000).pixels.shape == (240, 400, 3)
    found = load_image(path, max_pixels=95_999, reduce_to_pixels=960)
    assert found.pixels.shape == (24, 40, 3)
    assert "made smaller, to 40 × 24" in found.notices[0]
    assert np.abs(inner(found.pixels) - inner(quarters()) / 255).max() < 0.03


def test_a_picture_is_never_made_larger(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", quarters())
    found = load_image(path, max_pixels=900, reduce_to_pixels=4000)
    assert found.pixels.shape == (24, 40, 3)
    assert found.notices == ()


def test_a_crop_of_a_large_picture_keeps_its_pixels(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", np.repeat(np.repeat(quarters(), 10, 0), 10, 1))
    found = load_image(path, max_pixels=50_000, reduce_to_pixels=40_000, crop_px=(150, 70, 100, 100))
    assert found.pixels.shape == (100, 100, 3)
    np.testing.assert_allclose(found.pixels[10, 10], quarters()[0, 0] / 255, atol=0.03)
    assert found.notices == ()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 8000), (8000, 1)])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_very_thin_pictures(tmp_path: Path, width: int, height: int, suffix: str) -> None:
    path = saved(tmp_path / f"a{suffix}", np.full((height, width, 3), 90, np.uint8))
    found = load_image(path)
    assert found.pixels.shape == (height, width, 3)
    assert np.abs(found.pixels - 90 / 255).max() < 0.02
    tiny = load_image(path, max_pixels=1, reduce_to_pixels=1)
    assert tiny.pixels.size >= 3


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    cases = [
        (tmp_path / "none.png", "no such file"),
        (tmp_path, "no file"),
        (tmp_path / "pipe.png", "no file"),
        (tmp_path / "a\0.png", "null"),
    ]
    for path, word in cases:
        for read in (probe_image, load_image):
            with pytest.raises(ImageError, match=word):
                read(path)
    with pytest.raises(ImageError, match="cannot be read"):
        read_digest(tmp_path / "none.png")


def test_reading_leaves_the_file_alone(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", quarters(), exif=exif_of(6))
    path.chmod(0o444)
    assert unchanged(path, lambda: (probe_image(path), load_image(path), read_digest(path)))
    assert read_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [one.name for one in tmp_path.iterdir()] == ["a.jpg"]


def test_photographs_of_today_are_read_whole() -> None:
    assert MAX_PIXELS >= 61_000_000


FORMATS = [".png", ".jpg", ".webp", ".tif", ".avif", ".bmp", ".gif"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*FORMATS, "deep.png", "deep.tif", "lzw.tif"])
def test_damage_gives_a_picture_or_a_plain_refusal(tmp_path: Path, name: str) -> None:
    values = ramps(31, 17)
    made = tmp_path / f"made{name}"
    match name:
        case "deep.png":
            made.write_bytes(png_16(values, icc_chunk(icc_profile())))
        case "deep.tif":
            tifffile.imwrite(made, values, photometric="rgb", compression="zlib", iccprofile=icc_profile())
        case "lzw.tif":
            made.write_bytes(lzw_tiff(values, byteorder="<", predictor=True, rows_per_strip=5))
        case ".bmp" | ".gif":
            saved(made, (values >> 8).astype(np.uint8))
        case _:
            saved(made, (values >> 8).astype(np.uint8), exif=exif_of(6), icc_profile=icc_profile())
    whole = made.read_bytes()
    rng = np.random.default_rng(len(whole))
    read_whole = refused = 0
    for turn in range(150):
        broken = bytearray(whole)
        for at in rng.integers(0, len(whole), size=1 + turn % 4):
            broken[at] = rng.integers(256)
        if turn % 3 == 0:
            del broken[rng.integers(1, len(broken)) :]
        path = tmp_path / f"broken{name}"
        path.write_bytes(broken)
        for read in (probe_image, load_image):
            with contextlib.suppress(ImageError):
                read(path)
                read_whole += 1
                continue
            refused += 1
            with pytest.raises(ImageError, match=re.escape(str(path))):
                read(path)
    assert min(read_whole, refused) > 5


def test_the_stream_is_closed_again(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", quarters())
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(5):
        load_image(path)
        with pytest.raises(ImageError):
            load_image(path, crop_px=(0, 0, 99, 99))
    path.write_bytes(io.BytesIO(path.read_bytes()).getvalue()[:60])
    with pytest.raises(ImageError):
        load_image(path)
    after = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    assert after <= before

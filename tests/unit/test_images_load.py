"""Pictures of every format, size and kind of file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adstudio.errors import ImageError, ImageTooLargeError
from adstudio.images import load_image, probe_image, read_digest
from adstudio.images.load import MAX_PIXELS
from tests.unit.picture_files import (
    EXACT,
    LOSSY,
    as_stored,
    exif_of,
    inner,
    png_16,
    quarters,
    saved,
    unchanged,
)


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

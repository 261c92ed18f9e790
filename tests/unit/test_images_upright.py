"""Pictures come upright, and crops count in the upright picture."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from adstudio.errors import ImageError
from adstudio.images import load_image, probe_image
from tests.unit.picture_files import (
    EXACT,
    LOSSY,
    as_stored,
    exif_of,
    inner,
    png_16,
    quarters,
    ramps,
    saved,
)


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

"""Damaged files of every format: a picture or a plain refusal."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from adstudio.errors import ImageError
from adstudio.images import load_image, probe_image
from tests.unit.picture_files import (
    exif_of,
    icc_chunk,
    icc_profile,
    lzw_tiff,
    png_16,
    quarters,
    ramps,
    saved,
)

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

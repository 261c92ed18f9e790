"""Faults 13 (files that are no pictures), 14 (sizes), 15 (kinds of colours, orientation) and 16 (masks)."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageFile, features

import adstudio.cli
from adstudio.cli import main
from adstudio.errors import ImageError, ImageTooLargeError, JobError
from adstudio.images import load_image, load_label_mask, probe_image, read_metadata
from adstudio.jobs.files import job_to_json
from adstudio.jobs.inputs import checked
from adstudio.jobs.spec import Job, Reference, Task
from tests.fakes import ScriptedEngine, sample_job
from tests.unit.picture_files import (
    PNG_SIGNATURE,
    as_stored,
    encoded,
    exif_of,
    header_only,
    icc_chunk,
    icc_profile,
    png_16,
    png_chunk,
    quarters,
    ramps,
    saved,
    unchanged,
)

HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(200)


def encoded_as(image_format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    y, x = np.mgrid[:64, :96]
    Image.fromarray(np.stack((x * 2, y * 3, x * y % 251), -1).astype(np.uint8)).save(stream, image_format, **options)
    return stream.getvalue()


def eps() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "EPS")
    return stream.getvalue()


NO_PICTURES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.png": (lambda: b"", "the file is empty"),
    "half.jpg": (lambda: encoded_as("JPEG")[: len(encoded_as("JPEG")) // 2], "damaged or cut short"),
    "half.png": (lambda: encoded_as("PNG")[: len(encoded_as("PNG")) // 2], "damaged or cut short"),
    "half.webp": (lambda: encoded_as("WEBP")[: len(encoded_as("WEBP")) // 2], "damaged"),
    "half.avif": (lambda: encoded_as("AVIF")[: len(encoded_as("AVIF")) // 2], "damaged"),
    "half.tif": (lambda: encoded_as("TIFF")[: len(encoded_as("TIFF")) // 2], "damaged"),
    "half.gif": (lambda: encoded_as("GIF")[: len(encoded_as("GIF")) // 2], "damaged"),
    "half.bmp": (lambda: encoded_as("BMP")[: len(encoded_as("BMP")) // 2], "damaged"),
    "half-deep.png": (lambda: png_16(ramps(200, 100))[:2000], "damaged"),
    "start.jpg": (lambda: encoded_as("JPEG")[:20], "damaged"),
    "start.png": (lambda: encoded_as("PNG")[:12], "damaged"),
    "text.png": (lambda: "Eine Notiz über Bilder.\n".encode() * 40, "this is text"),
    "note.png": (lambda: b"hello", "this is text"),
    "noise.png": (lambda: bytes(range(256)) * 8, "no picture that can be opened"),
    "eps.png": (eps, "EPS"),
    "dos-eps.png": (lambda: b"\xc5\xd0\xd3\xc6" + bytes(30) + eps(), "EPS"),
    "psd.png": (lambda: struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 8, 8, 8, 3) + bytes(300), "Photoshop"),
    "fits.png": (lambda: b"SIMPLE  =                    T".ljust(80) + b"BITPIX  = 8".ljust(2800), "FITS"),
    "svg.png": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>', "SVG"),
    "svg-2.png": (lambda: b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a drawing -->\n<svg width="8"/>', "SVG"),
    "pdf.jpg": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(100), "PDF"),
    "zip.png": (lambda: b"PK\3\4" + bytes(100), "ZIP"),
    "jpeg-2000.png": (lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100), "JPEG 2000"),
    "photo.heic": (lambda: HEIC_HEAD, "HEIC pictures are not read here; export it as JPEG, PNG or AVIF"),
    "film.png": (lambda: b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(100), "film"),
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_fault_13_what_is_no_picture_is_refused_with_the_reason_and_left_alone(tmp_path: Path, name: str) -> None:
    make, reason = NO_PICTURES[name]
    path = tmp_path / name
    path.write_bytes(make())

    def read() -> None:
        with pytest.raises(ImageError) as caught:
            load_image(path)
        assert str(path) in str(caught.value)
        assert reason in str(caught.value)
        assert "\n" not in str(caught.value)

    assert unchanged(path, read)
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["half.png", "text.png", "psd.png", "photo.heic", "empty.png"])
def test_fault_13_a_job_with_such_a_file_is_one_line_naming_field_and_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    engine = ScriptedEngine()
    monkeypatch.setattr(adstudio.cli, "engine_factory", lambda: engine)
    make, reason = NO_PICTURES[name]
    fields = json.loads(job_to_json(sample_job(tmp_path), relative_to=tmp_path))
    (tmp_path / name).write_bytes(make())
    fields["content"] = name
    (tmp_path / "job.json").write_text(json.dumps(fields))
    assert main(["run", str(tmp_path / "job.json"), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "content: " in printed.err
    assert name in printed.err
    assert reason in printed.err
    assert engine.taken == []
    assert not (tmp_path / "out").exists()


def test_fault_13_what_pillow_remarks_stays_off_the_command_line(tmp_path: Path) -> None:
    packed = encoded_as("TIFF", compression="tiff_adobe_deflate")
    (tmp_path / "half.tif").write_bytes(packed[: len(packed) * 2 // 3])
    command = "import sys; from adstudio.cli import main; sys.exit(main(sys.argv[1:]))"
    saved(tmp_path / "style.png", quarters())
    job = {"task": "style_transfer", "content": "half.tif", "styles": [{"image": "style.png"}]}
    (tmp_path / "job.json").write_text(json.dumps(job))
    arguments = ["run", str(tmp_path / "job.json"), "--out", str(tmp_path / "out")]
    ended = subprocess.run(
        [sys.executable, "-c", command, *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "half.tif: this TIFF file is damaged" in ended.stderr


@pytest.mark.parametrize("name", list(header_only(1)))
def test_fault_14_sixty_thousand_squared_is_refused_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A header alone: 3.6 thousand million pixels that nobody may make room for."""

    def no_decoding(*_: Any, **__: Any) -> None:
        raise AssertionError("pixels were decoded")

    path = tmp_path / name
    path.write_bytes(header_only(60_000)[name])
    assert path.stat().st_size < 2000
    monkeypatch.setattr(ImageFile.ImageFile, "load", no_decoding)
    monkeypatch.setattr("PIL.Image.core.new", no_decoding)
    monkeypatch.setattr("PIL.Image.core.fill", no_decoding)

    def read() -> None:
        for reader in (probe_image, load_image, load_label_mask, lambda path: load_image(path, reduce_to_pixels=1000)):
            with pytest.raises(ImageError, match=r"60000 × 60000 pixels, more than any") as caught:
                reader(path)
            assert not isinstance(caught.value, ImageTooLargeError)
            assert str(path) in str(caught.value)

    assert unchanged(path, read)
    assert read_metadata(path) == {}


@pytest.mark.parametrize("name", list(header_only(1)))
def test_fault_14_those_headers_are_sound(name: str) -> None:
    with Image.open(io.BytesIO(header_only(60)[name])) as image:
        assert image.size == (60, 60)


def test_fault_14_a_hundred_megapixels_are_offered_smaller(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    rows = zlib.compressobj(1)
    packed = b"".join(rows.compress(bytes(1) + (b"\xff" if y < 5000 else b"\0") * 1250) for y in range(10_000))
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 1, 0, 0, 0, 0)
    content = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", packed + rows.flush()) + png_chunk(b"IEND", b"")
    path.write_bytes(PNG_SIGNATURE + content)
    assert probe_image(path).width == 10_000

    def read() -> None:
        with pytest.raises(ImageTooLargeError, match=r"10000 × 10000 pixels .* made smaller"):
            load_image(path)
        found = load_image(path, reduce_to_pixels=1_000_000)
        assert found.pixels.shape == (1000, 1000, 3)
        assert (found.pixels[100, 100].tolist(), found.pixels[900, 900].tolist()) == ([1.0] * 3, [0.0] * 3)
        assert "made smaller, to 1000 × 1000" in found.notices[0]

    assert unchanged(path, read)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_fault_14_of_what_moves_the_first_frame_is_used(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (24, 16), colour) for colour in ((250, 0, 0), (0, 250, 0), (0, 0, 250))]
    path = tmp_path / f"moving{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80)

    def read() -> None:
        found = load_image(path)
        assert np.abs(found.pixels - [250 / 255, 0, 0]).max() < 0.03
        assert found.notices == (f"moving{suffix} is animated; its first frame is used",)

    assert unchanged(path, read)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 8000), (8000, 1)])
def test_fault_14_very_small_and_very_thin_pictures_are_read(tmp_path: Path, width: int, height: int) -> None:
    picture = np.full((height, width, 3), (10, 120, 240), np.uint8)
    found = load_image(saved(tmp_path / "a.png", picture))
    assert (found.width, found.height) == (width, height)
    np.testing.assert_allclose(found.pixels, picture / 255, atol=1e-6)


def mask_like(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A label for each quarter of the picture."""
    return (picture[..., 0] // 64 * 16 + picture[..., 1] // 64 * 4 + picture[..., 2] // 64).astype(np.uint8)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("mask_is_turned", [True, False])
def test_fault_15_a_turned_picture_and_its_mask_stay_aligned(
    tmp_path: Path, suffix: str, orientation: int, mask_is_turned: bool
) -> None:
    upright = quarters()
    path = saved(tmp_path / f"a{suffix}", as_stored(upright, orientation), exif=exif_of(orientation))
    labels = mask_like(upright)
    turn = orientation if mask_is_turned else 1
    saved(tmp_path / "mask.png", np.ascontiguousarray(as_stored(labels, turn)), exif=exif_of(turn))
    found = load_image(path)
    mask = load_label_mask(tmp_path / "mask.png", expected_size=(found.width, found.height))
    assert mask.values == tuple(sorted(np.unique(labels)))
    for label in mask.values:
        inside = mask.labels == label
        wanted = upright[labels == label][0] / 255
        assert np.abs(np.median(found.pixels[inside], axis=0) - wanted).max() < 0.05


def test_fault_15_sixteen_bits_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_16(ramps()))
    tifffile.imwrite(tmp_path / "b.tif", ramps(), photometric="rgb")
    for path in tmp_path.iterdir():
        found = load_image(path)
        assert (np.round(found.pixels.astype(np.float64) * 65535) == ramps()).all()
        assert len(np.unique(found.pixels)) > 900


def test_fault_15_every_kind_of_colours_is_right(tmp_path: Path) -> None:
    picture = quarters()
    alpha = np.full(picture.shape[:2], 255, np.uint8)
    alpha[:, :20] = 0
    on_black = np.where(alpha[..., None] == 0, 0, picture)
    saved(tmp_path / "cmyk.tif", picture, mode="CMYK")
    saved(tmp_path / "cmyk.jpg", picture, mode="CMYK")
    Image.fromarray(picture).quantize(16).save(tmp_path / "palette.png")
    saved(tmp_path / "alpha.png", np.dstack((picture, alpha)))
    grey = np.full((4, 4), 77, np.uint8)
    saved(tmp_path / "grey.png", grey)
    for name, wanted, tolerance in (
        ("cmyk.tif", picture, 0.02),
        ("cmyk.jpg", picture, 0.3),  # rings at edges
        ("palette.png", picture, 0.001),
        ("alpha.png", on_black, 0.001),
        ("grey.png", np.full((4, 4, 3), 77), 0.001),
    ):
        found = load_image(tmp_path / name, matte=(0, 0, 0)).pixels
        assert np.abs(found - wanted / 255).max() < tolerance, name
        assert np.median(np.abs(found - wanted / 255)) < 0.02, name


@pytest.mark.parametrize("deep", [False, True])
def test_fault_15_profiles_are_followed_and_broken_ones_told(tmp_path: Path, deep: bool) -> None:
    values = ramps() | np.uint16(0x4040)
    light = values / 65535 if deep else (values >> 8) / 255

    def picture_with(profile: bytes) -> Path:
        path = tmp_path / "a.png"
        if deep:
            path.write_bytes(png_16(values, icc_chunk(profile)))
        else:
            saved(path, (values >> 8).astype(np.uint8), icc_profile=profile)
        return path

    found = load_image(picture_with(icc_profile(order=(1, 2, 0))))
    assert found.notices == ()
    np.testing.assert_allclose(found.pixels, encoded(light)[..., [2, 0, 1]], atol=2.5 / 255)
    for broken in (b"rubbish", icc_profile()[:150], bytes(400)):
        found = load_image(picture_with(broken))
        assert found.notices == ("a.png has a broken colour profile; it is read as sRGB",)
        np.testing.assert_allclose(found.pixels, light, atol=1e-6)


def test_fault_15_avif_is_read_and_heic_gets_a_clear_message(tmp_path: Path) -> None:
    assert features.check("avif")
    found = load_image(saved(tmp_path / "a.avif", quarters()))
    assert found.source_format == "AVIF"
    assert np.abs(found.pixels[3, 3] - quarters()[3, 3] / 255).max() < 0.03
    for brand in (b"heic", b"heix", b"mif1", b"hevc"):
        (tmp_path / "a.heic").write_bytes(HEIC_HEAD.replace(b"ftypheic", b"ftyp" + brand))
        with pytest.raises(ImageError, match=r"a\.heic: HEIC pictures are not read here"):
            load_image(tmp_path / "a.heic")


def job_with_masks(folder: Path, content_mask: NDArray[np.uint8], style_mask: NDArray[np.uint8]) -> Job:
    """A content of 96 × 64 and a reference of 48 × 48, with these masks."""
    saved(folder / "content.png", np.zeros((64, 96, 3), np.uint8))
    saved(folder / "style.png", np.zeros((48, 48, 3), np.uint8))
    saved(folder / "content-mask.png", content_mask)
    saved(folder / "style-mask.png", style_mask)
    return Job(
        task=Task.STYLE_TRANSFER,
        content=folder / "content.png",
        styles=(Reference(image=folder / "style.png", mask=folder / "style-mask.png"),),
        content_mask=folder / "content-mask.png",
    )


def halves(width: int, height: int, first: int, second: int) -> NDArray[np.uint8]:
    labels = np.full((height, width), first, np.uint8)
    labels[:, width // 2 :] = second
    return labels


GOOD = halves(96, 64, 0, 200), halves(48, 48, 0, 200)
RAMP = np.tile(np.arange(96, dtype=np.uint8) * 2, (64, 1))


def test_fault_16_good_masks_pass(tmp_path: Path) -> None:
    assert checked(job_with_masks(tmp_path, *GOOD)).width == 96


@pytest.mark.parametrize(
    ("content_mask", "style_mask", "field", "words"),
    [
        (np.zeros((64, 96), np.uint8), np.zeros((48, 48), np.uint8), "content_mask", ["label 0", "content-mask.png"]),
        (GOOD[0], np.zeros((48, 48), np.uint8), "content_mask", ["label 200", "content-mask.png", "style-mask.png"]),
        (np.full((64, 96), 9, np.uint8), GOOD[1], "styles.0.mask", ["label 0", "style-mask.png", "content-mask.png"]),
        (halves(96, 64, 0, 7), GOOD[1], "content_mask", ["label 7", "content-mask.png", "style-mask.png"]),
        (GOOD[0][:, :95], GOOD[1], "content_mask", ["content-mask.png", "95 × 64", "96 × 64"]),
        (GOOD[0], GOOD[1][:40], "styles.0.mask", ["style-mask.png", "48 × 40", "48 × 48"]),
        (RAMP, GOOD[1], "content_mask", ["content-mask.png", "no clear regions"]),
        (np.dstack((GOOD[0], GOOD[0] // 2, GOOD[0])), GOOD[1], "content_mask", ["content-mask.png", "colours"]),
    ],
    ids=["empty both", "empty reference", "empty content", "unpaired", "wide", "tall", "grey", "coloured"],
)
def test_fault_16_masks_that_do_not_fit_are_refused_before_the_run(
    tmp_path: Path, content_mask: NDArray[np.uint8], style_mask: NDArray[np.uint8], field: str, words: list[str]
) -> None:
    job = job_with_masks(tmp_path, content_mask, style_mask)
    with pytest.raises(JobError) as caught:
        checked(job)
    assert caught.value.field == field
    for word in words:
        assert word in str(caught.value)


def test_fault_16_an_empty_mask_file_is_refused_with_its_name(tmp_path: Path) -> None:
    job = job_with_masks(tmp_path, *GOOD)
    (tmp_path / "content-mask.png").write_bytes(b"")
    with pytest.raises(JobError, match=r"content_mask: .*content-mask\.png: the file is empty"):
        checked(job)


def test_fault_16_soft_edges_snap_where_that_is_safe(tmp_path: Path) -> None:
    soft = GOOD[0].copy()
    soft[:, 46:50] = [40, 80, 120, 160]
    job = job_with_masks(tmp_path, soft, GOOD[1])
    assert checked(job).content_mask == tmp_path / "content-mask.png"
    mask = load_label_mask(tmp_path / "content-mask.png")
    assert (mask.labels == GOOD[0]).all()
    assert "256 pixels" in mask.notices[0]


def test_fault_16_a_refused_mask_is_one_line_and_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ScriptedEngine()
    monkeypatch.setattr(adstudio.cli, "engine_factory", lambda: engine)
    job = job_with_masks(tmp_path, halves(96, 64, 0, 7), GOOD[1])
    (tmp_path / "job.json").write_text(job_to_json(job, relative_to=tmp_path))
    assert main(["run", str(tmp_path / "job.json"), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "label 7" in printed.err
    assert "content-mask.png" in printed.err
    assert engine.taken == []

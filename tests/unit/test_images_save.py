"""Writing pictures: whole or not at all, tagged, with their job inside."""

from __future__ import annotations

import errno
import io
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from adstudio.errors import ImageError, StorageError
from adstudio.images import (
    JOB_KEY,
    atomic_write_bytes,
    encode_thumbnail,
    load_image,
    read_metadata,
    save_jpeg,
    save_png,
    to_uint8,
)
from tests.unit.picture_files import PNG_SIGNATURE, png_chunk, png_chunks, quarters, ramps, saved

UNIT = quarters().astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("pixels", [quarters(), UNIT, UNIT.astype(np.float64)], ids=["uint8", "float32", "float64"])
def test_png_round_trip(tmp_path: Path, pixels: Any) -> None:
    save_png(tmp_path / "a.png", pixels)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGB"
        assert (np.asarray(image) == quarters()).all()


def test_deep_png_round_trip(tmp_path: Path) -> None:
    save_png(tmp_path / "a.png", (ramps() / 65535).astype(np.float32), bit_depth=16, metadata={JOB_KEY: "{}"})
    with (tmp_path / "a.png").open("rb") as stream:
        width, height, rows, info = png.Reader(file=stream).asDirect()
        assert info["bitdepth"] == 16
        assert (np.array([list(row) for row in rows]).reshape(height, width, 3) == ramps()).all()
    assert (np.round(load_image(tmp_path / "a.png").pixels * 65535) == ramps()).all()
    save_png(tmp_path / "b.png", quarters(), bit_depth=16)
    assert (to_uint8(load_image(tmp_path / "b.png").pixels) == quarters()).all()


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_png_is_tagged_srgb_and_carries_its_job(tmp_path: Path, bit_depth: int) -> None:
    job = '{"task": "texture", "name": "Übung 樹 🎨"}'
    long = "x" * 5000 + "é"
    save_png(tmp_path / "a.png", UNIT, metadata={JOB_KEY: job, "long": long}, bit_depth=bit_depth)
    kinds = [kind for kind, _ in png_chunks(tmp_path / "a.png")]
    assert kinds[0] == b"IHDR"
    assert kinds[-1] == b"IEND"
    assert kinds.index(b"sRGB") < kinds.index(b"IDAT")
    assert dict(png_chunks(tmp_path / "a.png"))[b"sRGB"] == b"\0"
    assert read_metadata(tmp_path / "a.png") == {JOB_KEY: job, "long": long}
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert image.info["srgb"] == 0
        assert image.info[JOB_KEY] == job


def test_the_same_picture_is_the_same_file(tmp_path: Path) -> None:
    for bit_depth in (8, 16):
        save_png(tmp_path / "a", UNIT, metadata={JOB_KEY: "{}"}, bit_depth=bit_depth)
        save_png(tmp_path / "b", UNIT, metadata={JOB_KEY: "{}"}, bit_depth=bit_depth)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    save_jpeg(tmp_path / "a", UNIT)
    save_jpeg(tmp_path / "b", UNIT)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_jpeg_of_noise_is_written_too(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3), dtype=np.uint8)
    save_jpeg(tmp_path / "noise.jpg", noise)
    with Image.open(tmp_path / "noise.jpg") as image:
        assert image.size == (320, 320)
        image.load()


def test_jpeg_is_near_and_says_srgb(tmp_path: Path) -> None:
    save_jpeg(tmp_path / "a.jpg", UNIT, quality=95)
    with Image.open(tmp_path / "a.jpg") as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in (profile.profile.profile_description or "")
    found = load_image(tmp_path / "a.jpg")
    assert found.notices == ()
    assert np.abs(found.pixels - UNIT)[2:9, 2:17].max() < 0.03


@pytest.mark.parametrize(("shape", "bit_depth"), [((4, 4), 8), ((4, 4, 4), 8), ((4, 4), 16), ((4, 4, 3), 12)])
def test_other_arrays_are_no_pictures(tmp_path: Path, shape: tuple[int, ...], bit_depth: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        save_png(tmp_path / "a.png", np.zeros(shape, np.float32), bit_depth=bit_depth)
    assert list(tmp_path.iterdir()) == []


def test_values_are_rounded_and_clipped() -> None:
    values = np.array([[[-1.0, 0.0, 0.4 / 255], [0.6 / 255, 254.4 / 255, 254.6 / 255], [1.0, 1.1, 7.0]]], np.float32)
    assert to_uint8(values).tolist() == [[[0, 0, 0], [1, 254, 255], [255, 255, 255]]]
    every = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, 2)
    assert (to_uint8(every.astype(np.float32) / np.float32(255)) == every).all()


@pytest.mark.parametrize(
    ("size", "side", "wanted"), [((40, 24), 20, (20, 12)), ((1, 8000), 256, (1, 256)), ((9, 9), 64, (9, 9))]
)
def test_thumbnails(size: tuple[int, int], side: int, wanted: tuple[int, int]) -> None:
    content = encode_thumbnail(np.full((size[1], size[0], 3), 90, np.uint8), side)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("JPEG", wanted)
        assert abs(int(np.asarray(image)[0, 0, 0]) - 90) <= 3


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)


@given(texts, st.sampled_from([8, 16]))
def test_any_text_comes_back(text: str, bit_depth: int) -> None:
    path = Path(os.environ["HOME"]) / "a.png"
    save_png(path, UNIT[:2, :2], metadata={JOB_KEY: text}, bit_depth=bit_depth)
    assert read_metadata(path) == {JOB_KEY: text}


def test_text_of_other_programs(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("plain", "grün", zip=False)
    info.add_text("packed", "rot" * 100, zip=True)
    info.add_itxt("both", "樹" * 100, zip=True)
    info.add_text("late", "after the pixels")
    saved(tmp_path / "a.png", quarters(), pnginfo=info)
    content = (tmp_path / "a.png").read_bytes()
    at = content.index(b"IDAT") - 4
    late = png_chunk(b"tEXt", b"later\0after the pixels")
    (tmp_path / "a.png").write_bytes(content[:-12] + late + content[-12:])
    assert at > 0
    assert read_metadata(tmp_path / "a.png") == {
        "plain": "grün",
        "packed": "rot" * 100,
        "both": "樹" * 100,
        "late": "after the pixels",
        "later": "after the pixels",
    }


def test_text_that_is_damaged_or_a_bomb_is_left_out(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(3_000_000), 9)
    chunks = [
        png_chunk(b"zTXt", b"bomb\0\0" + bomb),
        png_chunk(b"iTXt", b"bomb2\0\1\0\0\0" + bomb),
        png_chunk(b"tEXt", b"huge\0" + b"x" * 1_100_000),
        png_chunk(b"zTXt", b"torn\0\0" + zlib.compress(b"words")[:-3]),
        png_chunk(b"iTXt", b"short\0"),
        png_chunk(b"iTXt", b"not unicode\0\0\0\0\0\xff\xfe"),
        png_chunk(b"tEXt", b"flipped\0words").replace(b"words", b"worms"),
        png_chunk(b"tEXt", b"sound\0words"),
    ]
    (tmp_path / "a.png").write_bytes(PNG_SIGNATURE + b"".join(chunks) + b"\0\0\0\x10IDATcut")
    assert read_metadata(tmp_path / "a.png") == {"sound": "words"}


def test_no_text_in_other_files(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "signature.png").write_bytes(PNG_SIGNATURE)
    for path in (saved(tmp_path / "a.jpg", quarters()), tmp_path / "empty", tmp_path / "signature.png"):
        assert read_metadata(path) == {}
    with pytest.raises(ImageError, match=r"none\.png: there is no such file"):
        read_metadata(tmp_path / "none.png")
    with pytest.raises(ImageError, match="cannot be read"):
        read_metadata(tmp_path)


def test_writing_is_atomic_and_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the target, synced, renamed, folder synced; the target holds the old content up to the rename."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    seen: list[str] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(handle: int) -> None:
        link = Path(f"/proc/self/fd/{handle}")
        where = link.readlink() if link.exists() else Path("?")
        seen.append("sync folder" if where == tmp_path else "sync file")
        if where.is_file():
            assert (where.parent, where.read_bytes()) == (tmp_path, b"new")
        fsync(handle)

    def watched_replace(source: Path, target: Path) -> None:
        assert (Path(source).parent, Path(target)) == (tmp_path, path)
        assert path.read_bytes() == b"old"
        seen.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    atomic_write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["a.bin"]
    assert seen[:2] == ["sync file", "rename"]
    if Path("/proc/self/fd").exists():
        assert seen[2:] == ["sync folder"]


class Torn(io.BufferedWriter):
    """Writes half, then fails."""

    def write(self, content: Any) -> int:
        super().write(bytes(content)[: len(content) // 2])
        super().flush()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _failing(monkeypatch: pytest.MonkeyPatch, operation: str, error: BaseException) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    if operation == "write":
        monkeypatch.setattr(Path, "open", lambda path, mode: Torn(io.FileIO(path, mode.replace("b", ""))))
    elif operation == "open":
        monkeypatch.setattr(Path, "open", fail)
    else:
        monkeypatch.setattr(os, operation, fail)


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("operation", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("write", ["png", "jpeg", "bytes"])
def test_a_failing_step_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, existing: bool, write: str
) -> None:
    path = tmp_path / "a.png"
    if existing:
        path.write_bytes(b"old")
    writers: dict[str, Callable[[], None]] = {
        "png": lambda: save_png(path, UNIT),
        "jpeg": lambda: save_jpeg(path, UNIT),
        "bytes": lambda: atomic_write_bytes(path, b"new and longer"),
    }
    with monkeypatch.context() as patched:
        _failing(patched, operation, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        with pytest.raises(StorageError) as caught:
            writers[write]()
    assert str(path) in str(caught.value)
    assert "disk is full" in str(caught.value)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == ({"a.png": b"old"} if existing else {})


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        _failing(patched, "fsync", KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            atomic_write_bytes(tmp_path / "a.bin", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync
    calls: list[int] = []

    def files_only(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 1:
            raise OSError(errno.EINVAL, "not here")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    atomic_write_bytes(tmp_path / "a.bin", b"new")
    assert (tmp_path / "a.bin").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EROFS, "another folder"),
        (errno.EACCES, "another folder"),
        (errno.ENOENT, "folder is gone"),
        (errno.EIO, "could not be"),
    ],
)
def test_errors_are_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str) -> None:
    _failing(monkeypatch, "replace", OSError(code, os.strerror(code)))
    with pytest.raises(StorageError, match=words):
        atomic_write_bytes(tmp_path / "a.bin", b"new")


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="folder is gone"):
        atomic_write_bytes(tmp_path / "none" / "a.bin", b"new")


@pytest.mark.parametrize("name", ["🎨" * 60 + ".png", "x" * 251 + ".png", " .png", "-"])
def test_every_name_that_the_disk_takes(tmp_path: Path, name: str) -> None:
    save_png(tmp_path / name, UNIT)
    assert [one.name for one in tmp_path.iterdir()] == [name]

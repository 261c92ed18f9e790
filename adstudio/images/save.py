"""Writing pictures: whole or not at all, tagged sRGB, with their job inside."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from adstudio.errors import StorageError, StorageFullError
from adstudio.images.png_text import PNG_SIGNATURE, read_metadata
from adstudio.images.profiles import srgb_profile
from adstudio.images.resize import fit_within

__all__ = [
    "JOB_KEY",
    "atomic_write_bytes",
    "encode_png",
    "encode_thumbnail",
    "read_metadata",
    "save_jpeg",
    "save_png",
    "to_uint8",
]

JOB_KEY = "adstudio.job"
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})

Pixels = NDArray[np.float32] | NDArray[np.uint8]


def save_png(path: Path, pixels: Pixels, *, metadata: Mapping[str, str] | None = None, bit_depth: int = 8) -> None:
    """Write a PNG atomically.

    pixels: [height, width, 3], sRGB; float in 0 … 1 or uint8. metadata: international text by key. bit_depth: 8 or 16.
    Raises StorageError, with the file as it was before; ValueError for other arrays or depths.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or bit_depth not in (8, 16):
        raise ValueError(f"pixels must be [height, width, 3] and bit_depth 8 or 16, got {pixels.shape} and {bit_depth}")
    if bit_depth == 16:
        atomic_write_bytes(path, _encoded_16(pixels, metadata or {}))
        return
    atomic_write_bytes(path, encode_png(pixels, metadata=metadata))


def encode_png(pixels: Pixels, *, metadata: Mapping[str, str] | None = None) -> bytes:
    """The content of an 8-bit PNG with an sRGB tag; see `save_png`."""
    info = PngImagePlugin.PngInfo()
    info.add(b"sRGB", b"\x00")
    for key, text in (metadata or {}).items():
        info.add_itxt(key, text, zip=len(text) > 2048)
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(pixels)).save(buffer, "PNG", pnginfo=info, compress_level=4)
    return buffer.getvalue()


def save_jpeg(path: Path, pixels: Pixels, *, quality: int = 92) -> None:
    """Write a JPEG atomically, with a profile that says sRGB; quality 1 … 95. Raises StorageError."""
    buffer = io.BytesIO()
    image = Image.fromarray(to_uint8(pixels))
    image.save(buffer, "JPEG", quality=quality, subsampling=0, icc_profile=srgb_profile())
    atomic_write_bytes(path, buffer.getvalue())


def encode_thumbnail(pixels: Pixels, long_side_px: int) -> bytes:
    """A small JPEG of the picture, no side above long_side_px."""
    image = Image.fromarray(to_uint8(pixels))
    small = image.resize(fit_within(image.size, long_side_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def to_uint8(pixels: Pixels) -> NDArray[np.uint8]:
    """Pixels as uint8; floats are taken as 0 … 1 and rounded."""
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels, np.uint8)
    unit = np.clip(pixels.astype(np.float32, copy=False), 0, 1)
    return np.round(unit * np.float32(255)).astype(np.uint8)


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or as it was: beside the target, synced, renamed, folder synced.

    Raises StorageError saying what happened, with nothing left behind.
    """
    temporary = path.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            kind = StorageFullError if error.errno in _FULL else StorageError
            raise kind(f"{path}: {_in_words(error)}") from error
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be synced there
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return  # some file systems refuse; the file itself is safe
    finally:
        os.close(handle)


def _in_words(error: OSError) -> str:
    if error.errno in _FULL:
        return "the disk is full; make room and try again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "may not be written here; choose another folder"
    if error.errno == errno.ENOENT:
        return "its folder is gone; was a drive unplugged?"
    return f"could not be written ({error.strerror or error})"


def _encoded_16(pixels: Pixels, metadata: Mapping[str, str]) -> bytes:
    """A 16-bit RGB PNG, assembled by hand: Pillow writes none."""
    values = pixels.astype(np.float64) / 255 if pixels.dtype == np.uint8 else np.clip(pixels.astype(np.float64), 0, 1)
    deep = np.round(values * 65535).astype(">u2")
    height, width = deep.shape[:2]
    rows = np.concatenate((np.zeros((height, 1), np.uint8), deep.reshape(height, -1).view(np.uint8)), axis=1)
    out = [
        PNG_SIGNATURE,
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)),
        _chunk(b"sRGB", b"\0"),
    ]
    for key, text in metadata.items():
        out.append(_chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + text.encode()))
    out += [_chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)), _chunk(b"IEND", b"")]
    return b"".join(out)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

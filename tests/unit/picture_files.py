"""Picture files for tests, made from what the formats' descriptions say rather than with the code under test."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

Bytes = NDArray[np.uint8]
Deep = NDArray[np.uint16]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
EXACT = 1e-6
LOSSY = {".jpg": 8 / 255, ".avif": 8 / 255}
"""How far a value read may lie from the one written, in 0 … 1: of exact formats, and of lossy ones by suffix."""


def inner(picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Away from edges, where lossy formats ring."""
    height, width = picture.shape[:2]
    keep = [[2, height // 2 - 3, height // 2 + 2, height - 3], [2, width // 2 - 3, width // 2 + 2, width - 3]]
    return picture[np.ix_(*keep)]


def quarters(width: int = 40, height: int = 24) -> Bytes:
    """A picture that looks different after every turn and flip: red, green, blue and grey quarters."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = (220, 30, 40)
    picture[: height // 2, width // 2 :] = (30, 200, 60)
    picture[height // 2 :, : width // 2] = (40, 60, 210)
    picture[height // 2 :, width // 2 :] = (128, 128, 128)
    return picture


def ramps(width: int = 40, height: int = 24, channels: int = 3) -> Deep:
    """16-bit values of which no two pixels have the same, and whose lower bytes matter."""
    values = np.arange(width * height, dtype=np.int64).reshape(height, width)
    planes = [values * step % 65521 for step in (61, 127, 211, 67)]
    return np.stack(planes[:channels], axis=-1).astype(np.uint16)


def as_stored(upright: NDArray[Any], orientation: int) -> NDArray[Any]:
    """What a file with this EXIF orientation holds, pixel by pixel from the standard's table of sides.

    The table says on which side of the upright picture the file's first row and first column lie.
    """
    first_row, first_column = {
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    height, width = upright.shape[:2]
    lying = first_row in ("left", "right")
    rows, columns = (width, height) if lying else (height, width)
    stored = np.empty((rows, columns, *upright.shape[2:]), upright.dtype)
    for row in range(rows):
        for column in range(columns):
            place = {}
            for side, index in ((first_row, row), (first_column, column)):
                axis = "x" if side in ("left", "right") else "y"
                last = (width if axis == "x" else height) - 1
                place[axis] = index if side in ("left", "top") else last - index
            stored[row, column] = upright[place["y"], place["x"]]
    return stored


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    content = path.read_bytes()
    assert content[:8] == PNG_SIGNATURE
    at = 8
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        yield kind, body
        at += 12 + length


def png_16(values: Deep, *extra_chunks: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG of [height, width, 1 … 4], every row with the filter Sub."""
    height, width, planes = values.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[planes]
    raw = values.astype(">u2").view(np.uint8).reshape(height, -1)
    before = np.pad(raw, ((0, 0), (2 * planes, 0)))[:, : raw.shape[1]]
    rows = np.concatenate((np.ones((height, 1), np.uint8), raw - before), axis=1)
    out = PNG_SIGNATURE + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    out += b"".join(png_chunk(*chunk) for chunk in extra_chunks)
    return out + png_chunk(b"IDAT", zlib.compress(rows.tobytes())) + png_chunk(b"IEND", b"")


def icc_chunk(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"test\0\0" + zlib.compress(profile)


def lzw_tiff(values: Deep, *, byteorder: str, predictor: bool, rows_per_strip: int) -> bytes:
    """A 16-bit RGB TIFF with LZW compression, as graphics programs like to write it."""
    height, width, samples = values.shape
    stored = values.copy()
    if predictor:
        stored[:, 1:] -= values[:, :-1]
    raw = stored.astype(byteorder + "u2").tobytes()
    row_bytes = width * samples * 2
    strips = [
        _lzw(raw[first * row_bytes : (first + rows_per_strip) * row_bytes])
        for first in range(0, height, rows_per_strip)
    ]
    head, body = 8, b"".join(strips)
    offsets = [head + sum(len(strip) for strip in strips[:index]) for index in range(len(strips))]
    fields: list[tuple[int, str, list[int]]] = [
        (256, "I", [width]),
        (257, "I", [height]),
        (258, "H", [16] * samples),
        (259, "H", [5]),
        (262, "H", [2]),
        (273, "I", offsets),
        (277, "H", [samples]),
        (278, "I", [rows_per_strip]),
        (279, "I", [len(strip) for strip in strips]),
        (317, "H", [2 if predictor else 1]),
    ]
    lists, entries, at = b"", b"", head + len(body)
    for tag, kind, numbers in fields:
        packed = struct.pack(f"{byteorder}{len(numbers)}{kind}", *numbers)
        if len(packed) > 4:
            place = struct.pack(byteorder + "I", at + len(lists))
            lists += packed
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack(byteorder + "HHI", tag, {"H": 3, "I": 4}[kind], len(numbers)) + place
    mark = b"II" if byteorder == "<" else b"MM"
    first = struct.pack(byteorder + "HI", 42, at + len(lists))
    return mark + first + body + lists + struct.pack(byteorder + "H", len(fields)) + entries + bytes(4)


def _lzw(raw: bytes) -> bytes:
    """LZW that never learns: the table is cleared before codes would grow beyond nine bits."""
    bits = ""
    for first in range(0, len(raw), 200):
        bits += f"{256:09b}" + "".join(f"{byte:09b}" for byte in raw[first : first + 200])
    bits += f"{257:09b}"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


_SRGB_COLORANTS = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))


def icc_profile(*, order: tuple[int, int, int] = (0, 1, 2), grey: bool = False) -> bytes:
    """A profile of linear light: sRGB's primaries in the given order, or grey (ICC.1:2001)."""

    def fixed(*numbers: float) -> bytes:
        return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))

    linear = b"curv" + bytes(4) + struct.pack(">I", 0)
    white = b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249)
    described = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(8 + 3 + 67)
    tags = {b"desc": described, b"wtpt": white, b"cprt": b"text" + bytes(4) + b"none\0"}
    if grey:
        tags[b"kTRC"] = linear
    else:
        for name, index in zip(b"rgb", order, strict=True):
            tags[bytes([name]) + b"XYZ"] = b"XYZ " + bytes(4) + fixed(*_SRGB_COLORANTS[index])
            tags[bytes([name]) + b"TRC"] = linear
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name_, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += name_ + struct.pack(">II", at + len(body), len(content))
        body += padded
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02100000, b"mntr", b"GRAY" if grey else b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def encoded(linear: NDArray[Any]) -> NDArray[np.float64]:
    """sRGB of linear light in 0 … 1, written out a second time."""
    light = linear.astype(np.float64)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def header_only(side_px: int) -> dict[str, bytes]:
    """Files that claim side_px² pixels and hold next to none."""
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    png = PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    frame = struct.pack(">BHHB", 8, side_px, side_px, 3) + bytes((1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0))
    jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame
    jpeg += b"\xff\xda\0\x0c\3\1\0\2\0\3\0\0\x3f\0" + bytes(100)
    gif = b"GIF89a" + struct.pack("<HHBBB", side_px, side_px, 0x80, 0, 0) + bytes(6)
    gif += b"," + struct.pack("<HHHHB", 0, 0, side_px, side_px, 0) + b"\x02\x02\x44\x01\0;"
    bmp = struct.pack("<2sIHHI", b"BM", 0, 0, 0, 54) + struct.pack(
        "<IiiHHIIiiII", 40, side_px, side_px, 1, 24, 0, 0, 0, 0, 0, 0
    )
    fields = [
        (256, side_px),
        (257, side_px),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, side_px),
        (279, 9),
    ]
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(fields))
    tiff += b"".join(struct.pack("<HHII", tag, 4, 1, number) for tag, number in fields) + bytes(4)
    return {"a.png": png, "a.jpg": jpeg, "a.gif": gif, "a.bmp": bmp, "a.tif": tiff}


def saved(path: Path, picture: Bytes, **options: Any) -> Path:
    """The picture in a file, without loss where the format can; `mode` converts before."""
    mode = options.pop("mode", None)
    image = Image.fromarray(picture)
    if mode is not None:
        image = image.convert(mode)
    lossless: dict[str, dict[str, Any]] = {
        ".jpg": {"quality": 98, "subsampling": 0},
        ".webp": {"lossless": True},
        ".avif": {"quality": 100, "subsampling": "4:4:4"},
    }
    image.save(path, **(lossless.get(path.suffix, {}) | options))
    return path


def unchanged(path: Path, action: Callable[[], object]) -> bool:
    """Whether the action leaves the file's bytes and times alone."""
    before = path.read_bytes(), path.stat().st_mtime_ns
    action()
    return (path.read_bytes(), path.stat().st_mtime_ns) == before

"""Pictures with 16 bits a channel, which Pillow alone would cut to 8."""

from __future__ import annotations

import io
import logging
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adstudio.errors import ImageError
from adstudio.images.opening import HARD_LIMIT_PIXELS

if TYPE_CHECKING:
    from tifffile import TiffPage

Deep = NDArray[np.uint16]
_LOW_BYTES = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
_LZW = 5

# Its remarks on odd files belong in a log, if there is one, not on the command line.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def read_deep(path: Path, image_format: str) -> Deep | None:
    """Samples of a 16-bit PNG or TIFF as uint16 [height, width, 3 or 4], as they lie in the file; None for all others.

    None also for TIFF that only Pillow can decode. The size has been judged before.
    Raises ImageError, and what Pillow raises for damaged files.
    """
    if image_format == "PNG":
        return _read_png(path)
    if image_format == "TIFF":
        return _read_tiff(path)
    return None


def _read_png(path: Path) -> Deep | None:
    with path.open("rb") as stream:
        head = stream.read(25)
    if len(head) < 25 or head[24] != 16:
        return None
    with Image.open(path, formats=("PNG",)) as image:
        layout = str(image.tile[0].args) if image.tile else ""
        if "transparency" in image.info or (layout != "I;16B" and layout not in _LOW_BYTES):
            return _read_png_slowly(path)
    high = _png_samples(path, layout)
    if layout == "I;16B":
        return np.repeat(high.astype(np.uint16)[..., None], 3, axis=2)
    values = high.astype(np.uint16)
    values <<= 8
    values |= _png_samples(path, _LOW_BYTES[layout])
    return values


def _png_samples(path: Path, layout: str) -> NDArray[np.uint8] | Deep:
    """One byte of every sample: Pillow keeps the upper of big-endian pairs, and the lower when told the reverse."""
    with Image.open(path, formats=("PNG",)) as image:
        image.tile = [tile._replace(args=layout) for tile in image.tile]
        image.load()
        return np.asarray(image)


def _read_png_slowly(path: Path) -> Deep:
    """Grey with alpha, or one colour that is transparent: rare, and read by Python code."""
    import png

    try:
        with path.open("rb") as stream:
            width, height, rows, info = png.Reader(file=stream).asDirect()
            planes = int(info["planes"])
            values = np.empty((height, width * planes), np.uint16)
            for index, row in enumerate(rows):
                values[index] = row
    except png.Error as error:
        raise ImageError(f"{path}: the file is damaged or cut short ({error})") from error
    return _as_colour(values.reshape(height, width, planes))


def _read_tiff(path: Path) -> Deep | None:
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            kind = int(page.photometric)
            grey = kind in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE)
            if page.dtype != np.uint16 or page.imagedepth != 1 or not (grey or kind == tifffile.PHOTOMETRIC.RGB):
                return None
            if page.imagewidth * page.imagelength > HARD_LIMIT_PIXELS:
                return None
            found = _read_lzw(path, page) if int(page.compression) == _LZW else page.asarray()
            if found is None:
                return None
            planes, _, height, width, samples = page.shaped
            values = np.ascontiguousarray(
                found.reshape(planes, height, width, samples).transpose(1, 2, 0, 3).reshape(height, width, -1)
            )
            if kind == tifffile.PHOTOMETRIC.MINISWHITE:
                values[..., 0] = 65535 - values[..., 0]
            extra = int(page.extrasamples[0]) if page.extrasamples else 0
    except (tifffile.TiffFileError, ValueError, OSError, LookupError, NotImplementedError, struct.error):
        return None  # damaged, or a compression that tifffile lacks: Pillow judges
    colours = 1 if grey else 3
    if values.shape[2] < colours:
        return None
    if extra == tifffile.EXTRASAMPLE.UNSPECIFIED:  # some other channel, no alpha
        return _as_colour(values[..., :colours])
    shown = _as_colour(values[..., : colours + 1])
    return _unassociated(shown) if extra == tifffile.EXTRASAMPLE.ASSOCALPHA else shown


def _read_lzw(path: Path, page: TiffPage) -> Deep | None:
    """LZW, which tifffile cannot undo: Pillow's libtiff is handed the same strips as an 8-bit grey picture of bytes."""
    fill_order = page.tags.get("FillOrder")
    if page.is_tiled or page.shaped[0] != 1 or (fill_order is not None and int(fill_order.value) != 1):
        return None
    row_bytes = page.imagewidth * page.shaped[4] * 2
    packed, strips = bytearray(8), []
    with path.open("rb") as stream:
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            stream.seek(offset)
            strips.append((len(packed), count))
            packed += stream.read(count)
    lists = len(packed)
    packed += struct.pack(f"<{len(strips)}I", *(at for at, _ in strips))
    packed += struct.pack(f"<{len(strips)}I", *(count for _, count in strips))
    offsets, counts = (lists, lists + 4 * len(strips)) if len(strips) > 1 else strips[0]
    entries = [
        (256, 4, 1, row_bytes),
        (257, 4, 1, page.imagelength),
        (258, 3, 1, 8),
        (259, 3, 1, _LZW),
        (262, 3, 1, 1),
        (273, 4, len(strips), offsets),
        (277, 3, 1, 1),
        (278, 4, 1, page.rowsperstrip),
        (279, 4, len(strips), counts),
    ]
    packed[:8] = b"II*\0" + struct.pack("<I", len(packed))
    packed += struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries) + bytes(4)
    with Image.open(io.BytesIO(packed), formats=("TIFF",)) as image:
        rows = np.asarray(image)
    values = rows.view(page.parent.byteorder + "u2").reshape(page.imagelength, page.imagewidth, -1).astype(np.uint16)
    if int(page.predictor) == 2:
        np.cumsum(values, axis=1, dtype=np.uint16, out=values)
    return values


def _as_colour(values: Deep) -> Deep:
    """Grey [height, width, 1 or 2] becomes three or four channels."""
    planes = values.shape[2]
    if planes in (3, 4):
        return values
    grey = np.repeat(values[..., :1], 3, axis=2)
    return grey if planes == 1 else np.concatenate((grey, values[..., 1:2]), axis=2)


def _unassociated(values: Deep) -> Deep:
    """Colours that were multiplied by their alpha, divided by it again."""
    alpha = np.maximum(values[..., 3:], 1).astype(np.float32) / np.float32(65535)
    values[..., :3] = np.minimum(np.round(values[..., :3] / alpha), 65535).astype(np.uint16)
    return values

"""Pictures with 16 bits a channel, which Pillow would cut to 8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adstudio.errors import ImageError


def read_deep(path: Path, image_format: str, mode: str) -> NDArray[np.float32] | None:
    """Pixels of a 16-bit PNG or TIFF as float32 [height, width, 3 or 4] in 0 … 1; None for anything else.

    mode: what Pillow makes of the file. Raises ImageError for damaged files.
    """
    if image_format == "PNG":
        return _read_png(path)
    if image_format == "TIFF" and mode in ("RGB", "RGBA", "I;16", "I;16B", "I;16L", "I;16N", "I", "F", "L", "LA"):
        return _read_tiff(path)
    return None


def _read_png(path: Path) -> NDArray[np.float32] | None:
    with path.open("rb") as stream:
        head = stream.read(25)
    if len(head) < 25 or head[24] != 16:
        return None
    import png

    try:
        width, height, rows, info = png.Reader(filename=str(path)).asDirect()
        planes = int(info["planes"])
        values = np.empty((height, width * planes), np.uint16)
        for index, row in enumerate(rows):
            values[index] = row
    except (png.Error, ValueError, EOFError, IndexError) as error:
        raise ImageError(f"{path}: the file is damaged or cut short ({error})") from error
    top = np.float32((1 << int(info["bitdepth"])) - 1)
    return _as_colour(values.reshape(height, width, planes).astype(np.float32) / top)


def _read_tiff(path: Path) -> NDArray[np.float32] | None:
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            if page.dtype != np.uint16 or page.ndim not in (2, 3):
                return None
            if int(page.photometric) not in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB):
                return None
            values = np.asarray(page.asarray())
            planar = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
    except (tifffile.TiffFileError, ValueError, OSError, KeyError, IndexError, NotImplementedError):
        return None  # damaged, or a compression tifffile lacks: Pillow judges
    if values.ndim == 2:
        values = values[..., None]
    elif planar:
        values = np.moveaxis(values, 0, -1)
    if values.shape[2] > 4:
        return None
    return _as_colour(values.astype(np.float32) / np.float32(65535))


def _as_colour(values: NDArray[np.float32]) -> NDArray[np.float32]:
    planes = values.shape[2]
    if planes in (3, 4):
        return values
    grey = np.repeat(values[..., :1], 3, axis=2)
    return grey if planes == 1 else np.concatenate((grey, values[..., 1:2]), axis=2)

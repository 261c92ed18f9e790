"""All that the window reads from and writes to picture files. Slow, so only called in the background."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from adstudio.errors import AdStudioError, ImageError, StorageError
from adstudio.jobs.files import mapping_from_text, parse_job
from adstudio.jobs.spec import Job

METADATA_KEY = "adstudio.job"
_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")
_MOST_PIXELS = 120_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """rgb: uint8 [height, width, 3], sRGB, the right way up. format_name: of the file, such as "JPEG"."""

    rgb: NDArray[np.uint8]
    format_name: str


def decode(path: Path) -> Decoded:
    """Read a picture. Raises ImageError with the file's name and the reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as picture:
                if picture.width * picture.height > _MOST_PIXELS:
                    raise ImageError(
                        f"{path.name} has {picture.width} × {picture.height} pixels, which is more than can be used. "
                        "Make it smaller first."
                    )
                format_name = picture.format or ""
                upright = ImageOps.exif_transpose(picture)
                rgb = np.asarray(upright.convert("RGB"))
    except FileNotFoundError as problem:
        raise ImageError(f"{path.name} is not there any more.") from problem
    except UnidentifiedImageError as problem:
        raise ImageError(
            f"{path.name} is not a picture that can be read. PNG, JPEG, WebP, AVIF and TIFF can."
        ) from problem
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise ImageError(f"{path.name} is damaged or cut off ({problem}).") from problem
    return Decoded(rgb=rgb, format_name=format_name)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """The pixels of a picture, uint8 [height, width, 3]. Raises ImageError."""
    return decode(path).rgb


def job_inside(path: Path) -> Job | None:
    """The job one of our own pictures carries; its paths count from the picture's folder. None where there is none."""
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            text = picture.info.get(METADATA_KEY)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if not isinstance(text, str):
        return None
    try:
        return parse_job(mapping_from_text(text), path.absolute().parent)
    except AdStudioError:
        return None


def save_png(path: Path, rgb: NDArray[np.uint8], *, job_text: str = "") -> None:
    """Write a PNG beside its target and move it there. Raises StorageError naming the file."""
    extra = PngImagePlugin.PngInfo()
    if job_text:
        extra.add_itxt(METADATA_KEY, job_text)
    partial = path.with_name(path.name + ".part")
    try:
        Image.fromarray(rgb).save(partial, "PNG", pnginfo=extra)
        partial.replace(path)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise StorageError(
            f"{path} could not be written ({problem.strerror or problem}). Choose another folder."
        ) from problem


def job_text_of(path: Path) -> str:
    """The job inside a PNG as it stands there; empty where there is none."""
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            text = picture.info.get(METADATA_KEY)
    except (OSError, ValueError, SyntaxError):
        return ""
    return text if isinstance(text, str) and json.loads(text) else ""

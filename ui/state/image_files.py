"""All that the window reads from and writes to picture files. Slow, so only called in the background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adstudio.errors import AdStudioError, ImageError, ImageTooLargeError
from adstudio.images import JOB_KEY, load_image, read_metadata, to_uint8
from adstudio.images import save_png as write_png
from adstudio.jobs.files import mapping_from_text, parse_job
from adstudio.jobs.spec import Job

SMALLER_PIXELS = 16_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """rgb: uint8 [height, width, 3], sRGB, the right way up. format_name: of the file, such as "JPEG"."""

    rgb: NDArray[np.uint8]
    format_name: str


def decode(path: Path) -> Decoded:
    """Read a picture. Raises ImageError with the file's name (not its whole path, slots are narrow) and the reason."""
    try:
        found = load_image(path)
    except ImageTooLargeError as problem:
        raise ImageTooLargeError(str(problem).replace(str(path), path.name)) from problem
    except ImageError as problem:
        raise ImageError(str(problem).replace(str(path), path.name)) from problem
    return Decoded(rgb=to_uint8(found.pixels), format_name=found.source_format)


def make_smaller_copy(path: Path, folder: Path) -> Path:
    """A copy of a picture that is too large, as large as the window works with. Raises ImageError, StorageError."""
    found = load_image(path, max_pixels=SMALLER_PIXELS, reduce_to_pixels=SMALLER_PIXELS)
    folder.mkdir(parents=True, exist_ok=True)
    numbered = (folder / f"{path.stem[:80]} smaller{f' {n}' if n > 1 else ''}.png" for n in range(1, 10_000))
    target = next(candidate for candidate in numbered if not candidate.exists())
    write_png(target, to_uint8(found.pixels))
    return target


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """The pixels of a picture, uint8 [height, width, 3]. Raises ImageError."""
    return decode(path).rgb


def job_inside(path: Path) -> Job | None:
    """The job one of our own pictures carries; its paths count from the picture's folder. None where there is none."""
    text = job_text_of(path)
    try:
        return parse_job(mapping_from_text(text), path.absolute().parent) if text else None
    except AdStudioError:
        return None


def save_png(path: Path, rgb: NDArray[np.uint8], *, job_text: str = "") -> None:
    """Write a PNG with the job it was made by. Raises StorageError naming the file."""
    write_png(path, rgb, metadata={JOB_KEY: job_text} if job_text else None)


def job_text_of(path: Path) -> str:
    """The job inside a PNG as it stands there; empty where there is none."""
    if path.suffix.lower() != ".png":
        return ""
    try:
        return read_metadata(path).get(JOB_KEY, "")
    except (AdStudioError, OSError):
        return ""

"""A finished result in memory, as the canvas needs it. Everything here is slow and belongs into the background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QImage

from adstudio.jobs.spec import Job
from ui.state.adjust import Adjustment, apply, read_adjustment
from ui.state.image_files import read_rgb
from ui.state.pictures import Pyramid, cover_rect, make_pyramid, preview_image

_DRAFT_PX = 640


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One result of a run.

    pictures: all results of the run; index: which of them this is. job: what made it, None where that is unknown.
    result, content: uint8 [height, width, 3] of one size; content is None where there is nothing to compare with.
    small: both at a size that is adjusted within a moment.
    """

    folder: Path
    pictures: tuple[Path, ...]
    index: int
    job: Job | None
    result: NDArray[np.uint8]
    content: NDArray[np.uint8] | None
    small: tuple[NDArray[np.uint8], NDArray[np.uint8] | None]
    adjustment: Adjustment
    after: Pyramid
    before: Pyramid | None

    @property
    def picture(self) -> Path:
        """The file of this result."""
        return self.pictures[self.index]


def fit_to(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A picture cut to the aspect of the result, around its centre, and scaled to its size."""
    if rgb.shape[:2] == (height, width):
        return rgb
    size = QSizeF(rgb.shape[1], rgb.shape[0])
    part: QRectF = cover_rect(size, QSizeF(width, height))
    box = (part.left(), part.top(), part.right(), part.bottom())
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.LANCZOS, box=box))


def load_shown(folder: Path, pictures: tuple[Path, ...], index: int, job: Job | None) -> Shown:
    """Read a finished result for the canvas. Raises ImageError."""
    picture = pictures[index]
    result = read_rgb(picture)
    height, width = result.shape[:2]
    content = job.content if job is not None else None
    fitted = fit_to(read_rgb(content), width, height) if content is not None else None
    adjustment = read_adjustment(picture)
    return Shown(
        folder=folder,
        pictures=pictures,
        index=index,
        job=job,
        result=result,
        content=fitted,
        small=(_small(result), _small(fitted) if fitted is not None else None),
        adjustment=adjustment,
        after=make_pyramid(apply(adjustment, result, fitted)),
        before=make_pyramid(fitted) if fitted is not None else None,
    )


def draft(shown: Shown, adjustment: Adjustment) -> QImage:
    """The adjusted result, small: for the moment until it is computed at its full size."""
    return preview_image(apply(adjustment, *shown.small))


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = Image.fromarray(rgb)
    picture.thumbnail((_DRAFT_PX, _DRAFT_PX), Image.Resampling.BOX)
    return np.asarray(picture)

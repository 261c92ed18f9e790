"""Pictures as the window needs them: prescaled levels for the canvas, thumbnails for lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QRectF, QSize, QSizeF
from PySide6.QtGui import QImage

_SMALLEST_LEVEL_PX = 256
_serials = count(1)


@dataclass(frozen=True, slots=True)
class Level:
    """One size of a picture. pixels: the memory `image` looks at, BGRX uint8 [height, width, 4]."""

    image: QImage
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pyramid:
    """A picture at full size and halved again and again, so that any zoom paints from few pixels.

    levels: full size first. serial: a new number for every pyramid, for caches.
    """

    levels: tuple[Level, ...]
    serial: int = field(default_factory=lambda: next(_serials))

    @property
    def size(self) -> QSize:
        """Width and height in pixels of the full picture."""
        return self.levels[0].image.size()

    def level_for(self, scale: float) -> tuple[QImage, float]:
        """The smallest level that still has a pixel for each painted one, and its share of the full width."""
        best = self.levels[0].image
        for level in self.levels[1:]:
            if level.image.width() < scale * self.size.width():
                break
            best = level.image
        return best, best.width() / self.size.width()


@dataclass(frozen=True, slots=True)
class Source:
    """What a layer shows: prescaled levels, or a live preview that stands for the picture to come."""

    pyramid: Pyramid | None = None
    preview: QImage | None = None

    @property
    def key(self) -> int:
        """Different for different pixels."""
        if self.pyramid is not None:
            return self.pyramid.serial
        return -self.preview.cacheKey() if self.preview is not None else 0

    @property
    def size(self) -> QSizeF:
        """Own size in pixels; empty where there is no picture."""
        if self.pyramid is not None:
            return QSizeF(self.pyramid.size)
        return QSizeF(self.preview.size()) if self.preview is not None else QSizeF()

    def image_for(self, scale: float) -> QImage | None:
        """The image to paint from when one own pixel covers `scale` device pixels."""
        if self.pyramid is not None:
            return self.pyramid.level_for(scale)[0]
        return self.preview


def to_level(rgb: NDArray[np.uint8]) -> Level:
    """rgb: uint8 [height, width, 3], sRGB."""
    height, width = rgb.shape[:2]
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., 0] = rgb[..., 2]
    pixels[..., 1] = rgb[..., 1]
    pixels[..., 2] = rgb[..., 0]
    pixels[..., 3] = 255
    return Level(QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGB32), pixels)


def make_pyramid(rgb: NDArray[np.uint8]) -> Pyramid:
    """All levels of a picture, uint8 [height, width, 3]; takes a while for large ones."""
    levels = [to_level(rgb)]
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    while max(picture.size) > _SMALLEST_LEVEL_PX and min(picture.size) > 1:
        picture = picture.reduce(2)
        levels.append(to_level(np.asarray(picture)))
    return Pyramid(tuple(levels))


def make_thumbnail(rgb: NDArray[np.uint8], side_px: int) -> QImage:
    """The picture within side_px x side_px, owning its memory."""
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return to_level(np.asarray(picture)).image.copy()


def preview_image(rgb: NDArray[np.uint8]) -> QImage:
    """A live preview as an image of its own; cheap, previews are small."""
    height, width = rgb.shape[:2]
    compact = np.ascontiguousarray(rgb)
    wrapped = QImage(compact.data, width, height, width * 3, QImage.Format.Format_RGB888)
    return wrapped.convertToFormat(QImage.Format.Format_RGB32)


def cover_rect(source: QSizeF, target: QSizeF) -> QRectF:
    """The centred part of the source that has the target's aspect, in source pixels."""
    if source.isEmpty() or target.isEmpty():
        return QRectF()
    scale = max(target.width() / source.width(), target.height() / source.height())
    width, height = target.width() / scale, target.height() / scale
    return QRectF((source.width() - width) / 2, (source.height() - height) / 2, width, height)

"""The pictures of a job as a diffusion model takes them: sizes, padding, crops and label regions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from adstudio.engine.interruption import Interrupted
from adstudio.engine.regions import EVERY_LABEL, Regions
from adstudio.errors import EngineError
from adstudio.images import (
    LabelMask,
    centre_crop_to_aspect,
    load_image,
    load_label_mask,
    load_protect_mask,
    pair_labels,
    resize,
    resize_labels,
)
from adstudio.images.conditions import control_picture
from adstudio.jobs.choices import Seamless
from adstudio.jobs.spec import Job, Reference

_LEAST_SIDE_PX = 64
_LONGEST_SHARE = 4
_LOADED_PIXELS = 8192 * 8192

Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The size asked for and the one that is computed, in pixels. wraps: the axes along which the picture tiles."""

    width: int
    height: int
    work_width: int
    work_height: int
    wraps: Seamless

    def padded(self, image: Tensor) -> Tensor:
        """An image [1, 3, height, width] at the size that is computed; beyond its edges it goes on unchanged."""
        return F.pad(image, (0, self.work_width - self.width, 0, self.work_height - self.height), mode="replicate")

    def cut(self, image: Tensor) -> Tensor:
        """A computed image [1, 3, work_height, work_width] at the size asked for.

        Along an axis that tiles nothing may be cut away: there the picture is resampled.
        """
        wide = self.wraps in (Seamless.X, Seamless.BOTH) and self.work_width != self.width
        tall = self.wraps in (Seamless.Y, Seamless.BOTH) and self.work_height != self.height
        if wide or tall:
            image = _resampled(image, self.height if tall else image.shape[2], self.width if wide else image.shape[3])
        return image[:, :, : self.height, : self.width]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pictures:
    """content, start, references: [1, 3, height, width] in 0 … 1, sides multiples of the model's.

    shown_content: float32 [height, width, 3] at the size asked for, for what follows the run. protect: [height, width].
    control: what a ControlNet sees, as large as the computed picture. regions: labels, or None. weights: of the
    references. notices: for the artist.
    """

    frame: Frame
    content: Tensor | None
    start: Tensor | None
    shown_content: Pixels | None
    references: tuple[Tensor, ...]
    weights: tuple[float, ...]
    regions: Regions | None
    protect: Pixels | None
    control: Tensor | None
    notices: tuple[str, ...]


def frame_of(job: Job, multiple_px: int) -> Frame:
    """The frame of a resolved job. multiple_px: of which computed sides are whole multiples."""
    if job.width is None or job.height is None:
        raise EngineError("the job has no size yet; it must be resolved before it is run")
    least = math.ceil(_LEAST_SIDE_PX / multiple_px) * multiple_px
    work = [max(least, math.ceil(side / multiple_px) * multiple_px) for side in (job.width, job.height)]
    return Frame(width=job.width, height=job.height, work_width=work[0], work_height=work[1], wraps=job.seamless)


def load_pictures(job: Job, native_side_px: int, multiple_px: int, interrupted: Callable[[], bool]) -> Pictures:
    """Load everything a resolved job names.

    native_side_px: of the model; references get its area times the square of the job's stroke scale.
    Raises Interrupted once interrupted is true, ImageError and JobError for pictures that do not fit.
    """

    def stop_if_asked() -> None:
        if interrupted():
            raise Interrupted

    frame = frame_of(job, multiple_px)
    size = frame.width, frame.height
    notices: list[str] = []
    content = shown = None
    if job.content is not None:
        loaded = load_image(job.content, reduce_to_pixels=_LOADED_PIXELS)
        notices += loaded.notices
        stop_if_asked()
        shown = resize(centre_crop_to_aspect(loaded.pixels, *size), *size)
        content = frame.padded(_as_tensor(shown))
    start = None
    if job.start_image is not None:
        begun = load_image(job.start_image, reduce_to_pixels=_LOADED_PIXELS)
        notices += begun.notices
        start = frame.padded(_as_tensor(resize(centre_crop_to_aspect(begun.pixels, *size), *size)))
    target = load_label_mask(job.content_mask) if job.content_mask is not None else None
    masks = [load_label_mask(style.mask) if style.mask is not None else None for style in job.styles]
    pair_labels(target, masks)
    for mask in (target, *masks):
        notices += mask.notices if mask is not None else ()
    references: list[Tensor] = []
    labels: list[Tensor] = []
    for style, mask in zip(job.styles, masks, strict=True):
        stop_if_asked()
        image, its_labels, said = _reference(style, mask, native_side_px, job.stroke_scale, multiple_px)
        references.append(image)
        labels.append(its_labels)
        notices += said
    stop_if_asked()
    control = None
    if job.control is not None:
        steering = load_image(job.control.image, reduce_to_pixels=_LOADED_PIXELS)
        at_size = resize(centre_crop_to_aspect(steering.pixels, *size), *size)
        control = frame.padded(_as_tensor(control_picture(job.control.kind, at_size)))
    heaviest = max(style.weight for style in job.styles)
    return Pictures(
        frame=frame,
        content=content,
        start=start,
        shown_content=shown,
        references=tuple(references),
        weights=tuple(style.weight / heaviest for style in job.styles),
        regions=None if target is None else Regions(_target_labels(target, frame), tuple(labels)),
        protect=load_protect_mask(job.protect_mask, size) if job.protect_mask is not None else None,
        control=control,
        notices=tuple(dict.fromkeys(notices)),
    )


def _reference(
    style: Reference, mask: LabelMask | None, native_side_px: int, stroke_scale: float, multiple_px: int
) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """A reference at its size in the model, its labels [any height, any width], and notices."""
    loaded = load_image(style.image, crop_px=style.crop, reduce_to_pixels=_LOADED_PIXELS)
    scale = stroke_scale * native_side_px / (loaded.width * loaded.height) ** 0.5
    scale = min(scale, _LONGEST_SHARE * native_side_px / max(loaded.width, loaded.height))
    width, height = max(1, round(loaded.width * scale)), max(1, round(loaded.height * scale))
    kept_width, kept_height = _whole(width, multiple_px), _whole(height, multiple_px)
    left, top = max(0, width - kept_width) // 2, max(0, height - kept_height) // 2
    pixels = resize(loaded.pixels, width, height)[top : top + kept_height, left : left + kept_width]
    image = _as_tensor(pixels)
    image = F.pad(
        image, (0, max(0, kept_width - image.shape[3]), 0, max(0, kept_height - image.shape[2])), mode="replicate"
    )
    if mask is None:
        return image, torch.full((1, 1), EVERY_LABEL), loaded.notices
    labels = mask.labels
    if style.crop is not None:
        crop_left, crop_top, crop_width, crop_height = style.crop
        labels = labels[crop_top : crop_top + crop_height, crop_left : crop_left + crop_width]
    at_size = resize_labels(labels, width, height)[top : top + kept_height, left : left + kept_width]
    return image, _padded_labels(at_size, image.shape[2], image.shape[3]), loaded.notices


def _whole(side: int, multiple_px: int) -> int:
    """A side as a whole multiple: cropped by less than one, or filled up where it is very small."""
    least = math.ceil(_LEAST_SIDE_PX / multiple_px) * multiple_px
    return max(least, side // multiple_px * multiple_px)


def _target_labels(mask: LabelMask, frame: Frame) -> Tensor:
    cropped = np.ascontiguousarray(centre_crop_to_aspect(mask.labels, frame.width, frame.height))
    at_size = resize_labels(cropped, frame.width, frame.height)
    return _padded_labels(at_size, frame.work_height, frame.work_width)


def _padded_labels(labels: NDArray[np.uint8], height: int, width: int) -> Tensor:
    padding = ((0, height - labels.shape[0]), (0, width - labels.shape[1]))
    return torch.from_numpy(np.pad(labels, padding, mode="edge").astype(np.int64))


def _as_tensor(pixels: Pixels) -> Tensor:
    """[height, width, 3] -> [1, 3, height, width]."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]


def _resampled(image: Tensor, height: int, width: int) -> Tensor:
    """An image [1, 3, …] that tiles at another size, bicubic, its edges taken from the other side."""
    border = 4
    rows, columns = image.shape[-2:]
    wrapped = F.pad(image, (border, border, border, border), mode="circular")
    y = (torch.arange(height) + 0.5) * rows / height + border
    x = (torch.arange(width) + 0.5) * columns / width + border
    grid = torch.stack(
        [
            (2 * x / wrapped.shape[-1] - 1)[None, :].expand(height, width),
            (2 * y / wrapped.shape[-2] - 1)[:, None].expand(height, width),
        ],
        dim=-1,
    )[None]
    sampled = F.grid_sample(wrapped.cpu(), grid.to(wrapped.dtype), mode="bicubic", align_corners=False)
    return sampled.clamp(0, 1)

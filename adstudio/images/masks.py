"""Label masks: which part of a reference goes to which part of the picture.

A mask is an 8-bit grey or palette picture; each value is a label. Soft edges snap to the labels beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from adstudio.errors import ImageError, JobError
from adstudio.images.load import MAX_PIXELS, load_image
from adstudio.images.opening import opened, upright_size
from adstudio.images.resize import centre_crop_to_aspect, resize
from adstudio.images.snap import label_counts, snapped


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelMask:
    """labels: uint8 [height, width], read-only; path: where it came from; notices: what the artist should know."""

    labels: NDArray[np.uint8]
    path: Path
    notices: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[int, ...]:
        """The labels in use, ascending."""
        return tuple(int(value) for value in np.flatnonzero(label_counts(self.labels)))


def load_label_mask(path: Path, *, expected_size: tuple[int, int] | None = None) -> LabelMask:
    """Read a label mask, upright.

    expected_size: (width, height) it must have. Raises ImageError naming the file: not a mask, colours instead of
    labels, a gradient without labels, or another size.
    """
    with opened(path) as image:
        size = upright_size(image)
        if expected_size is not None and size != expected_size:
            raise ImageError(
                f"{path}: the mask is {size[0]} × {size[1]} pixels, "
                f"but must have its picture's size of {expected_size[0]} × {expected_size[1]}"
            )
        image.load()
        raw = _labels_of(ImageOps.exif_transpose(image), path)
    found = snapped(raw)
    if found is None:
        values = np.count_nonzero(label_counts(raw))
        raise ImageError(
            f"{path}: this grey picture has no clear regions ({values} different values); "
            "a mask needs one flat value for each region"
        )
    labels, strays = found
    notices: tuple[str, ...] = ()
    if strays:
        notices = (f"{path.name}: {strays} pixels between two labels were given to the nearest label in use",)
    labels.setflags(write=False)
    return LabelMask(labels=labels, path=path, notices=notices)


def pair_labels(target: LabelMask | None, references: Sequence[LabelMask | None]) -> tuple[int, ...]:
    """The labels of the target; without a target mask, nothing is paired and () is returned.

    A reference without a mask carries every label. Raises JobError naming the label and the file: a label of the target
    that no reference has, a reference without any of the target's labels, or masks that divide nothing.
    """
    if target is None:
        for index, reference in enumerate(references):
            if reference is not None:
                raise JobError(
                    f"styles.{index}.mask: label {reference.values[0]} of {reference.path} has no content_mask to "
                    "pair with; give the content a mask, or leave this one away",
                    field=f"styles.{index}.mask",
                )
        return ()
    wanted = target.values
    masks = [(index, reference) for index, reference in enumerate(references) if reference is not None]
    if len(wanted) == 1 and masks and all(reference.values == wanted for _, reference in masks):
        raise JobError(
            f"content_mask: label {wanted[0]} fills all of {target.path} and all of {masks[0][1].path}, "
            "so they divide nothing; paint a second region, or leave the masks away",
            field="content_mask",
        )
    for index, reference in masks:
        if not set(reference.values) & set(wanted):
            raise JobError(
                f"styles.{index}.mask: label {reference.values[0]} of {reference.path} is not in {target.path}, "
                "nor is any other of its labels, so this reference would not be used",
                field=f"styles.{index}.mask",
            )
    if len(masks) < len(references):
        return wanted
    carried = {value for _, reference in masks for value in reference.values}
    missing = [value for value in wanted if value not in carried]
    if missing:
        names = ", ".join(str(reference.path) for _, reference in masks)
        raise JobError(
            f"content_mask: label {missing[0]} of {target.path} is in no reference mask ({names}); "
            "paint it on a reference too, or remove it from the content's mask",
            field="content_mask",
        )
    return wanted


def load_protect_mask(path: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    """How far the content's pixels are kept, float32 [height, width] in 0 … 1, at size (width, height).

    Where the aspect differs, the centre is taken, as it is of the content. Raises ImageError.
    """
    pixels = load_image(path, matte=(0, 0, 0), reduce_to_pixels=MAX_PIXELS).pixels
    shares: NDArray[np.float32] = centre_crop_to_aspect(pixels, *size).mean(2, dtype=np.float32)
    return resize(shares, *size)


def _labels_of(image: Image.Image, path: Path) -> NDArray[np.uint8]:
    if image.mode in ("P", "L", "PA"):
        return np.array(image.getchannel(0) if image.mode == "PA" else image, np.uint8)
    if image.mode == "1":
        return np.array(image.convert("L"), np.uint8)
    if image.mode == "LA":
        _check_opaque(image, path)
        return np.array(image.getchannel("L"), np.uint8)
    if image.mode in ("RGB", "RGBA"):
        _check_opaque(image, path)
        colours = np.asarray(image.convert("RGB"), np.int16)
        if int(np.ptp(colours, axis=2).max(initial=0)) <= 2:
            return np.ascontiguousarray(colours[..., 1], np.uint8)
        raise ImageError(
            f"{path}: a mask names regions by 8-bit grey or palette values, but this one has colours; "
            "save it as grey or indexed"
        )
    raise ImageError(f"{path}: a mask must be 8-bit grey or palette, this one is {image.mode}; save it as 8-bit grey")


def _check_opaque(image: Image.Image, path: Path) -> None:
    if image.mode[-1] == "A" and image.getchannel("A").getextrema() != (255, 255):
        raise ImageError(
            f"{path}: a mask may not be transparent, since what counts is the value under it; "
            "fill the transparent parts with the grey of a label"
        )

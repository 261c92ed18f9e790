"""Label masks: which part of a reference goes to which part of the picture.

A mask is an 8-bit grey or palette picture; each value is a label. Soft edges snap to the labels beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from adstudio.errors import ImageError, JobError
from adstudio.images.load import FORMATS, load_image, probe_image
from adstudio.images.resize import resize

_IN_USE_SHARE = 0.002
_MAX_LABELS = 64
_STRAY_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelMask:
    """labels: uint8 [height, width], read-only; path: where it came from; notices: what the artist should know."""

    labels: NDArray[np.uint8]
    path: Path
    notices: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[int, ...]:
        """The labels in use, ascending."""
        return tuple(int(value) for value in np.unique(self.labels))


def load_label_mask(path: Path, *, expected_size: tuple[int, int] | None = None) -> LabelMask:
    """Read a label mask, upright.

    expected_size: (width, height) it must have. Raises ImageError naming the file: not a mask, colours instead of
    labels, a gradient without labels, or another size.
    """
    info = probe_image(path)
    if expected_size is not None and (info.width, info.height) != expected_size:
        raise ImageError(
            f"{path}: the mask is {info.width} × {info.height} pixels, "
            f"but must have its picture's size of {expected_size[0]} × {expected_size[1]}"
        )
    raw = _raw_labels(path)
    labels, strays = _snapped(raw, path)
    notices: tuple[str, ...] = ()
    if strays:
        notices = (f"{path.name}: {strays} pixels between two labels were given to the nearest label in use",)
    labels.setflags(write=False)
    return LabelMask(labels=labels, path=path, notices=notices)


def pair_labels(target: LabelMask | None, references: Sequence[LabelMask | None]) -> tuple[int, ...]:
    """The labels that target and references share; without a target mask, nothing is paired and () is returned.

    A reference without a mask carries every label. Raises JobError naming the label and the file that lacks a partner.
    """
    if target is None:
        for index, reference in enumerate(references):
            if reference is not None:
                raise JobError(
                    f"styles.{index}.mask: {reference.path} names regions, but there is no content_mask to pair with",
                    field=f"styles.{index}.mask",
                )
        return ()
    if any(reference is None for reference in references):
        return target.values
    carried = {value for reference in references if reference is not None for value in reference.values}
    missing = [value for value in target.values if value not in carried]
    if missing:
        names = ", ".join(str(reference.path) for reference in references if reference is not None)
        raise JobError(
            f"content_mask: label {missing[0]} of {target.path} is in no reference mask ({names}); "
            "paint it on a reference too, or remove it from the content's mask",
            field="content_mask",
        )
    return target.values


def load_protect_mask(path: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    """How far the content's pixels are kept, float32 [height, width] in 0 … 1, at size (width, height)."""
    pixels = load_image(path, matte=(0, 0, 0)).pixels
    return resize(np.ascontiguousarray(pixels.mean(2, dtype=np.float32)), *size)


def _raw_labels(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.load()
            turned = ImageOps.exif_transpose(image) if image.getexif().get(ExifTags.Base.Orientation) else image
            return _labels_of(turned, path)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: the file is damaged or cut short ({error})") from error


def _labels_of(image: Image.Image, path: Path) -> NDArray[np.uint8]:
    if image.mode in ("P", "L", "PA"):
        return np.array(image.getchannel(0) if image.mode == "PA" else image, np.uint8)
    if image.mode == "1":
        return np.array(image.convert("L"), np.uint8)
    if image.mode == "LA":
        return np.array(image.getchannel("L"), np.uint8)
    if image.mode in ("RGB", "RGBA"):
        colours = np.asarray(image.convert("RGB"), np.int16)
        if int(np.ptp(colours, axis=2).max(initial=0)) <= 2:
            return np.ascontiguousarray(colours[..., 1], np.uint8)
        raise ImageError(
            f"{path}: a mask names regions by 8-bit grey or palette values, but this one has colours; "
            "save it as grey or indexed"
        )
    raise ImageError(f"{path}: a mask must be 8-bit grey or palette, this one is {image.mode}; save it as 8-bit grey")


def _snapped(raw: NDArray[np.uint8], path: Path) -> tuple[NDArray[np.uint8], int]:
    """Labels with strays given to the nearest value in use, and how many strays there were.

    A value is in use when it fills at least two parts in a thousand and holds areas, not just edges: most of its pixels
    have a neighbour to the right and below with the same value.
    """
    counts = np.bincount(raw.ravel(), minlength=256)
    present = np.flatnonzero(counts)
    if len(present) <= 2:
        return raw, 0
    flat = np.zeros(raw.shape, bool)
    flat[:-1, :-1] = (raw[:-1, :-1] == raw[1:, :-1]) & (raw[:-1, :-1] == raw[:-1, 1:])
    flat[-1, :] = flat[-2, :] if raw.shape[0] > 1 else True
    flat[:, -1] = flat[:, -2] if raw.shape[1] > 1 else True
    flat_counts = np.bincount(raw[flat], minlength=256)
    used = [int(v) for v in present if counts[v] >= _IN_USE_SHARE * raw.size and flat_counts[v] >= 0.5 * counts[v]]
    strays = raw.size - int(counts[used].sum()) if used else raw.size
    if not used or len(used) > _MAX_LABELS or strays > _STRAY_SHARE * raw.size or _is_ramp(used, counts):
        raise ImageError(
            f"{path}: this grey picture has no clear regions ({len(present)} different values); "
            "a mask needs one flat value for each region"
        )
    if strays == 0:
        return raw, 0
    nearest = np.array([min(used, key=lambda u: (abs(u - v), u)) for v in range(256)], np.uint8)
    return nearest[raw], strays


def _is_ramp(used: list[int], counts: NDArray[np.int64]) -> bool:
    """A smooth gradient: very many neighbouring values, none of which stands out."""
    return len(used) > 16 and bool(np.median(np.diff(used)) <= 4) and bool(counts[used].max() < 0.3 * counts.sum())

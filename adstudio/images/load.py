"""Reading pictures: the right way up, in sRGB, and never trusting a file. The file itself is only read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from adstudio.errors import ImageError, ImageTooLargeError
from adstudio.images.deep import read_deep
from adstudio.images.opening import opened, orientation_of, upright_size
from adstudio.images.profiles import Outcome, deep_to_srgb, image_to_srgb, lab_to_srgb
from adstudio.images.resize import resize

MAX_PIXELS = 64_000_000
WHITE = (255, 255, 255)
_PROFILE_NOTICES = {
    "broken": "{} has a broken colour profile; it is read as sRGB",
    "foreign": "{} has a colour profile for another kind of colours; it is read without it",
}
Crop = tuple[int, int, int, int]
_Samples = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    """What the header says. width, height: pixels of the upright picture; mode: Pillow's; animated: several frames."""

    width: int
    height: int
    format: str
    mode: str
    animated: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedImage:
    """A picture in memory.

    pixels: float32 [height, width, 3], sRGB-encoded, 0 … 1, read-only, over the matte where the file is transparent;
    alpha: float32 [height, width] or None; bit_depth: bits per channel that were read; notices: what the artist should
    know.
    """

    pixels: NDArray[np.float32]
    alpha: NDArray[np.float32] | None
    source_format: str
    bit_depth: int
    had_profile: bool
    notices: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


def probe_image(path: Path) -> ImageInfo:
    """The header of a picture. Raises ImageError for what is missing, unreadable, no picture, or far too large."""
    with opened(path) as image:
        mode, (width, height) = image.mode, upright_size(image)
        return ImageInfo(
            width=width, height=height, format=_format_of(image), mode=mode, animated=_frames_notice(image) is not None
        )


def read_digest(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits. Raises ImageError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error})") from error


def load_image(
    path: Path,
    *,
    matte: tuple[int, int, int] = WHITE,
    max_pixels: int = MAX_PIXELS,
    reduce_to_pixels: int | None = None,
    crop_px: Crop | None = None,
) -> LoadedImage:
    """Read a picture upright and in sRGB.

    matte: colour under transparent parts, 0 … 255 each. max_pixels: larger pictures are refused, or made smaller to
    reduce_to_pixels where that is given. crop_px: (left, top, width, height) in the upright picture.
    Raises ImageError; ImageTooLargeError where reduce_to_pixels would help.
    """
    notices: list[str] = []
    with opened(path) as image:
        width, height = image.size
        if width * height > max_pixels and reduce_to_pixels is None:
            raise ImageTooLargeError(
                f"{path}: {width} × {height} pixels are more than the {max_pixels // 1_000_000} million "
                "that are read at once; save a smaller copy, or let it be made smaller on opening"
            )
        frames = _frames_notice(image)
        if frames is not None:
            notices.append(f"{path.name} {frames}")
        profile = image.info.get("icc_profile") or b""
        source_format = _format_of(image)
        orientation = orientation_of(image)
        deep = read_deep(path, source_format)
        if deep is None:
            if source_format == "JPEG" and width * height > max_pixels and crop_px is None:
                image.draft(None, _reduced_size((width, height), max_pixels, reduce_to_pixels))
            values: _Samples = _decoded(image, profile, path.name, notices)
            orientation = orientation_of(image)
    if deep is not None:
        values = deep
        _note_profile(deep_to_srgb(deep, profile) if profile else "converted", path.name, notices)
    values = _upright(values, orientation)
    if crop_px is not None:
        values = _cropped(values, crop_px, path)
        width, height = values.shape[1], values.shape[0]
    elif orientation >= 5 and source_format != "TIFF":
        width, height = height, width
    target = _reduced_size((width, height), max_pixels, reduce_to_pixels)
    if target != (width, height):
        notices.append(f"{path.name} was made smaller, to {target[0]} × {target[1]} pixels")
    pixels, alpha = _over_matte(values, matte, target)
    pixels.setflags(write=False)
    return LoadedImage(
        pixels=pixels,
        alpha=alpha,
        source_format=source_format,
        bit_depth=8 if deep is None else 16,
        had_profile=bool(profile),
        notices=tuple(notices),
    )


def _format_of(image: ImageFile.ImageFile) -> str:
    """Pillow's name of the format; phones put further pictures into a JPEG, which then is MPO to it."""
    return "JPEG" if image.format == "MPO" else str(image.format)


def _frames_notice(image: ImageFile.ImageFile) -> str | None:
    if image.format == "MPO" or not getattr(image, "is_animated", False):
        return None
    return "has several pages; the first is used" if image.format == "TIFF" else "is animated; its first frame is used"


def _reduced_size(size: tuple[int, int], max_pixels: int, reduce_to_pixels: int | None) -> tuple[int, int]:
    count = size[0] * size[1]
    if reduce_to_pixels is None or count <= max(max_pixels, reduce_to_pixels):
        return size
    scale = (reduce_to_pixels / count) ** 0.5
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _decoded(image: ImageFile.ImageFile, profile: bytes, name: str, notices: list[str]) -> NDArray[np.uint8]:
    """8-bit samples [height, width, 3 or 4] in sRGB."""
    bits = getattr(image, "tag_v2", {}).get(258, (8,))
    image.load()
    plain: Image.Image = image
    alpha: Image.Image | None = None
    if image.has_transparency_data:
        alpha, plain = _without_alpha(image)
    elif image.mode in ("I", "F") or image.mode.startswith("I;"):
        plain = _flattened(image)
    elif image.mode not in ("RGB", "L", "CMYK", "LAB"):
        plain = image.convert("RGB")
    if max(bits) > 8:
        notices.append(f"{name} has {max(bits)} bits a channel, of which 8 could be read")
    if plain.mode == "LAB":
        plain = lab_to_srgb(plain)
    elif profile:
        plain, outcome = image_to_srgb(plain, profile)
        _note_profile(outcome, name, notices)
    if plain.mode == "CMYK":
        notices.append(f"{name} has printing colours (CMYK) and no profile for them; its colours are approximate")
    if plain.mode != "RGB":
        plain = plain.convert("RGB")
    samples = np.asarray(plain)
    return samples if alpha is None else np.dstack((samples, np.asarray(alpha)))


def _without_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image]:
    """(alpha, the rest as L or RGB)."""
    if image.mode == "La":
        image = image.convert("LA")
    rgba = image.convert("RGBA")
    grey = image.mode in ("L", "LA", "1")
    return rgba.getchannel("A"), rgba.getchannel("G") if grey else rgba.convert("RGB")


def _flattened(image: Image.Image) -> Image.Image:
    """Integers or floats of one channel, as L. No file states their range, so it is taken from the largest."""
    values = np.nan_to_num(np.asarray(image).astype(np.float64))
    top = 65535.0 if image.mode.startswith("I;") or values.max(initial=0) > 255 else 255.0
    if image.mode == "F" and values.max(initial=0) <= 1:
        top = 1.0
    return Image.fromarray(np.round(np.clip(values / top, 0, 1) * 255).astype(np.uint8))


def _note_profile(outcome: Outcome, name: str, notices: list[str]) -> None:
    if outcome != "converted":
        notices.append(_PROFILE_NOTICES[outcome].format(name))


def _upright(values: _Samples, orientation: int) -> _Samples:
    turned = {
        2: lambda v: v[:, ::-1],
        3: lambda v: v[::-1, ::-1],
        4: lambda v: v[::-1],
        5: lambda v: v.swapaxes(0, 1),
        6: lambda v: v.swapaxes(0, 1)[:, ::-1],
        7: lambda v: v.swapaxes(0, 1)[::-1, ::-1],
        8: lambda v: v.swapaxes(0, 1)[::-1],
    }.get(orientation)
    return values if turned is None else turned(values)


def _cropped(values: _Samples, crop_px: Crop, path: Path) -> _Samples:
    left, top, width, height = crop_px
    inside = left >= 0 and top >= 0 and left + width <= values.shape[1] and top + height <= values.shape[0]
    if not inside or width < 1 or height < 1:
        raise ImageError(
            f"{path}: the crop {list(crop_px)} does not lie inside the picture of {values.shape[1]} × {values.shape[0]}"
        )
    return values[top : top + height, left : left + width]


def _over_matte(
    values: _Samples, matte: tuple[int, int, int], size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Float pixels and alpha at size (width, height). Laid on the matte first: what is transparent must not bleed."""
    top = np.float32(255 if values.dtype == np.uint8 else 65535)
    alpha = values[..., 3].astype(np.float32) / top if values.shape[2] == 4 else None
    pixels = np.empty((size[1], size[0], 3), np.float32)
    for channel in range(3):
        plane = values[..., channel].astype(np.float32)
        plane /= top
        if (
            alpha is not None
        ):  # the colour over the matte, in place: a plane of a large picture is hundreds of megabytes
            ground = np.float32(matte[channel] / 255)
            plane -= ground
            plane *= alpha
            plane += ground
        pixels[..., channel] = resize(plane, *size)
    return pixels, None if alpha is None else resize(alpha, *size)

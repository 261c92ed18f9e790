"""ICC profiles: whatever a file's numbers mean, to sRGB."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_CUBE_SIDE = 52  # nodes a step of 5 apart
_CUBE_STEP = 255 // (_CUBE_SIDE - 1)
_BAND_PIXELS = 1 << 16  # so that a band stays in the cache

Outcome = Literal["converted", "broken", "foreign"]


def srgb_profile() -> bytes:
    """The sRGB profile that files are tagged with; the same bytes each time."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = np.array([2000, 1, 1, 0, 0, 0], ">u2").tobytes()  # its date of making
    return bytes(made)


def image_to_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, Outcome]:
    """An 8-bit picture (RGB, L, CMYK or LAB) in sRGB, mode RGB; unchanged where the profile is no use.

    "broken": the profile cannot be read; "foreign": it describes another kind of colours than the picture has.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        if {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}.get(space) != image.mode:
            return image, "foreign"
        return _transformed(image, source), "converted"
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image, "broken"


def lab_to_srgb(image: Image.Image) -> Image.Image:
    """A picture of mode LAB, in sRGB."""
    return _transformed(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))


def deep_to_srgb(values: NDArray[np.uint16], profile: bytes) -> Outcome:
    """Bring uint16 [height, width, 3 or more] to sRGB, in place; only the first three channels are colours.

    LittleCMS is given 8 bits here, so its correction is taken on a cube of colours, and in between by trilinear
    interpolation: as exact as 8 bits, but without steps.
    """
    axis = np.arange(_CUBE_SIDE) * _CUBE_STEP
    nodes = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, _CUBE_SIDE, 3).astype(np.uint8)
    cube, outcome = image_to_srgb(Image.fromarray(nodes), profile)
    if outcome == "foreign":  # of a grey picture, perhaps, whose channels are all alike
        cube, outcome = image_to_srgb(Image.fromarray(nodes[..., 1].copy()), profile)
        if bool((values[..., 0] != values[..., 1]).any() or (values[..., 0] != values[..., 2]).any()):
            return "foreign"
    if outcome != "converted":
        return outcome
    shift = np.asarray(cube, np.float32) - nodes
    tables = np.ascontiguousarray((shift * np.float32(65535 / 255)).reshape(-1, 3).T)
    rows = max(1, _BAND_PIXELS // values.shape[1])
    for first in range(0, len(values), rows):
        band = values[first : first + rows, :, :3]
        band[...] = np.round(np.clip(band + _interpolated(band, tables), 0, 65535)).astype(np.uint16)
    return "converted"


def _transformed(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if image.mode == "L":  # where its table of few steps would show in the shadows
        flags |= ImageCms.Flags.NOOPTIMIZE
    target, intent = ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
    converted = ImageCms.profileToProfile(image, source, target, intent, "RGB", flags=flags)
    assert converted is not None
    return converted


def _interpolated(band: NDArray[np.uint16], tables: NDArray[np.float32]) -> NDArray[np.float32]:
    """[height, width, 3] from one table [nodes³] for each channel."""
    scaled = [band[..., c].astype(np.float32) * np.float32((_CUBE_SIDE - 1) / 65535) for c in range(3)]
    low = [np.minimum(one.astype(np.int32), _CUBE_SIDE - 2) for one in scaled]
    part = [one - whole for one, whole in zip(scaled, low, strict=True)]
    lowest = (low[0] * _CUBE_SIDE + low[1]) * _CUBE_SIDE + low[2]
    total = np.zeros(band.shape, np.float32)
    for red, green, blue in np.ndindex(2, 2, 2):
        shares = [one if bit else 1 - one for one, bit in zip(part, (red, green, blue), strict=True)]
        weight = shares[0] * shares[1] * shares[2]
        node = lowest + ((red * _CUBE_SIDE + green) * _CUBE_SIDE + blue)
        for channel in range(3):
            total[..., channel] += weight * tables[channel].take(node)
    return total

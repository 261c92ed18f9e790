"""Arrays that are pictures: kinds, tone, light on relief, grain, blur and saving."""

import io
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

Field: TypeAlias = npt.NDArray[np.floating[Any]]
"""[height, width], one number a pixel."""
Picture: TypeAlias = npt.NDArray[np.floating[Any]]
"""[height, width, 3], red, green and blue; 0 … 1 and sRGB unless said otherwise."""
MOST_BYTES = 345_000
Colour: TypeAlias = tuple[float, float, float]


def floats(values: npt.ArrayLike) -> Field:
    """The numbers as a float32 array."""
    return np.asarray(values, np.float32)


def halved(picture: Picture) -> Picture:
    """A picture drawn at twice its size, at its size: the mean of each four pixels, kept within 0 … 1."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    return floats(np.clip(picture.reshape(height, 2, width, 2, 3).mean((1, 3)), 0, 1))


def size_for(long_side_px: int, aspect: float) -> tuple[int, int]:
    """(height, width) for a ratio of width to height."""
    if aspect >= 1:
        return round(long_side_px / aspect), long_side_px
    return long_side_px, round(long_side_px * aspect)


def smoothstep(low: float, high: float, value: Field) -> Field:
    """0 below `low`, 1 above `high`, smooth between; falling where low > high."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return cast(Field, (t * t * (3 - 2 * t)).astype(np.float32))


def mix(a: Picture | Colour, b: Picture | Colour, share: Field | float) -> Picture:
    """A where share is 0, b where it is 1."""
    weight = np.asarray(share, np.float32)[..., None]
    return (np.asarray(a, np.float32) * (1 - weight) + np.asarray(b, np.float32) * weight).astype(np.float32)


def colour(code: str) -> Colour:
    """The colour of a code such as "d9a441"."""
    return int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255


def ramp(value: Field, codes: list[str]) -> Picture:
    """Colours along a gradient of evenly spaced colour codes. value: 0 … 1."""
    stops = np.array([colour(code) for code in codes])
    places = np.linspace(0, 1, len(codes))
    return np.stack([np.interp(value, places, stops[:, i]) for i in range(3)], -1).astype(np.float32)


def luminance(picture: Picture) -> Field:
    """Rec. 601 luma, [height, width]."""
    return cast(Field, (picture @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.float32))


def blur(value: Field, sigma_px: float, *, wrap: bool = False) -> Field:
    """Gaussian blur of [height, width] or [height, width, 3]; edges repeat, or wrap round."""
    if sigma_px <= 0:
        return value
    radius = max(1, int(3 * sigma_px + 0.5))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma_px) ** 2)
    kernel /= kernel.sum()
    result = value.astype(np.float32)
    for axis in (0, 1):
        pad = [(0, 0)] * value.ndim
        pad[axis] = (radius, radius)
        padded = np.pad(result, pad, mode="wrap" if wrap else "edge")
        length = value.shape[axis]
        total = np.zeros_like(result)
        for i, weight in enumerate(kernel):
            total += np.float32(weight) * np.take(padded, range(i, i + length), axis)
        result = total
    return result


def slopes(relief: Field, *, wrap: bool = False) -> tuple[Field, Field]:
    """Derivatives along x and y of a height field, per pixel."""
    padded = np.pad(relief, 1, mode="wrap" if wrap else "edge")
    return (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2, (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2


def lit_relief(
    albedo: Picture,
    relief: Field,
    *,
    depth: float = 1.0,
    light: tuple[float, float, float] = (-0.55, -0.65, 0.75),
    ambient: float = 0.45,
    gloss: float = 0.0,
    shininess: float = 30.0,
    wrap: bool = False,
) -> Picture:
    """A coloured relief under one lamp.

    relief, depth: heights in pixels, and a factor on them. light: towards the lamp, x right, y down, z out.
    """
    dx, dy = slopes(relief * depth, wrap=wrap)
    length = np.sqrt(dx * dx + dy * dy + 1)
    nx, ny, nz = -dx / length, -dy / length, 1 / length
    lx, ly, lz = np.array(light) / np.linalg.norm(light)
    facing = np.clip(nx * lx + ny * ly + nz * lz, 0, None) / lz
    half = np.array([lx, ly, lz + 1]) / np.linalg.norm([lx, ly, lz + 1])
    shine = gloss * np.clip(nx * half[0] + ny * half[1] + nz * half[2], 0, 1) ** shininess
    level = ambient + (1 - ambient) * facing
    return floats(np.clip(albedo * level[..., None] + shine[..., None], 0, 1))


def occlusion(relief: Field, radii_px: tuple[float, ...], strength: float, *, wrap: bool = False) -> Field:
    """Light left in hollows, 0 … 1: how far each place lies below its blurred surroundings."""
    left = np.ones_like(relief)
    for radius in radii_px:
        left *= np.exp(-strength * np.clip(blur(relief, radius, wrap=wrap) - relief, 0, None) / radius)
    return cast(Field, left.astype(np.float32))


def film(radiance: Picture, exposure: float = 1.0) -> Picture:
    """Linear light to a picture: a filmic shoulder and toe, then sRGB."""
    x = np.clip(radiance * exposure, 0, None)
    x = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    return floats(np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055))


def linear(code: str) -> Colour:
    """The linear light of a colour code."""
    r, g, b = (((c + 0.055) / 1.055) ** 2.4 if c > 0.04045 else c / 12.92 for c in colour(code))
    return r, g, b


def grained(picture: Picture, strength: float, seed: int) -> Picture:
    """Film grain, strongest in the middle tones."""
    random = np.random.default_rng(seed)
    grain = blur(random.normal(size=picture.shape[:2]).astype(np.float32), 0.6)
    level = luminance(picture)
    return floats(np.clip(picture + (grain * strength * (0.4 + 2.4 * level * (1 - level)))[..., None], 0, 1))


def graded(picture: Picture, contrast: float, saturation: float, black: float = 0.0) -> Picture:
    """Colours as a photographer would finish them: a lower black, an S-curve (0 … 1), saturation (1 keeps it)."""
    level = np.clip((picture - black) / (1 - black), 0, 1)
    level = level + contrast * (level * level * (3 - 2 * level) - level)
    grey = luminance(level)[..., None]
    return floats(np.clip(grey + saturation * (level - grey), 0, 1))


def resized(picture: Picture, height: int, width: int) -> Picture:
    """The picture at another size, well filtered."""
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(picture[..., i])).resize((width, height), Image.Resampling.LANCZOS)
        )
        for i in range(picture.shape[2])
    ]
    return floats(np.clip(np.stack(planes, -1), 0, 1))


def save(picture: Picture, path: Path) -> None:
    """Write a PNG, or a JPEG at quality 92 and below: the best one that stays under MOST_BYTES."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    if path.suffix != ".jpg":
        image.save(path, optimize=True)
        return
    for quality, subsampling in ((92, 0), (92, 2), (89, 2), (86, 2), (82, 2), (78, 2)):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=subsampling, optimize=True)
        if buffer.tell() <= MOST_BYTES:
            break
    path.write_bytes(buffer.getvalue())

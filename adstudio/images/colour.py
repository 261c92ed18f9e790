"""Colour spaces and the blends that follow a run. All arrays are float32 [height, width, 3], sRGB-encoded in 0 … 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_TO_LMS_32 = _TO_LMS.T.astype(np.float32)
_TO_LAB_32 = _TO_LAB.T.astype(np.float32)
_FROM_LMS_32 = np.linalg.inv(_TO_LMS).T.astype(np.float32)
_FROM_LAB_32 = np.linalg.inv(_TO_LAB).T.astype(np.float32)


def srgb_to_linear(pixels: Pixels) -> Pixels:
    """The sRGB transfer curve undone (IEC 61966-2-1)."""
    return np.where(pixels <= 0.04045, pixels / 12.92, ((np.maximum(pixels, 0) + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


def linear_to_srgb(linear: Pixels) -> Pixels:
    """The sRGB transfer curve (IEC 61966-2-1); negative values stay negative."""
    positive = np.maximum(linear, 0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * positive ** (1 / 2.4) - 0.055).astype(np.float32)


def srgb_to_oklab(pixels: Pixels) -> Pixels:
    """OKLab: lightness 0 … 1, and two opponent axes of about -0.4 … 0.4. Source: Ottosson 2020."""
    cones = np.cbrt(np.maximum(srgb_to_linear(pixels) @ _TO_LMS_32, 0))
    lab: Pixels = cones @ _TO_LAB_32
    return lab


def oklab_to_srgb(lab: Pixels) -> Pixels:
    """Back to sRGB; colours outside its gamut leave 0 … 1."""
    cones: Pixels = np.power(lab @ _FROM_LAB_32, np.float32(3))
    linear: Pixels = cones @ _FROM_LMS_32
    return linear_to_srgb(linear)


def luminance(pixels: Pixels) -> NDArray[np.float32]:
    """Luma [height, width] with the weights 0.299, 0.587, 0.114 of Rec. 601, as METHOD's figures use it."""
    return pixels @ np.array([0.299, 0.587, 0.114], np.float32)


def blend_color(result: Pixels, content: Pixels, color: float) -> Pixels:
    """Give the result the content's colours, keeping its own lightness and so its marks.

    color: 1 leaves the result as it is, 0 takes the content's chroma wholly. Where lightness and chroma together leave
    sRGB, chroma is drawn in towards grey. Both pictures have one size.
    """
    if color >= 1:
        return result
    own, other = srgb_to_oklab(result), srgb_to_oklab(content)
    mixed = own.copy()
    mixed[..., 1:] = color * own[..., 1:] + (1 - color) * other[..., 1:]
    out = oklab_to_srgb(mixed)
    outside = ((out < -1e-3) | (out > 1 + 1e-3)).any(axis=2)
    if outside.any():
        stray = mixed[outside]
        low, high = np.zeros(len(stray), np.float32), np.ones(len(stray), np.float32)
        for _ in range(8):
            middle = (low + high) / 2
            tried = stray.copy()
            tried[:, 1:] *= middle[:, None]
            rgb = oklab_to_srgb(tried)
            fits = ((rgb >= -1e-3) & (rgb <= 1 + 1e-3)).all(axis=1)
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        stray[:, 1:] *= low[:, None]
        out[outside] = oklab_to_srgb(stray)
    return np.clip(out, 0, 1)


def blend_strength(result: Pixels, content: Pixels, strength: float) -> Pixels:
    """The result over the content: 1 is the result, 0 the content, between them a cross-fade in OKLab."""
    if strength >= 1:
        return result
    if strength <= 0:
        return content
    mixed = strength * srgb_to_oklab(result) + (1 - strength) * srgb_to_oklab(content)
    return np.clip(oklab_to_srgb(mixed), 0, 1)

"""How near a result comes to its reference, and how much of its content is left: figures that need no network.

style: sliced-Wasserstein distance of 7 × 7 patches over four scales, sRGB; stroke: the same for 5 × 5 patches of four
band-pass levels, each in units of the reference's spread there; palette: of colours in OKLab; structure: SSIM of
gradient magnitude with the content over scales 2, 4 and 8; copy_rate: share of neighbouring 15 × 15 patches whose
nearest reference patches are neighbours too; seam: gradient across the wrap over the interior's. Lower is better for
all but structure; seam is best at 1. Source: METHOD §5 of the project's notes; directions are drawn from an own fixed
seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from adstudio.images.colour import luminance, srgb_to_oklab
from adstudio.images.resize import centre_crop_to_aspect, resize

SIDE_PX = 256
_DIRECTIONS = 256
_SAMPLES = 20000
_COPY_SIDE_PX = 128
_COPY_PATCH_PX = 15

Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FidelityFigures:
    """All figures; None where a picture for it was not given."""

    style: float
    stroke: float
    palette: float
    structure: float | None = None
    copy_rate: float | None = None
    seam: float | None = None


def measure(
    result: Pixels, style: Pixels, content: Pixels | None = None, *, seamless: bool = False, copies: bool = False
) -> FidelityFigures:
    """Figures of a result; every picture is centre-cropped to a square and brought to 256².

    Pictures are float32 [height, width, 3] in 0 … 1. seamless: measure the seam at full size, too. copies: measure the
    copy rate as well (textures; takes seconds).
    """
    small, reference = _square(result), _square(style)
    return FidelityFigures(
        style=style_distance(small, reference),
        stroke=stroke_distance(small, reference),
        palette=_sliced(srgb_to_oklab(small).reshape(-1, 3), srgb_to_oklab(reference).reshape(-1, 3), 64),
        structure=structure(small, _square(content)) if content is not None else None,
        copy_rate=copy_rate(small, reference) if copies else None,
        seam=seam(result) if seamless else None,
    )


def style_distance(result: Pixels, style: Pixels) -> float:
    """Sliced-Wasserstein distance of 7 × 7 patches over scales 1, 2, 4, 8."""
    distances = []
    for scale in (1, 2, 4, 8):
        a, b = _reduced(result, scale), _reduced(style, scale)
        distances.append(_sliced(_patches(a, 7), _patches(b, 7), _DIRECTIONS) / 7)
    return float(np.mean(distances))


def stroke_distance(result: Pixels, style: Pixels) -> float:
    """Sliced-Wasserstein distance of 5 × 5 patches of band-pass levels: blur and missing marks show here."""
    distances = []
    for a, b in zip(_bands(result), _bands(style), strict=True):
        spread = max(float(b.std(ddof=1)), 1e-3)
        distances.append(_sliced(_patches(a / spread, 5), _patches(b / spread, 5), _DIRECTIONS))
    return float(np.mean(distances))


def structure(result: Pixels, content: Pixels, scales: Sequence[int] = (2, 4, 8)) -> float:
    """SSIM of luminance-gradient magnitude, averaged over scales; 1 at most."""
    values = [_ssim(_gradient(_reduced(result, s)), _gradient(_reduced(content, s))) for s in scales]
    return float(np.mean(values))


def copy_rate(result: Pixels, style: Pixels) -> float:
    """Share of neighbouring patches copied as neighbours: 1 is verbatim, 0 none. Pictures are taken at 128²."""
    a = _reduced(_square(result), SIDE_PX // _COPY_SIDE_PX)
    b = _reduced(_square(style), SIDE_PX // _COPY_SIDE_PX)
    side = _COPY_SIDE_PX - _COPY_PATCH_PX + 1
    keys = _patches(b, _COPY_PATCH_PX)
    queries = _patches(a, _COPY_PATCH_PX).reshape(side, side, -1)[::2, ::2]
    count = queries.shape[0]
    queries = queries.reshape(count * count, -1)
    norms = np.square(keys).sum(1)
    nearest = np.concatenate(
        [(norms - 2 * queries[i : i + 512] @ keys.T).argmin(1) for i in range(0, len(queries), 512)]
    )
    rows, columns = (nearest // side).reshape(count, count), (nearest % side).reshape(count, count)
    neighbours = (np.diff(columns, axis=1) == 2) & (np.diff(rows, axis=1) == 0)
    return float(neighbours.mean())


def seam(result: Pixels) -> float:
    """Mean gradient across the wrap over the mean gradient inside, the worse of both directions; 1 shows no seam."""
    ratios = []
    for axis in (0, 1):
        if result.shape[axis] == 1:
            continue
        inside = float(np.abs(np.diff(result, axis=axis)).mean())
        across = float(np.abs(np.take(result, 0, axis) - np.take(result, -1, axis)).mean())
        ratios.append((across + 1e-6) / (inside + 1e-6))
    return max(ratios, default=1.0)


def _square(pixels: Pixels) -> Pixels:
    return resize(centre_crop_to_aspect(pixels, 1, 1), SIDE_PX, SIDE_PX)


def _reduced(pixels: Pixels, factor: int) -> Pixels:
    if factor == 1:
        return pixels
    height, width = pixels.shape[0] // factor, pixels.shape[1] // factor
    blocks = pixels[: height * factor, : width * factor].reshape(height, factor, width, factor, -1)
    means: Pixels = blocks.mean(axis=(1, 3), dtype=np.float32)
    return means


def _patches(pixels: Pixels, side: int) -> NDArray[np.float32]:
    windows = sliding_window_view(pixels, (side, side), axis=(0, 1))
    rows: NDArray[np.float32] = windows.reshape(-1, pixels.shape[2] * side * side)
    return rows


def _sliced(a: NDArray[np.float32], b: NDArray[np.float32], directions: int) -> float:
    """Mean distance of sorted projections of two clouds of points [n, dimensions]."""
    rng = np.random.default_rng(7)
    axes = rng.standard_normal((directions, a.shape[1]), dtype=np.float32)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    count = min(len(a), len(b), _SAMPLES)
    first = axes @ a[rng.permutation(len(a))[:count]].T
    second = axes @ b[rng.permutation(len(b))[:count]].T
    first.sort(axis=1)
    second.sort(axis=1)
    return float(np.abs(first - second).mean())


def _bands(pixels: Pixels) -> list[Pixels]:
    bands = []
    for _ in range(4):
        low = _box(np.pad(pixels, ((2, 2), (2, 2), (0, 0)), mode="reflect"), 5)
        bands.append(pixels - low)
        pixels = _reduced(low, 2)
    return bands


def _box(pixels: Pixels, side: int) -> Pixels:
    """Means of side × side windows that lie wholly inside."""
    sums = np.pad(pixels.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0), (0, 0)))
    total = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    means: Pixels = (total / (side * side)).astype(np.float32)
    return means


def _gradient(pixels: Pixels) -> Pixels:
    light = np.pad(luminance(pixels), 1, mode="reflect")
    across = (light[:, :-2] - light[:, 2:]) / 8
    along = (light[:-2] - light[2:]) / 8
    gx = across[:-2] + 2 * across[1:-1] + across[2:]
    gy = along[:, :-2] + 2 * along[:, 1:-1] + along[:, 2:]
    magnitude: Pixels = np.sqrt(gx**2 + gy**2 + np.float32(1e-8))
    return magnitude[..., None]


def _ssim(a: Pixels, b: Pixels) -> float:
    a = (a - a.mean()) / max(float(a.std(ddof=1)), 1e-5)
    b = (b - b.mean()) / max(float(b.std(ddof=1)), 1e-5)
    mean_a, mean_b = _box(a, 11), _box(b, 11)
    var_a, var_b = _box(a * a, 11) - mean_a**2, _box(b * b, 11) - mean_b**2
    both = _box(a * b, 11) - mean_a * mean_b
    return float(((2 * both + 1e-4) / (var_a + var_b + 1e-4)).mean())

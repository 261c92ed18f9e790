"""Control pictures made from ordinary ones, without any network.

Pictures are float32 [height, width, 3], sRGB-encoded in 0 … 1, and so are the control pictures, white on black for
edges and lines, as the published ControlNets were trained. Depth and pose need a network and are the user's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from adstudio.images.colour import Pixels, luminance, srgb_to_oklab

Plane = NDArray[np.float32]


def edges(pixels: Pixels, *, low: float = 0.1, high: float = 0.2, sigma_px: float = 1.4) -> Pixels:
    """Edges one pixel wide, white on black.

    low, high: share of the steepest slope's 99.5th percentile, so that dim pictures have edges, too; a weak edge
    counts where it hangs together with a strong one. sigma_px: of the smoothing before.
    Source: Canny 1986, with Sobel's slopes, maxima along the slope's direction, and hysteresis.
    """
    light = _blurred(luminance(pixels), sigma_px)
    across, down = _slopes(light)
    steepness = np.hypot(across, down)
    reach = float(np.percentile(steepness, 99.5))
    if reach < 1e-4:
        return _grey(np.zeros_like(light))
    thin = np.where(_is_ridge(steepness, across, down), steepness, np.float32(0))
    found = _connected(thin >= high * reach, thin >= low * reach)
    return _grey(found.astype(np.float32))


def line_art(pixels: Pixels, *, sigma_px: float = 1.0) -> Pixels:
    """Lines as a draughtsman would put them, soft and white on black: where the picture is darker than around.

    sigma_px: half the width of a line at 512 pixels; grows with the picture.
    Source: difference of Gaussians with a soft threshold, after Winnemöller et al. 2012 (XDoG).
    """
    light = np.ascontiguousarray(srgb_to_oklab(pixels)[..., 0])
    sigma = sigma_px * max(1.0, math.sqrt(light.size) / 512)
    darker = _blurred(light, 1.6 * sigma) - _blurred(light, sigma)
    reach = max(float(np.percentile(darker, 99.5)), 0.01)
    return _grey(np.clip((darker / reach - 0.12) / 0.6, 0, 1).astype(np.float32))


def luminance_picture(pixels: Pixels) -> Pixels:
    """The picture without its colours."""
    return _grey(np.clip(luminance(pixels), 0, 1))


_MAKERS: Mapping[str, Callable[[Pixels], Pixels]] = MappingProxyType(
    {"canny": edges, "line_art": line_art, "luminance": luminance_picture}
)


def control_picture(kind: str, pixels: Pixels) -> Pixels:
    """The control picture of a kind, by its name in the job; depth and pose are taken as they are."""
    maker = _MAKERS.get(kind)
    return pixels if maker is None else maker(pixels)


def _grey(plane: Plane) -> Pixels:
    return np.repeat(plane[..., None], 3, axis=2).astype(np.float32)


def _blurred(plane: Plane, sigma_px: float) -> Plane:
    """A Gaussian blur, row by row and column by column; the border is mirrored."""
    reach = max(1, math.ceil(3 * sigma_px))
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-(offsets**2) / (2 * sigma_px**2))
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for axis in (0, 1):
        size = plane.shape[axis]
        padded = np.pad(plane, [(reach, reach) if each == axis else (0, 0) for each in (0, 1)], mode="symmetric")
        total = np.zeros_like(plane)
        for index, weight in enumerate(kernel):
            total += weight * np.take(padded, range(index, index + size), axis=axis)
        plane = total
    return plane


def _slopes(plane: Plane) -> tuple[Plane, Plane]:
    """Sobel's slopes to the right and downwards."""
    around = np.pad(plane, 1, mode="edge")
    smooth_down = around[:-2] + 2 * around[1:-1] + around[2:]
    smooth_across = around[:, :-2] + 2 * around[:, 1:-1] + around[:, 2:]
    return smooth_down[:, 2:] - smooth_down[:, :-2], smooth_across[2:] - smooth_across[:-2]


def _is_ridge(steepness: Plane, across: Plane, down: Plane) -> NDArray[np.bool_]:
    """Where the slope is steepest along its own direction, of four; of two equals the first stays."""
    around = np.pad(steepness, 1)
    height, width = steepness.shape

    def shifted(rows: int, columns: int) -> Plane:
        return around[1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]

    direction = np.round(np.arctan2(down, across) / (np.pi / 4)).astype(np.int64) % 4
    ridge = np.zeros(steepness.shape, np.bool_)
    for number, (rows, columns) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        steepest = (steepness > shifted(-rows, -columns)) & (steepness >= shifted(rows, columns))
        ridge |= (direction == number) & steepest
    return ridge


def _connected(strong: NDArray[np.bool_], weak: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Weak pixels that hang together with a strong one over sides or corners, and the strong ones."""
    height, width = strong.shape
    open_ = np.zeros((height + 2, width + 2), np.bool_)
    open_[1:-1, 1:-1] = weak & ~strong
    flat, step = open_.ravel(), width + 2
    neighbours = np.array([-step - 1, -step, -step + 1, -1, 1, step - 1, step, step + 1])
    found = np.pad(strong, 1).ravel()
    front = np.flatnonzero(found)
    while front.size:
        reached = np.unique((front[:, None] + neighbours).ravel())
        front = reached[(reached >= 0) & (reached < flat.size)]
        front = front[flat[front]]
        flat[front] = False
        found[front] = True
    return found.reshape(height + 2, width + 2)[1:-1, 1:-1]

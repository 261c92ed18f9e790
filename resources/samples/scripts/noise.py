"""Seeded lattice noise, single values for compiled code and whole fields for numpy code."""

import math

import numpy as np

from scripts.jit import compiled
from scripts.picture import Field


@compiled
def hash_bits(column: int, row: int, seed: int) -> int:
    """32 well mixed bits of a lattice point."""
    bits = (column * 374761393 + row * 668265263 + seed * 974711917 + 1013904223) & 0xFFFFFFFF
    bits = ((bits ^ (bits >> 15)) * 2246822519) & 0xFFFFFFFF
    bits = ((bits ^ (bits >> 13)) * 3266489917) & 0xFFFFFFFF
    return bits ^ (bits >> 16)


@compiled
def hash01(column: int, row: int, seed: int) -> float:
    """A uniform number in 0 … 1 of a lattice point."""
    return hash_bits(column, row, seed) / 4294967296.0


@compiled
def _corner(column: int, row: int, seed: int, dx: float, dy: float) -> float:
    bits = hash_bits(column, row, seed)
    return ((bits & 0xFFFF) / 32767.5 - 1.0) * dx + ((bits >> 16) / 32767.5 - 1.0) * dy


@compiled
def gradient_noise(x: float, y: float, seed: int, period: int) -> float:
    """Gradient noise, about -1 … 1; repeats after `period` lattice cells, never where period is 0."""
    column, row = math.floor(x), math.floor(y)
    fx, fy = x - column, y - row
    u = fx * fx * fx * (fx * (fx * 6.0 - 15.0) + 10.0)
    v = fy * fy * fy * (fy * (fy * 6.0 - 15.0) + 10.0)
    left, top, right, bottom = int(column), int(row), int(column) + 1, int(row) + 1
    if period > 0:
        left, right, top, bottom = left % period, right % period, top % period, bottom % period
    a = _corner(left, top, seed, fx, fy)
    b = _corner(right, top, seed, fx - 1.0, fy)
    c = _corner(left, bottom, seed, fx, fy - 1.0)
    d = _corner(right, bottom, seed, fx - 1.0, fy - 1.0)
    upper, lower = a + u * (b - a), c + u * (d - c)
    return 1.5 * (upper + v * (lower - upper))


@compiled
def fractal_noise(x: float, y: float, octaves: int, seed: int, period: int) -> float:
    """Sum of octaves of gradient noise, each half as strong and twice as fine as the one before."""
    total, strength = 0.0, 0.55
    for octave in range(octaves):
        total += strength * gradient_noise(x, y, seed + 17 * octave, period)
        x, y, strength, period = 2.0 * x, 2.0 * y, 0.5 * strength, 2 * period
        if period == 0:
            x, y = x + 13.7, y - 7.3
    return total


@compiled
def ridged_noise(x: float, y: float, octaves: int, seed: int) -> float:
    """Mountain-like noise, 0 … about 1: sharp crests, finer octaves only where coarser ones are high."""
    total, strength, gate = 0.0, 0.55, 1.0
    for octave in range(octaves):
        crest = 1.0 - abs(gradient_noise(x, y, seed + 31 * octave, 0))
        crest *= crest
        total += strength * crest * gate
        gate = min(1.0, max(0.0, crest * 1.4))
        x, y, strength = 1.6 * x + 1.2 * y + 3.1, -1.2 * x + 1.6 * y - 5.7, 0.5 * strength
    return total


@compiled
def fractal_noise_at(x: Field, y: Field, octaves: int, seed: int, period: int) -> Field:
    """Fractal noise at given lattice coordinates. x, y: [height, width]."""
    result = np.empty(x.shape, np.float32)
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            result[row, column] = fractal_noise(x[row, column], y[row, column], octaves, seed, period)
    return result


def noise_field(
    height: int,
    width: int,
    cells: float,
    octaves: int,
    seed: int,
    *,
    stretch: tuple[float, float] = (1.0, 1.0),
    tile: bool = False,
) -> Field:
    """A field of fractal noise, [height, width], about -1 … 1.

    cells: lattice cells along the longer side; a whole number where `tile` is set.
    stretch: (x, y) multiples of the number of cells, for streaks.
    """
    step = cells / max(height, width)
    x, y = np.meshgrid(np.arange(width) * step * stretch[0], np.arange(height) * step * stretch[1])
    if tile and stretch[0] != stretch[1]:
        raise ValueError("a tiling field needs the same stretch in x and y; scale its coordinates instead")
    period = round(cells * stretch[0]) if tile else 0
    return fractal_noise_at(x.astype(np.float32), y.astype(np.float32), octaves, seed, period)


@compiled
def cell_noise(x: Field, y: Field, seed: int, jitter: float, period: int) -> tuple[Field, Field, Field]:
    """Nearest and second nearest distance to jittered lattice points, and the nearest point's number in 0 … 1."""
    first = np.empty(x.shape, np.float32)
    second = np.empty(x.shape, np.float32)
    number = np.empty(x.shape, np.float32)
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            px, py = x[row, column], y[row, column]
            cx, cy = math.floor(px), math.floor(py)
            d1, d2, best = 1e9, 1e9, 0.0
            for i in range(cx - 2, cx + 3):
                for j in range(cy - 2, cy + 3):
                    wi, wj = (i % period, j % period) if period > 0 else (i, j)
                    qx = i + 0.5 + jitter * (hash01(wi, wj, seed) - 0.5) - px
                    qy = j + 0.5 + jitter * (hash01(wi, wj, seed + 1) - 0.5) - py
                    d = math.sqrt(qx * qx + qy * qy)
                    if d < d1:
                        d2, d1, best = d1, d, hash01(wi, wj, seed + 2)
                    elif d < d2:
                        d2 = d
            first[row, column], second[row, column], number[row, column] = d1, d2, best
    return first, second, number

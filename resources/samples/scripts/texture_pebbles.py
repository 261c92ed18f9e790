"""Pebbles of a beach, some wet: rounded stones of mixed sizes piled on one another."""

import math

import numpy as np

from scripts.jit import compiled
from scripts.noise import fractal_noise, hash01, noise_field
from scripts.picture import Field, Picture, blur, floats, halved, lit_relief, occlusion, ramp

LONG_SIDE_PX = 512
SEED = 14


@compiled
def _pile(size: int, stones: Field, seed: int) -> tuple[Field, Field]:
    """Drop stones [x, y, radius, flatness, turn, level] onto a wrapping square; the highest surface is seen."""
    relief = np.full((size, size), -1.0, np.float32)
    number = np.zeros((size, size), np.float32)
    for n in range(stones.shape[0]):
        cx, cy, r, flat, turn, level = stones[n]
        c, s = math.cos(turn), math.sin(turn)
        reach = int(1.35 * r) + 2
        for j in range(-reach, reach + 1):
            for i in range(-reach, reach + 1):
                u, v = (c * i + s * j) / r, (c * j - s * i) / (r * flat)
                bend = 0.16 * fractal_noise(1.3 * u + 31.0 * n, 1.3 * v, 3, seed, 0)
                q = abs(u) ** 2.3 + abs(v) ** 2.3
                q = q * (1.0 + 2.0 * bend)
                if q >= 1.0:
                    continue
                h = level + 0.62 * r * math.sqrt(1.0 - q) * (1.0 + 0.25 * bend)
                y, x = (int(cy) + j) % size, (int(cx) + i) % size
                if h > relief[y, x]:
                    relief[y, x], number[y, x] = h, n
    return relief, number


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The square texture at a size; its opposite edges meet."""
    size = 2 * long_side_px
    unit = size / 1024
    random = np.random.default_rng(seed)
    rows = []
    for count, low, high, level in ((900, 16, 26, -14.0), (330, 26, 46, -8.0), (110, 44, 78, 0.0), (160, 20, 38, 6.0)):
        for _ in range(count):
            r = random.uniform(low, high) * unit
            rows.append(
                [
                    random.uniform(0, size),
                    random.uniform(0, size),
                    r,
                    random.uniform(0.62, 0.95),
                    random.uniform(0, math.pi),
                    (level + random.normal(0, 3)) * unit,
                ]
            )
    relief, number = _pile(size, np.array(rows, np.float32), seed)
    index = number.astype(np.int64)
    keys = np.array([[hash01(n, k, seed) for k in range(5)] for n in range(len(rows))], np.float32)
    kind = keys[index, 0]
    grain = noise_field(size, size, 128, 4, seed + 1, tile=True)
    cloud = noise_field(size, size, 16, 5, seed + 2, tile=True)
    base = ramp(
        np.clip(kind + 0.10 * cloud, 0, 1),
        ["2f3238", "55585c", "8c8478", "b8a88e", "d9cdb8", "8a5a44", "6b7478", "a8947c", "efe8da", "4a4038"],
    )
    bands = np.sin(
        keys[index, 1] * 40
        + (
            np.cos(keys[index, 2] * 6.3) * np.arange(size)[None]
            + np.sin(keys[index, 2] * 6.3) * np.arange(size)[:, None]
        )
        * 0.16
        / unit
        + 2.5 * cloud
    )
    veined = (keys[index, 3] > 0.72)[..., None] * np.clip(bands - 0.82, 0, 1)[..., None] * 3.2
    speckled = (keys[index, 4] > 0.5)[..., None] * np.clip(grain - 0.22, 0, 1)[..., None] * 1.3
    albedo = np.clip(
        base * (1 + 0.30 * cloud[..., None] + 0.35 * grain[..., None])
        + veined * (0.9 - base) * 0.8
        - speckled * base * 0.9,
        0.02,
        1,
    )
    rough = relief + unit * (0.7 * grain + 0.8 * cloud)
    hollow = occlusion(relief, (5 * unit, 14 * unit, 34 * unit), 1.25, wrap=True)
    shadow = _shadow(blur(relief, 0.7 * unit, wrap=True), unit)
    lit = lit_relief(
        albedo.astype(np.float32),
        blur(rough, 0.8 * unit, wrap=True),
        depth=0.85,
        ambient=0.32,
        gloss=0.20,
        shininess=38,
        wrap=True,
    )
    shade = lit * (hollow * (0.42 + 0.58 * shadow))[..., None] * 1.30
    return halved(shade)


def _shadow(relief: Field, unit: float) -> Field:
    """Light that reaches each place from the upper left over its neighbours, 0 … 1, soft at its edge."""
    horizon = np.full_like(relief, -10.0)
    for step in range(2, 44, 2):
        distance = step * unit
        moved = np.roll(relief, (round(0.76 * distance), round(0.64 * distance)), (0, 1))
        horizon = np.maximum(horizon, (moved - relief) / distance)
    return floats(np.clip(1.0 - (horizon - 0.75) / 0.7, 0, 1))

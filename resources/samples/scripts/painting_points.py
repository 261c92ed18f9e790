"""Divided colour: a garden pond with lilies and an arched bridge, in dots of pure pigment laid side by side."""

import math

import numpy as np

from scripts.jit import compiled
from scripts.noise import fractal_noise_at, gradient_noise, hash01, noise_field
from scripts.picture import Field, Picture, blur, colour, lit_relief, mix, ramp, size_for, smoothstep

LONG_SIDE_PX = 960
SEED = 23


@compiled
def _dots(
    paint: Picture, relief: Field, guide: Picture, angle: Field, order: Field, columns: int, gap: float, radius: float,
    purity: float, seed: int,
) -> None:  # fmt: skip
    """Lay dots; each is a purer, shifted version of the colour wanted, so that they mix in the eye."""
    height, width = relief.shape
    for n in range(order.shape[0]):
        cell = int(order[n])
        row = cell // columns
        x = (cell % columns + 0.5 * (row % 2) + 0.8 * (hash01(cell, 0, seed) - 0.5)) * gap
        y = (row + 0.8 * (hash01(cell, 1, seed) - 0.5)) * gap
        ix, iy = min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1)
        r, g, b = guide[iy, ix, 0], guide[iy, ix, 1], guide[iy, ix, 2]
        mean = (r + g + b) / 3.0
        # Turn the hue a little one way or the other, now and then to the complement, and push it from grey.
        pick = hash01(cell, 2, seed)
        turn = (hash01(cell, 3, seed) - 0.5) * 1.5
        if pick < 0.10:
            turn += math.pi
        ca, sa = math.cos(turn), math.sin(turn) * 0.57735
        dr, dg, db = r - mean, g - mean, b - mean
        nr, ng, nb = ca * dr + sa * (dg - db), ca * dg + sa * (db - dr), ca * db + sa * (dr - dg)
        lift = 0.20 * (hash01(cell, 4, seed) - 0.45)
        push = 1.0 + purity * (0.5 + hash01(cell, 5, seed))
        if pick < 0.10:
            push *= 0.8
        size = radius * (0.72 + 0.5 * hash01(cell, 6, seed))
        a = angle[iy, ix] + 0.5 * (hash01(cell, 7, seed) - 0.5)
        c, s = math.cos(a), math.sin(a)
        reach = int(1.6 * size) + 2
        for py in range(max(iy - reach, 0), min(iy + reach + 1, height)):
            for px in range(max(ix - reach, 0), min(ix + reach + 1, width)):
                u, v = c * (px - x) + s * (py - y), c * (py - y) - s * (px - x)
                wobble = 0.16 * gradient_noise(px * 0.30, py * 0.30, seed + cell, 0)
                d = math.sqrt((u / 1.45) ** 2 + v * v) / size + wobble
                if d >= 1.0:
                    continue
                cover = min((1.0 - d) * size * 0.9, 1.0) * 0.95
                paint[py, px, 0] += cover * (min(max(mean + lift + push * nr, 0.02), 0.99) - paint[py, px, 0])
                paint[py, px, 1] += cover * (min(max(mean + lift + push * ng, 0.02), 0.99) - paint[py, px, 1])
                paint[py, px, 2] += cover * (min(max(mean + lift + push * nb, 0.02), 0.99) - paint[py, px, 2])
                dome = 0.75 * math.sqrt(max(1.0 - d * d, 0.0)) + 0.25 * gradient_noise(v * 1.4, u * 0.3 + cell, seed, 0)
                relief[py, px] += cover * (dome - relief[py, px])


def _over(
    guide: Picture, angle: Field, inside: Field, codes: list[str], tone: Field, turn: Field | float
) -> tuple[Picture, Field]:
    cover = smoothstep(0.0015, -0.0015, inside.astype(np.float32))
    painted = mix(guide, ramp(np.clip(tone, 0, 1), codes), cover)
    return painted, np.where(cover > 0.5, turn, angle).astype(np.float32)


def _motif(height: int, width: int, seed: int) -> tuple[Picture, Field]:
    """The colours wanted and how the dots lie."""
    columns, rows = np.meshgrid(np.arange(width) / width, np.arange(height) / width)
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    bank = 0.385 + 0.012 * np.sin(7 * x)
    leaf = fractal_noise_at(9 * x, 9 * y, 5, seed, 0)
    fine = fractal_noise_at(24 * x, 24 * y, 3, seed + 1, 0)
    back = np.clip(
        0.42 + 0.70 * leaf + 0.40 * fine + 0.9 * np.exp(-(((x - 0.60) / 0.22) ** 2 + ((y - 0.10) / 0.16) ** 2)), 0, 1
    )
    guide = ramp(back, ["16324f", "1f5c4a", "3f8a4a", "8fbf4f", "e6e27a", "fff6c0"])
    angle = (1.57 + 0.8 * leaf).astype(np.float32)
    for middle, wide, low in ((0.10, 0.17, 0.36), (0.91, 0.20, 0.40), (0.33, 0.09, 0.30)):
        fronds = 2.2 * fractal_noise_at(34 * (x + 0.5 * (x - middle) * (0.3 - y)), 3.5 * y, 3, seed + 3, 0)
        fall = (
            np.abs(x - middle)
            - wide * (0.35 + 0.65 * np.sqrt(np.clip(y / 0.16, 0, 1)))
            + 0.09 * fractal_noise_at(14 * x, 5 * y, 3, seed + 5, 0)
        )
        fall = np.maximum(fall, y - low - 0.12 * fractal_noise_at(12 * x, 0 * y, 3, seed + 4, 0))
        guide, angle = _over(
            guide,
            angle,
            fall,
            ["0f2440", "1d4a4c", "4a863f", "a9c054", "f2e79a"],
            0.42 + 0.34 * fronds + 0.4 * leaf - 0.25 * (y / low - 0.5),
            1.57 + 0.12 * fronds,
        )
    water_depth = np.clip((y - bank) / 0.37, 0, 1)
    ripple = fractal_noise_at(4.5 * x, 26 * y, 4, seed + 6, 0)
    mirrored = np.take_along_axis(
        guide, np.clip(np.round((2 * 0.39 - y) * width).astype(np.int64), 0, height - 1)[..., None], 0
    )
    deep = ramp(
        np.clip(0.55 - 0.35 * water_depth + 0.75 * ripple, 0, 1), ["1b2a66", "2f4fa0", "4f86c6", "9cc3e0", "f0d8e0"]
    )
    water = mix(blur(mirrored, 0.008 * width), deep, np.clip(0.42 + 0.5 * water_depth + 0.6 * ripple, 0, 1))
    pond = smoothstep(-0.002, 0.002, (y - bank).astype(np.float32))
    guide, angle = mix(guide, water, pond), np.where(pond > 0.5, 0.10 * ripple, angle).astype(np.float32)
    grass = np.abs(y - bank + 0.006) - 0.018 - 0.02 * leaf
    guide, angle = _over(guide, angle, grass, ["2a5a2a", "6a9a35", "d8d860"], 0.5 + 0.8 * fine, 1.3)
    # The bridge with its rails, and the same below in the water.
    for turn_over, fade in ((1.0, 0.0), (-1.0, 0.45)):
        v = np.where(turn_over > 0, y, 2 * 0.392 - y + 0.010 * ripple)
        arch = 0.335 - 0.085 * np.clip(1 - ((x - 0.55) / 0.36) ** 2, 0, 1)
        within = np.abs(x - 0.55) - 0.345
        deck = np.maximum(np.abs(v - arch) - 0.011, within)
        rail = np.maximum(np.abs(v - arch + 0.058) - 0.0055, within)
        posts = np.maximum(
            np.maximum(np.abs(((x - 0.55 + 0.5) % 0.0575) - 0.02875) - 0.0042, np.abs(v - arch + 0.03) - 0.034), within
        )
        shape = np.minimum(np.minimum(deck, rail), posts)
        shape = np.where((y < 0.392) if turn_over > 0 else (y > 0.40), shape, 1)
        codes = ["3a1848", "a8324a", "e8623f", "ffc06a"] if fade == 0 else ["2a2a66", "7a4a86", "b8788f", "d8a8a8"]
        guide, angle = _over(guide, angle, shape, codes, 0.50 - 14 * (v - arch + 0.02) * 0.5 + 0.3 * fine, 0.0)
    random = np.random.default_rng(seed)
    for _ in range(34):
        depth = random.uniform(0.12, 1.0) ** 0.8
        cx, cy, r = random.uniform(-0.02, 1.02), 0.39 + 0.36 * depth, (0.014 + 0.038 * depth) * random.uniform(0.7, 1.2)
        u, v = (x - cx) / r, (y - cy) / (r * 0.36)
        d, around = np.hypot(u, v), np.arctan2(v, u)
        notch = np.where(np.abs(around - random.uniform(-2, 2)) < 0.25, 0.7, 0.0)
        guide, angle = _over(
            guide,
            angle,
            (d - 1 + notch) * r,
            ["12504a", "2f8a56", "7ac060", "d8ea90"],
            0.45 - 0.30 * v + 0.4 * fine,
            0.1,
        )
        if random.random() < 0.5:
            fx, fy, s = cx + random.uniform(-0.3, 0.3) * r, cy - 0.20 * r, 0.36 * r
            petal = np.hypot(x - fx, (y - fy) * 1.3) - s * (
                0.78 + 0.22 * np.abs(np.cos(3.5 * np.arctan2(y - fy, x - fx)))
            )
            tone = 0.85 - 0.55 * np.clip((y - fy) / s, -1, 1)
            guide, angle = _over(
                guide,
                angle,
                petal,
                random.choice(
                    [["b03a7a", "f08ab0", "ffe6ee"], ["c89a3a", "fff0a0", "ffffff"], ["a03050", "f05a6a", "ffc0b0"]]
                ).tolist(),
                tone,
                0.8,
            )
            guide, angle = _over(
                guide, angle, np.hypot(x - fx, y - fy) - 0.28 * s, ["f0a020", "ffd84a"], 0.5 + 0 * x, 0.0
            )
    return guide.astype(np.float32), angle


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The picture at a size."""
    height, width = size_for(long_side_px, 4 / 3)
    guide, angle = _motif(height, width, seed)
    unit = long_side_px / 960
    weave = noise_field(height, width, width / 3.0, 1, seed + 30)
    paint = np.broadcast_to(np.array(colour("e6d8b8"), np.float32), guide.shape) * (1 + 0.06 * weave[..., None])
    paint, relief = np.ascontiguousarray(paint.astype(np.float32)), np.zeros((height, width), np.float32)
    for layer, (gap, radius, purity) in enumerate(((7.5, 6.6, 0.10), (6.0, 4.6, 0.25), (6.2, 3.6, 0.35))):
        columns = int(width / (gap * unit)) + 2
        cells = columns * (int(height / (gap * unit)) + 2)
        order = np.random.default_rng(seed + layer).permutation(cells).astype(np.float32)
        _dots(
            paint,
            relief,
            blur(guide, 0.5 * unit),
            angle,
            order,
            columns,
            gap * unit,
            radius * unit,
            purity,
            seed + 100 * layer,
        )
    return lit_relief(paint, relief + 0.06 * weave, depth=2.2 * unit, ambient=0.62, gloss=0.06)

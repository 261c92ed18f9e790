"""Leaded glass: tulips before a rising sun, with lead lines, streaky glass and light that spills over."""

import numpy as np

from scripts.noise import cell_noise, fractal_noise_at, noise_field
from scripts.picture import Field, Picture, blur, colour, mix, size_for, smoothstep

LONG_SIDE_PX = 960
SEED = 21


def _petals(u: Field, v: Field, size: float) -> list[tuple[Field, int]]:
    """A tulip's petals at the origin, back to front: (signed distance, tone). v grows upwards."""
    u, v = u / size, v / size
    shapes = []
    for shift, lean, wide, tall, tone in (
        (0.30, 0.16, 0.30, 1.0, 0),
        (-0.30, -0.16, 0.30, 1.0, 0),
        (0.0, 0.0, 0.25, 1.12, 1),
        (0.20, 0.05, 0.27, 0.86, 2),
        (-0.20, -0.05, 0.27, 0.86, 2),
    ):
        t = np.clip(v / tall, 0, 1)
        middle = shift * np.sin(np.pi * np.clip(t * 0.85, 0, 1)) + lean * t
        half = wide * np.clip(np.sin(np.pi * t**0.72), 0, 1) ** 0.85
        shapes.append((np.where((v > 0) & (v < tall), np.abs(u - middle) - half, 1.0) * size, tone))
    return [(np.asarray(d, np.float32), tone) for d, tone in shapes]


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The picture at a size."""
    height, width = size_for(long_side_px, 0.75)
    columns, rows = np.meshgrid(np.arange(width) / width, np.arange(height) / width)
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    tall = height / width
    number = np.zeros((height, width), np.float32)
    glass = np.zeros((height, width, 3), np.float32)
    random = np.random.default_rng(seed)
    pieces = 0

    def place(inside: Field | np.ndarray, code: str) -> None:
        """A piece of glass over what is there."""
        nonlocal pieces
        pieces += 1
        number[inside] = pieces
        glass[inside] = np.array(colour(code)) * random.uniform(0.85, 1.12)

    # Ground: rays round the sun, crossed by rings, each field a piece.
    dx, dy = x - 0.5, y - 0.47
    r, turn = np.hypot(dx, dy), (np.arctan2(dy, dx) / (2 * np.pi)) % 1.0
    wave = 0.012 * np.sin(turn * 2 * np.pi * 9)
    rings = np.searchsorted([0.15, 0.225, 0.305, 0.395, 0.50, 0.64], (r + wave).ravel()).reshape(r.shape)
    codes = (
        ["fbe08a"],
        ["f7b733", "fbd25e"],
        ["ef8a2b", "f5a83f", "f9c163"],
        ["d9536b", "e8825c", "b5477f"],
        ["3f6fd0", "6a58b8", "3a8ed0"],
        ["1d3fa0", "2554bd", "24328a"],
        ["141f6b", "1b2f8c"],
    )
    for ring in range(7):
        parts = (1, 12, 16, 20, 24, 28, 32)[ring]
        sector = np.floor((turn * parts + 0.5 * (ring % 2)) % parts).astype(int)
        for part in range(parts):
            inside = (rings == ring) & (sector == part)
            if inside.any():
                place(inside, str(random.choice(codes[ring])))
    # Hills and water in bands of irregular pieces.
    cells = cell_noise(x * 9, y * 13, seed, 0.75, 0)[2]
    for base, swing, phase, shades in (
        (0.80, 0.050, 0.3, ["2c8a6a", "3aa57a", "1f6f5a"]), (0.90, 0.045, 2.0, ["1c6a3a", "2f8a3f", "62a83c"]),
        (1.06, 0.030, 4.0, ["12502f", "1d6b36", "3d8a35", "0f4030"]),
    ):  # fmt: skip
        below = y > base + swing * np.sin(4.2 * x + phase)
        for value in np.unique(cells[below]):
            place(below & (cells == value), str(random.choice(shades)))
    # Leaves and stems, then the flowers.
    flowers = (
        (0.50, 0.615, 0.300, ("c01030", "e8334a", "8f0a28")),
        (0.215, 0.700, 0.235, ("e0641a", "f6a02c", "b8400f")),
        (0.79, 0.690, 0.245, ("7a1f8f", "b04cc0", "52106a")),
    )
    for foot, head, size, _ in flowers:
        sway = 0.02 * np.sin((y - head) * 7)
        stem = (np.abs(x - foot - sway) < 0.0125) & (y > head - 0.01)
        place(stem, "3f9a3a")
        for side, length, wide, lift in ((1, 0.40, 0.052, 0.0), (-1, 0.34, 0.047, 0.05)):
            t = np.clip((tall - lift - y) / length, 0, 1)
            middle = foot + side * (0.015 + 0.135 * t**1.7)
            half = wide * np.clip(np.sin(np.pi * t**0.8), 0, 1) ** 0.9
            for part, code in ((0, "2e8b3a"), (1, "66b548")):
                place((np.abs(x - middle) < half) & ((x > middle) == (part == 1)) & (t > 0) & (t < 1), code)
        tones = flowers[[f[0] for f in flowers].index(foot)][3]
        for distance, tone in _petals(x - foot, head - y, size):
            place(distance < 0, tones[(1, 2, 0)[tone]])
        cup = np.maximum(np.hypot((x - foot), (y - head) * 1.3) - 0.030, -(y - head) - 0.012)
        place(cup < 0, "4aa03c")
    # A border of small panes.
    rim = np.minimum(np.minimum(x, 1 - x), np.minimum(y, tall - y))
    along = np.where(np.minimum(y, tall - y) < np.minimum(x, 1 - x), x * 11, y * 11)
    for value in range(16):
        for side in range(4):
            nearest = np.argmin(np.stack([x, 1 - x, y, tall - y]), 0)
            inside = (rim < 0.048) & (np.floor(along + 0.5) == value) & (nearest == side)
            if inside.any():
                place(inside, ("7a0f24", "c79a2e", "143a86")[(value + side) % 3])
    unit = width / 720
    lead = _lead(number, rim, unit)
    # Glass: streaks that run differently in each piece, seeds and ripples, and the sun behind it.
    key = (number * 12.9898) % 6.283
    c, s = np.cos(key), np.sin(key)
    streak = fractal_noise_at(
        (4 * (c * x - s * y) + number).astype(np.float32), (26 * (s * x + c * y)).astype(np.float32), 5, seed + 3, 0
    )
    ripple = fractal_noise_at((60 * x + 3 * number).astype(np.float32), 60 * y, 3, seed + 4, 0)
    bubbles = smoothstep(0.44, 0.56, noise_field(height, width, 90, 2, seed + 5))
    sun = 0.62 + 0.75 * np.exp(-((r / 0.42) ** 2)) + 0.15 * noise_field(height, width, 3, 3, seed + 6)
    power = np.clip(1.0 - 0.75 * streak - 0.30 * ripple, 0.25, 2.2)[..., None]
    through = np.clip(glass, 0.015, 0.99) ** power * sun[..., None] * 1.12 + 0.22 * bubbles[..., None] * glass
    distance_dark = blur(lead, 3.5 * unit)
    through = through * (1 - 0.55 * distance_dark[..., None])
    shine = blur(through * (1 - lead[..., None]), 9 * unit)
    round_lead = blur(lead, 1.2 * unit)
    gy, gx = np.gradient(round_lead)
    metal = 0.075 + 0.55 * np.clip(gx + gy, 0, 1) + 0.05 * noise_field(height, width, 200, 3, seed + 7)
    result = mix(
        np.clip(through, 0, 1.4),
        np.repeat(metal[..., None], 3, -1) * np.array([0.95, 1.0, 1.08], np.float32),
        np.clip(lead, 0, 1),
    )
    return np.clip(result + 0.16 * shine, 0, 1).astype(np.float32)


def _lead(number: Field, rim: Field, unit: float) -> Field:
    """Coverage of the lead between pieces of different numbers, with soft joints where lines meet."""
    height, width = number.shape
    border = np.zeros((height, width), np.float32)
    border[:, 1:] += number[:, 1:] != number[:, :-1]
    border[1:] += number[1:] != number[:-1]
    near = blur(np.clip(border, 0, 1), 2.1 * unit)
    cover = smoothstep(0.085, 0.125, near)
    return np.maximum(cover, smoothstep(0.011, 0.009, rim))

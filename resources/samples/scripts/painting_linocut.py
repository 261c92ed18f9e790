"""A linocut in three inks: a sailing boat on carved waves before a rayed sun."""

import numpy as np

from scripts.noise import fractal_noise_at, noise_field
from scripts.picture import Field, Picture, blur, colour, floats, mix, size_for, smoothstep

LONG_SIDE_PX = 960
SEED = 8
PAPER, BLACK, RED, OCHRE, BLUE = (colour(code) for code in ("efe6d2", "1c1a1d", "c4432b", "e3a63c", "3c6e7d"))


def _gouges(phase: Field, dark: Field, seed: int) -> Field:
    """Ink left between gouges, 0 … 1: grooves run along the phase's level lines and are wider where it is lighter.

    phase: one groove a unit. dark: share of ink wanted, 0 … 1.
    """
    height, width = phase.shape
    shaky = phase + 0.16 * noise_field(height, width, 60, 2, seed) + 0.07 * noise_field(height, width, 170, 1, seed + 1)
    ridge = np.abs((shaky % 1.0) - 0.5) * 2
    # A groove starts and ends in a point: its width swells along its length, out of step with its neighbours.
    row = np.floor(shaky)
    length = noise_field(height, width, 16, 2, seed + 2) + 0.35 * np.sin(row * 2.4)
    wanted = np.clip(dark + 0.22 * length * (1 - np.abs(2 * dark - 1)), 0, 1)
    softness = np.clip(np.hypot(*np.gradient(shaky)) * 1.6, 0.04, 0.8)
    return floats(np.clip((wanted * (1 + softness) - softness / 2 - (1 - ridge)) / softness + 0.5, 0, 1))


def _over(below: Picture, ink: Field, pigment: tuple[float, float, float]) -> Picture:
    return mix(below, mix(below * np.array(pigment, np.float32), pigment, 0.86), ink)


def _inside(distance: Field, width: int) -> Field:
    """Coverage of a shape from its signed distance in picture widths."""
    return floats(np.clip(0.5 - distance * width, 0, 1))


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The picture at a size."""
    height, width = size_for(long_side_px, 0.8)
    columns, rows = np.meshgrid(np.arange(width) / width, np.arange(height) / width)
    wobble = 0.0022
    x = (columns + wobble * noise_field(height, width, 45, 2, seed + 90)).astype(np.float32)
    y = (rows + wobble * noise_field(height, width, 45, 2, seed + 91)).astype(np.float32)
    sun = np.hypot(x - 0.60, y - 0.36)
    turn = np.arctan2(y - 0.36, x - 0.60)
    key: Field = np.zeros((height, width), np.float32)
    red: Field = key.copy()
    ochre: Field = key.copy()
    blue: Field = key.copy()

    # The sky: rays that widen outwards, broken by two banks of cloud.
    rays = _gouges((turn * 84 / (2 * np.pi)).astype(np.float32), smoothstep(0.16, 0.95, sun) * 0.80 + 0.05, seed)
    key = np.maximum(key, rays * smoothstep(0.200, 0.204, sun))
    ochre = np.maximum(ochre, smoothstep(0.60, 0.30, sun + 0.05 * np.sin(turn * 21)))
    disc = _inside(sun - 0.165, width)
    bars = (62 * (y - 0.36) + 1.4 * np.sin(9 * x) + 0.5 * noise_field(height, width, 5, 2, seed + 70)).astype(
        np.float32
    )
    key = np.maximum(key, disc * _gouges(bars, 0.06 + 0.50 * smoothstep(-0.12, 0.17, y - 0.36), seed + 71))
    red = np.maximum(red, disc)
    ochre = np.maximum(ochre, _inside(sun - 0.165, width))
    for cx, cy, size in ((0.15, 0.235, 0.20), (0.36, 0.165, 0.10), (0.91, 0.185, 0.17), (0.04, 0.345, 0.14)):
        puffs = [
            (cx + size * (k - 2) * 0.36, cy - size * 0.20 * (1 - 0.5 * abs(k - 2)), size * (0.40 - 0.09 * abs(k - 2)))
            for k in range(5)
        ]
        near = [np.hypot(x - px, y - py) - r for px, py, r in puffs]
        blob = np.min(near, axis=0)
        blob = np.maximum(blob, y - cy - 0.16 * size).astype(np.float32)
        shape = _inside(blob, width)
        shade = _gouges(
            (-blob * 70).astype(np.float32), np.clip(0.10 + 1.1 * (y - cy + 0.25 * size) / size, 0.05, 0.85), seed + 3
        )
        line = _inside(np.abs(blob) - 0.0035, width)
        key = np.maximum(key * (1 - shape), np.maximum(shade * shape, line))
        red, ochre, blue = (
            red * (1 - shape),
            ochre * (1 - shape),
            np.maximum(blue, shape * smoothstep(cy - 0.05, cy + 0.02, y) * 0.7),
        )

    # Far hills.
    for base, amplitude, cells, tone in ((0.665, 0.05, 3.2, 0.35), (0.70, 0.03, 5.0, 0.62)):
        crest = base + amplitude * fractal_noise_at(x * cells, 0 * x + base * 9, 3, seed + 5, 0)
        shape = _inside(crest - y, width)
        side = fractal_noise_at(x * 7, y * 7, 3, seed + 6, 0)
        cut = _gouges(
            (90 * (0.8 * x + 0.9 * (y - crest)) + 2 * side).astype(np.float32),
            np.clip(tone + 0.9 * side, 0.08, 0.95),
            seed + 7,
        )
        line = _inside(np.abs(crest - y) - 0.003, width)
        key = np.maximum(key * (1 - shape), np.maximum(cut * shape, line))
        ochre, red, blue = ochre * (1 - shape), red * (1 - shape), np.maximum(blue, shape)

    # The boat: hull, mast, two sails that belly.
    def boat() -> None:
        nonlocal key, red, ochre, blue
        u, v = x - 0.40, y - 0.80
        u, v = u * np.cos(0.10) - v * np.sin(0.10), u * np.sin(0.10) + v * np.cos(0.10)
        hull = np.maximum(
            np.maximum(np.abs(u + 0.22 * v) - (0.175 - 1.0 * np.clip(v, 0, 1)), -v - 0.012 - 0.75 * u * u), v - 0.085
        )
        main_edge = 0.004 + 0.155 * np.sin(np.clip((v + 0.46) / 0.43, 0, 1) * 1.75)
        main = np.maximum(np.maximum(u - main_edge, 0.006 - u), np.maximum(v + 0.03, -v - 0.46))
        jib = np.maximum(
            np.maximum(-u - 0.006 - 0.30 * (v + 0.42) - 0.025 * np.sin((v + 0.42) * 8), u + 0.008),
            np.maximum(v + 0.045, -v - 0.42),
        )
        mast = np.maximum(np.abs(u) - 0.0055, np.maximum(v, -v - 0.50))
        flag = np.maximum(np.maximum(np.abs(v + 0.487 + 0.006 * np.sin(40 * u)) - 0.014 + 0.1 * u, -u), u - 0.075)
        for shape_distance, inks, phase, dark in (
            (main, (1, 0, 0), 75 * (u - 0.55 * main_edge) + 8 * v, 0.12 + 0.62 * smoothstep(0.35, 1.0, u / main_edge)),
            (jib, (0, 1, 0), 70 * u - 22 * v, 0.10 + 0.5 * smoothstep(-0.12, 0.0, u)),
            (hull, (0, 0, 0), 95 * v + 3 * u, 0.60 + 0.4 * smoothstep(0.0, 0.05, v)),
            (mast, (0, 0, 0), 0 * u, 1.0 + 0 * u),
            (flag, (1, 0, 0), 60 * v, 0.1 + 0 * u),
        ):
            shape = _inside(shape_distance.astype(np.float32), width)
            line = _inside((np.abs(shape_distance) - 0.0036).astype(np.float32), width)
            cut = _gouges(phase.astype(np.float32), np.clip(dark, 0, 1).astype(np.float32), seed + 11)
            key = np.maximum(key * (1 - shape), np.maximum(cut * shape, line))
            red = np.maximum(red * (1 - shape), shape * inks[0])
            ochre = np.maximum(ochre * (1 - shape), shape * inks[1])
            blue = blue * (1 - shape)

    # Waves from far to closer, each a crest with grooves that follow its curl; the boat sits between two of them.
    for k in range(7):
        closer = k / 6
        if k == 3:
            boat()
        base = 0.735 + 0.50 * closer**1.35
        size = 0.018 + 0.055 * closer
        pitch = 26 - 19 * closer**0.6
        swell = np.sin(pitch * x + 2.1 * k + 0.8 * np.sin(0.4 * pitch * x + k))
        crest = base - size * (0.5 + 0.5 * swell) ** 1.7 - 0.012 * noise_field(height, width, 6, 2, seed + 20 + k)
        shape = _inside((crest - y).astype(np.float32), width)
        below = (y - crest) / (0.05 + 0.13 * closer)
        bend = below * (5.0 + 3.0 * closer) + 0.55 * np.sin(pitch * x + 2.1 * k + 1.2 + 0.5 * below)
        dark = np.clip(0.10 + 0.75 * below + 0.25 * np.sin(pitch * x + 2.1 * k + 2.3), 0.05, 0.93)
        cut = _gouges(bend.astype(np.float32), dark.astype(np.float32), seed + 30 + k)
        foam = smoothstep(0.10, 0.03, below) * smoothstep(0.1, 0.7, swell)
        line = _inside((np.abs(crest - y) - 0.0038 - 0.002 * closer).astype(np.float32), width)
        key = np.maximum(key * (1 - shape), np.maximum(cut * shape * (1 - foam), line))
        blue = np.maximum(blue * (1 - shape), shape * (1 - foam))
        red, ochre = red * (1 - shape), ochre * (1 - shape)

    # Printing: paper fibres, ink that takes unevenly, a plate a little out of register.
    fibre = 0.6 * noise_field(height, width, 220, 3, seed + 50) + 0.4 * noise_field(height, width, 30, 4, seed + 51)
    salt = noise_field(height, width, width / 2.2, 2, seed + 52)
    result: Picture = np.broadcast_to(np.array(PAPER, np.float32), (height, width, 3)) * (1 + 0.035 * fibre[..., None])
    shift = max(1, width // 380)
    for ink, pigment, moved in (
        (ochre, OCHRE, (shift, 0)),
        (red, RED, (-shift, shift)),
        (blue, BLUE, (shift, -shift)),
        (key, BLACK, (0, 0)),
    ):
        plate = blur(np.roll(ink, moved, (0, 1)), 0.0006 * width)
        take = np.clip(0.97 + 0.16 * fibre - 0.75 * smoothstep(0.34, 0.62, salt + 0.35 * fibre), 0, 1)
        result = _over(result.astype(np.float32), (plate * take).astype(np.float32), pigment)
    edge = np.minimum(np.minimum(columns, 1 - columns), np.minimum(rows, height / width - rows))
    edge = edge + 0.0025 * noise_field(height, width, 40, 3, seed + 60)
    return mix(
        np.broadcast_to(np.array(PAPER, np.float32), result.shape) * (1 + 0.03 * fibre[..., None]),
        result,
        smoothstep(0.0085, 0.0110, edge),
    )

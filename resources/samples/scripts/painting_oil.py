"""Oil, thick and swirling: a wheat field with cypresses under a turning evening sky."""

import numpy as np

from scripts.brush import painted
from scripts.noise import fractal_noise_at, noise_field
from scripts.picture import (
    Field,
    Picture,
    blur,
    colour,
    lit_relief,
    luminance,
    mix,
    ramp,
    size_for,
    smoothstep,
)

LONG_SIDE_PX = 960
SEED = 3
SUNS = ((0.70, 0.22, 0.085), (0.22, 0.13, 0.030), (0.43, 0.30, 0.026), (0.93, 0.10, 0.024), (0.30, 0.38, 0.018))
"""x and y in picture widths, radius."""


def _whirls(x: Field, y: Field, seed: int) -> tuple[Field, Field]:
    """Swirl of the sky: its stream function and the direction of flow."""
    stream = 0.16 * fractal_noise_at(2.1 * x, 3.2 * y, 2, seed, 0) + 0.22 * y
    for cx, cy, strength, spread in ((0.36, 0.22, 0.055, 0.11), (0.55, 0.34, -0.035, 0.07), (0.10, 0.30, -0.03, 0.08)):
        stream = stream + strength * np.exp(-((x - cx) ** 2 + 1.3 * (y - cy) ** 2) / spread**2)
    for cx, cy, radius in SUNS:
        reach = 2.2 * radius
        stream = stream + 1.1 * radius * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / reach**2)
    dy, dx = np.gradient(stream)
    return stream.astype(np.float32), np.arctan2(-dx, dy).astype(np.float32)


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The picture at a size."""
    height, width = size_for(long_side_px, 1.25)
    columns, rows = np.meshgrid(np.arange(width) / width, np.arange(height) / width)
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    stream, angle = _whirls(x, y, seed)
    bands = 0.5 + 0.5 * np.sin(95 * stream + 2.2 * noise_field(height, width, 5, 3, seed + 1))
    sky = ramp(
        np.clip(0.62 * bands + 0.45 * (y / 0.5) - 0.08, 0, 1),
        ["0b1a4e", "14388c", "2a62b8", "5aa0cf", "a9d3cf", "e9e3a6"],
    )
    for cx, cy, radius in SUNS:
        d = np.sqrt((x - cx) ** 2 + (y - cy) ** 2) / radius
        ring = 0.5 + 0.5 * np.cos(d * 5.2)
        halo = mix(ramp(np.clip(1.25 - 0.42 * d, 0, 1), ["2f6cb5", "8fbf9c", "f2d24a", "fff3b0"]), sky, 0.35 * ring)
        sky = mix(sky, halo, smoothstep(2.5, 1.2, d))
        sky = mix(sky, colour("fbe27a"), smoothstep(1.0, 0.8, d))
        sky = mix(sky, colour("fff9dd"), smoothstep(0.55, 0.2, d))
    guide = sky
    for base, amplitude, cells, codes, turn in (
        (0.475, 0.055, 5.0, ["1b3f7a", "3f77a8", "6c9fb0"], 0.25),
        (0.520, 0.030, 4.0, ["20502f", "4f8a3c", "9dbb4e"], -0.2),
        (0.560, 0.024, 3.0, ["8a5a12", "d89a1c", "f6d454", "fdeea0"], 0.0),
    ):
        line = base + amplitude * noise_field(1, width, cells, 4, seed + int(1000 * base))[0][None, :]
        depth = y - line
        texture = noise_field(height, width, 26, 3, seed + 5, stretch=(1, 2.2))
        tone = np.clip(0.45 + 0.75 * texture + 0.12 * np.sin(60 * depth + 9 * x), 0, 1)
        inside = smoothstep(-0.002, 0.002, depth)
        guide = mix(guide, ramp(tone, codes), inside)
        dline = np.gradient(line[0], 1 / width)[None, :] + 0 * y
        sway = np.arctan(dline) + turn + 0.35 * noise_field(height, width, 7, 2, seed + 8)
        if base > 0.55:
            fan = np.arctan2(y - 0.40, x - 0.62)
            rows_of_wheat = 0.5 + 0.5 * np.sin(30 * fan + 3 * texture)
            wheat = ramp(np.clip(0.15 + 0.6 * rows_of_wheat + 0.5 * texture, 0, 1), codes)
            guide = mix(guide, wheat, inside * 0.8)
            guide = mix(guide, colour("3d6b2f"), inside * smoothstep(0.93, 1.0, rows_of_wheat) * 0.8)
            poppies = noise_field(height, width, 60, 2, seed + 9)
            guide = mix(
                guide, colour("c8321f"), inside * smoothstep(0.33, 0.40, poppies) * smoothstep(0.02, 0.1, depth)
            )
            sway = fan + 0.5 * noise_field(height, width, 9, 2, seed + 10)
        angle = np.where(inside > 0.5, sway, angle).astype(np.float32)
    for foot, top, middle, girth in ((1.02, 0.10, 0.135, 0.072), (0.93, 0.28, 0.245, 0.042)):
        t = np.clip((y - top) / (foot - top), 0, 1)
        centre = middle + 0.014 * np.sin(9 * t) * (1 - t)
        flame = (
            girth
            * np.clip(np.sin(np.pi * t**0.75), 0, 1) ** 0.8
            * (1 + 0.35 * noise_field(height, width, 24, 3, seed + 12))
        )
        off = (x - centre) / np.maximum(flame, 1e-4)
        inside = smoothstep(1.06, 0.94, np.abs(off)) * (y > top) * (y < foot)
        lick = 0.5 + 0.5 * np.sin(16 * off + 34 * t + 4 * noise_field(height, width, 10, 3, seed + 13))
        tone = np.clip(0.55 * lick + 0.30 * np.clip(off, -1, 1) + 0.05, 0, 1)
        guide = mix(guide, ramp(tone, ["07140f", "12351f", "1f5a33", "5c8a36", "a4a74a"]), inside)
        upward = np.pi / 2 + 0.55 * off + 0.5 * np.sin(22 * t)
        angle = np.where(inside > 0.5, upward, angle).astype(np.float32)
    guide = blur(guide, 0.001 * width)
    unit = long_side_px / 960
    ground = np.broadcast_to(np.array(colour("7a4a1e"), np.float32), guide.shape).copy()
    paint, relief = painted(
        guide,
        angle,
        ground,
        (24 * unit, 13 * unit, 8 * unit, 5 * unit),
        seed,
        steps=13,
        jitter=0.13,
        dryness=0.45,
        thresholds=(0.0, 0.12, 0.22, 0.34),
    )
    weave = noise_field(height, width, width / 3.2, 1, seed + 20) * 0.10
    shade = lit_relief(paint, relief + weave, depth=4.4 * unit, ambient=0.52, gloss=0.16, shininess=26)
    level = luminance(shade)
    return mix(shade, shade * shade * (3 - 2 * shade), 0.35 * np.ones_like(level))

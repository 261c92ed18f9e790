"""Overlapping iridescent scales, like those of a fish or a dragon."""

import numpy as np

from scripts.noise import noise_field
from scripts.picture import Picture, blur, halved, lit_relief, occlusion, ramp

LONG_SIDE_PX = 512
SEED = 19
ACROSS, DOWN = 8, 12
"""Scales along the sides; DOWN is even so that shifted rows meet."""


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The square texture at a size; its opposite edges meet."""
    size = 2 * long_side_px
    rows, columns = np.meshgrid(np.arange(size) / size, np.arange(size) / size, indexing="ij")
    wobble = 0.006
    x = (columns + wobble * noise_field(size, size, 4, 3, seed, tile=True)) * ACROSS
    y = (rows + wobble * noise_field(size, size, 4, 3, seed + 1, tile=True)) * DOWN
    height = np.full((size, size), -1.0)
    across, along, number = np.zeros_like(height), np.zeros_like(height), np.zeros((size, size), int)
    # Each scale hangs down over two rows; the one whose root is highest up lies lowest.
    for back in (2, 1, 0):
        row = np.floor(y).astype(int) - back
        shift = 0.5 * (row % 2)
        column = np.floor(x + shift).astype(int)
        a = (x + shift - column - 0.5) * 2
        t = (y - row) / 2.55
        outline = np.abs(a) ** 2.4 + np.clip((t - 0.42) / 0.58, 0, 1) ** 2.2
        inside = (outline < 1) & (t < 1)
        lift = 0.30 + 0.62 * t - 0.18 * a * a + 0.10 * np.clip(1 - outline, 0, 1) ** 0.35
        over = inside & (lift - 0.0 * back > -1) & (np.where(back == 2, True, t > 0))
        top = over & ((height < 0) | (t > along))
        height = np.where(top, lift, height)
        across, along = np.where(top, a, across), np.where(top, t, along)
        number = np.where(top, (row % DOWN) * ACROSS + column % ACROSS, number)
    random = np.random.default_rng(seed)
    keys = random.uniform(-1, 1, (ACROSS * DOWN, 3))[number]
    broad_rib = 1 - np.abs(across)
    ridges = np.sin(46 * np.hypot(across * 0.62, along) + 1.5 * keys[..., 0])
    fine = noise_field(size, size, 128, 4, seed + 2, tile=True)
    broad = noise_field(size, size, 3, 4, seed + 3, tile=True)
    hue = np.clip(0.46 + 0.55 * broad + 0.16 * keys[..., 1] + 0.34 * (along - 0.62) + 0.10 * across, 0, 1).astype(
        np.float32
    )
    albedo = ramp(hue, ["1a1238", "28307a", "145f86", "12907c", "5fb84e", "d9cf4a", "e58a2c"])
    rim = np.clip((np.abs(across) ** 2.4 + np.clip((along - 0.42) / 0.58, 0, 1) ** 2.2 - 0.80) / 0.2, 0, 1)[..., None]
    dark = (0.62 + 0.55 * along + 0.05 * ridges + 0.10 * broad_rib + 0.10 * keys[..., 2] + 0.14 * fine)[..., None]
    albedo = np.clip(albedo * dark * (1 - 0.35 * rim) + rim * np.array([0.30, 0.26, 0.12]) * 0.7, 0, 1).astype(
        np.float32
    )
    unit = size / 1024
    relief = ((height * 42 + 0.45 * ridges + 2.5 * broad_rib + 0.9 * fine) * unit).astype(np.float32)
    hollow = occlusion(relief, (5 * unit, 13 * unit, 28 * unit), 1.1, wrap=True)
    lit = lit_relief(
        albedo,
        blur(relief, 0.8 * unit, wrap=True),
        depth=0.62,
        light=(-0.35, -0.75, 0.7),
        ambient=0.42,
        gloss=0.42,
        shininess=22,
        wrap=True,
    )
    shade = lit * hollow[..., None] * 1.25
    return halved(shade)

"""Basketwork: flat willow strips in a herringbone weave."""

import numpy as np

from scripts.noise import fractal_noise_at, noise_field
from scripts.picture import Picture, halved, lit_relief, occlusion, ramp

LONG_SIDE_PX = 512
SEED = 17
STRIPS = 12
"""Strips along each side of the square; a multiple of four lets the twill meet itself."""


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The square texture at a size; its opposite edges meet."""
    size = 2 * long_side_px
    rows, columns = np.meshgrid(np.arange(size) / size, np.arange(size) / size, indexing="ij")
    sway = 0.0035
    u = (columns + sway * noise_field(size, size, 6, 3, seed, tile=True)) * STRIPS
    v = (rows + sway * noise_field(size, size, 6, 3, seed + 1, tile=True)) * STRIPS
    column, row = np.floor(u).astype(int), np.floor(v).astype(int)
    along = ((column - row) % 4) < 2
    fu, fv = u - np.floor(u), v - np.floor(v)
    # A strip in a 2/2 twill rises for two crossings and dives for two.
    phase_x = ((u - row) % 4) / 2
    phase_y = ((v - column - 2) % 4) / 2
    arch = np.where(
        along,
        np.sin(np.pi * np.clip(phase_x, 0, 1)),
        np.sin(np.pi * np.clip(1 - (((column - row - 2) % 4) + 1 - fv) / 2 + 0 * phase_y, 0, 1)),
    )
    across = np.where(along, fv, fu)
    inside = np.clip(np.minimum(across, 1 - across) / 0.06, 0, 1)
    profile = inside**0.5 * (0.86 + 0.14 * np.sin(np.pi * across))
    height = (0.30 + 0.70 * np.clip(arch, 0, 1) ** 0.6) * profile
    strip = np.where(along, row % STRIPS, STRIPS + column % STRIPS)
    random = np.random.default_rng(seed)
    tone, hue = random.uniform(-0.16, 0.16, 2 * STRIPS)[strip], random.uniform(-1, 1, 2 * STRIPS)[strip]
    lengthwise, crosswise = np.where(along, u, v), np.where(along, v, u)
    fibre = _fibre(lengthwise, crosswise, strip, seed)
    stain = noise_field(size, size, 5, 5, seed + 7, tile=True)
    value = np.clip(0.56 + tone + 0.42 * fibre + 0.22 * stain + 0.10 * np.clip(arch, 0, 1), 0, 1).astype(np.float32)
    albedo = ramp(value, ["2e1a0c", "6a4220", "a87338", "d3a561", "edcf96"])
    albedo = albedo * (1 + hue[..., None] * np.array([0.05, 0.0, -0.10], np.float32))
    knots = np.clip(noise_field(size, size, 24, 2, seed + 9, tile=True) - 0.45, 0, 1)[..., None]
    albedo = np.clip(albedo * (1 - 2.2 * knots), 0, 1).astype(np.float32)
    unit = size / 1024
    relief = (height * 17 + 1.1 * fibre * inside).astype(np.float32) * unit
    hollow = occlusion(relief, (4 * unit, 10 * unit, 22 * unit), 1.5, wrap=True)
    lit = lit_relief(albedo, relief, depth=0.8, ambient=0.36, gloss=0.14, shininess=24, wrap=True)
    shade = lit * hollow[..., None] * 1.25
    return halved(shade)


def _fibre(lengthwise: np.ndarray, crosswise: np.ndarray, strip: np.ndarray, seed: int) -> np.ndarray:
    """Grain along the strips, -1 … 1; it repeats once round the square."""
    period = STRIPS * 2
    long_way = (lengthwise * 2 % period).astype(np.float32)
    cross = (crosswise % 1.0) * 16 + 37.0 * strip
    # Blending with a copy one period on makes the grain meet itself along the strip.
    share = (long_way / period).astype(np.float32)
    here = fractal_noise_at(long_way, cross.astype(np.float32), 4, seed + 3, 0)
    there = fractal_noise_at(long_way - period, cross.astype(np.float32), 4, seed + 3, 0)
    return here * (1 - share) + there * share

"""Old paint on weathered boards: two coats that curl and flake from grey wood."""

import numpy as np

from scripts.noise import cell_noise, fractal_noise_at, noise_field
from scripts.picture import Picture, blur, halved, lit_relief, mix, occlusion, ramp, smoothstep

LONG_SIDE_PX = 512
SEED = 26
BOARDS = 4


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The square texture at a size; its opposite edges meet."""
    size = 2 * long_side_px
    unit = size / 1024
    rows, columns = np.meshgrid(np.arange(size) / size, np.arange(size) / size, indexing="ij")
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    board = np.floor(x * BOARDS).astype(int) % BOARDS
    within = x * BOARDS - np.floor(x * BOARDS)
    random = np.random.default_rng(seed)
    shift, tint = random.uniform(0, 50, BOARDS)[board], random.uniform(-0.12, 0.12, BOARDS)[board]
    warp = noise_field(size, size, 4, 4, seed, tile=True)
    # Grain: rings of a log sawn lengthwise; blended with itself one turn on so that it meets along the board.
    rings = (within * 9 + 1.5 * warp + shift).astype(np.float32)
    grain = 0.5 + 0.5 * np.sin(2 * np.pi * rings + 2.0 * noise_field(size, size, 8, 3, seed + 1, tile=True))
    here = fractal_noise_at(x * 160, y * 6 + shift.astype(np.float32), 4, seed + 2, 0)
    there = fractal_noise_at(x * 160, (y - 1) * 6 + shift.astype(np.float32), 4, seed + 2, 0)
    fibre = (here * (1 - y) + there * y).astype(np.float32)
    wood = ramp(
        np.clip(0.46 + 0.28 * (grain - 0.5) + 0.55 * fibre + tint, 0, 1),
        ["2b231d", "5f5346", "8f8271", "b5aa98", "d3cab8"],
    )
    wood_height = (1.5 * grain + 2.6 * fibre).astype(np.float32)
    gap = smoothstep(0.006, 0.020, np.minimum(within, 1 - within).astype(np.float32))
    # Cracks part the paint into flakes; whole flakes have fallen where the weather was worst.
    tear = noise_field(size, size, 16, 4, seed + 3, tile=True)
    first, second, flake = cell_noise(x * 22 + 0.5 * tear, y * 9 + 0.35 * warp, seed + 4, 0.95, 0)
    wear = noise_field(size, size, 4, 5, seed + 5, tile=True) + 0.10 * noise_field(
        size, size, 24, 4, seed + 6, tile=True
    )
    wear = wear + 0.12 * fibre + 0.10 * (flake - 0.5) + 0.06
    layers = []
    for level, codes, low in (
        (-0.045, ["7a4a1e", "c98a3a", "e3b566", "f0d090"], 0.0), (0.015, ["123c4a", "1f6f7a", "3f9a98", "7cc0b4"], 0.0),
    ):  # fmt: skip
        state = wear - level - low
        cover = smoothstep(-0.015, 0.015, (state + 0.02 * tear).astype(np.float32))
        crack = smoothstep(0.01, 0.06, (second - first + 0.30 * np.clip(state, 0, 1) + 0.06 * tear).astype(np.float32))
        shade = 0.55 + 0.35 * noise_field(size, size, 5, 5, seed + 8, tile=True) + 0.14 * (flake - 0.5) + 0.16 * fibre
        streak = 0.12 * noise_field(size, size, 64, 3, seed + 9, tile=True)
        layers.append((cover * (0.35 + 0.65 * crack) * gap, ramp(np.clip(shade + streak, 0, 1), codes), state))
    albedo, relief = wood, wood_height
    for number, (cover, coat, state) in enumerate(layers):
        albedo = mix(albedo, coat, cover)
        curl = 6.5 * np.exp(-np.clip(state, 0, None) / 0.05) * cover
        relief = relief * (1 - 0.75 * cover) + cover * (7.0 + 5.0 * number) + curl
        rim = np.clip(cover - blur(cover, 3 * unit, wrap=True), 0, 1)[..., None]
        albedo = np.clip(albedo + 0.35 * rim, 0, 1)
    relief = (relief * gap - 22 * (1 - gap)).astype(np.float32) * unit
    grime = smoothstep(0.1, 0.5, noise_field(size, size, 3, 6, seed + 11, tile=True))[..., None]
    albedo = (albedo * (1 - 0.30 * grime) * (0.12 + 0.88 * gap[..., None])).astype(np.float32)
    hollow = occlusion(relief, (3 * unit, 8 * unit, 18 * unit), 1.3, wrap=True)
    lit = lit_relief(
        albedo, blur(relief, 0.7 * unit, wrap=True), depth=0.6, ambient=0.42, gloss=0.07, shininess=18, wrap=True
    )
    shade = lit * hollow[..., None] * 1.2
    return halved(shade)

"""Soft pastel on dark, toothed paper: a burning sunset over the sea with a headland."""

import numpy as np

from scripts.jit import compiled
from scripts.noise import fractal_noise_at, gradient_noise, hash01, noise_field
from scripts.picture import Field, Picture, blur, colour, mix, ramp, size_for, smoothstep

LONG_SIDE_PX = 960
SEED = 18
LAYERS = (
    (9.0, 80.0, 11.0, 0.50, 0.0, 0.16),
    (7.5, 46.0, 6.0, 0.60, 0.10, 0.20),
    (5.5, 28.0, 3.4, 0.70, 0.22, 0.20),
    (4.0, 16.0, 2.0, 0.85, 0.34, 0.18),
)
"""Per layer: gap, length and thickness of strokes, pressure, least difference to the motif, spread of colour."""


@compiled
def _chalk(
    paper: Picture, guide: Picture, tooth: Field, angle: Field, order: Field, columns: int, gap: float, length: float,
    thick: float, pressure: float, threshold: float, jitter: float, seed: int,
) -> None:  # fmt: skip
    """Strokes of a chalk's side or tip: pigment stays on the paper's high places first."""
    height, width = tooth.shape
    for n in range(order.shape[0]):
        cell = int(order[n])
        x = (cell % columns + 1.1 * hash01(cell, 0, seed) - 0.55) * gap
        y = (cell // columns + 1.1 * hash01(cell, 1, seed) - 0.55) * gap
        ix, iy = min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1)
        error = 0.0
        for c in range(3):
            error += abs(guide[iy, ix, c] - paper[iy, ix, c])
        if error < threshold:
            continue
        light = jitter * (hash01(cell, 2, seed) - 0.5)
        r = min(max(guide[iy, ix, 0] + light + 0.8 * jitter * (hash01(cell, 3, seed) - 0.5), 0.0), 1.0)
        g = min(max(guide[iy, ix, 1] + light + 0.8 * jitter * (hash01(cell, 4, seed) - 0.5), 0.0), 1.0)
        b = min(max(guide[iy, ix, 2] + light + 0.8 * jitter * (hash01(cell, 5, seed) - 0.5), 0.0), 1.0)
        a = angle[iy, ix] + 0.5 * (hash01(cell, 6, seed) - 0.5)
        ca, sa = np.cos(a), np.sin(a)
        bow = 0.25 * (hash01(cell, 7, seed) - 0.5) / length
        half, wide = 0.5 * length * (0.6 + 0.8 * hash01(cell, 8, seed)), thick * (0.7 + 0.6 * hash01(cell, 9, seed))
        hard = pressure * (0.75 + 0.5 * hash01(cell, 10, seed))
        reach = int(half + wide) + 2
        for py in range(max(iy - reach, 0), min(iy + reach + 1, height)):
            for px in range(max(ix - reach, 0), min(ix + reach + 1, width)):
                u = ca * (px - x) + sa * (py - y)
                if abs(u) > half:
                    continue
                v = ca * (py - y) - sa * (px - x) - bow * u * u
                if abs(v) > wide:
                    continue
                end = 1.0 - (abs(u) / half) ** 6
                side = 1.0 - 0.45 * (abs(v) / wide) ** 2
                streak = 0.28 * gradient_noise(v * 0.9 + 50.0, u * 0.05, seed + cell, 0)
                level = hard * end * side + streak - 0.5 + tooth[py, px]
                if level <= 0.0:
                    continue
                cover = min(level * 3.2, 1.0) * 0.9
                grit = 1.0 + 0.10 * (hash01(px, py, seed + 77) - 0.5)
                paper[py, px, 0] += cover * (min(r * grit, 1.0) - paper[py, px, 0])
                paper[py, px, 1] += cover * (min(g * grit, 1.0) - paper[py, px, 1])
                paper[py, px, 2] += cover * (min(b * grit, 1.0) - paper[py, px, 2])


def _motif(height: int, width: int, seed: int) -> tuple[Picture, Field]:
    """The colours wanted and the direction of strokes."""
    columns, rows = np.meshgrid(np.arange(width) / width, np.arange(height) / width)
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    horizon, sun_x, sun_y = 0.475, 0.585, 0.415
    r = np.hypot(x - sun_x, (y - sun_y) * 1.15)
    glow = np.clip(1.05 - r / 0.62, 0, 1) + 0.20 * np.clip(y / horizon, 0, 1)
    guide = ramp(np.clip(glow, 0, 1), ["17204e", "33306f", "6b3a86", "b5467c", "ea6450", "fb9a3c", "ffd667"])
    warp = 0.25 * fractal_noise_at(3 * x, 5 * y, 3, seed + 2, 0)
    for level, stretch, cut, codes in (
        (0.0, 7.0, 0.02, ["3c2a63", "8a3f7c", "e8685a", "ffb25a"]),
        (4.0, 11.0, 0.10, ["221c48", "5a2f6c", "c9485c", "ffd07a"]),
    ):
        cloud = fractal_noise_at(
            (3.4 * (x + warp * 0.3) + level).astype(np.float32),
            (stretch * (y + 0.25 * (x - sun_x) ** 2) + level).astype(np.float32),
            5,
            seed + int(level),
            0,
        )
        below = np.roll(cloud, -int(0.018 * width), 0)
        body = smoothstep(cut, cut + 0.16, cloud) * smoothstep(horizon + 0.01, horizon - 0.10, y)
        lit = np.clip(0.42 + 2.0 * (cloud - below) + 0.75 * (0.5 - r), 0, 1)
        guide = mix(guide, ramp(lit, codes), 0.92 * body)
    guide = mix(guide, colour("fff3c4"), smoothstep(0.052, 0.044, r))
    guide = mix(guide, colour("ffe08a"), 0.7 * np.exp(-((r / 0.085) ** 2)))
    sea = np.clip((y - horizon) / 0.28, 0, 1)
    wave = fractal_noise_at(5 * x / (0.25 + sea), 46 * sea**0.6, 4, seed + 9, 0)
    water = ramp(np.clip(0.52 - 0.55 * sea + 0.75 * wave, 0, 1), ["0a1230", "15254f", "27406f", "7a4a7c", "e07a5c"])
    path = np.exp(-(((x - sun_x - 0.03 * wave) / (0.035 + 0.15 * sea)) ** 2))
    water = mix(
        water,
        ramp(np.clip(0.35 + 1.1 * wave + 0.4 * path, 0, 1), ["8f2f4c", "e8643a", "ffae45", "ffe08a"]),
        path * smoothstep(-0.30, 0.02, wave),
    )
    guide = np.where((y > horizon)[..., None], water, guide)
    angle = np.where(y > horizon, 0.05 * np.sin(20 * x), 0.55 * np.sin(3 * x + 2 * y) - 0.35 + 1.6 * warp)
    for reach, top, sharp, codes in (
        (0.42, 0.380, 5.0, ["121634", "2f2a5c", "6e3a70"]),
        (0.30, 0.315, 7.0, ["07091a", "171a3c", "43305e", "a34a52"]),
    ):
        crest = (
            horizon
            - (horizon - top) * np.clip(1 - x / reach, 0, 1) ** 0.7
            - 0.018 * fractal_noise_at(sharp * x, 0 * x + sharp, 5, seed + 11, 0)
        )
        body = (y > crest) & (y < horizon + 0.012 + 0.01 * np.sin(14 * x)) & (x < reach)
        rock = fractal_noise_at(16 * x + 6 * y, 7 * y, 4, seed + 12, 0)
        guide = np.where(
            body[..., None], ramp(np.clip(0.40 + 0.9 * rock + 0.9 * (x / reach - 0.45), 0, 1), codes), guide
        )
        angle = np.where(body, 1.1 + 0.8 * rock, angle)
    return guide.astype(np.float32), angle.astype(np.float32)


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The picture at a size."""
    height, width = size_for(long_side_px, 1.3)
    guide, angle = _motif(height, width, seed)
    unit = long_side_px / 960
    laid = np.abs(np.sin(np.arange(height)[:, None] * 0.55 / unit + 1.2 * noise_field(height, width, 20, 2, seed + 20)))
    tooth = (
        0.30 * noise_field(height, width, width / 5, 2, seed + 21)
        + 0.34 * noise_field(height, width, width / 2.4, 2, seed + 22)
        + 0.10 * laid
    )
    tooth = np.clip(tooth, -0.40, 0.6).astype(np.float32)
    paper = np.broadcast_to(np.array(colour("221f2a"), np.float32), guide.shape) * (1 + 0.35 * tooth[..., None])
    paper = np.ascontiguousarray(paper.astype(np.float32))
    for layer, (gap, length, thick, pressure, threshold, jitter) in enumerate(LAYERS):
        columns = int(width / (gap * unit)) + 2
        cells = columns * (int(height / (gap * unit)) + 2)
        order = np.random.default_rng(seed + layer).permutation(cells).astype(np.float32)
        _chalk(
            paper, blur(guide, 0.25 * thick * unit), tooth, angle, order, columns, gap * unit, length * unit,
            thick * unit, pressure, threshold, jitter, seed + 1000 * layer,
        )  # fmt: skip
    margin = np.minimum(
        np.minimum(np.arange(width)[None], np.arange(width)[::-1][None]),
        np.minimum(np.arange(height), np.arange(height)[::-1])[:, None],
    )
    ragged = margin / unit + 14 * noise_field(height, width, 24, 4, seed + 30) + 22 * tooth
    bare = np.broadcast_to(np.array(colour("26222e"), np.float32), guide.shape) * (1 + 0.40 * tooth[..., None])
    return np.clip(mix(bare.astype(np.float32), paper, smoothstep(9, 15, ragged.astype(np.float32))), 0, 1)

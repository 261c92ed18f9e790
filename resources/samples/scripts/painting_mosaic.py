"""A mosaic: a golden fish among waves, of small stones laid along the outlines."""

import math

import numpy as np

from scripts.jit import compiled
from scripts.noise import fractal_noise_at, hash01, noise_field
from scripts.picture import (
    Field,
    Picture,
    blur,
    colour,
    lit_relief,
    mix,
    occlusion,
    ramp,
    size_for,
    smoothstep,
)

LONG_SIDE_PX = 960
SEED = 4


@compiled
def _nearest(
    seeds: Field, turn: Field, size: float, height: int, width: int, label: Field, own: Field
) -> tuple[Field, Field]:
    """For each pixel its stone, and the gap to the next stone, both by the distance of a turned square.

    seeds: [stones, 2] x and y; turn: [stones]; label, own: the outlines a stone may not cross, per pixel and per stone.
    """
    cell = size
    columns, rows = int(width / cell) + 3, int(height / cell) + 3
    heads = np.full((rows, columns), -1, np.int64)
    following = np.full(seeds.shape[0], -1, np.int64)
    for n in range(seeds.shape[0]):
        i = min(max(int(seeds[n, 0] / cell) + 1, 0), columns - 1)
        j = min(max(int(seeds[n, 1] / cell) + 1, 0), rows - 1)
        following[n] = heads[j, i]
        heads[j, i] = n
    stone = np.zeros((height, width), np.float32)
    gap = np.zeros((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            ci, cj = int(x / cell) + 1, int(y / cell) + 1
            d1, d2, best = 1e9, 1e9, -1
            for j in range(max(cj - 2, 0), min(cj + 3, rows)):
                for i in range(max(ci - 2, 0), min(ci + 3, columns)):
                    n = heads[j, i]
                    while n >= 0:
                        dx, dy = x - seeds[n, 0], y - seeds[n, 1]
                        c, s = math.cos(turn[n]), math.sin(turn[n])
                        a, b = abs(c * dx + s * dy), abs(c * dy - s * dx)
                        d = max(a, b) + 0.12 * min(a, b)
                        if own[n] != label[y, x]:
                            d += 0.55 * size
                        if d < d1:
                            d2, d1, best = d1, d, n
                        elif d < d2:
                            d2 = d
                        n = following[n]
            stone[y, x], gap[y, x] = best, d2 - d1
    return stone, gap


def _from_edges(stone: Field, reach_px: int) -> Field:
    """Distance of each pixel to the next stone, in pixels, up to `reach_px`."""
    inner = np.ones(stone.shape, bool)
    for axis in (0, 1):
        differs = np.diff(stone, axis=axis) != 0
        ahead, behind = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
        ahead[axis], behind[axis] = (0, 1), (1, 0)
        inner &= ~np.pad(differs, ahead) & ~np.pad(differs, behind)
    distance = np.zeros(stone.shape, np.float32)
    for _ in range(reach_px):
        distance += inner
        padded = np.pad(inner, 1, mode="edge")
        inner = padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return blur(distance + 0.4, 0.5)


def _motif(x: Field, y: Field, seed: int) -> tuple[Picture, Field, Field]:
    """The design: its colours, the number of the shape at each place, and the field whose level lines stones follow."""
    swell = 0.030 * np.sin(9 * x + 1.2 * np.sin(4 * y)) + 0.05 * fractal_noise_at(3 * x, 3 * y, 2, seed, 0)
    follow = (y + swell).astype(np.float32)
    bands = np.clip(0.5 + 0.5 * np.sin(46 * follow + 2 * np.sin(5 * x)), 0, 1)
    picture = ramp(
        np.clip(0.60 * bands + 0.50 * (1 - y / 0.75) - 0.05, 0, 1), ["0b2b45", "0f5068", "1c8790", "6cc0b0", "d9ead0"]
    )
    label = np.floor((46 * follow + 2 * np.sin(5 * x)) / np.pi).astype(np.float32) % 2
    u, v = x - 0.47, y - 0.385 - 0.03 * np.sin(5 * (x - 0.3))
    body = np.abs(v) - 0.165 * np.clip(1 - ((u + 0.02) / 0.30) ** 2, 0, 1) ** 0.75 * (1 + 0.5 * u)
    body = np.where(np.abs(u + 0.02) < 0.30, body, 1)
    t = np.clip((u - 0.24) / 0.17, 0, 1)
    tail = np.where(
        (u > 0.24) & (u < 0.24 + 0.17 - 0.07 * np.cos(np.clip(v / 0.16, -1, 1) * np.pi / 2)),
        np.abs(v) - 0.025 - 0.135 * t**1.1,
        1,
    )
    back = np.where(
        (u > -0.16) & (u < 0.2),
        -v
        - 0.165 * np.clip(1 - ((u + 0.02) / 0.30) ** 2, 0, 1) ** 0.75
        - 0.085 * np.sin(np.clip((u + 0.16) / 0.36, 0, 1) ** 0.7 * np.pi),
        1,
    )
    back = np.maximum(back, v + 0.05)
    belly = np.where(
        (u > -0.05) & (u < 0.17), v - 0.145 - 0.085 * np.sin(np.clip((u + 0.05) / 0.22, 0, 1) ** 1.6 * np.pi), 1
    )
    belly = np.maximum(belly, 0.05 - v)
    fins = np.minimum(np.minimum(back, belly), tail)
    rays = 0.5 + 0.5 * np.sin(np.where(tail < 0, 60 * v / (0.05 + t), 70 * u - 25 * v))
    fin_colours = ramp(np.clip(0.25 + 0.6 * rays + 0.3 * t, 0, 1), ["6b1420", "b8321f", "e2622a", "f4b04a"])
    picture = np.where((fins < 0)[..., None], fin_colours, picture)
    label = np.where(fins < 0, 3, label)
    follow = np.where(fins < 0, np.where(tail < 0, v / (0.12 + t), u - 0.35 * v), follow)
    row = np.floor((u + 1) / 0.052)
    across, length = ((v + 0.034 * (row % 2) + 1) % 0.068) - 0.034, (u + 1) % 0.052
    scale = np.where(length + 22 * across**2 < 0.052, length + 22 * across**2 + 0.052, length + 22 * across**2).astype(
        np.float32
    )
    scale_tone = np.clip((scale - 0.052) / 0.040, 0, 1)
    gold = ramp(np.clip(0.30 + 0.50 * scale_tone - 1.6 * v, 0, 1), ["5a3410", "a9661a", "dc9a26", "f3c84f", "fdeeb4"])
    picture = np.where((body < 0)[..., None], gold, picture)
    follow = np.where(body < 0, scale * 0.9, follow)
    label = np.where(body < 0, 20 + (row + (length + 22 * across**2 < 0.052)) % 2, label)
    head = (body < 0) & (u + 0.02 < -0.165 + 0.05 * np.cos(np.clip(v / 0.1, -1.5, 1.5)))
    picture = np.where(
        head[..., None], ramp(np.clip(0.55 - 2.6 * v, 0, 1), ["8f3a17", "d9772b", "f2ba58", "fbe6b0"]), picture
    )
    follow = np.where(head, np.hypot(u + 0.225, v + 0.03), follow)
    label = np.where(head, 6, label)
    eye = np.hypot(u + 0.225, v + 0.03)
    for limit, code, number in ((0.040, "f6efdc", 7), (0.027, "2d5f73", 8), (0.016, "0b0d12", 9)):
        picture = np.where((eye < limit)[..., None], np.array(colour(code)), picture)
        label = np.where(eye < limit, number, label)
    rim = (body < 0) & (body > -0.012)
    picture = np.where(rim[..., None], np.array(colour("3d1d10")), picture)
    label, follow = np.where(rim, 10, label), np.where(rim, body, follow)
    for cx, cy, r in ((0.10, 0.20, 0.030), (0.145, 0.115, 0.020), (0.085, 0.06, 0.014), (0.19, 0.17, 0.012)):
        d = np.hypot(x - cx, y - cy)
        picture = np.where(
            (d < r)[..., None],
            mix(colour("eef6ea"), colour("5fb3b3"), smoothstep(0.4 * r, 0.9 * r, d.astype(np.float32))),
            picture,
        )
        label, follow = np.where(d < r, 11, label), np.where(d < 1.5 * r, d, follow)
    for foot, sway, tall in (
        (0.06, 0.5, 0.30),
        (0.13, 1.9, 0.20),
        (0.86, 3.1, 0.34),
        (0.93, 0.9, 0.24),
        (0.79, 2.2, 0.16),
    ):
        h = np.clip((0.75 - y) / tall, 0, 1)
        off = x - foot - 0.030 * np.sin(11 * h + sway) * h
        leaf = np.abs(off) - 0.028 * np.sin(np.pi * np.clip(h, 0, 1) ** 0.6) * (h < 1)
        inside = (leaf < -0.002) & (h > 0) & (h < 1)
        green = ramp(np.clip(0.5 + off / 0.04, 0, 1), ["0f3a24", "2f7a35", "a7c04a"])
        picture = np.where(inside[..., None], green, picture)
        label, follow = np.where(inside, 12 + (off > 0), label), np.where(inside, off, follow)
    return picture.astype(np.float32), label.astype(np.float32), follow.astype(np.float32)


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The picture at a size."""
    height, width = size_for(long_side_px, 4 / 3)
    columns, rows = np.meshgrid(np.arange(width) / width, np.arange(height) / width)
    design, label, follow = _motif(columns.astype(np.float32), rows.astype(np.float32), seed)
    dy, dx = np.gradient(blur(follow, 1.5))
    # The double angle makes a direction and its opposite the same before it is smoothed.
    strength = np.hypot(dx, dy) + 1e-9
    c2, s2 = (
        blur(((dx * dx - dy * dy) / strength**2).astype(np.float32), 3),
        blur((2 * dx * dy / strength**2).astype(np.float32), 3),
    )
    angle = 0.5 * np.arctan2(s2, c2)
    size = 12.6 * long_side_px / 960
    random = np.random.default_rng(seed)
    px, py = np.meshgrid(np.arange(size / 2, width, size), np.arange(size / 2, height, size))
    points = np.stack([px.ravel(), py.ravel()], -1) + random.uniform(-0.35, 0.35, (px.size, 2)) * size
    grid_x, grid_y = np.meshgrid(np.arange(width), np.arange(height))
    stone = gap = np.zeros((height, width), np.float32)
    for _ in range(14):
        i = np.clip(points[:, 0].astype(int), 0, width - 1)
        j = np.clip(points[:, 1].astype(int), 0, height - 1)
        turn, own = angle[j, i].astype(np.float32), label[j, i]
        stone, gap = _nearest(points.astype(np.float32), turn, size, height, width, label, own)
        owner = stone.astype(np.int64).ravel()
        count = np.maximum(np.bincount(owner, minlength=len(points)), 1)
        moved = np.stack([np.bincount(owner, grid.ravel(), len(points)) / count for grid in (grid_x, grid_y)], -1)
        points = np.where((count > 4)[:, None], moved, points)
    index = stone.astype(np.int64)
    count = np.maximum(np.bincount(index.ravel(), minlength=len(points)), 1)
    tint = np.stack([np.bincount(index.ravel(), design[..., c].ravel(), len(points)) / count for c in range(3)], -1)
    numbers = np.array([[hash01(n, k, seed) for k in range(4)] for n in range(len(points))])
    tint = tint * (0.80 + 0.40 * numbers[:, :1]) + 0.07 * (numbers[:, 1:4] - 0.5)
    glint = (numbers[:, 3] > 0.95)[:, None]
    tint = np.clip(np.where(glint, tint * 1.25 + 0.12, tint), 0, 1)
    unit = long_side_px / 960
    edge = _from_edges(stone, 4)
    chipped = np.minimum(gap, 1.7 * edge) + 1.5 * unit * noise_field(height, width, 130, 3, seed + 5)
    cover = smoothstep(1.3 * unit, 2.9 * unit, chipped)
    pillow = np.clip(gap / (4.2 * unit), 0, 1)
    relief = cover * (0.6 + 0.4 * np.sqrt(pillow)) * 2.6 * unit
    tilt_x, tilt_y = numbers[index, 1] - 0.5, numbers[index, 2] - 0.5
    offset_x, offset_y = grid_x - points[index, 0], grid_y - points[index, 1]
    relief = relief + cover * 0.13 * (tilt_x * offset_x + tilt_y * offset_y)
    veins = noise_field(height, width, 46, 5, seed + 7)
    face = tint[index] * (1 + 0.16 * veins[..., None]) + 0.03 * noise_field(height, width, 230, 2, seed + 8)[..., None]
    grout = np.array(colour("8d8171")) * (0.62 + 0.25 * noise_field(height, width, 240, 3, seed + 9)[..., None])
    albedo = mix(grout.astype(np.float32), np.clip(face, 0, 1).astype(np.float32), cover)
    shade = occlusion(relief.astype(np.float32), (1.6 * unit, 3.5 * unit), 0.9)
    lit = lit_relief(albedo, relief.astype(np.float32), depth=0.75, ambient=0.5, gloss=0.20, shininess=50)
    return np.clip(lit * shade[..., None] * 1.06, 0, 1).astype(np.float32)

"""A brush engine: long bristly strokes along a field of directions, coarse to fine, with colour and relief."""

import math

import numpy as np

from scripts.jit import compiled
from scripts.noise import gradient_noise, hash01
from scripts.picture import Field, Picture, blur


@compiled
def _stroke(
    paint: Picture, relief: Field, distance: Field, along: Field, across: Field,
    points: Field, count: int, radius: float, tint: Field, seed: int, load: float, dryness: float,
) -> None:  # fmt: skip
    """Lay one stroke along `count` points [x, y] onto paint and relief; distance, along and across are scratch."""
    height, width = relief.shape
    reach = radius + 2.0
    left, top, right, bottom = width, height, 0, 0
    for i in range(count - 1):
        ax, ay, bx, by = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
        x0, x1 = max(int(min(ax, bx) - reach), 0), min(int(max(ax, bx) + reach) + 1, width)
        y0, y1 = max(int(min(ay, by) - reach), 0), min(int(max(ay, by) + reach) + 1, height)
        left, right, top, bottom = min(left, x0), max(right, x1), min(top, y0), max(bottom, y1)
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy + 1e-6
        inverse = 1.0 / math.sqrt(square)
        for y in range(y0, y1):
            for x in range(x0, x1):
                px, py = x - ax, y - ay
                t = min(max((px * dx + py * dy) / square, 0.0), 1.0)
                ex, ey = px - t * dx, py - t * dy
                d = math.sqrt(ex * ex + ey * ey)
                if d < distance[y, x]:
                    distance[y, x] = d
                    along[y, x] = i + t
                    across[y, x] = (dx * py - dy * px) * inverse
    length = max(count - 1.0, 1.0)
    for y in range(top, bottom):
        for x in range(left, right):
            d = distance[y, x]
            if d > reach:
                continue
            distance[y, x] = 1e9
            s = across[y, x] / radius
            t = along[y, x]
            bristle = gradient_noise(s * 4.5 + 40.0, t * 0.22, seed, 0) + 0.6 * gradient_noise(
                s * 10.0, t * 0.35, seed + 1, 0
            )
            frayed = radius * (0.90 + 0.20 * bristle) * min(1.0, 0.55 + 0.9 * (t + 0.4))
            alpha = min(max(frayed - d + 0.5, 0.0), 1.0)
            share = t / length
            left_over = 1.0 - dryness * (share * share * 1.2 + 0.25)
            alpha *= min(max((left_over + 0.9 * bristle + 0.15) * 2.5, 0.0), 1.0)
            if alpha <= 0.0:
                continue
            streak = 0.11 * bristle
            for c in range(3):
                value = min(max(tint[c] * (1.0 + streak) + 0.25 * streak, 0.0), 1.0)
                paint[y, x, c] += alpha * 0.95 * (value - paint[y, x, c])
            ridge = 0.55 + 0.35 * abs(s) ** 3 + 0.55 * bristle + 0.25 * (1.0 - share)
            relief[y, x] += alpha * 0.85 * (load * ridge + 0.35 * relief[y, x] - relief[y, x])


@compiled
def _layer(
    guide: Picture, coarse: Picture, angle: Field, paint: Picture, relief: Field, radius: float, spacing: float,
    steps: float, threshold: float, jitter: float, dryness: float, load: float, order: Field, seed: int,
) -> int:  # fmt: skip
    height, width = relief.shape
    distance = np.full((height, width), 1e9, np.float32)
    along = np.zeros((height, width), np.float32)
    across = np.zeros((height, width), np.float32)
    points = np.zeros((64, 2), np.float32)
    tint = np.zeros(3, np.float32)
    columns = int(width / spacing) + 2
    laid = 0
    for n in range(order.shape[0]):
        cell = int(order[n])
        key = seed + 7 * cell
        x = (cell % columns - 0.5 + 1.1 * (hash01(cell, 0, seed) - 0.5)) * spacing
        y = (cell // columns - 0.5 + 1.1 * (hash01(cell, 1, seed) - 0.5)) * spacing
        ix, iy = min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1)
        error = 0.0
        for c in range(3):
            error += abs(coarse[iy, ix, c] - paint[iy, ix, c])
        if error < threshold:
            continue
        light = jitter * (hash01(cell, 2, seed) - 0.5)
        for c in range(3):
            own = jitter * 0.8 * (hash01(cell, 3 + c, seed) - 0.5)
            tint[c] = min(max(coarse[iy, ix, c] + light + own, 0.0), 1.0)
        count = min(int(steps * (0.6 + 0.8 * hash01(cell, 6, seed))) + 2, 64)
        step = 0.7 * radius
        turn = 0.35 * (hash01(cell, 7, seed) - 0.5)
        half = count // 2
        used = 0
        px, py = x, y
        for _ in range(half):
            a = angle[min(max(int(py), 0), height - 1), min(max(int(px), 0), width - 1)] + turn
            px, py = px - step * math.cos(a), py - step * math.sin(a)
        for k in range(count):
            points[used, 0], points[used, 1] = px, py
            used += 1
            jx, jy = min(max(int(px), 0), width - 1), min(max(int(py), 0), height - 1)
            drift = 0.0
            for c in range(3):
                drift += abs(coarse[jy, jx, c] - coarse[iy, ix, c])
            if drift > 0.42 and k > half:
                break
            if drift > 0.42:
                used = 0
            a = angle[jy, jx] + turn
            px, py = px + step * math.cos(a), py + step * math.sin(a)
        if used < 2:
            used = 2
            points[0, 0], points[0, 1], points[1, 0], points[1, 1] = x - 0.3 * radius, y, x + 0.3 * radius, y
        size = radius * (0.75 + 0.5 * hash01(cell, 8, seed))
        _stroke(paint, relief, distance, along, across, points, used, size, tint, key, load, dryness)
        laid += 1
    return laid


def painted(
    guide: Picture,
    angle: Field,
    ground: Picture,
    radii_px: tuple[float, ...],
    seed: int,
    *,
    steps: float = 9.0,
    jitter: float = 0.12,
    dryness: float = 0.5,
    thresholds: tuple[float, ...] | None = None,
    spacing: float = 0.95,
) -> tuple[Picture, Field]:
    """Paint a guide with layers of strokes; returns the paint and its relief (heights about 0 … 1).

    angle: direction of strokes in radians, [height, width]. thresholds: per radius, how far the paint may be from
    the guide (sum over channels) before a stroke is laid. spacing: in radii, between starting points.
    """
    height, width = angle.shape
    paint = ground.copy()
    relief = np.zeros((height, width), np.float32)
    limits = thresholds or tuple(0.0 if i == 0 else 0.16 for i in range(len(radii_px)))
    for i, radius in enumerate(radii_px):
        gap = max(spacing * radius, 1.2)
        cells = (int(width / gap) + 2) * (int(height / gap) + 2)
        order = np.random.default_rng(seed + i).permutation(cells).astype(np.float32)
        coarse = blur(guide, 0.45 * radius)
        _layer(
            guide, coarse, angle, paint, relief, radius, gap, steps, limits[i], jitter, dryness,
            0.5 + 0.5 * radius / radii_px[0], order, seed + 1000 * i,
        )  # fmt: skip
    return paint, relief

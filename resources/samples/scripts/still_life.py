"""A jug, two pears, a lemon and a bowl: shapes shared by the still life and the pencil study."""

import math

from scripts.jit import compiled
from scripts.noise import gradient_noise
from scripts.studio import ellipsoid, smooth_union

JUG, PEAR, OTHER_PEAR, LEMON, BOWL, STALK, CHERRY = 1, 2, 3, 4, 5, 6, 7


@compiled
def _jug(x: float, y: float, z: float) -> float:
    r = math.sqrt(x * x + z * z)
    t = min(max(y / 1.75, 0.0), 1.0)
    belly = 0.30 + 0.34 * math.exp(-(((t - 0.36) / 0.27) ** 2)) - 0.04 * t + 0.10 * math.exp(-(((t - 1.0) / 0.12) ** 2))
    spout = 0.14 * math.exp(-(((t - 0.98) / 0.12) ** 2)) * max(-x / (r + 1e-6), 0.0) ** 6
    outside = max(r - belly - spout, max(y - 1.75, -y))
    hollow = max(r - belly - spout + 0.05, 0.3 - y)
    body = 0.62 * max(outside, -hollow) - 0.012
    hx, hy = x - 0.40, (y - 1.08) * 0.72
    ring = math.sqrt(hx * hx + hy * hy) - 0.33
    handle = 0.8 * (math.sqrt(ring * ring + (0.75 * z) ** 2) - 0.062)
    if x > 0.12:
        body = smooth_union(body, max(handle, 0.3 - x), 0.07)
    return body


@compiled
def _pear(x: float, y: float, z: float, lean: float) -> tuple[float, float]:
    """(fruit, stalk)"""
    c, s = math.cos(lean), math.sin(lean)
    x, y = c * x + s * y, c * y - s * x
    low = ellipsoid(x, y - 0.36, z, 0.37, 0.36, 0.37)
    high = ellipsoid(x + 0.02, y - 0.78, z, 0.19, 0.24, 0.19)
    fruit = smooth_union(low, high, 0.34) + 0.03 * math.exp(-((x * x + z * z) / 0.006)) * (1.0 if y > 0.8 else 0.0)
    bend = 0.10 * max(y - 0.98, 0.0) + 0.5 * max(y - 0.98, 0.0) ** 2
    stalk = max(0.8 * (math.sqrt((x - bend) ** 2 + z * z) - 0.022 - 0.04 * max(y - 1.16, 0.0)), abs(y - 1.1) - 0.14)
    return fruit, stalk


@compiled
def still_life(x: float, y: float, z: float) -> tuple[float, int]:
    """The group on a table at y = 0."""
    best, part = _jug(x - 0.42, y, z - 0.35), JUG
    fruit, stalk = _pear(x + 0.50, y, z + 0.25, -0.10)
    if fruit < best:
        best, part = fruit, PEAR
    best, part = (stalk, STALK) if stalk < best else (best, part)
    # The second pear lies on its side.
    px, py, pz = x - 0.62, y - 0.345, z + 0.62
    c, s = math.cos(0.55), math.sin(0.55)
    px, pz = c * px + s * pz, c * pz - s * px
    fruit, stalk = _pear(py + 0.02, px + 0.36, pz, 0.0)
    if fruit < best:
        best, part = fruit, OTHER_PEAR
    best, part = (stalk, STALK) if stalk < best else (best, part)
    lx, ly, lz = x + 0.02, y - 0.215, z + 0.80
    c, s = math.cos(0.5), math.sin(0.5)
    lx, lz = c * lx + s * lz, c * lz - s * lx
    lemon = smooth_union(
        ellipsoid(lx, ly, lz, 0.29, 0.215, 0.215), ellipsoid(lx + 0.29, ly, lz, 0.07, 0.055, 0.055), 0.10
    )
    lemon = smooth_union(lemon, ellipsoid(lx - 0.29, ly, lz, 0.05, 0.05, 0.05), 0.08)
    if lemon < 0.03:
        lemon += 0.0035 * gradient_noise(34.0 * lx + 11.0 * lz, 34.0 * ly - 13.0 * lz, 5, 0)
    if lemon < best:
        best, part = lemon, LEMON
    bx, bz = x + 1.18, z - 0.30
    r = math.sqrt(bx * bx + bz * bz)
    shell = abs(math.sqrt(r * r + (y - 0.62) ** 2) - 0.58) - 0.022
    bowl = smooth_union(max(shell, y - 0.56), max(r - 0.24, abs(y - 0.03) - 0.03), 0.05)
    if bowl < best:
        best, part = bowl, BOWL
    for k in range(6):
        angle = 1.05 * k
        out = 0.27 if k > 0 else 0.0
        d = (
            math.sqrt(
                (bx - out * math.cos(angle)) ** 2
                + (y - 0.47 - 0.10 * (k == 0)) ** 2
                + (bz - out * math.sin(angle)) ** 2
            )
            - 0.15
        )
        if d < best:
            best, part = d, CHERRY
    return best, part

"""A mountain valley in the morning: lake, conifers, snow and a small wooden house."""

import math

import numpy as np

from scripts.jit import compiled
from scripts.landscape import View, make_renderer, sample_map
from scripts.noise import fractal_noise, gradient_noise, hash01, ridged_noise
from scripts.picture import Colour, Field, Picture, film, graded, grained, linear, size_for

LONG_SIDE_PX = 1024
SEED = 11
EXTENT = 40.0
HOUSE_X, HOUSE_Z, HOUSE_Y = -1.75, 7.6, 0.36
LIGHT_WOOD, DARK_WOOD, ROOF, WINDOW = linear("a8774a"), linear("5e3d26"), linear("8f3f2e"), linear("2b3440")
GRASS, DRY, ROCK, PALE_ROCK, SNOW = (
    linear("5f7a2e"),
    linear("9a8f45"),
    linear("6f6a66"),
    linear("9b9288"),
    linear("f4f6fa"),
)
PINE, PALE_PINE, SHORE = linear("1d3420"), linear("465f2a"), linear("8d8266")
FLOWER = linear("e8b93a")


@compiled
def _height_map(n: int, seed: int) -> Field:
    result = np.empty((n, n), np.float32)
    for j in range(n):
        z = 2 * EXTENT * j / (n - 1)
        for i in range(n):
            x = -EXTENT + 2 * EXTENT * i / (n - 1)
            middle = 2.2 * math.sin(0.13 * z + 0.4) + 0.06 * z
            side = abs(x - middle)
            wall = min(max((side - 3.0 - 0.05 * z) / 15.0, 0.0), 1.0)
            wall = wall * wall * (3 - 2 * wall)
            back = min(max((z - 31.0) / 26.0, 0.0), 1.0)
            back = back * back * (3 - 2 * back)
            reach = min(z / 22.0, 1.0)
            peaks = ridged_noise(0.034 * x + 3.3, 0.034 * z + 0.9, 10, seed)
            gentle = fractal_noise(0.16 * x, 0.16 * z, 6, seed + 5, 0)
            bulk = max(wall * (0.35 + 0.65 * reach), back)
            h = bulk * (1.2 + 15.5 * peaks * (0.6 + 0.4 * back)) + 0.55 * gentle
            lake = math.exp(-(((x - middle - 1.6) / (3.4 + 0.10 * z)) ** 4) - ((z - 18.0) / 11.0) ** 4)
            meadow = 0.42 + 0.10 * gradient_noise(0.5 * x, 0.5 * z, seed + 8, 0)
            result[j, i] = h * (0.25 + 0.75 * bulk) + meadow * (1 - bulk) - 1.75 * lake
    return result


@compiled
def _density(x: float, z: float) -> float:
    """Share of cells with a tree: woods and clearings, none near the camera and the house."""
    dx, dz = x - HOUSE_X, z - HOUSE_Z
    if z < 7.5 or dx * dx + dz * dz * 0.35 < 2.6:
        return 0.0
    density = 0.50 + 1.5 * gradient_noise(0.33 * x, 0.33 * z, 50, 0)
    if z < 12.0:
        density += 0.18 * max(x - 0.9, 0.0) - 0.10 * (12.0 - z)
    return density


@compiled
def _conifers(x: float, z: float, cell: float, seed: int) -> float:
    """Height of the wood above the ground; 0 between the trees."""
    ci, cj = math.floor(x / cell), math.floor(z / cell)
    best = 0.0
    for i in range(ci - 1, ci + 2):
        for j in range(cj - 1, cj + 2):
            if hash01(i, j, seed) > _density((i + 0.5) * cell, (j + 0.5) * cell):
                continue
            tall = 1.5 + 1.7 * hash01(i, j, seed + 1)
            dx = x / cell - i - 0.2 - 0.6 * hash01(i, j, seed + 2)
            dz = z / cell - j - 0.2 - 0.6 * hash01(i, j, seed + 3)
            r = math.sqrt(dx * dx + dz * dz)
            turn = math.atan2(dz, dx) + 20.0 * hash01(i, j, seed + 4)
            ragged = 0.80 + 0.12 * math.sin(7.0 * turn) + 0.10 * math.sin(16.0 * turn + 9.0 * r)
            h = tall * (1.0 - r / (0.46 * ragged))
            if h > 0.0:
                h += 0.15 * math.sin(34.0 * r + 3.0 * math.sin(5.0 * turn)) * min(2.0 * r, 1.0)
            best = max(best, h)
    return cell * best


@compiled
def _surface(hm: Field, x: float, z: float, t: float) -> tuple[float, float]:
    ground = sample_map(hm, x, z, EXTENT)
    if t < 14.0:
        ground += 0.012 * fractal_noise(3.0 * x, 3.0 * z, 5, 77, 0)
        if t < 7.0:
            ground += 0.012 * abs(gradient_noise(26.0 * x, 26.0 * z, 78, 0))
    if ground < 0.1 or ground > 6.4:
        return ground, ground
    return ground, ground + _conifers(x, z, 0.30, 9)


@compiled
def _solid(x: float, y: float, z: float) -> float:
    dx, dy, dz = x - HOUSE_X, y - HOUSE_Y, z - HOUSE_Z
    away = math.sqrt(dx * dx + dy * dy + dz * dz) - 1.1
    if away > 0.4:
        return away
    c, s = math.cos(0.55), math.sin(0.55)
    dx, dz = c * dx + s * dz, c * dz - s * dx
    wx, wy, wz = abs(dx) - 0.42, abs(dy - 0.12) - 0.20, abs(dz) - 0.30
    walls = max(wx, max(wy, wz))
    slope = 0.8 * (dy - 0.30) + 0.6 * abs(dz) - 0.20
    roof = max(max(abs(slope) - 0.018, abs(dx) - 0.50), abs(dz) - 0.42)
    gable = max(max(slope, wx), 0.30 - dy)
    chimney = max(max(abs(dx - 0.2) - 0.05, abs(dz - 0.1) - 0.05), abs(dy - 0.5) - 0.16)
    return min(min(walls, roof), min(gable, chimney)) * 0.85


@compiled
def _solid_paint(x: float, y: float, z: float, up: float) -> Colour:
    dx, dy, dz = x - HOUSE_X, y - HOUSE_Y, z - HOUSE_Z
    c, s = math.cos(0.55), math.sin(0.55)
    dx, dz = c * dx + s * dz, c * dz - s * dx
    if 0.8 * (dy - 0.30) + 0.6 * abs(dz) > 0.205:
        return ROOF
    along = dx if abs(dz) > 0.295 else dz
    if abs(dy - 0.17) < 0.065 and abs(abs(along) - 0.2) < 0.06:
        return WINDOW
    if abs(along) < 0.055 and abs(dz) > 0.295 and dy < 0.2:
        return DARK_WOOD
    plank = 0.85 + 0.3 * ((dy * 22.0) % 1.0)
    return LIGHT_WOOD[0] * plank, LIGHT_WOOD[1] * plank, LIGHT_WOOD[2] * plank


@compiled
def _blend(a: Colour, b: Colour, share: float) -> Colour:
    t = min(max(share, 0.0), 1.0)
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])


@compiled
def _ground_paint(x: float, y: float, z: float, up: float, grown: float) -> Colour:
    rough = fractal_noise(1.7 * x, 1.7 * z, 5, 21, 0)
    if grown > 0.02 or (up < 0.45 and y < 2.0 and z < 16.0):
        tree = _blend(PINE, PALE_PINE, 0.45 + 0.9 * gradient_noise(2.2 * x, 2.2 * z, 22, 0))
        shade = 0.30 + min(grown / 0.45, 1.0) * 0.8
        return tree[0] * shade, tree[1] * shade, tree[2] * shade
    fine = fractal_noise(9.0 * x, 9.0 * z, 5, 23, 0)
    grass = _blend(GRASS, DRY, 0.42 + 0.9 * rough + 0.4 * fine)
    lush = 0.72 + 0.5 * fine
    grass = (grass[0] * lush, grass[1] * lush, grass[2] * lush)
    strata = 0.5 + 0.5 * math.sin(5.0 * y + 3.0 * rough)
    rock = _blend(ROCK, PALE_ROCK, 0.6 * strata + 0.5 * rough)
    result = _blend(grass, rock, (0.80 - up + 0.25 * rough) * 5.0 + max(y - 4.6, 0.0) * 0.5)
    result = _blend(result, SNOW, (y - 6.9 - 2.4 * rough) * 0.9 * min(max((up - 0.46 + 0.25 * rough) * 5.0, 0.0), 1.0))
    if y < 2.0 and z < 9.0:
        bloom = fractal_noise(30.0 * x, 30.0 * z, 2, 61, 0) + 0.35 * gradient_noise(0.9 * x, 0.9 * z, 62, 0)
        if bloom > 0.47:
            result = FLOWER if gradient_noise(2.0 * x, 2.0 * z, 63, 0) > 0.0 else SNOW
    return _blend(result, SHORE, 1.0 - (y - 0.03 + 0.05 * fine) / 0.09)


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED, rays: int = 3) -> Picture:
    """The picture at a size; rays: per pixel and axis."""
    height, width = size_for(long_side_px, 4 / 3)
    sun = np.array([-0.62, 0.42, 0.30])
    sun /= np.linalg.norm(sun)
    view = View(
        eye=(0.0, 1.25, 1.0), yaw=0.02, pitch=0.035, tangent=0.62,
        sun=(float(sun[0]), float(sun[1]), float(sun[2])), sun_light=(3.0, 2.55, 2.0),
        zenith=(0.16, 0.34, 0.78), horizon=(0.62, 0.74, 0.90), glow=(0.75, 0.55, 0.32), haze=0.0125,
        cloud_cover=0.07, cloud_scale=0.85, wave=0.0016, wave_scale=0.16, water=(0.010, 0.055, 0.065),
        foam=0.0, extent=EXTENT, far=95.0,
    )  # fmt: skip
    draw = make_renderer(_surface, _solid, _ground_paint, _solid_paint)
    light = draw(_height_map(1536, seed), view, height, width, rays, seed)
    return graded(grained(film(light, 0.95), 0.016, seed), 0.55, 1.12, 0.05)

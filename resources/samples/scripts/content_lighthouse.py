"""A lighthouse on a rocky point in the evening, surf below it and clouds above."""

import math

import numpy as np

from scripts.jit import compiled
from scripts.landscape import View, make_renderer, sample_map
from scripts.noise import fractal_noise, gradient_noise, ridged_noise
from scripts.picture import Colour, Field, Picture, film, graded, grained, linear, size_for

LONG_SIDE_PX = 1024
SEED = 5
EXTENT = 20.0
TOWER_X, TOWER_Z, TOWER_Y = 1.75, 9.6, 1.72
WHITE, RED, METAL, GLASS = linear("f1ece0"), linear("b3262a"), linear("3a3f45"), linear("ffd98a")
ROOF, STONE, PALE_STONE, WET = linear("8a4030"), linear("7b6553"), linear("b49a7a"), linear("2a2522")
GRASS, STRAW = linear("66762f"), linear("a8954a")


@compiled
def _height_map(n: int, seed: int) -> Field:
    result = np.empty((n, n), np.float32)
    for j in range(n):
        z = 2 * EXTENT * j / (n - 1)
        for i in range(n):
            x = -EXTENT + 2 * EXTENT * i / (n - 1)
            wx = x + 0.9 * fractal_noise(0.55 * x, 0.55 * z, 4, seed, 0)
            wz = z + 0.9 * fractal_noise(0.55 * x + 9.0, 0.55 * z, 4, seed + 1, 0)
            point = 3.4 - math.sqrt(((wx - 2.6) / 1.05) ** 2 + ((wz - 10.2) / 1.0) ** 2)
            coast = 0.85 * (wx - 5.2) + 0.30 * (wz - 11.0)
            near = 1.7 - math.sqrt(((wx + 3.4) / 1.5) ** 2 + ((wz - 4.2) / 0.75) ** 2)
            inside = max(max(point, min(coast, 3.0)), near - 0.75)
            cliff = min(max((inside - 0.12) / 0.75, 0.0), 1.0)
            cliff = cliff * cliff * (3 - 2 * cliff)
            rock = ridged_noise(0.75 * x, 0.75 * z, 8, seed + 3)
            blocks = ridged_noise(1.9 * x + 4.0, 1.9 * z, 6, seed + 4)
            top = (
                1.18 + 0.16 * min(max(inside - 0.8, 0.0), 3.0) + 0.10 * fractal_noise(0.6 * x, 0.6 * z, 5, seed + 6, 0)
            )
            slope = cliff * top * (0.82 + 0.18 * (1.0 - (cliff - 0.5) ** 2))
            broken = (rock - 0.42) * 1.25 + (blocks - 0.42) * 0.42
            apron = math.exp(-(((inside + 0.15) / 0.75) ** 2))
            steep = cliff * (1.0 - cliff) * 4.0
            h = slope - 0.75 + 0.72 * min(max(inside * 0.8 + 0.9, 0.0), 1.0)
            h += broken * (0.75 * apron + 0.42 * steep) + 0.05 * (rock - 0.4)
            result[j, i] = h
    return result


@compiled
def _surface(hm: Field, x: float, z: float, t: float) -> tuple[float, float]:
    ground = sample_map(hm, x, z, EXTENT)
    if t < 18.0:
        ground += 0.022 * fractal_noise(5.0 * x, 5.0 * z, 4, 77, 0)
    return ground, ground


@compiled
def _solid(x: float, y: float, z: float) -> float:
    dx, dy, dz = x - TOWER_X, y - TOWER_Y, z - TOWER_Z
    away = math.sqrt(dx * dx + (dy - 1.0) ** 2 * 0.5 + dz * dz) - 1.9
    if away > 0.5:
        return away
    r = math.sqrt(dx * dx + dz * dz)
    shaft = max(r - (0.40 - 0.075 * dy), max(dy - 2.1, -0.6 - dy))
    gallery = max(r - 0.38, abs(dy - 2.12) - 0.035)
    flare = max(r - (0.25 + 0.55 * (dy - 1.92)), max(dy - 2.1, 1.92 - dy))
    rail = max(abs(r - 0.36) - 0.008, min(abs(dy - 2.30), abs(dy - 2.22)) - 0.008)
    room = max(r - 0.185, abs(dy - 2.32) - 0.20)
    dome = max(math.sqrt(r * r + (dy - 2.50) ** 2 * 1.4) - 0.245, 2.50 - dy)
    knob = math.sqrt(r * r + (dy - 2.75) ** 2) - 0.035
    mast = max(r - 0.008, abs(dy - 2.9) - 0.2)
    tower = min(min(min(shaft, gallery), min(flare, rail)), min(min(room, dome), min(knob, mast)))
    hx, hy, hz = dx - 0.95, dy + 0.12, dz + 0.05
    c, s = math.cos(0.35), math.sin(0.35)
    hx, hz = c * hx + s * hz, c * hz - s * hx
    walls = max(abs(hx) - 0.48, max(abs(hy - 0.08) - 0.36, abs(hz) - 0.30))
    slope = 0.78 * (hy - 0.42) + 0.62 * abs(hz) - 0.19
    roof = max(max(abs(slope) - 0.016, abs(hx) - 0.53), abs(hz) - 0.38)
    gable = max(max(slope, abs(hx) - 0.48), 0.42 - hy)
    chimney = max(max(abs(hx - 0.3) - 0.06, abs(hz) - 0.06), abs(hy - 0.75) - 0.16)
    return min(tower, min(min(walls, roof), min(gable, chimney))) * 0.8


@compiled
def _solid_paint(x: float, y: float, z: float, up: float) -> Colour:
    dx, dy, dz = x - TOWER_X, y - TOWER_Y, z - TOWER_Z
    r = math.sqrt(dx * dx + dz * dz)
    grime = 0.86 + 0.16 * fractal_noise(6.0 * math.atan2(dz, dx), 2.0 * y, 4, 3, 0)
    if r < 0.52:
        if dy > 2.49 or abs(dy - 2.12) < 0.05:
            return RED if dy > 2.49 else METAL
        if dy > 2.16:
            turn = (math.atan2(dz, dx) * 8.0 / math.pi) % 1.0
            if r > 0.3 or turn < 0.12 or abs(dy - 2.33) < 0.012:
                return METAL
            return GLASS[0] * 2.6, GLASS[1] * 2.6, GLASS[2] * 2.2
        angle = math.atan2(dz, dx) + 1.9
        for level in range(3):
            if abs(angle) < 0.16 and abs(dy - 0.35 - 0.62 * level) < 0.075:
                return METAL
        band = RED if (dy > 0.45 and dy < 0.98) or dy > 1.5 else WHITE
        return band[0] * grime, band[1] * grime, band[2] * grime
    hx, hy, hz = dx - 0.95, dy + 0.12, dz + 0.05
    c, s = math.cos(0.35), math.sin(0.35)
    hx, hz = c * hx + s * hz, c * hz - s * hx
    if 0.78 * (hy - 0.42) + 0.62 * abs(hz) > 0.195:
        row = 0.8 + 0.35 * ((hy * 20.0) % 1.0)
        return ROOF[0] * row, ROOF[1] * row, ROOF[2] * row
    along = hx if abs(hz) > 0.295 else hz
    if abs(hy - 0.16) < 0.085 and abs(abs(along) - 0.22) < 0.06:
        return METAL
    return WHITE[0] * grime, WHITE[1] * grime, WHITE[2] * grime


@compiled
def _blend(a: Colour, b: Colour, share: float) -> Colour:
    t = min(max(share, 0.0), 1.0)
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])


@compiled
def _ground_paint(x: float, y: float, z: float, up: float, grown: float) -> Colour:
    rough = fractal_noise(1.3 * x, 1.3 * z, 5, 21, 0)
    fine = fractal_noise(8.0 * x, 8.0 * z, 4, 23, 0)
    strata = 0.5 + 0.5 * math.sin(16.0 * y + 2.5 * gradient_noise(0.8 * x, 0.8 * z, 3, 0) + 1.5 * x)
    rock = _blend(STONE, PALE_STONE, 0.55 * strata + 0.7 * rough + 0.3 * fine)
    layer = gradient_noise(1.4 * (x + z), 7.0 * y, 31, 0) + 0.6 * fractal_noise(5.0 * (x - 0.6 * z), 9.0 * y, 4, 32, 0)
    crack = 0.62 + 0.5 * min(max(up, 0.0), 1.0) + 0.3 * fine + 0.55 * layer
    crack = max(crack, 0.22)
    rock = (rock[0] * crack, rock[1] * crack, rock[2] * crack)
    grass = _blend(GRASS, STRAW, 0.45 + 0.8 * rough + 0.6 * fine)
    result = _blend(rock, grass, (up - 0.74 + 0.2 * rough) * 6.0 * min(max((y - 0.85 + 0.3 * rough) * 2.5, 0.0), 1.0))
    return _blend(result, WET, 0.85 - (y + 0.08 * fine) / 0.30)


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED, rays: int = 3) -> Picture:
    """The picture at a size; rays: per pixel and axis."""
    height, width = size_for(long_side_px, 4 / 3)
    sun = np.array([-0.70, 0.27, 0.18])
    sun /= np.linalg.norm(sun)
    view = View(
        eye=(-0.6, 1.35, 0.6), yaw=0.02, pitch=0.10, tangent=0.50,
        sun=(float(sun[0]), float(sun[1]), float(sun[2])), sun_light=(3.5, 2.45, 1.5),
        zenith=(0.06, 0.19, 0.60), horizon=(0.74, 0.50, 0.36), glow=(1.1, 0.55, 0.22), haze=0.009,
        cloud_cover=-0.01, cloud_scale=0.72, wave=0.055, wave_scale=0.75, water=(0.008, 0.060, 0.080),
        foam=0.95, extent=EXTENT, far=160.0,
    )  # fmt: skip
    draw = make_renderer(_surface, _solid, _ground_paint, _solid_paint)
    light = draw(_height_map(2048, seed), view, height, width, rays, seed)
    return graded(grained(film(light, 0.82), 0.016, seed), 0.40, 1.06, 0.03)

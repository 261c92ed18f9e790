"""A path tracer for one object or a few on a plain ground: soft lamp, bright surroundings, one bounce, gloss."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scripts.jit import compiled, compiled_closure
from scripts.noise import fractal_noise, hash01
from scripts.picture import Colour, Field, Picture

Solid = Callable[[float, float, float], tuple[float, int]]
"""(x, y, z) -> (distance, material number); the ground, y = 0, is not part of it."""
Finish = tuple[float, float, float, float, float]
"""Linear red, green, blue; gloss (mirroring at a straight look); roughness (spread of the mirrored ray)."""
Paint = Callable[[int, float, float, float, float], Finish]
"""(material, x, y, z, upward part of the normal) -> finish; material 0 is the ground."""


class Studio(NamedTuple):
    """Camera and light. Angles in radians; lengths in scene units."""

    eye: tuple[float, float, float]
    aim: tuple[float, float, float]
    tangent: float
    lamp: tuple[float, float, float]
    """Unit vector towards the lamp."""
    lamp_light: Colour
    lamp_spread: float
    air: Colour
    """Light from the surroundings."""
    backdrop: Colour
    fade: float
    """Distance behind which the ground has become the backdrop."""
    centre: tuple[float, float, float]
    radius: float
    """A ball around everything solid."""


@compiled
def ellipsoid(x: float, y: float, z: float, a: float, b: float, c: float) -> float:
    """Distance to an ellipsoid at the origin, nearly."""
    k0 = math.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
    k1 = math.sqrt((x / (a * a)) ** 2 + (y / (b * b)) ** 2 + (z / (c * c)) ** 2) + 1e-9
    return k0 * (k0 - 1.0) / k1


@compiled
def capsule(
    x: float, y: float, z: float, a: tuple[float, float, float], b: tuple[float, float, float], r: float
) -> float:
    """Distance to a round rod from a to b."""
    ex, ey, ez = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    px, py, pz = x - a[0], y - a[1], z - a[2]
    t = min(max((px * ex + py * ey + pz * ez) / (ex * ex + ey * ey + ez * ez), 0.0), 1.0)
    return math.sqrt((px - t * ex) ** 2 + (py - t * ey) ** 2 + (pz - t * ez) ** 2) - r


@compiled
def smooth_union(a: float, b: float, k: float) -> float:
    """Both solids, melted together over a width k."""
    h = max(k - abs(a - b), 0.0) / k
    return min(a, b) - 0.25 * h * h * k


@compiled
def _surroundings(dx: float, dy: float, dz: float, mirrored: float, s: Studio) -> Colour:
    up = 0.55 + 0.45 * dy
    lamp = dx * s.lamp[0] + dy * s.lamp[1] + dz * s.lamp[2]
    box = min(max((lamp - 0.93) * 40.0, 0.0), 1.0) * 3.2 * mirrored
    window = 1.3 * mirrored if abs(dx - 0.75) < 0.18 and abs(dy - 0.25) < 0.30 and dz < 0.3 else 0.0
    k = up + window
    return (
        s.air[0] * k + box * s.lamp_light[0] * 0.4,
        s.air[1] * k + box * s.lamp_light[1] * 0.4,
        s.air[2] * k + box * s.lamp_light[2] * 0.4,
    )


@compiled
def _draw(a: int, b: int, seed: int, q: int, stride: float) -> float:
    """The q-th of evenly spread numbers in 0 … 1 that start anywhere: a different start for each pixel."""
    return (hash01(a, b, seed) + q * stride) % 1.0


Renderer = Callable[[Studio, int, int, int, int], tuple[Picture, Picture, Field]]


def make_studio(solid: Solid, paint: Paint) -> Renderer:
    """A renderer: (studio, height, width, rays per pixel and axis, seed) -> (linear light, normals, material)."""

    @compiled_closure
    def march(ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, far: float, s: Studio) -> float:
        cx, cy, cz = ox - s.centre[0], oy - s.centre[1], oz - s.centre[2]
        b = cx * dx + cy * dy + cz * dz
        c = cx * cx + cy * cy + cz * cz - s.radius * s.radius
        inside = b * b - c
        if inside <= 0.0:
            return 1e9
        root = math.sqrt(inside)
        t, end = max(-b - root, 0.0), min(-b + root, far)
        for _ in range(160):
            if t > end:
                return 1e9
            d = solid(ox + dx * t, oy + dy * t, oz + dz * t)[0]
            if d < 0.0006:
                return t
            t += 0.85 * d
        return t

    @compiled_closure
    def normal(x: float, y: float, z: float) -> tuple[float, float, float]:
        e = 0.0012
        a, b = solid(x + e, y - e, z - e)[0], solid(x - e, y - e, z + e)[0]
        c, d = solid(x - e, y + e, z - e)[0], solid(x + e, y + e, z + e)[0]
        nx, ny, nz = a - b - c + d, -a - b + c + d, -a + b - c + d
        length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-12
        return nx / length, ny / length, nz / length

    @compiled_closure
    def rough_light(
        ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, mirrored: float, s: Studio
    ) -> Colour:
        """What a bounced ray brings back: surroundings (the lamp only where mirrored is 1) or a simply lit surface."""
        floor = -oy / dy if dy < -1e-4 else 1e9
        t = march(ox, oy, oz, dx, dy, dz, floor, s)
        if t < 1e8:
            x, y, z = ox + dx * t, oy + dy * t, oz + dz * t
            nx, ny, nz = normal(x, y, z)
            f = paint(solid(x, y, z)[1], x, y, z, ny)
            k = 0.55 * max(nx * s.lamp[0] + ny * s.lamp[1] + nz * s.lamp[2], 0.0)
            a = 0.30 + 0.25 * ny
        elif floor < 1e8:
            f = paint(0, ox + dx * floor, 0.0, oz + dz * floor, 1.0)
            near = (ox + dx * floor - s.centre[0]) ** 2 + (oz + dz * floor - s.centre[2]) ** 2
            k = s.lamp[1] * min(0.25 + 0.6 * near / (s.radius * s.radius), 0.9)
            a = 0.5
        else:
            return _surroundings(dx, dy, dz, mirrored, s)
        return (
            f[0] * (k * s.lamp_light[0] + a * s.air[0]),
            f[1] * (k * s.lamp_light[1] + a * s.air[1]),
            f[2] * (k * s.lamp_light[2] + a * s.air[2]),
        )

    @compiled_closure
    def spread(x: float, y: float, z: float, size: float, u: float, v: float) -> tuple[float, float, float]:
        """A direction near (x, y, z), moved by a point of a ball of radius `size`."""
        h, turn = 2.0 * u - 1.0, 2.0 * math.pi * v
        r = math.sqrt(max(1.0 - h * h, 0.0))
        x, y, z = x + size * r * math.cos(turn), y + size * h, z + size * r * math.sin(turn)
        length = math.sqrt(x * x + y * y + z * z) + 1e-9
        return x / length, y / length, z / length

    @compiled_closure
    def shade(
        x: float, y: float, z: float, n: tuple[float, float, float], dx: float, dy: float, dz: float,
        material: int, s: Studio, a: int, b: int, k: int, q: int,
    ) -> Colour:  # fmt: skip
        f = paint(material, x, y, z, n[1])
        px, py, pz = x + 0.004 * n[0], y + 0.004 * n[1], z + 0.004 * n[2]
        lx, ly, lz = spread(
            s.lamp[0],
            s.lamp[1],
            s.lamp[2],
            s.lamp_spread,
            _draw(a, b, k + 0, q, 0.7548776662),
            _draw(a, b, k + 1, q, 0.5698402910),
        )
        facing = n[0] * lx + n[1] * ly + n[2] * lz
        direct = 0.0
        if facing > 0.0 and march(px, py, pz, lx, ly, lz, 50.0, s) > 1e8:
            direct = facing
        ex, ey, ez = spread(
            n[0], n[1], n[2], 0.999, _draw(a, b, k + 2, q, 0.8191725134), _draw(a, b, k + 3, q, 0.6710436067)
        )
        bounced = rough_light(px, py, pz, ex, ey, ez, 0.0, s)
        r = f[0] * (direct * s.lamp_light[0] + bounced[0])
        g = f[1] * (direct * s.lamp_light[1] + bounced[1])
        c = f[2] * (direct * s.lamp_light[2] + bounced[2])
        if f[3] > 0.002:
            cosine = max(-(dx * n[0] + dy * n[1] + dz * n[2]), 0.0)
            fresnel = f[3] + (1.0 - f[3]) * (1.0 - cosine) ** 5 * (1.0 - 0.75 * f[4])
            mx, my, mz = dx + 2 * cosine * n[0], dy + 2 * cosine * n[1], dz + 2 * cosine * n[2]
            mx, my, mz = spread(
                mx, my, mz, f[4], _draw(a, b, k + 4, q, 0.8566748838), _draw(a, b, k + 5, q, 0.7338918566)
            )
            mirrored = rough_light(px, py, pz, mx, my, mz, 1.0, s)
            if f[3] > 0.25:  # metals tint what they mirror
                mirrored = (mirrored[0] * f[0], mirrored[1] * f[1], mirrored[2] * f[2])
            r, g, c = r + fresnel * (mirrored[0] - r), g + fresnel * (mirrored[1] - g), c + fresnel * (mirrored[2] - c)
        return r, g, c

    @compiled_closure
    def render(s: Studio, height: int, width: int, rays: int, seed: int) -> tuple[Picture, Picture, Field]:
        result = np.zeros((height, width, 3), np.float32)
        normals = np.zeros((height, width, 3), np.float32)
        materials = np.zeros((height, width), np.float32)
        fx, fy, fz = s.aim[0] - s.eye[0], s.aim[1] - s.eye[1], s.aim[2] - s.eye[2]
        length = math.sqrt(fx * fx + fy * fy + fz * fz)
        fx, fy, fz = fx / length, fy / length, fz / length
        flat = math.sqrt(fx * fx + fz * fz)
        rx, rz = fz / flat, -fx / flat
        ux, uy, uz = -fy * fx / flat, flat, -fy * fz / flat
        share = 1.0 / (rays * rays)
        for row in range(height):
            for column in range(width):
                for q in range(rays * rays):
                    k = seed + 16 * q
                    u = (2.0 * (column + (q % rays + hash01(column, row, k + 8)) / rays) / width - 1.0) * s.tangent
                    v = (height - 2.0 * (row + (q // rays + hash01(column, row, k + 9)) / rays)) / width * s.tangent
                    dx, dy, dz = fx + u * rx + v * ux, fy + v * uy, fz + u * rz + v * uz
                    length = math.sqrt(dx * dx + dy * dy + dz * dz)
                    dx, dy, dz = dx / length, dy / length, dz / length
                    floor = -s.eye[1] / dy if dy < -1e-4 else 1e9
                    t = march(s.eye[0], s.eye[1], s.eye[2], dx, dy, dz, floor, s)
                    if t < 1e8:
                        x, y, z = s.eye[0] + dx * t, s.eye[1] + dy * t, s.eye[2] + dz * t
                        n, material = normal(x, y, z), solid(x, y, z)[1]
                        c = shade(x, y, z, n, dx, dy, dz, material, s, column, row, seed, q)
                    else:
                        c, n, material = s.backdrop, (0.0, 1.0, 0.0), 0
                        if floor < 60.0:
                            x, z = s.eye[0] + dx * floor, s.eye[2] + dz * floor
                            lit = shade(x, 0.0, z, n, dx, dy, dz, 0, s, column, row, seed, q)
                            away = math.sqrt((x - s.centre[0]) ** 2 + (z - s.centre[2]) ** 2)
                            h = min(max((away - 0.35 * s.fade) / (0.65 * s.fade), 0.0), 1.0) if z > s.centre[2] else 0.0
                            h = h * h * (3 - 2 * h)
                            c = (
                                lit[0] + h * (c[0] - lit[0]),
                                lit[1] + h * (c[1] - lit[1]),
                                lit[2] + h * (c[2] - lit[2]),
                            )
                    for i in range(3):
                        result[row, column, i] += min(c[i], 5.0) * share
                        normals[row, column, i] += n[i] * share
                    materials[row, column] = material
        return result, normals, materials

    return render


@compiled
def speckle(x: float, y: float, z: float, cells: float, seed: int) -> float:
    """Noise on a solid, from three planes."""
    return 0.6 * (
        fractal_noise(cells * x, cells * y, 4, seed, 0) + fractal_noise(cells * z + 7.0, cells * y, 4, seed + 1, 0)
    )

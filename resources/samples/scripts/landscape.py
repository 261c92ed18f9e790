"""A ray marcher for open country: ground from a height map, one solid object, water, clouds, haze and sun."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scripts.jit import compiled, compiled_closure
from scripts.noise import fractal_noise, gradient_noise, hash01
from scripts.picture import Colour, Field, Picture

Surface = Callable[[Field, float, float, float], tuple[float, float]]
"""(height map, x, z, distance) -> (height of the ground, height with what grows on it)."""
Solid = Callable[[float, float, float], float]
"""(x, y, z) -> distance to the object, a large number where there is none."""
GroundPaint = Callable[[float, float, float, float, float], Colour]
"""(x, y, z, upward part of the normal, height of growth at this place) -> linear albedo."""
SolidPaint = Callable[[float, float, float, float], Colour]
"""(x, y, z, upward part of the normal) -> linear albedo of the object."""


class View(NamedTuple):
    """Camera, light and air. Lengths are in scene units; angles in radians."""

    eye: tuple[float, float, float]
    yaw: float
    pitch: float
    tangent: float
    """Half the picture's width at distance one."""
    sun: tuple[float, float, float]
    sun_light: Colour
    zenith: Colour
    horizon: Colour
    glow: Colour
    haze: float
    """Share of light lost per unit of distance."""
    cloud_cover: float
    cloud_scale: float
    wave: float
    wave_scale: float
    water: Colour
    foam: float
    extent: float
    """The height map covers -extent … extent in x and 0 … 2 extent in z."""
    far: float


@compiled
def sample_map(height_map: Field, x: float, z: float, extent: float) -> float:
    """Height at a place, by linear interpolation of the map."""
    n = height_map.shape[0]
    u = min(max((x + extent) / (2 * extent) * (n - 1), 1.0), n - 2.001)
    v = min(max(z / (2 * extent) * (n - 1), 1.0), n - 2.001)
    i, j = int(u), int(v)
    fu, fv = u - i, v - j
    upper: float = height_map[j, i] * (1 - fu) + height_map[j, i + 1] * fu
    lower: float = height_map[j + 1, i] * (1 - fu) + height_map[j + 1, i + 1] * fu
    height: float = upper * (1 - fv) + lower * fv
    return height


@compiled
def _clouds(x: float, z: float, seed: int, cover: float) -> float:
    warp = 0.6 * gradient_noise(0.7 * x + 5.0, 0.7 * z, seed + 90, 0)
    d = fractal_noise(x + warp, z + 0.5 * warp, 7, seed, 0)
    d += 0.22 * gradient_noise(0.35 * x, 0.35 * z, seed + 7, 0)
    return min(max((d + cover) * 2.6, 0.0), 1.0)


@compiled
def sky(dx: float, dy: float, dz: float, view: View, seed: int) -> Colour:
    """Light of the sky in a direction: gradient, glow and disc of the sun, a layer of clouds lit from one side."""
    up = max(dy, 0.0)
    t = 1.0 - math.exp(-3.6 * up)
    s = max(dx * view.sun[0] + dy * view.sun[1] + dz * view.sun[2], 0.0)
    halo = 0.55 * s**6 + 0.9 * s**48
    disc = 14.0 if s > 0.9996 else 0.0
    r = view.horizon[0] * (1 - t) + view.zenith[0] * t + view.glow[0] * halo + disc * view.sun_light[0]
    g = view.horizon[1] * (1 - t) + view.zenith[1] * t + view.glow[1] * halo + disc * view.sun_light[1]
    b = view.horizon[2] * (1 - t) + view.zenith[2] * t + view.glow[2] * halo + disc * view.sun_light[2]
    if dy > 0.004:
        k = view.cloud_scale / (dy + 0.09)
        x, z = dx * k, dz * k
        density = _clouds(x, z, seed, view.cloud_cover)
        if density > 0.0:
            side = 0.22
            towards = _clouds(x + side * view.sun[0], z + side * view.sun[2], seed, view.cloud_cover)
            thick = min(max(density - 0.25, 0.0) * 1.1 + 0.5 * towards, 1.3)
            lit = math.exp(-1.5 * thick)
            alpha = density * density * (3 - 2 * density) * (1.0 - math.exp(-14.0 * dy))
            cr = view.sun_light[0] * (0.30 * lit + 0.10 * halo) + 0.62 * view.zenith[0] + 0.35 * view.horizon[0]
            cg = view.sun_light[1] * (0.30 * lit + 0.10 * halo) + 0.62 * view.zenith[1] + 0.35 * view.horizon[1]
            cb = view.sun_light[2] * (0.30 * lit + 0.10 * halo) + 0.62 * view.zenith[2] + 0.35 * view.horizon[2]
            r, g, b = r + alpha * (cr - r), g + alpha * (cg - g), b + alpha * (cb - b)
    return r, g, b


@compiled
def _wave(x: float, z: float, view: View, seed: int) -> float:
    s = 1.0 / view.wave_scale
    swell = math.sin(1.1 * x * s + 0.5 * z * s + 1.5 * gradient_noise(0.4 * x * s, 0.4 * z * s, seed, 0))
    chop = fractal_noise(1.3 * x * s, 1.9 * z * s, 5, seed + 3, 0)
    return view.wave * (0.35 * swell + 1.0 * (1.0 - abs(chop)) + 0.5 * chop)


Renderer = Callable[[Field, View, int, int, int, int], Picture]


def make_renderer(surface: Surface, solid: Solid, ground_paint: GroundPaint, solid_paint: SolidPaint) -> Renderer:
    """A renderer of one scene: (height map, view, height, width, rays per pixel and axis, seed) -> linear light."""

    @compiled_closure
    def march(
        hm: Field,
        ox: float,
        oy: float,
        oz: float,
        dx: float,
        dy: float,
        dz: float,
        near: float,
        far: float,
        care: float,
    ) -> tuple[float, int]:
        t, before = near, near
        for _ in range(900):
            x, y, z = ox + dx * t, oy + dy * t, oz + dz * t
            ground, top = surface(hm, x, z, t)
            gap = y - top
            body = solid(x, y, z)
            if body < 0.0004 * t + 0.0005:
                return t, 2
            if gap < 0.0003 * t:
                low, high = before, t
                for _ in range(7):
                    middle = 0.5 * (low + high)
                    _, top = surface(hm, ox + dx * middle, oz + dz * middle, middle)
                    if oy + dy * middle < top:
                        high = middle
                    else:
                        low = middle
                return high, 1
            before = t
            step = max(care * gap, 0.0012 * t + 0.002)
            if y - ground < 1.0:  # among the trees a ray must not step over a tip
                step = min(step, 0.02 + 0.004 * t)
            t += min(step, body)
            if t > far:
                break
        return far, 0

    @compiled_closure
    def shadow(hm: Field, x: float, y: float, z: float, view: View) -> float:
        light, t = 1.0, 0.03
        for _ in range(70):
            px, py, pz = x + view.sun[0] * t, y + view.sun[1] * t, z + view.sun[2] * t
            _, top = surface(hm, px, pz, t)
            gap = min(py - top, solid(px, py, pz))
            light = min(light, 0.5 + 14.0 * gap / t)
            if light <= 0.0:
                return 0.0
            t += min(max(0.45 * gap, 0.025 + 0.01 * t), 2.0)
            if t > 0.5 * view.far:
                break
        light = min(light, 1.0)
        return light * light * (3 - 2 * light)

    @compiled_closure
    def lit(hm: Field, x: float, y: float, z: float, t: float, kind: int, view: View) -> Colour:
        e = 0.0012 * t + 0.003
        if kind == 1:
            ground, top = surface(hm, x, z, t)
            nx = surface(hm, x - e, z, t)[1] - surface(hm, x + e, z, t)[1]
            nz = surface(hm, x, z - e, t)[1] - surface(hm, x, z + e, t)[1]
            ny = 2 * e
            grown = top - ground
            open_sky = 1.0
        else:
            e = 0.002
            nx = solid(x + e, y, z) - solid(x - e, y, z)
            ny = solid(x, y + e, z) - solid(x, y - e, z)
            nz = solid(x, y, z + e) - solid(x, y, z - e)
            ground, grown = 0.0, 0.0
            near = min(solid(x + 8 * e * nx / e, y + 0.12, z + 8 * e * nz / e) / 0.12, 1.0)
            open_sky = 0.55 + 0.45 * max(near, 0.0)
        length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
        nx, ny, nz = nx / length, ny / length, nz / length
        albedo = ground_paint(x, y, z, ny, grown) if kind == 1 else solid_paint(x, y, z, ny)
        facing = max(nx * view.sun[0] + ny * view.sun[1] + nz * view.sun[2], 0.0)
        if facing > 0.0:
            facing *= shadow(hm, x + 0.01 * nx, y + 0.01 * ny, z + 0.01 * nz, view)
        dome = (0.5 + 0.5 * ny) * open_sky
        back = max(-nx * view.sun[0] - nz * view.sun[2], 0.0) * 0.12 + 0.05
        r = albedo[0] * (
            view.sun_light[0] * (facing + back * 0.35) + 1.15 * dome * view.zenith[0] + 0.2 * view.horizon[0]
        )
        g = albedo[1] * (
            view.sun_light[1] * (facing + back * 0.35) + 1.15 * dome * view.zenith[1] + 0.2 * view.horizon[1]
        )
        b = albedo[2] * (
            view.sun_light[2] * (facing + back * 0.35) + 1.15 * dome * view.zenith[2] + 0.2 * view.horizon[2]
        )
        return r, g, b

    @compiled_closure
    def hazed(c: Colour, t: float, y: float, dx: float, dy: float, dz: float, view: View) -> Colour:
        thin = math.exp(-view.haze * t * math.exp(-0.12 * max(y, 0.0)))
        s = max(dx * view.sun[0] + dy * view.sun[1] + dz * view.sun[2], 0.0) ** 5
        r = 0.82 * view.horizon[0] + 0.1 * view.zenith[0] + 0.5 * s * view.glow[0]
        g = 0.82 * view.horizon[1] + 0.1 * view.zenith[1] + 0.5 * s * view.glow[1]
        b = 0.82 * view.horizon[2] + 0.12 * view.zenith[2] + 0.5 * s * view.glow[2]
        return r + thin * (c[0] - r), g + thin * (c[1] - g), b + thin * (c[2] - b)

    @compiled_closure
    def radiance(hm: Field, dx: float, dy: float, dz: float, view: View, seed: int) -> Colour:
        ox, oy, oz = view.eye
        sea = min(-oy / dy, view.far) if dy < -1e-4 else view.far
        t, kind = march(hm, ox, oy, oz, dx, dy, dz, 0.05, sea, 0.42)
        if kind > 0:
            x, y, z = ox + dx * t, oy + dy * t, oz + dz * t
            return hazed(lit(hm, x, y, z, t, kind, view), t, y, dx, dy, dz, view)
        if sea >= view.far:
            return sky(dx, dy, dz, view, seed)
        x, z = ox + dx * sea, oz + dz * sea
        e = 0.004 + 0.0015 * sea
        fade = 1.0 / (1.0 + 0.012 * sea)
        here = _wave(x, z, view, seed)
        nx = -fade * (_wave(x + e, z, view, seed) - here) / e
        nz = -fade * (_wave(x, z + e, view, seed) - here) / e
        length = math.sqrt(nx * nx + nz * nz + 1.0)
        nx, ny, nz = nx / length, 1.0 / length, nz / length
        facing = -(dx * nx + dy * ny + dz * nz)
        facing = max(facing, 0.03)
        rx, ry, rz = dx + 2 * facing * nx, dy + 2 * facing * ny, dz + 2 * facing * nz
        ry = max(ry, 0.012)
        tr, kind = march(hm, x, 0.002, z, rx, ry, rz, 0.02, 0.7 * view.far, 0.6)
        if kind > 0:
            mx, my, mz = x + rx * tr, ry * tr, z + rz * tr
            mirrored = hazed(lit(hm, mx, my, mz, tr, kind, view), tr, my, rx, ry, rz, view)
        else:
            mirrored = sky(rx, ry, rz, view, seed)
        fresnel = 0.03 + 0.97 * (1.0 - facing) ** 5
        depth = -surface(hm, x, z, sea)[0]
        shallow = math.exp(-2.2 * max(depth, 0.0))
        crest = max(here / (view.wave + 1e-9) - 0.55, 0.0)
        body = 0.75 + 0.7 * crest
        c0 = view.water[0] * body + 0.06 * shallow
        c1 = view.water[1] * body + 0.10 * shallow
        c2 = view.water[2] * body + 0.08 * shallow
        r = c0 + fresnel * (mirrored[0] - c0)
        g = c1 + fresnel * (mirrored[1] - c1)
        b = c2 + fresnel * (mirrored[2] - c2)
        if view.foam > 0.0:
            lace = (
                0.5 + 0.5 * fractal_noise(3.1 * x, 3.7 * z, 5, seed + 40, 0) + 0.25 * math.sin(9.0 * depth + 2.0 * here)
            )
            edge = view.foam * math.exp(-5.0 * max(depth, 0.0)) * 1.5 + 0.75 * view.foam * max(crest - 0.42, 0.0)
            white = min(max((edge + lace - 1.02) * 2.6, 0.0), 1.0)
            r += white * (0.62 * view.sun_light[0] * 0.45 + 0.4 * view.zenith[0] - r * 0.9)
            g += white * (0.62 * view.sun_light[1] * 0.45 + 0.4 * view.zenith[1] - g * 0.9)
            b += white * (0.62 * view.sun_light[2] * 0.45 + 0.4 * view.zenith[2] - b * 0.9)
        return hazed((r, g, b), sea, 0.0, dx, dy, dz, view)

    @compiled_closure
    def render(hm: Field, view: View, height: int, width: int, rays: int, seed: int) -> Picture:
        result = np.zeros((height, width, 3), np.float32)
        cy, sy, cp, sp = math.cos(view.yaw), math.sin(view.yaw), math.cos(view.pitch), math.sin(view.pitch)
        for row in range(height):
            for column in range(width):
                for s in range(rays * rays):
                    jx = (s % rays + hash01(column, row, seed + 2 * s)) / rays
                    jy = (s // rays + hash01(column, row, seed + 2 * s + 1)) / rays
                    u = (2.0 * (column + jx) / width - 1.0) * view.tangent
                    v = (height - 2.0 * (row + jy)) / width * view.tangent
                    y, z = v * cp + sp, cp - v * sp
                    x, z = u * cy + z * sy, z * cy - u * sy
                    length = math.sqrt(x * x + y * y + z * z)
                    c = radiance(hm, x / length, y / length, z / length, view, seed)
                    for i in range(3):
                        result[row, column, i] += min(c[i], 6.0) / (rays * rays)
        return result

    return render

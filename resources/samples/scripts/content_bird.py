"""A small russet-breasted bird on a pale ground: the plain object for appearance transfer."""

import math

from scripts.bird import BEAK, BREAST, EYE, HEAD, LEG, TAIL, WING, make_bird, scallops
from scripts.jit import compiled
from scripts.picture import Picture, film, grained, linear
from scripts.studio import Finish, Studio, make_studio, speckle

LONG_SIDE_PX = 768
SEED = 2
UMBER, SLATE, RUST, CREAM, BLACK, HORN = (
    linear(c) for c in ("7c5a3c", "4b4f57", "cf6a2c", "eee2cb", "17120f", "4a3a2c")
)


@compiled
def _surface(part: int, x: float, y: float, z: float) -> float:
    if part == WING:
        return 0.016 * scallops(6.0 * x + 3.0, 7.5 * y + 2.0 * x) + 0.002 * math.sin(90.0 * (y + 0.3 * x))
    if part == TAIL:
        return 0.008 * abs(math.sin(24.0 * z))
    return 0.006 * scallops(15.0 * x + 20.0 + 3.0 * y, 15.0 * (y - 0.5 * x) + 3.0 * z) + 0.0012 * math.sin(
        160.0 * y + 60.0 * x
    )


@compiled
def _paint(material: int, x: float, y: float, z: float, up: float) -> Finish:
    n = speckle(x, y, z, 9.0, 3)
    fine = speckle(4.0 * x, y, z, 26.0, 5)
    if material == 0:
        k = 0.60 + 0.012 * n
        return k, 0.575 * k / 0.6, 0.53 * k / 0.6, 0.0, 0.5
    if material == BEAK:
        return 0.05, 0.035, 0.022, 0.05, 0.18
    if material == EYE:
        return 0.006, 0.005, 0.005, 0.06, 0.02
    if material == LEG:
        return 0.17, 0.075, 0.04, 0.03, 0.35
    k = 1.0 + 0.45 * fine + 0.35 * n
    if material == BREAST:
        t = min(max((0.96 - y + 0.10 * n) * 3.4, 0.0), 1.0)
        c = (RUST[0] + t * (CREAM[0] - RUST[0]), RUST[1] + t * (CREAM[1] - RUST[1]), RUST[2] + t * (CREAM[2] - RUST[2]))
        k = 1.0 + 0.22 * fine
    elif material == WING:
        u = 6.0 * x + 3.0
        rim = 0.5 + 0.5 * math.cos(2 * math.pi * (u % 1.0))
        bar = 1.0 if abs(x + 0.30 * y - 0.26 + 0.02 * n) < 0.035 else 0.0
        d = 0.35 + 0.9 * rim
        c = (SLATE[0] * d + 0.55 * bar, SLATE[1] * d + 0.50 * bar, SLATE[2] * d + 0.42 * bar)
    elif material == TAIL:
        c = (0.9 * SLATE[0], 0.85 * SLATE[1], 0.85 * SLATE[2])
    elif material == HEAD:
        c = (SLATE[0] * 1.1, SLATE[1] * 1.1, SLATE[2] * 1.15)
    else:
        c = UMBER
    return c[0] * k, c[1] * k, c[2] * k, 0.015, 0.6


def studio(azimuth: float) -> Studio:
    """Camera and light for a bird; azimuth: the camera's turn around it, in radians."""
    return Studio(
        eye=(5.2 * math.sin(azimuth) + 0.05, 1.75, -5.2 * math.cos(azimuth)), aim=(0.05, 0.83, 0.0), tangent=0.285,
        lamp=(-0.55, 0.72, -0.423), lamp_light=(2.1, 1.95, 1.75), lamp_spread=0.22, air=(0.50, 0.54, 0.62),
        backdrop=(0.62, 0.62, 0.61), fade=7.0, centre=(0.1, 0.85, 0.0), radius=1.75,
    )  # fmt: skip


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED, rays: int = 4) -> Picture:
    """The picture at a size; rays: per pixel and axis."""
    draw = make_studio(make_bird(0.30, 0.05, 0.10, 1.0, _surface), _paint)
    light, _, _ = draw(studio(0.28), long_side_px, long_side_px, rays, seed)
    return grained(film(light, 0.72), 0.012, seed)

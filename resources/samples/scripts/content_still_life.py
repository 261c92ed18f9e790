"""A jug with a running glaze, pears, a lemon and a bowl of plums on a wooden table."""

import math

from scripts.jit import compiled
from scripts.noise import fractal_noise, gradient_noise
from scripts.picture import Picture, film, grained, linear, size_for
from scripts.still_life import BOWL, CHERRY, JUG, LEMON, STALK, still_life
from scripts.studio import Finish, Studio, make_studio, speckle

LONG_SIDE_PX = 960
SEED = 9
CLAY = linear("9b6a45")
GLAZE = linear("7fb3ae")
DEEP_GLAZE = linear("1f5560")
GREEN = linear("b9b443")
BLUSH = linear("c4562e")
YELLOW = linear("f2c41c")
WHITE = linear("efeae0")
BLUE = linear("27457f")
PLUM = linear("4a1735")
BLOOM = linear("7d6a94")
OAK = linear("a9774a")
DARK_OAK = linear("56341d")


@compiled
def _blend(a: tuple[float, float, float], b: tuple[float, float, float], share: float) -> tuple[float, float, float]:
    t = min(max(share, 0.0), 1.0)
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])


@compiled
def _paint(material: int, x: float, y: float, z: float, up: float) -> Finish:
    n = speckle(x, y, z, 4.0, 3)
    fine = speckle(x, y, z, 24.0, 4)
    if material == 0:
        board = math.floor(z / 0.62 + 20.0)
        seam = abs((z / 0.62 + 20.0) % 1.0 - 0.5)
        rings = math.sin(
            26.0 * (z + 0.10 * fractal_noise(0.8 * x + 9.0 * board, 3.0 * z, 4, 8, 0))
            + 3.0 * gradient_noise(0.5 * x, 2.0 * z + board, 9, 0)
        )
        pores = fractal_noise(5.0 * x, 90.0 * z, 3, 10, 0)
        c = _blend(OAK, DARK_OAK, 0.35 + 0.22 * rings + 0.5 * pores + 0.20 * gradient_noise(board * 3.7, 0.5, 11, 0))
        k = 0.30 if seam > 0.488 else 0.85
        return c[0] * k, c[1] * k, c[2] * k, 0.03, 0.30
    if material == JUG:
        turn = math.atan2(z - 0.35, x - 0.42)
        line = 0.50 + 0.17 * fractal_noise(2.6 * turn, 0.3, 4, 21, 0)
        if y < line:
            c = _blend(CLAY, (0.12, 0.06, 0.03), 0.25 + 0.3 * fine + 0.25 * math.sin(120.0 * y))
            return c[0], c[1], c[2], 0.02, 0.5
        pool = math.exp(-(y - line) * 9.0)
        c = _blend(GLAZE, DEEP_GLAZE, 0.18 + pool + 0.7 * n + 0.25 * fine)
        return c[0], c[1], c[2], 0.05, 0.05
    if material == LEMON:
        c = _blend(YELLOW, GREEN, 0.12 + 0.3 * n)
        return c[0], c[1], c[2], 0.035, 0.18
    if material == BOWL:
        inner = math.sqrt((x + 1.18) ** 2 + (z - 0.3) ** 2 + (y - 0.62) ** 2) < 0.58
        band = (abs(y - 0.47) < 0.022 or abs(y - 0.40) < 0.008 or abs(y - 0.16) < 0.012) and not inner
        c = BLUE if band else _blend(WHITE, CLAY, 0.05 + 0.10 * n)
        return c[0], c[1], c[2], 0.05, 0.05
    if material == CHERRY:
        c = _blend(PLUM, BLOOM, 0.18 + 0.6 * n + 0.25 * up)
        return c[0], c[1], c[2], 0.04, 0.14
    if material == STALK:
        return 0.09, 0.05, 0.025, 0.02, 0.5
    freckles = 1.0 if fine > 0.34 else 0.0
    c = _blend(GREEN, BLUSH, 0.9 * gradient_noise(1.7 * x + 2.0, 1.7 * y + z, 33, 0) + 0.35 * n + 0.12)
    c = _blend(c, (0.16, 0.10, 0.03), 0.35 * freckles)
    return c[0], c[1], c[2], 0.035, 0.20


def studio() -> Studio:
    """Camera and light of the group on the table."""
    return Studio(
        eye=(-0.35, 1.95, -5.6), aim=(-0.13, 0.72, 0.0), tangent=0.315,
        lamp=(-0.74, 0.56, -0.37), lamp_light=(2.6, 2.25, 1.8), lamp_spread=0.16, air=(0.26, 0.31, 0.40),
        backdrop=(0.065, 0.085, 0.10), fade=6.0, centre=(-0.2, 0.8, 0.0), radius=1.95,
    )  # fmt: skip


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED, rays: int = 5) -> Picture:
    """The picture at a size; rays: per pixel and axis."""
    height, width = size_for(long_side_px, 5 / 4)
    light, _, _ = make_studio(still_life, _paint)(studio(), height, width, rays, seed)
    return grained(film(light, 0.95), 0.012, seed)

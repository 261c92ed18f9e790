"""A made bird: woven straw back, glazed breast, cobalt wing with gilded rims, gold beak, carved tail."""

import math

from scripts.bird import BACK, BEAK, EYE, HEAD, LEG, TAIL, WING, make_bird, scallops
from scripts.content_bird import studio
from scripts.jit import compiled
from scripts.picture import Picture, film, grained, linear
from scripts.studio import Finish, make_studio, speckle

LONG_SIDE_PX = 768
SEED = 6
STRAW, DEEP_STRAW, GLAZE, COBALT, TEAL, GOLD, WALNUT, PALE_WALNUT = (
    linear(c) for c in ("dcb566", "8a5a24", "f0ece2", "143a9e", "0f6f6a", "e0a83c", "4d2a16", "8d5a33")
)


@compiled
def _strips(x: float, y: float, z: float) -> tuple[float, float]:
    """A weave round the body: (height 0 … 1, which way the strip on top runs: 0 or 1)."""
    u, v = 13.0 * x + 40.0, 7.5 * math.atan2(y, z) + 40.0
    over = (math.floor(u) + math.floor(v)) % 2
    fu, fv = u - math.floor(u), v - math.floor(v)
    lying, crossing = (fu, fv) if over == 0 else (fv, fu)
    return math.sqrt(max(math.sin(math.pi * crossing), 0.0)) * (0.35 + 0.65 * math.sin(math.pi * lying)), over


@compiled
def _surface(part: int, x: float, y: float, z: float) -> float:
    if part == BACK:
        return 0.030 * _strips(x, y, z)[0]
    if part == WING:
        return 0.022 * scallops(4.6 * x + 3.0, 5.4 * y + 1.6 * x)
    if part == TAIL:
        return 0.010 * math.sin(40.0 * z + 1.5 * math.sin(9.0 * x)) + 0.004 * math.sin(22.0 * x)
    return 0.0


@compiled
def _paint(material: int, x: float, y: float, z: float, up: float) -> Finish:
    n = speckle(x, y, z, 5.0, 13)
    if material == 0:
        k = 0.60 + 0.012 * n
        return k, 0.56 * k / 0.6, 0.51 * k / 0.6, 0.0, 0.5
    if material in (BEAK, LEG):
        return 0.9 * GOLD[0], 0.9 * GOLD[1], 0.9 * GOLD[2], 0.55, 0.16
    if material == EYE:
        return 0.004, 0.004, 0.005, 0.07, 0.01
    cp, sp = math.cos(PITCH), math.sin(PITCH)
    u, v = cp * x - sp * (y - 0.98), cp * (y - 0.98) + sp * x
    if material == BACK:
        h, over = _strips(u, v, z)
        fibre = 0.5 + 0.5 * speckle(3.0 * u, (14.0 if over == 0 else 3.0) * v, z, 9.0, 17)
        t = min(max(0.95 * h * (0.65 + 0.6 * fibre) + 0.2 * n, 0.0), 1.0)
        return (
            DEEP_STRAW[0] + t * (STRAW[0] - DEEP_STRAW[0]), DEEP_STRAW[1] + t * (STRAW[1] - DEEP_STRAW[1]),
            DEEP_STRAW[2] + t * (STRAW[2] - DEEP_STRAW[2]), 0.02, 0.45,
        )  # fmt: skip
    if material == TAIL:
        t = min(max(0.5 + 0.5 * math.sin(60.0 * v + 8.0 * z + 5.0 * n + 3.0 * u) + 0.4 * n, 0.0), 1.0)
        return (
            WALNUT[0] + t * (PALE_WALNUT[0] - WALNUT[0]), WALNUT[1] + t * (PALE_WALNUT[1] - WALNUT[1]),
            WALNUT[2] + t * (PALE_WALNUT[2] - WALNUT[2]), 0.035, 0.25,
        )  # fmt: skip
    if material == WING:
        edge = scallops(4.6 * u + 3.0, 5.4 * v + 1.6 * u)
        if 0.52 < edge < 0.655 or edge > 0.93:
            return GOLD[0], GOLD[1], GOLD[2], 0.45, 0.15
        k = 0.55 + 1.3 * edge + 0.3 * n
        return COBALT[0] * k, COBALT[1] * k, COBALT[2] * k, 0.055, 0.03
    if material == HEAD:
        k = 0.9 + 0.5 * n
        return TEAL[0] * k, TEAL[1] * k, TEAL[2] * k, 0.055, 0.03
    # Breast: white glaze with painted blue sprigs and a fine crackle.
    a, b = 9.0 * v + 30.0, 6.5 * math.atan2(z, -u) + 30.0
    row = math.floor(a)
    fa, fb = a - row - 0.5, (b + 0.5 * (row % 2)) % 1.0 - 0.5
    r, turn = math.sqrt(fa * fa + fb * fb), math.atan2(fa, fb)
    petal = 0.20 + 0.13 * math.cos(5.0 * turn)
    if r < petal and r > 0.07:
        k = 0.8 + 1.2 * r
        return COBALT[0] * k, COBALT[1] * k, COBALT[2] * k, 0.055, 0.03
    if r <= 0.07:
        return GOLD[0], GOLD[1], GOLD[2], 0.3, 0.1
    k = 1.0 + 0.06 * n
    return GLAZE[0] * k, GLAZE[1] * k, GLAZE[2] * k, 0.055, 0.03


PITCH = 0.40


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED, rays: int = 4) -> Picture:
    """The picture at a size; rays: per pixel and axis."""
    draw = make_studio(make_bird(PITCH, -0.10, 0.38, 1.06, _surface), _paint)
    light, _, _ = draw(studio(-0.22), long_side_px, long_side_px, rays, seed)
    return grained(film(light, 0.74), 0.010, seed)

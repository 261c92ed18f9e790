"""The shape of a small bird in a pose, for the studio; each part has its own material number and surface."""

import math
from collections.abc import Callable

from scripts.jit import compiled, compiled_closure
from scripts.studio import Solid, capsule, ellipsoid, smooth_union

BACK, BREAST, WING, HEAD, BEAK, TAIL, EYE, LEG = 1, 2, 3, 4, 5, 6, 7, 8
Surface = Callable[[int, float, float, float], float]
"""(part, x, y, z in the bird's own axes) -> height of the surface's texture."""


@compiled
def scallops(u: float, v: float) -> float:
    """Overlapping rounded feathers or tiles, 0 at their edges to 1; u grows towards their tips, one row a unit."""
    best = 0.0
    for k in range(2):
        row = math.floor(u) - k
        across = (v + 0.5 * (row % 2)) % 1.0 - 0.5
        length = u - row
        edge = length / 1.45 + 1.6 * across * across
        if edge < 1.0:
            best = max(best, 0.35 * k + 0.65 * edge) if k == 1 and edge > 0.62 else max(best, 0.65 * edge)
    return best


def make_bird(pitch: float, head_dip: float, tail_lift: float, plump: float, surface: Surface) -> Solid:
    """A bird standing at the origin and looking to the left. Angles in radians; plump: about 1."""
    cp, sp = math.cos(pitch), math.sin(pitch)
    ct, st = math.cos(tail_lift), math.sin(tail_lift)
    hx, hy = -0.50 * math.cos(head_dip), 0.36 - 0.42 * math.sin(head_dip)

    @compiled_closure
    def bird(x: float, y: float, z: float) -> tuple[float, int]:
        px, py = x, y - 0.98
        u, v = cp * px - sp * py, cp * py + sp * px
        w = abs(z)
        trunk = ellipsoid(u, v, z, 0.66, 0.46 * plump, 0.43 * plump)
        chest = ellipsoid(u + 0.20, v + 0.10, z, 0.44, 0.40 * plump, 0.39 * plump)
        rump = ellipsoid(u - 0.42, v - 0.02, z, 0.42, 0.24, 0.24)
        body = smooth_union(smooth_union(trunk, chest, 0.2), rump, 0.22)
        skull = ellipsoid(u - hx, v - hy, z, 0.335, 0.31, 0.29)
        both = smooth_union(body, skull, 0.28)
        part = (
            HEAD
            if skull < body - 0.02
            else (BREAST if v < 0.16 - 0.42 * u - 0.55 * (u - hx) ** 2 and u < 0.36 else BACK)
        )
        if part == HEAD and v - hy < 0.02 - 0.35 * (u - hx) and u - hx > -0.24:
            part = BREAST
        best = both
        # A wing folded along the side, its tip above the tail.
        a, b = u - 0.16, v - 0.03
        ca, sa = math.cos(-0.16), math.sin(-0.16)
        a, b = ca * a - sa * b, ca * b + sa * a
        wing = ellipsoid(
            a, b - 0.10 * a * a, w - 0.36 * plump - 0.04 + 0.24 * max(a, 0.0), 0.62, 0.275 - 0.12 * a, 0.115
        )
        if wing < best + 0.02:
            best, part = smooth_union(best, wing, 0.03), (WING if wing < best + 0.005 else part)
        ta, tb = u - 0.66, v - 0.0
        ta, tb = ct * ta + st * tb, ct * tb - st * ta
        fan = 0.10 + 0.11 * max(ta, 0.0)
        tail = max(max(abs(tb) - 0.030, abs(z) - fan), abs(ta - 0.28) - 0.44) - 0.018
        if tail < best:
            part = TAIL
        best = min(best, smooth_union(best, tail, 0.10))
        about_legs = capsule(x, y, w, (0.03, 0.6, 0.14), (-0.02, 0.0, 0.16), 0.26)
        about_beak = math.sqrt((u - hx + 0.40) ** 2 + (v - hy) ** 2 + z * z) - 0.30
        if best > 0.12 and about_legs > 0.02 and about_beak > 0.02:
            return min(best - 0.03, min(about_legs, about_beak)), part
        best -= surface(part, u, v, z)
        bx, by = u - hx + 0.30, v - hy + 0.035
        beak = 0.75 * (math.sqrt(by * by * 1.3 + z * z) - 0.085 * (1.0 + bx / 0.27))
        beak = max(max(beak, bx - 0.1), -bx - 0.27)
        if beak < best:
            best, part = beak, BEAK
        eye = math.sqrt((u - hx + 0.135) ** 2 + (v - hy - 0.055) ** 2 + (w - 0.235) ** 2) - 0.056
        if eye < best:
            best, part = eye, EYE
        leg = capsule(x, y, w, (0.05, 0.62, 0.14), (0.0, 0.03, 0.16), 0.030)
        for k in range(4):
            t = (-0.5 + 0.5 * k) if k < 3 else math.pi
            toe = (-0.19 * math.cos(t), 0.018, 0.16 + 0.19 * math.sin(t)) if k < 3 else (0.13, 0.018, 0.16)
            leg = min(leg, capsule(x, y, w, (0.0, 0.035, 0.16), toe, 0.021))
        if leg < best:
            best, part = leg, LEG
        return 0.8 * best, part

    return bird

"""The nearest-patch search, compiled for the CPU.

The same passes as `search_torch`: every pixel looks at what its neighbours found (propagation, near and `jump` away)
and at a few hashed random positions around its own match, all from the field of the pass before. No pixel sees another
pixel's new match, so the picture depends neither on the number of threads nor on how rows are shared out.
Source: PatchMatch (Barnes et al. 2009), in the double-buffered form known from its GPU variants.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from adstudio.engine.patch.field import SIDES

_HASH_A = np.uint32(747796405)
_HASH_B = np.uint32(2891336453)
_HASH_C = np.uint32(277803737)
_SIDE_Y = tuple(side[0] for side in SIDES)
_SIDE_X = tuple(side[1] for side in SIDES)


@nb.njit(inline="always")
def _hash(x):  # type: ignore[no-untyped-def]
    state = np.uint32(x * _HASH_A + _HASH_B)
    word = np.uint32(((state >> np.uint32((state >> np.uint32(28)) + np.uint32(4))) ^ state) * _HASH_C)
    return np.uint32((word >> np.uint32(22)) ^ word)


@nb.njit(inline="always", fastmath=True)
def _distance(query, keys, y, x, v, u):  # type: ignore[no-untyped-def]
    total = np.float32(0.0)
    for i in range(16):
        e = query[y, x, i] - keys[v, u, i]
        total += e * e
    return total


@nb.njit(inline="always")
def _support(near_v, near_u, v, u):  # type: ignore[no-untyped-def]
    """How many of the four neighbours continue the reference around (v, u)."""
    n = 0
    for side in range(4):
        if near_v[side] == v and near_u[side] == u:
            n += 1
    return n


@nb.njit(nogil=True, fastmath=True, cache=True)
def search_rows(  # type: ignore[no-untyped-def]
    query,
    keys,
    bias,
    query_label,
    key_label,
    field,
    found,
    cost,
    first_row,
    last_row,
    wrap_y,
    wrap_x,
    jump,
    probes,
    radius,
    coherence,
    seed,
):
    """One pass over rows first_row … last_row - 1.

    query float32 [height, width, 16], keys float32 [rows, columns, 16], bias float32 [rows, columns],
    labels uint8 of both; field int32 [2, height, width] is read, found (the same shape) and cost float32
    [height, width] are written. radius: reach of the first probe in pixels; coherence: what each neighbour that
    continues the same piece of reference takes off the cost; seed: uint32.
    """
    height, width, _ = query.shape
    rows, columns, _ = keys.shape
    near_v = np.empty(4, np.int32)
    near_u = np.empty(4, np.int32)
    for y in range(first_row, last_row):
        for x in range(width):
            label = query_label[y, x]
            for side in range(4):
                yy = y + _SIDE_Y[side]
                xx = x + _SIDE_X[side]
                if wrap_y:
                    yy = yy % height
                if wrap_x:
                    xx = xx % width
                near_v[side] = -1
                near_u[side] = -1
                if 0 <= yy < height and 0 <= xx < width:
                    v = field[0, yy, xx] - _SIDE_Y[side]
                    u = field[1, yy, xx] - _SIDE_X[side]
                    if 0 <= v < rows and 0 <= u < columns and key_label[v, u] == label:
                        near_v[side] = v
                        near_u[side] = u
            best_v = field[0, y, x]
            best_u = field[1, y, x]
            raw = _distance(query, keys, y, x, best_v, best_u) + bias[best_v, best_u]
            best_raw = raw
            best = raw - coherence * _support(near_v, near_u, best_v, best_u)
            if key_label[best_v, best_u] != label:
                best = np.float32(1e30)
            for side in range(4):
                v = near_v[side]
                u = near_u[side]
                if v >= 0 and not (v == best_v and u == best_u):
                    raw = _distance(query, keys, y, x, v, u) + bias[v, u]
                    candidate = raw - coherence * _support(near_v, near_u, v, u)
                    if candidate < best:
                        best, best_raw, best_v, best_u = candidate, raw, v, u
            if jump > 1:
                for side in range(4):
                    yy = y + _SIDE_Y[side] * jump
                    xx = x + _SIDE_X[side] * jump
                    if wrap_y:
                        yy = yy % height
                    if wrap_x:
                        xx = xx % width
                    if yy < 0 or yy >= height or xx < 0 or xx >= width:
                        continue
                    v = field[0, yy, xx] - _SIDE_Y[side] * jump
                    u = field[1, yy, xx] - _SIDE_X[side] * jump
                    if v < 0 or v >= rows or u < 0 or u >= columns or key_label[v, u] != label:
                        continue
                    raw = _distance(query, keys, y, x, v, u) + bias[v, u]
                    candidate = raw - coherence * _support(near_v, near_u, v, u)
                    if candidate < best:
                        best, best_raw, best_v, best_u = candidate, raw, v, u
            reach = radius
            centre_v = best_v
            centre_u = best_u
            for probe in range(probes):
                h = _hash(np.uint32(np.uint32(y * width + x) ^ _hash(np.uint32(seed + probe))))
                span = 2 * reach + 1
                v = centre_v + np.int32((np.int64(h & np.uint32(0xFFFF)) * span) >> 16) - reach
                u = centre_u + np.int32((np.int64(h >> np.uint32(16)) * span) >> 16) - reach
                v = min(max(v, 0), rows - 1)
                u = min(max(u, 0), columns - 1)
                if key_label[v, u] == label:
                    raw = _distance(query, keys, y, x, v, u) + bias[v, u]
                    candidate = raw - coherence * _support(near_v, near_u, v, u)
                    if candidate < best:
                        best, best_raw, best_v, best_u = candidate, raw, v, u
                reach = max(reach // 4, 1)
            found[0, y, x] = best_v
            found[1, y, x] = best_u
            cost[y, x] = best_raw

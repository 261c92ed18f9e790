"""The nearest-patch search, compiled for the CPU.

The same passes as `search_torch`: every pixel looks at what its neighbours found (propagation) and at a few hashed
random positions around its own match, all from the field of the pass before. No pixel sees another pixel's new match, so
the picture depends neither on the number of threads nor on how rows are shared out.
Source: PatchMatch (Barnes et al. 2009), in the double-buffered form of its GPU variants.
"""

from __future__ import annotations

import numba as nb
import numpy as np

_HASH_A = np.uint32(747796405)
_HASH_B = np.uint32(2891336453)
_HASH_C = np.uint32(277803737)


@nb.njit(inline="always")
def _hash(x: np.uint32) -> np.uint32:
    state = np.uint32(x * _HASH_A + _HASH_B)
    word = np.uint32(((state >> np.uint32((state >> np.uint32(28)) + np.uint32(4))) ^ state) * _HASH_C)
    return np.uint32((word >> np.uint32(22)) ^ word)


@nb.njit(inline="always", fastmath=True)
def _distance(query, keys, y, x, v, u):
    total = np.float32(0.0)
    for i in range(16):
        e = query[y, x, i] - keys[v, u, i]
        total += e * e
    return total


@nb.njit(inline="always")
def _support(near_v, near_u, near_ok, v, u):
    """How many of the four neighbours continue the reference around (v, u)."""
    n = 0
    if near_ok[0] and near_v[0] == v and near_u[0] == u:
        n += 1
    if near_ok[1] and near_v[1] == v and near_u[1] == u:
        n += 1
    if near_ok[2] and near_v[2] == v and near_u[2] == u:
        n += 1
    if near_ok[3] and near_v[3] == v and near_u[3] == u:
        n += 1
    return n


@nb.njit(nogil=True, fastmath=True, cache=True)
def search_rows(
    query, keys, bias, query_label, key_label, field_v, field_u, out_v, out_u, out_cost,
    first_row, last_row, wrap_x, wrap_y, jump, probes, radius, coherence, seed,
):
    height, width, _ = query.shape
    rows, columns, _ = keys.shape
    near_v = np.empty(4, np.int32)
    near_u = np.empty(4, np.int32)
    near_ok = np.empty(4, np.bool_)
    offset_y = (0, 0, -1, 1)
    offset_x = (-1, 1, 0, 0)
    for y in range(first_row, last_row):
        for x in range(width):
            label = query_label[y, x]
            for side in range(4):
                yy = y + offset_y[side]
                xx = x + offset_x[side]
                ok = True
                if wrap_y:
                    yy = yy % height
                elif yy < 0 or yy >= height:
                    ok = False
                if wrap_x:
                    xx = xx % width
                elif xx < 0 or xx >= width:
                    ok = False
                if ok:
                    v = field_v[yy, xx] - offset_y[side]
                    u = field_u[yy, xx] - offset_x[side]
                    if v < 0 or v >= rows or u < 0 or u >= columns:
                        ok = False
                    else:
                        near_v[side] = v
                        near_u[side] = u
                near_ok[side] = ok
            best_v = field_v[y, x]
            best_u = field_u[y, x]
            raw = _distance(query, keys, y, x, best_v, best_u) + bias[best_v, best_u]
            best_raw = raw
            best = raw - coherence * _support(near_v, near_u, near_ok, best_v, best_u)
            if key_label[best_v, best_u] != label:
                best = np.float32(np.inf)
            for side in range(4):
                if near_ok[side]:
                    v = near_v[side]
                    u = near_u[side]
                    if key_label[v, u] == label and not (v == best_v and u == best_u):
                        raw = _distance(query, keys, y, x, v, u) + bias[v, u]
                        cost = raw - coherence * _support(near_v, near_u, near_ok, v, u)
                        if cost < best:
                            best, best_raw, best_v, best_u = cost, raw, v, u
            if jump > 1:
                for side in range(4):
                    yy = y + offset_y[side] * jump
                    xx = x + offset_x[side] * jump
                    if wrap_y:
                        yy = yy % height
                    if wrap_x:
                        xx = xx % width
                    if yy < 0 or yy >= height or xx < 0 or xx >= width:
                        continue
                    v = field_v[yy, xx] - offset_y[side] * jump
                    u = field_u[yy, xx] - offset_x[side] * jump
                    if v < 0 or v >= rows or u < 0 or u >= columns or key_label[v, u] != label:
                        continue
                    raw = _distance(query, keys, y, x, v, u) + bias[v, u]
                    cost = raw - coherence * _support(near_v, near_u, near_ok, v, u)
                    if cost < best:
                        best, best_raw, best_v, best_u = cost, raw, v, u
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
                    cost = raw - coherence * _support(near_v, near_u, near_ok, v, u)
                    if cost < best:
                        best, best_raw, best_v, best_u = cost, raw, v, u
                reach = max(reach // 4, 1)
            out_v[y, x] = best_v
            out_u[y, x] = best_u
            out_cost[y, x] = best_raw

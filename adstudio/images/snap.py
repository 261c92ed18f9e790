"""Which values of a grey picture are labels, and to which of them its soft edges belong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_IN_USE_SHARE = 0.002
_SMALL_AREA_PX = 25
_MAX_LABELS = 64
_STRAY_SHARE = 0.25
_RINGING_STEP = 0.08
_RINGING_SHARE = 0.03
_REACHES_PX = (2, 4, 8, 16)

Labels = NDArray[np.uint8]


def label_counts(labels: Labels) -> NDArray[np.int64]:
    """How many pixels each of the 256 values fills."""
    counts = np.zeros(256, np.int64)
    for rows in np.array_split(labels, max(1, labels.size >> 20)):
        counts += np.bincount(rows.ravel(), minlength=256)
    return counts


def snapped(raw: Labels) -> tuple[Labels, int] | None:
    """[height, width]: labels with strays given to a label beside them, and how many strays; None without clear labels.

    A value is a label when most of its pixels lie in flat areas, and when these are not tiny: at least two parts in a
    thousand of the picture, or a compact spot. Where others remain, as along soft edges, each becomes the label of the
    nearest value among those around it. Own choice: by value alone, the edge between 0 and 255 would turn into a line
    of 128 where that is a label elsewhere.
    """
    counts = label_counts(raw)
    present = np.flatnonzero(counts)
    if len(present) <= 2:
        return raw, 0
    solid, inner = _flat(raw, 2), _flat(raw, 3)
    in_solid, in_inner = label_counts(raw[solid]), label_counts(raw[inner])
    large = (in_solid >= 0.5 * counts) & (counts >= _IN_USE_SHARE * raw.size)
    compact = (in_inner >= 0.5 * counts) & (counts >= _SMALL_AREA_PX)
    used = (counts > 0) & (large | compact)
    if used.any() and counts[~used].sum() > 0:
        used &= ~_ringing(used, counts)
    strays = int(counts[~used].sum())
    if not used.any() or used.sum() > _MAX_LABELS or strays > _STRAY_SHARE * raw.size or _is_ramp(used, counts):
        return None
    if strays == 0:
        return raw, 0
    seeds = solid & used[raw]
    out = raw.copy()
    rows, columns = np.nonzero(~seeds)
    out[rows, columns] = _beside(raw, seeds, rows, columns, np.flatnonzero(used))
    return out, int(np.count_nonzero(out != raw))


def _ringing(used: NDArray[np.bool_], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Values in bands beside soft edges, a little over or under a label, as enlarging a mask smoothly leaves them.

    Each lies nearer to a label ten times as large than a twelfth of the whole range, and fills little itself.
    """
    values = np.flatnonzero(used)
    near = _RINGING_STEP * float(np.ptp(values))
    found = np.zeros(256, bool)
    for value in values:
        beside = values[(values != value) & (np.abs(values - value) <= near)]
        small = counts[value] <= _RINGING_SHARE * counts.sum()
        found[value] = small and bool((counts[beside] >= 10 * counts[value]).any())
    return found


def _flat(raw: Labels, side: int) -> NDArray[np.bool_]:
    """Pixels that lie in a side × side square of one value; the picture goes on beyond its border."""
    reach = side - 1
    wide = np.pad(raw, reach, mode="edge")
    same = np.ones((wide.shape[0] - reach, wide.shape[1] - reach), bool)
    height, width = same.shape
    for y, x in np.ndindex(side, side):
        same &= wide[y : y + height, x : x + width] == wide[:height, :width]
    found = np.zeros(raw.shape, bool)
    for y, x in np.ndindex(side, side):
        found |= same[y : y + raw.shape[0], x : x + raw.shape[1]]
    return found


def _beside(
    raw: Labels, seeds: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp], used: NDArray[np.intp]
) -> Labels:
    """For each given pixel, of the labels within reach, the one whose value is nearest; the lower of two as near."""
    own = raw[rows, columns].astype(np.int16)
    best = np.zeros(len(own), np.int16)
    distance = np.full(len(own), 256, np.int16)
    for reach in _REACHES_PX:
        left = np.flatnonzero(distance == 256)
        for dy, dx in np.ndindex(2 * reach + 1, 2 * reach + 1):
            y, x = rows[left] + dy - reach, columns[left] + dx - reach
            inside = (y >= 0) & (y < raw.shape[0]) & (x >= 0) & (x < raw.shape[1])
            y, x = np.where(inside, y, 0), np.where(inside, x, 0)
            value = raw[y, x].astype(np.int16)
            apart = np.abs(value - own[left])
            better = (
                inside & seeds[y, x] & ((apart < distance[left]) | ((apart == distance[left]) & (value < best[left])))
            )
            best[left[better]] = value[better]
            distance[left[better]] = apart[better]
    lost = distance == 256
    if lost.any():
        nearest = np.array([min(used, key=lambda label: (abs(int(label) - v), label)) for v in range(256)], np.int16)
        best[lost] = nearest[own[lost]]
    return best.astype(np.uint8)


def _is_ramp(used: NDArray[np.bool_], counts: NDArray[np.int64]) -> bool:
    """A smooth gradient: very many neighbouring values, none of which stands out."""
    values = np.flatnonzero(used)
    return len(values) > 16 and bool(np.median(np.diff(values)) <= 4) and bool(counts[used].max() < 0.3 * counts.sum())

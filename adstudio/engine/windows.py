"""Parts of a canvas that is larger than the model's pictures: overlapping windows, wrapping around where it tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adstudio.engine.quirks import NO_QUIRKS, ReferenceQuirks
from adstudio.jobs.choices import Seamless

_Span = tuple[slice, slice]
"""A stretch of the canvas, and where in the window it lies."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a canvas, in latents. What lies beyond the canvas's end goes on at its beginning."""

    top: int
    left: int
    height: int
    width: int

    def of(self, canvas: Tensor) -> Tensor:
        """The window's part of a canvas [batch, channels, height, width]."""
        rows = [canvas[:, :, there] for there, _ in _spans(self.top, self.height, canvas.shape[-2])]
        tall = rows[0] if len(rows) == 1 else torch.cat(rows, dim=-2)
        columns = [tall[..., there] for there, _ in _spans(self.left, self.width, canvas.shape[-1])]
        return columns[0] if len(columns) == 1 else torch.cat(columns, dim=-1)

    def add(self, canvas: Tensor, piece: Tensor | float) -> None:
        """Add a piece of the window's size, or a number, to the window's part of a canvas, in place."""
        for down, rows in _spans(self.top, self.height, canvas.shape[-2]):
            for across, columns in _spans(self.left, self.width, canvas.shape[-1]):
                canvas[:, :, down, across] += piece[:, :, rows, columns] if isinstance(piece, Tensor) else piece


def _spans(start: int, length: int, side: int) -> list[_Span]:
    inside = min(length, side - start)
    first = slice(start, start + inside), slice(0, inside)
    if inside == length:
        return [first]
    return [first, (slice(0, length - inside), slice(inside, length))]


def windows(
    height: int,
    width: int,
    window: int = 64,
    stride: int = 8,
    quirks: ReferenceQuirks = NO_QUIRKS,
    wraps: Seamless = Seamless.NONE,
) -> tuple[Window, ...]:
    """Windows that cover every row and column of a canvas, row by row; the last of each row ends at the edge.

    All in latents. Along a side shorter than the window, the window is as long as the side. wraps: axes along which
    windows go on beyond the edge instead, evenly spread and no further apart than stride.
    """
    tall, wide = wraps in {Seamless.Y, Seamless.BOTH}, wraps in {Seamless.X, Seamless.BOTH}
    rows, columns = _starts(height, window, stride, quirks, tall), _starts(width, window, stride, quirks, wide)
    return tuple(Window(top, left, tall, wide) for top, tall in rows for left, wide in columns)


def _starts(side: int, window: int, stride: int, quirks: ReferenceQuirks, wrap: bool) -> list[tuple[int, int]]:
    if side < window:
        if not quirks.negative_windows:
            return [(0, side)]
        start = max(0, 2 * side - window)  # a slice that starts below zero counts from the end
        return [(start, side - start)]
    if wrap and side > window:
        count = -(-side // stride)
        return [(index * side // count, window) for index in range(count)]
    count = -(-(side - window) // stride) + 1
    return [(min(index * stride, side - window), window) for index in range(count)]


def whole_axes(height: int, width: int, window: int, wraps: Seamless) -> Seamless:
    """Of the axes along which a canvas tiles, those that a window spans whole, so that the network must wrap itself."""
    wide = wraps in {Seamless.X, Seamless.BOTH} and width <= window
    tall = wraps in {Seamless.Y, Seamless.BOTH} and height <= window
    if wide and tall:
        return Seamless.BOTH
    if wide:
        return Seamless.X
    return Seamless.Y if tall else Seamless.NONE


def shares(parts: Sequence[Window], height: int, width: int, ramp: int) -> list[Tensor]:
    """What each window counts at its places, [1, 1, rows, columns] each; they add up to 1 at every place of the canvas.

    ramp: latents over which a window's say falls towards its edges, where it sees least of what is around.
    """
    plain = [hill(part.height, ramp)[:, None] * hill(part.width, ramp) for part in parts]
    together = torch.zeros(1, 1, height, width)
    for part, each in zip(parts, plain, strict=True):
        part.add(together, each[None, None])
    return [each[None, None] / part.of(together) for part, each in zip(parts, plain, strict=True)]


def hill(length: int, ramp: int) -> Tensor:
    """1 in the middle, falling towards both ends over a ramp and above 0 everywhere, [length]."""
    places = torch.arange(length) + 0.5
    return (torch.minimum(places, length - places) / max(1, ramp)).clamp(max=1)

"""Label regions: which tokens of the picture may look at which tokens of the references."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from adstudio.engine.quirks import NO_QUIRKS, ReferenceQuirks
from adstudio.errors import JobError

Grid = tuple[int, int]
"""Rows and columns of a layer's image tokens."""

EVERY_LABEL = -1
"""In a reference's labels: these pixels are for every label of the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelGroup:
    """Tokens of one label. queries, keys: indices of tokens, int64 [n], on the features' device."""

    queries: Tensor
    keys: Tensor


@dataclass(frozen=True, eq=False)
class Regions:
    """Labels of the picture to be made and of its references.

    target: integer labels [height, width] of the result.
    references: integer labels [any height, any width] of each reference, in their order; EVERY_LABEL matches all.
    Raises JobError when the target has a label that no reference has.
    Own choice: attention per label on gathered tokens, which is exact, works for any aspect and keeps fused kernels.
    """

    target: Tensor
    references: tuple[Tensor, ...]
    quirks: ReferenceQuirks = NO_QUIRKS
    _known: dict[tuple[object, ...], tuple[LabelGroup, ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.quirks.uncovered_labels_attend_to_nothing:
            return
        there = set().union(*(_labels(labels) for labels in self.references))
        missing = sorted(_labels(self.target) - there)
        if missing and EVERY_LABEL not in there:
            names = ", ".join(str(label) for label in missing)
            raise JobError(
                f"label {names} of the result's mask is in no reference's mask; paint it there or relabel",
                field="content_mask",
            )

    def window(self, top: int, left: int, height: int, width: int) -> Regions:
        """The same for a part of the target, in pixels of its label image; beyond its end it goes on at its start."""
        rows = torch.arange(top, top + height) % self.target.shape[0]
        columns = torch.arange(left, left + width) % self.target.shape[1]
        return Regions(self.target[rows][:, columns], self.references, self.quirks)

    def groups(
        self, target: Grid, references: tuple[Grid, ...], text_keys: int, text_queries: int, device: torch.device
    ) -> tuple[LabelGroup, ...]:
        """Groups of tokens at the grids of one layer.

        text_keys, text_queries: how many tokens of text stand before the image's in each reference's keys and in the
        queries; queries of text see all keys, and keys of text are seen by all.
        """
        signature = (target, references, text_keys, text_queries, device)
        if signature not in self._known:
            self._known[signature] = self._groups(*signature)
        return self._known[signature]

    def _groups(
        self, target: Grid, references: tuple[Grid, ...], text_keys: int, text_queries: int, device: torch.device
    ) -> tuple[LabelGroup, ...]:
        wanted = self._tokens(self.target, target)
        text = torch.ones(text_keys, dtype=torch.bool)
        offered = [self._tokens(labels, grid) for labels, grid in zip(self.references, references, strict=True)]
        groups = []
        for label in sorted(_labels(wanted)):
            matching = [(labels == label) | (labels == EVERY_LABEL) for labels in offered]
            if not any(bool(found.any()) for found in matching):
                if self.quirks.uncovered_labels_attend_to_nothing:
                    continue
                matching = self._fullest(label, references)
            keys = torch.cat([torch.cat([text, found]) for found in matching]).nonzero()[:, 0]
            queries = (wanted == label).nonzero()[:, 0] + text_queries
            groups.append(LabelGroup(queries.to(device), keys.to(device)))
        if text_queries:
            everything = torch.arange(sum(text_keys + rows * columns for rows, columns in references), device=device)
            groups.append(LabelGroup(torch.arange(text_queries, device=device), everything))
        return tuple(groups)

    def _tokens(self, labels: Tensor, grid: Grid) -> Tensor:
        if self.quirks.square_mask_grid:
            side = math.isqrt(grid[0] * grid[1])
            grid = side, side
        return resize_labels(labels, grid).flatten()

    def _fullest(self, label: int, references: tuple[Grid, ...]) -> list[Tensor]:
        """For a label too small to own a token: the one token of which it covers most."""
        covers = [
            F.adaptive_avg_pool2d((labels == label).float()[None, None], grid).flatten()
            for labels, grid in zip(self.references, references, strict=True)
        ]
        most = max(float(cover.max()) for cover in covers)
        return [(cover >= most) & (cover > 0) for cover in covers]


def _labels(labels: Tensor) -> set[int]:
    return {int(label) for label in torch.unique(labels)}


def resize_labels(labels: Tensor, grid: Grid) -> Tensor:
    """Labels [height, width] at rows × columns tokens, nearest: token i takes pixel floor(i · pixels / tokens)."""
    height, width = labels.shape
    rows = torch.arange(grid[0]) * height // grid[0]
    columns = torch.arange(grid[1]) * width // grid[1]
    return labels.cpu()[rows][:, columns]


def token_grid(tokens: int, height: int, width: int) -> Grid:
    """Rows and columns of a layer with so many tokens, in a network that halves (rounding up) height × width latents.

    Raises ValueError when no halving has that number of tokens.
    """
    rows, columns = height, width
    while rows * columns > tokens:
        rows, columns = (rows + 1) // 2, (columns + 1) // 2
        if rows == columns == 1:
            break
    if rows * columns != tokens:
        raise ValueError(f"{tokens} tokens do not come from latents of {height} × {width}")
    return rows, columns

"""Coarse to fine: attention over patches and distillation by voting, round after round.

One algorithm for every device; only the search has a compiled form for the CPU. In the words of the method: queries
are the patches of the picture as it is, keys and values those of the references; the search keeps the attention's peak,
the occurrence bias is the dual variable that makes the references' marginal uniform (entropic optimal transport, own
choice: it brings their rarer colours and marks to life), and the vote is the closed form of the L2 distillation step.
Sources: arXiv 2502.20235 for the idea; Kamb and Ganguli 2024 for patch attention as a local score; Kwatra et al. 2005
and Elad and Milanfar 2017 for synthesis by patch votes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from adstudio.engine.patch.bands import Bands, Stopped
from adstudio.engine.patch.descriptors import Projection
from adstudio.engine.patch.field import Layout, enlarged
from adstudio.engine.patch.guides import Guides, Target
from adstudio.engine.patch.occurrence import expected_use, use_ratio, use_window
from adstudio.engine.patch.pyramid import Sheet, Size, joined, labels_at, level_sizes, make_sheet
from adstudio.engine.patch.search_torch import search_pass
from adstudio.engine.patch.tones import shrunk
from adstudio.engine.patch.vote import vote

_USE_CAP = 20.0
_VARIATION_WEIGHT = 2.0
_JUMPS = (8, 4, 2, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The numbers of the patch model; all own choice, measured with tests/benchmarks/side_by_side.py.

    rounds: per level, coarsest first (the last one serves all finer levels); passes: of the search in a round;
    first_passes: from a random field; probes: random looks per pass; occurrence: how fast over-used places lose their
    appeal; coherence: what a neighbour continuing the same piece is worth; both in units of the descriptors' spread;
    sigma_px: spread of a vote; temperature: of the votes at the coarsest level, halved at each finer one.
    """

    rounds: tuple[int, ...] = (10, 9, 8, 7, 4, 3, 2, 2)
    passes: int = 2
    first_passes: int = 8
    probes: int = 4
    occurrence: float = 0.1
    coherence: float = 0.035
    sigma_px: float = 0.3
    temperature: float = 1.0

    def rounds_at(self, level: int) -> int:
        return self.rounds[min(level, len(self.rounds) - 1)]


TEXTURE_TUNING = Tuning(coherence=0.0)
"""Without a content to hold them apart, coherent pieces would grow into verbatim copies of the reference."""
COURSE_TUNING = Tuning(coherence=0.01)
"""A new course keeps pieces short: with a little coherence their marks stay whole."""
APPEARANCE_TUNING = Tuning(coherence=0.04, occurrence=0.06)
"""Guides say only where in an object a place is: small pieces of material fill it, so that few faces come along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Everything that decides a picture.

    size: (height, width) of the picture; start: [3, height, width] in -1 … 1, what the first level begins with, or
    None for random pieces of the references; redone: the share of the levels that are worked on, the finest always, so
    that less than 1 keeps what start has of larger structure; references: [3, h, w] in -1 … 1 each;
    weights: > 0 each; appeals: per reference [1, a, b] of any size, how much more its places are wanted than others, or
    none for all alike; labels: uint8 [height, width] of the picture and [h, w] of references, None where there are
    none, all from 0 … 254; attention_scale: > 1 sharpens votes; coverage: 0 … 1; variation: 0 … 1, how far the
    seed's own preferences among the references' marks go; seed: 0 … 2^63 - 1.
    """

    size: Size
    start: Tensor | None
    references: tuple[Tensor, ...]
    weights: tuple[float, ...]
    guides: Guides
    appeals: tuple[Tensor, ...] = ()
    target_labels: NDArray[np.uint8] | None = None
    reference_labels: tuple[NDArray[np.uint8] | None, ...] = ()
    wrap_y: bool = False
    wrap_x: bool = False
    attention_scale: float = 1.0
    coverage: float = 0.8
    variation: float = 0.0
    seed: int = 0
    redone: float = 1.0
    tuning: Tuning = field(default_factory=Tuning)


@dataclass(slots=True, kw_only=True)
class State:
    """Where the synthesis stands after a round: enough to go on from, bit for bit.

    level, rounds_done: rounds_done of this level's rounds are over; picture [3, height, width]; field int32
    [2, height, width]; bias float32 [rows, columns]; layout: of the sheet the field points into; hold: of
    this level, see `Guides`.
    """

    level: int
    rounds_done: int
    picture: Tensor
    field: Tensor
    bias: Tensor
    layout: Layout
    hold: float


class Synthesis:
    """A run of the patch model, one round at a time.

    bands: threads for the CPU, None on other devices. Once interrupted, `rounds` ends early with the state of the last
    whole round in `state`.
    """

    def __init__(self, task: Task, bands: Bands | None, interrupted: Callable[[], bool] = lambda: False) -> None:
        self.task = task
        self._bands = bands
        self._interrupted = interrupted
        self.levels = level_sizes(task.size, [(r.shape[1], r.shape[2]) for r in task.references])
        labels = task.target_labels
        self._labels = sorted(int(v) for v in np.unique(labels)) if labels is not None else [0]
        self.levels = [level for level in self.levels if self._labels_survive(*level)] or self.levels[-1:]
        self.first_level = min(len(self.levels) - 1, round((1 - task.redone) * len(self.levels)))
        self.state: State | None = None

    @property
    def total_rounds(self) -> int:
        return self.rounds_until(len(self.levels))

    def rounds_until(self, level: int) -> int:
        """How many rounds stand before a level."""
        return sum(self.task.tuning.rounds_at(each) for each in range(self.first_level, level))

    def work_done(self) -> float:
        """Share of the whole work in 0 … 1, by pixels times rounds."""
        work = [h * w * self.task.tuning.rounds_at(k) for k, ((h, w), _) in enumerate(self.levels)]
        work[: self.first_level] = [0] * self.first_level
        if self.state is None:
            return 0.0
        share = self.state.rounds_done / self.task.tuning.rounds_at(self.state.level)
        return (sum(work[: self.state.level]) + share * work[self.state.level]) / sum(work)

    def rounds(self) -> Iterator[State]:
        """Yield the state after every round; goes on from `state` when that was set."""
        first = self.state.level if self.state else self.first_level
        with contextlib.suppress(Stopped):
            for level in range(first, len(self.levels)):
                yield from self._level(level)

    def _stop_if_asked(self) -> None:
        if self._interrupted():
            raise Stopped

    def _labels_survive(self, size: Size, reference_sizes: Sequence[Size]) -> bool:
        """Every label the picture shows at this level has a place in a reference, too."""
        target = labels_at(self.task.target_labels, size)
        if target is None:
            return True
        carried: set[int] = set()
        for labels, reference_size in zip(self.task.reference_labels, reference_sizes, strict=True):
            at_level = labels_at(labels, reference_size)
            if at_level is None:
                return True
            carried |= set(np.unique(at_level).tolist())
        return set(np.unique(target).tolist()) <= carried

    def _level(self, level: int) -> Iterator[State]:
        task, tuning, bands = self.task, self.task.tuning, self._bands
        size, reference_sizes = self.levels[level]
        device = task.references[0].device
        pictures = [shrunk(r, s) for r, s in zip(task.references, reference_sizes, strict=True)]
        hold = self._hold(level)
        target, guides = task.guides.at(level, size, reference_sizes, hold)
        projection = Projection([joined(p, g) for p, g in zip(pictures, guides, strict=True)], seed=level)
        reference_labels = task.reference_labels or (None,) * len(pictures)
        at_level = [labels_at(m, s) for m, s in zip(reference_labels, reference_sizes, strict=True)]
        shares = self._shares(reference_sizes)
        sheet = make_sheet(pictures, guides, at_level, shares, projection, bands, self._labels)
        labels = labels_at(task.target_labels, size)
        query_label = (
            torch.zeros(size, dtype=torch.uint8, device=device) if labels is None else torch.from_numpy(labels)
        )
        query_label = query_label.to(device)
        state = self._enter(level, size, sheet, query_label, projection.spread, hold)
        expected = expected_use(sheet, query_label, self._labels)
        window = use_window(expected)
        temperature = max(projection.spread, 1e-6) * tuning.temperature / max(task.attention_scale, 0.01) / 2**level
        while state.rounds_done < tuning.rounds_at(level):
            query = self._described(projection, state.picture, target)
            found, cost = self._search(query, sheet, state, query_label, level, projection.spread)
            del query  # the largest thing here; the next round needs the room
            bias = state.bias
            if task.coverage > 0:
                rate = tuning.occurrence * projection.spread * task.coverage / 0.8
                bias = bias + rate * (use_ratio(found, sheet, expected, window).clamp(max=_USE_CAP) - 1)
            picture = vote(
                sheet.values,
                sheet.label,
                query_label,
                found,
                cost,
                sigma_px=tuning.sigma_px / max(task.attention_scale, 0.01) ** 0.5,
                temperature=temperature,
                wrap_y=task.wrap_y,
                wrap_x=task.wrap_x,
                bands=bands,
            )
            state = State(
                level=level,
                rounds_done=state.rounds_done + 1,
                picture=picture,
                field=found,
                bias=bias,
                layout=sheet.layout,
                hold=hold,
            )
            self.state = state
            yield state
            self._stop_if_asked()

    def _described(self, projection: Projection, picture: Tensor, target: Target | None) -> Tensor:
        task = self.task
        if target is None:
            seen = picture
        elif self._bands is None:
            seen = joined(target.asked_of(picture), target.beside(picture))
        else:
            seen = joined(*self._bands.together(partial(target.asked_of, picture), partial(target.beside, picture)))
        return projection.describe(seen, self._bands, wrap_y=task.wrap_y, wrap_x=task.wrap_x)

    def _hold(self, level: int) -> float:
        """How tight the level holds the content: settled when it is entered, kept while it lasts."""
        before = self.state
        if before is None:
            return 1.0
        return before.hold if before.level == level else self.task.guides.hold(before.picture)

    def _shares(self, reference_sizes: Sequence[Size]) -> list[float | Tensor]:
        """What each key of each reference is to serve, relative to the others."""
        if not self.task.appeals:
            return list(self.task.weights)
        each = zip(self.task.appeals, self.task.weights, reference_sizes, strict=True)
        return [weight * shrunk(appeal, size)[0].clamp(min=0.1) for appeal, weight, size in each]

    def _enter(self, level: int, size: Size, sheet: Sheet, query_label: Tensor, spread: float, hold: float) -> State:
        """The state a level begins with: carried over, continued from the level before, or fresh."""
        task, before, device = self.task, self.state, query_label.device
        if before is not None and before.level == level:
            return before
        if before is None:
            correspondence = torch.zeros(2, *size, dtype=torch.int32, device=device)
            stray = torch.ones(size, dtype=torch.bool, device=device)
        else:
            correspondence = enlarged(before.field, size, before.layout, sheet.layout)
            stray = sheet.label[correspondence[0].long(), correspondence[1].long()] != query_label
        _place_at_random(correspondence, stray, query_label, sheet, self._labels, task.seed + level)
        if before is not None:
            picture = F.interpolate(before.picture[None], size, mode="bicubic", align_corners=False)[0]
        elif task.start is not None:
            picture = shrunk(task.start, size)
        else:
            picture = sheet.values[correspondence[0].long(), correspondence[1].long()].permute(2, 0, 1).contiguous()
        bias = _preferences(sheet, task.seed) * (task.variation * _VARIATION_WEIGHT * spread)
        return State(
            level=level,
            rounds_done=0,
            picture=picture,
            field=correspondence,
            bias=bias,
            layout=sheet.layout,
            hold=hold,
        )

    def _search(
        self, query: Tensor, sheet: Sheet, state: State, query_label: Tensor, level: int, spread: float
    ) -> tuple[Tensor, Tensor]:
        task, tuning = self.task, self.task.tuning
        height, width = query_label.shape
        fresh = state.level == self.first_level and state.rounds_done == 0
        longest = max(sheet.label.shape)
        found, cost = state.field, torch.empty(height, width, device=query.device)
        for index in range(tuning.first_passes if fresh else tuning.passes):
            radius = longest if index == 0 or level < 2 else max(longest // 8, 4)
            seed = (task.seed * 104729 + level * 1000003 + state.rounds_done * 7919 + index * 101) & 0xFFFFFFFF
            jump = _JUMPS[index % len(_JUMPS)]
            coherence = tuning.coherence * spread
            if self._bands is None:
                self._stop_if_asked()
                found, cost = search_pass(
                    query,
                    sheet.keys,
                    state.bias,
                    query_label,
                    sheet.label,
                    found,
                    wrap_y=task.wrap_y,
                    wrap_x=task.wrap_x,
                    jump=jump,
                    probes=tuning.probes,
                    radius=radius,
                    coherence=coherence,
                    seed=seed,
                )
            else:
                found = self._search_pass_cpu(
                    query, sheet, state.bias, query_label, found, cost, jump, radius, coherence, seed
                )
        return found, cost

    def _search_pass_cpu(
        self,
        query: Tensor,
        sheet: Sheet,
        bias: Tensor,
        query_label: Tensor,
        known: Tensor,
        cost: Tensor,
        jump: int,
        radius: int,
        coherence: float,
        seed: int,
    ) -> Tensor:
        from adstudio.engine.patch.search_cpu import search_rows

        found = torch.empty_like(known)
        height, width = query_label.shape

        def band(first: int, last: int) -> None:
            search_rows(
                query.numpy(),
                sheet.keys.numpy(),
                bias.numpy(),
                query_label.numpy(),
                sheet.label.numpy(),
                known.numpy(),
                found.numpy(),
                cost.numpy(),
                first,
                last,
                self.task.wrap_y,
                self.task.wrap_x,
                jump,
                self.task.tuning.probes,
                radius,
                np.float32(coherence),
                np.uint32(seed),
            )

        assert self._bands is not None
        self._bands.each(height, width, band)
        return found


def _place_at_random(
    correspondence: Tensor, stray: Tensor, query_label: Tensor, sheet: Sheet, labels: Sequence[int], seed: int
) -> None:
    """Give stray pixels a random key of their label, in place. Draws come from one CPU generator per call."""
    rng = np.random.default_rng(seed)
    for value in labels:
        chosen = stray & (query_label == value)
        count = int(chosen.sum())
        keys = torch.nonzero((sheet.label == value).flatten()).flatten()
        if count == 0 or len(keys) == 0:
            continue
        picked = keys[torch.from_numpy(rng.integers(0, len(keys), count)).to(keys.device)]
        columns = sheet.label.shape[1]
        correspondence[0][chosen] = (picked // columns).int()
        correspondence[1][chosen] = (picked % columns).int()


def _preferences(sheet: Sheet, seed: int) -> Tensor:
    """Smooth random likes and dislikes among the keys, mean 0, spread about 1, alike on all levels: [rows, columns]."""
    rng = np.random.default_rng((seed, 1))
    out = torch.zeros_like(sheet.share)
    for offset, height, width in zip(sheet.layout.offsets, sheet.layout.heights, sheet.layout.widths, strict=True):
        coarse = torch.from_numpy(rng.standard_normal((1, 1, 12, 12), dtype=np.float32)).to(out.device)
        smooth = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0, 0]
        out[offset : offset + height, :width] = smooth
    return out

"""What came out, in figures: a row for each case, and who is ahead in sum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adstudio.images import load_image
from adstudio.images.fidelity import FidelityFigures, measure
from tests.benchmarks.cases import Case
from tests.benchmarks.contestants import Made

STRUCTURE_SLACK = 0.01
STYLE_RATIO_LIMIT = 1.5
COPY_RATIO_LIMIT = 0.5
TIME_RATIO_LIMIT = 0.6
_DISTANCES = ("style", "stroke", "palette")
_TRANSFER_FIGURES = (*_DISTANCES, "structure")
_TEXTURE_FIGURES = ("style", "copy_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one contestant made of a case."""

    made: Made
    figures: FidelityFigures | None = None

    def value(self, name: str) -> float | None:
        """A figure by its name, or the seconds as "time"; None where there is none."""
        found = self.made.seconds if name == "time" else getattr(self.figures, name, None)
        return None if found is None else float(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A case with everybody's entry, by the name of the contestant; the seamless texture is "seamless"."""

    case: Case
    size_px: int
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def value(self, who: str, name: str) -> float | None:
        return self.entries[who].value(name) if who in self.entries else None

    def ratio(self, name: str) -> float | None:
        """Ours over the peer's; None where one is missing."""
        ours, peer = self.value("ours", name), self.value("peer", name)
        return None if ours is None or peer is None else ours / max(peer, 1e-6)

    def lost(self, name: str) -> bool:
        """Whether the peer is ahead of us, or we miss the limit that a figure has."""
        ours, peer, ratio = self.value("ours", name), self.value("peer", name), self.ratio(name)
        if ours is None or peer is None or ratio is None:
            return False
        if name == "structure":
            return ours < peer - STRUCTURE_SLACK
        if name == "time":
            return self.case.content is not None and ratio > TIME_RATIO_LIMIT
        if self.case.content is None:
            return ratio > STYLE_RATIO_LIMIT if name == "style" else ratio >= COPY_RATIO_LIMIT
        return ours >= peer

    def together_lost(self) -> bool:
        """Whether any figure that a case is judged by is lost."""
        judged = _TEXTURE_FIGURES if self.case.content is None else ("stroke", "palette", "structure")
        return any(self.lost(name) for name in judged)

    def as_json(self) -> dict[str, Any]:
        entries = {
            who: {
                "seconds": entry.made.seconds,
                "failure": entry.made.failure,
                "figures": None if entry.figures is None else asdict(entry.figures),
            }
            for who, entry in self.entries.items()
        }
        return {"name": self.case.name, "size_px": self.size_px, "entries": entries}


def scored(case: Case, made: Made, *, seamless: bool = False) -> Entry:
    """Measure what was made of a case."""
    if made.result is None:
        return Entry(made=made)
    figures = measure(
        _pixels(made.result),
        _pixels(case.style),
        None if case.content is None else _pixels(case.content),
        seamless=seamless,
        copies=case.content is None and not seamless,
    )
    return Entry(made=made, figures=figures)


def table(scores: Sequence[Score]) -> str:
    """Rows and summary of the cases of one size; `*` marks a figure where we lose, `lost` the whole row."""
    transfers = [score for score in scores if score.case.content is not None]
    textures = [score for score in scores if score.case.content is None]
    blocks = []
    if transfers:
        blocks += [_rows(transfers, ("time", *_TRANSFER_FIGURES)), _transfer_summary(transfers)]
    if textures:
        blocks += [_rows(textures, ("time", *_TEXTURE_FIGURES)), _texture_summary(textures)]
    blocks += _failures(scores)
    return "\n\n".join(blocks)


def caption(entry: Entry) -> str:
    """The figures of a picture in one short line."""
    if entry.figures is None:
        return entry.made.failure[:40]
    names = [name for name in (*_TRANSFER_FIGURES, "copy_rate", "seam") if entry.value(name) is not None]
    return "  ".join(f"{name.removesuffix('_rate')[:6]} {_short(entry.value(name), name)}" for name in names)


def _rows(scores: Sequence[Score], names: Sequence[str]) -> str:
    everybody = [who for who in ("ours", "peer", "prototype") if any(who in score.entries for score in scores)]
    width = max(len(score.case.name) for score in scores)
    columns = [(who, name) for name in names for who in everybody if (who, name) != ("prototype", "time")]
    if any("seamless" in score.entries for score in scores):
        columns.append(("seamless", "seam"))
    upper = "".join(f"{name if i == 0 or columns[i - 1][1] != name else '':>10}" for i, (_, name) in enumerate(columns))
    lower = "".join(f"{who[:9]:>10}" for who, _ in columns)
    lines = [f"{'':{width}}{upper}", f"{'':{width}}{lower}"]
    for score in scores:
        cells = "".join(_cell(score, who, name) for who, name in columns)
        lines.append(f"{score.case.name:{width}}{cells}{'  lost' if score.together_lost() else ''}".rstrip())
    return "\n".join(lines)


def _cell(score: Score, who: str, name: str) -> str:
    mark = "*" if who == "ours" and score.lost(name) else " "
    return f"{_short(score.value(who, name), name):>9}{mark}"


def _short(value: float | None, name: str) -> str:
    if value is None:
        return "-"
    digits = {"time": 2, "style": 4, "palette": 4, "seam": 2}.get(name, 3)
    return f"{value:.{digits}f}"


def _transfer_summary(scores: Sequence[Score]) -> str:
    lines = [f"Transfers: {len(scores)}", *_medians(scores, _TRANSFER_FIGURES)]
    both = _compared(scores, "stroke")
    if both:
        slack = f"structure no more than {STRUCTURE_SLACK} below"
        lines += [f"{name} nearer: {_share(not score.lost(name) for score in both)}" for name in _DISTANCES]
        lines.append(f"{slack}: {_share(not score.lost('structure') for score in both)}")
        lines.append(f"stroke and palette nearer with {slack}: {_share(not score.together_lost() for score in both)}")
    return "\n".join([*lines, *_time_ratio(scores)])


def _texture_summary(scores: Sequence[Score]) -> str:
    lines = [f"Textures: {len(scores)}", *_medians(scores, _TEXTURE_FIGURES)]
    for name, limit, words in (
        ("style", STYLE_RATIO_LIMIT, "at most"),
        ("copy_rate", COPY_RATIO_LIMIT, "under"),
    ):
        both = _compared(scores, name)
        if both:
            kept = _share(not score.lost(name) for score in both)
            lines.append(f"{name} {words} {limit} of the peer's: {kept}; {_ratios(both, name)}")
    seams = [seam for score in scores if (seam := score.value("seamless", "seam")) is not None]
    if seams:
        lines.append(f"seam of the seamless run: median {median(seams):.2f}, worst {max(seams):.2f}")
    return "\n".join([*lines, *_time_ratio(scores)])


def _medians(scores: Sequence[Score], names: Sequence[str]) -> list[str]:
    lines = []
    for who in ("ours", "peer", "prototype"):
        parts = []
        for name in (*names, "time"):
            values = [value for score in scores if (value := score.value(who, name)) is not None]
            if values:
                parts.append(f"{name} {_short(median(values), name)}{' s' if name == 'time' else ''}")
        if parts:
            lines.append(f"medians, {who}: {', '.join(parts)}")
    return lines


def _time_ratio(scores: Sequence[Score]) -> list[str]:
    both = _compared(scores, "time")
    return [f"time, ours over the peer's: {_ratios(both, 'time')}"] if both else []


def _ratios(scores: Sequence[Score], name: str) -> str:
    ratios = [ratio for score in scores if (ratio := score.ratio(name)) is not None]
    return f"median ratio {median(ratios):.2f}, worst {max(ratios):.2f}"


def _compared(scores: Sequence[Score], name: str) -> list[Score]:
    return [score for score in scores if score.ratio(name) is not None]


def _share(kept: Iterable[bool]) -> str:
    each = list(kept)
    return f"{sum(each)} of {len(each)} ({100 * sum(each) / len(each):.0f} %)"


def _failures(scores: Sequence[Score]) -> list[str]:
    return [
        f"{score.case.name}, {who} failed: {entry.made.failure}"
        for score in scores
        for who, entry in score.entries.items()
        if entry.made.failure
    ]


def _pixels(path: Path) -> NDArray[np.float32]:
    return load_image(path).pixels

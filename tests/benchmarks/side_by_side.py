"""Quality and time against other programs: `python -m tests.benchmarks.side_by_side`.

Everybody gets the same files, one case after the other and in turns, so that ratios are fair on a busy machine. Prints
a table; writes it, the figures and contact sheets into a folder. resources/docs/benchmarks.md says what they mean.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import adstudio
from adstudio.cli import engine_factory
from adstudio.images import atomic_write_bytes
from adstudio.jobs.choices import Device, Seamless
from adstudio.paths import samples_dir
from tests.benchmarks.cases import Case, find_cases, prepared
from tests.benchmarks.contestants import Contestant, Gmic, Ours, Script
from tests.benchmarks.scores import Entry, Score, caption, scored, table
from tests.benchmarks.sheet import Cell, write_sheets

_NO_PEER = "Peer: not there. Install G'MIC (Debian package gmic) and have `gmic` on PATH to compare with it."
_OWN = frozenset({"ours", "seamless"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a benchmark gives: the text of its tables, the figures and the contact sheets."""

    text: str
    scores: tuple[Score, ...]
    sheets: tuple[Path, ...]


def compare(
    cases: Sequence[Case],
    sizes_px: Sequence[int],
    out: Path,
    *,
    peer: Gmic | None,
    prototype: Script | None = None,
    device: Device = Device.AUTO,
) -> Outcome:
    """Let everybody make every case at every size; writes table.txt, figures.json and the sheets into out."""
    others: list[Contestant] = [other for other in (peer, prototype) if other is not None]
    scores: list[Score] = []
    sheets: list[Path] = []
    head = "\n".join(_machine(peer, device))
    blocks = [head]
    with Ours(engine_factory, device) as ours:
        ours.warm(cases[0], out / "warm-up")
        for size_px in sizes_px:
            here: list[Score] = []
            for case in cases:
                _tell(f"{size_px} px, {len(here) + 1} of {len(cases)}: {case.name}")
                here.append(_score(prepared(case, out / "inputs" / str(size_px), size_px), size_px, out, ours, others))
            blocks.append(f"{size_px} × {size_px} pixels\n\n{table(here)}")
            rows = [_row(score) for score in here]
            sheets += write_sheets(out, f"sheet-{size_px}", rows, size_px)
            scores += here
            _write(out, blocks, scores, head)
    return Outcome(text="\n\n".join(blocks) + "\n", scores=tuple(scores), sheets=tuple(sheets))


def _score(case: Case, size_px: int, out: Path, ours: Ours, others: Sequence[Contestant]) -> Score:
    folder = out / str(size_px) / case.name
    contestants: list[Contestant] = [ours, *others]
    made = {one.name: one.make(case, folder / one.name, size_px) for one in contestants}
    entries: dict[str, Entry] = {
        who: scored(case, what) for who, what in made.items() if what.result is not None or what.failure
    }
    if case.content is None:
        tiling = ours.make(case, folder / "seamless", size_px, Seamless.BOTH)
        entries["seamless"] = scored(case, tiling, seamless=True)
    return Score(case=case, size_px=size_px, entries=entries)


def _row(score: Score) -> list[Cell]:
    case = score.case
    row = [] if case.content is None else [Cell(title=case.content.stem, picture=case.content)]
    row.append(Cell(title=case.style.stem, picture=case.style))
    for who, entry in score.entries.items():
        seconds = "" if entry.made.seconds is None else f", {entry.made.seconds:.2f} s"
        lost = " (lost)" if who == "ours" and score.together_lost() else ""
        row.append(
            Cell(
                title=f"{who}{seconds}{lost}",
                picture=entry.made.result,
                caption=caption(entry),
                tiled=who == "seamless",
            )
        )
    return row


def _write(out: Path, blocks: Sequence[str], scores: Sequence[Score], head: str) -> None:
    atomic_write_bytes(out / "table.txt", ("\n\n".join(blocks) + "\n").encode())
    figures = {"machine": head.splitlines(), "cases": [score.as_json() for score in scores]}
    atomic_write_bytes(out / "figures.json", json.dumps(figures, indent=1, ensure_ascii=False).encode())


def _machine(peer: Gmic | None, device: Device) -> list[str]:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return [
        f"AD Studio {adstudio.__version__}, device {device}, Python {platform.python_version()}",
        f"Machine: {platform.system()} {platform.machine()}, {cores} cores",
        _NO_PEER if peer is None else f"Peer: G'MIC {peer.version() or '(of unknown version)'}",
    ]


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> int:
    """Run what the arguments ask for; exit status 1 where one of our runs failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--images", type=Path, help="folder with content_*, style_* and texture_*; default: the samples"
    )
    parser.add_argument("--size", type=int, nargs="+", default=[512], help="sides in pixels (default 512)")
    parser.add_argument("--pairs", type=int, help="at most so many transfers")
    parser.add_argument("--only", default="*", metavar="GLOB", help='such as "valley+*" or "texture_*"')
    parser.add_argument("--out", type=Path, help="new or empty folder for what comes out; default: a temporary one")
    parser.add_argument("--no-textures", action="store_true", help="transfers only")
    parser.add_argument("--prototype", type=Path, metavar="FILE", help="script for a further column, transfers only")
    parser.add_argument("--device", type=Device, choices=list(Device), default=Device.AUTO, help="where ours computes")
    asked = parser.parse_args()
    images: Path = (asked.images or samples_dir()).absolute()
    if not images.is_dir():
        parser.error(f"--images: {images} is no folder")
    cases = find_cases(images, pairs=asked.pairs, only=asked.only, textures=not asked.no_textures)
    if not cases:
        parser.error(f"nothing to compare in {images}: it needs content_* with style_*, or texture_*; see --only")
    out: Path = (asked.out or Path(tempfile.mkdtemp(prefix="adstudio-side-by-side-"))).absolute()
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        parser.error(f"--out: {out} is not empty")
    prototype = None if asked.prototype is None else Script(asked.prototype)
    outcome = compare(cases, asked.size, out, peer=Gmic.found(), prototype=prototype, device=asked.device)
    sys.stdout.write(outcome.text)
    for sheet in outcome.sheets:
        sys.stdout.write(f"{sheet}\n")
    failed = any(entry.made.failure for score in outcome.scores for who, entry in score.entries.items() if who in _OWN)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

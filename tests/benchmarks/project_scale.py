"""A project with many runs: `python -m tests.benchmarks.project_scale [--runs 10000] [--keep FOLDER]`.

Makes a project of generated runs (folders, sidecars, pictures and all), then measures in a process of its own how long
it takes to open, to show a page of 60 at the start, in the middle and at the end, and to search while typing; then to
open after a crash, and with a database that is none any more.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from adstudio.jobs.spec import Task
from adstudio.projects import Order, Project, Query, Run
from adstudio.projects.rows import put_run
from adstudio.projects.sidecars import run_sheet
from tests.fakes import sample_job, write_picture

PAGE = 60
_ROUNDS = 15
_WORDS = (
    "lighthouse dusk harbour mountain snow meadow portrait glass mosaic linocut pastel pencil watercolour oil "
    "storm river castle forest autumn winter spring summer night morning rain fog city bridge train horse bird "
    "cat tower garden rose window kitchen bread table candle shadow mirror island cliff wave boat sail dune "
    "desert cactus moon"
)
_TYPED = ("l", "li", "lig", "light", "lighthouse", "lighthouse d", "lighthouse dusk", "w", "ca", "nothing like it")


def generate(folder: Path, runs: int) -> Path:
    """A project with this many runs of words, tags, ratings and pictures drawn from a seed."""
    chance = random.Random(7)
    with Project.create(folder / "scale") as project:
        request = project.begin_run(sample_job(folder / "pictures"))
        write_picture(request.folder / "result.png", width=64, height=48)
        (request.folder / "events.jsonl").write_text('{"type": "finished", "time_s": 1, "results": ["result.png"]}\n')
        model = project.finish_run(request.folder.name)
        store = project._store
        made = [_variant(model, number, chance) for number in range(runs - 1)]
        with store.change("test"), store.database.transaction():
            for run in made:
                put_run(store.database, run)
            store.database.write("UPDATE runs SET stale = 0")
        for run in made:
            place = store.layout.run(run.id)
            place.mkdir()
            (place / "run.json").write_bytes(run_sheet(run))
        return project.folder


def measure(folder: Path) -> dict[str, float]:
    """Milliseconds by what was done: of opening once, of the rest the worst median of its cases."""
    begun_s = time.perf_counter()
    with Project.open(folder) as project:
        figures = {"open": (time.perf_counter() - begun_s) * 1000}
        count = project.count()
        places = (0, count // 2, count - PAGE)
        best = Query(order=Order.BEST)
        filters = (
            Query(text="light", min_rating=3, tags=frozenset({"sea"})),
            Query(tasks=frozenset({Task.TEXTURE}), favourite=True),
            Query(reference=project.page(limit=1).runs[0].inputs[0].object.digest),
        )

        def slowest(queries: Iterable[Query], offsets: Iterable[int] = (0,)) -> float:
            asked = [(query, offset) for query in queries for offset in offsets]
            return max(_median(partial(project.page, query, offset=at, limit=PAGE)) for query, at in asked)

        figures["page of 60"] = slowest([Query()], places)
        figures["page of 60, best first"] = slowest([best], places)
        figures["search"] = slowest(Query(text=text) for text in _TYPED)
        figures["filter"] = slowest(filters)
        figures["all ids"] = _median(project.run_ids)
        run_id = project.run_ids()[count // 2]
        stars = iter(range(1000))
        figures["rate one"] = _median(lambda: project.rate([run_id], next(stars) % 5 + 1))
        figures["undo"] = _median(project.undo)
        begun_s = time.perf_counter()
    figures["close, with a backup"] = (time.perf_counter() - begun_s) * 1000
    (folder / "project.db.sha256").unlink()
    figures["open after a crash"] = _opening(folder)
    (folder / "project.db").write_bytes(b"no database")
    figures["open, made anew"] = _opening(folder)
    return figures


def _opening(folder: Path) -> float:
    begun_s = time.perf_counter()
    with Project.open(folder):
        return (time.perf_counter() - begun_s) * 1000


def main() -> None:
    """Make, measure in a process of its own, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, help="where to leave the project; with one there, it is measured again")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure is not None:
        sys.stdout.write(json.dumps(measure(arguments.measure)))
        return
    with _place(arguments.keep) as folder:
        project = folder / "scale.adproj"
        if not project.exists():
            generate(folder, arguments.runs)
        figures = json.loads(
            subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.project_scale", "--measure", str(project)],
                check=True,
                capture_output=True,
                env=os.environ,
            ).stdout
        )
    sys.stdout.write(f"{arguments.runs} runs\n")
    for name, figure_ms in figures.items():
        sys.stdout.write(f"{name:24} {figure_ms:8.1f} ms\n")


def _variant(model: Run, number: int, chance: random.Random) -> Run:
    words = chance.sample(_WORDS.split(), 6)
    created = model.created - timedelta(minutes=17 * number + 1)
    return replace(
        model,
        id=f"{created:%Y%m%d-%H%M%S}-{number:08x}",
        created=created,
        finished=created + timedelta(seconds=40),
        task=chance.choice(tuple(Task)),
        seed=number,
        prompt=" ".join(words),
        notes=" ".join(chance.sample(_WORDS.split(), 3)) if number % 5 == 0 else "",
        tags=tuple(sorted(chance.sample(("sea", "sky", "wall", "print", "draft"), number % 3))),
        rating=chance.choice((0, 0, 0, 1, 2, 3, 4, 5)),
        favourite=number % 20 == 0,
    )


def _median(action: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(_ROUNDS):
        begun_s = time.perf_counter()
        action()
        taken.append((time.perf_counter() - begun_s) * 1000)
    return statistics.median(taken)


@contextlib.contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="adstudio-scale-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    main()

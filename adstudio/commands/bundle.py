"""`adstudio bundle`: runs from project to project in one file, and whether they come out the same here."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from adstudio.commands.console import say, tell
from adstudio.commands.engine_room import INTERRUPTED_STATUS, EngineRoom
from adstudio.errors import AdStudioError, JobError, ProjectError
from adstudio.images import atomic_write_bytes, load_image
from adstudio.jobs import run_folder
from adstudio.jobs.events import Cancelled, Failed, Finished
from adstudio.jobs.host import EngineFactory
from adstudio.projects import SUFFIX, Bundle, Project, Query, Run, RunState
from adstudio.projects.layout import is_run_id

_REPORT = "report.json"
_EIGHT_BIT = 255.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A picture of a bundle beside the one that its job gives here.

    same: not a pixel differs. largest, mean: differences of the channels in steps of 8 bit, None where sizes differ.
    """

    run: str
    file: str
    same: bool
    largest: float | None
    mean: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """A run of a bundle that could not be done here, and why."""

    run: str
    reason: str


def export_command(project: Path, target: Path, *, runs: str | None, board: str | None, ancestors: bool) -> int:
    """Write a bundle. Raises AdStudioError, with nothing written, where a run or board is not there."""
    with Project.open(project, read_only=True) as opened:
        chosen = None if runs is None and board is None else chosen_runs(opened, runs, board)
        manifest = opened.export_bundle(target, chosen, ancestors=ancestors)
    for digest in manifest.missing:
        tell(f"A picture is missing in the project and so in the bundle: {digest}")
    say(f"{len(manifest.runs)} runs in {len(manifest.members)} files")
    return 0


def import_command(bundle: Path, into: Path) -> int:
    """Take a bundle into a project, which is made where it is not there."""
    place = into if into.name.endswith(SUFFIX) or into.exists() else into.with_name(into.name + SUFFIX)
    with Bundle.opened(bundle) as opened:
        opened.verify()  # before a project is made for nothing
    with Project.open(place) if place.exists() else Project.create(place) as project:
        taken = project.import_bundle(bundle)
    say(f"{len(taken.runs)} runs taken in, {len(taken.known)} were here already")
    for old, new in taken.renamed:
        say(f"{old} is called {new} here: another run has its name")
    if taken.missing:
        tell(f"{taken.missing} pictures are missing in the bundle")
    return 0


def show_command(bundle: Path, *, as_json: bool) -> int:
    """Say what a bundle holds, once every byte of it was held to its manifest."""
    with Bundle.opened(bundle) as opened:
        runs = opened.verify()
        manifest = opened.manifest
    if as_json:
        say(manifest.model_dump_json(indent=2))
        return 0
    size = sum(member.size_bytes for member in manifest.members)
    say(f"{bundle.name}: {len(runs)} runs of {manifest.project or 'a project'}, {size / 1e6:.1f} MB, whole")
    say(f"made with {manifest.made_with or 'an unknown program'} on {manifest.created:%Y-%m-%d}")
    for run in runs:
        words = [run.id, run.state.value, str(run.task or "?"), run.model, f"{len(run.results)} pictures"]
        words += ["★" * run.rating] if run.rating else []
        say("  " + "  ".join(words))
    for model in manifest.models:
        if model.digest is not None:
            say(f"needs the model {model.name} ({model.digest[:12]}…), which is not in it")
    return 0


def replay_command(bundle: Path, out: Path, factory: EngineFactory, *, as_json: bool) -> int:
    """Run the finished jobs of a bundle again and compare; 0 where every picture is the same, otherwise 1."""
    if not run_folder.is_free(out):
        raise JobError(f"{out}: is not empty; choose another folder for the new runs")
    with (
        tempfile.TemporaryDirectory(prefix="adstudio-") as scratch,
        Project.create(Path(scratch) / f"bundle{SUFFIX}") as project,
    ):
        taken = project.import_bundle(bundle)
        runs = [run for run in project.runs(taken.runs) if run.state is RunState.FINISHED]
        if not runs:
            raise ProjectError(f"{bundle}: has no finished run to be done again")
        report, stopped = _replayed(project, runs, out, factory)
    compared = [one for one in report if isinstance(one, Compared)]
    failed = [one for one in report if isinstance(one, NotRun)]
    content = {"pictures": [asdict(one) for one in compared], "not_run": [asdict(one) for one in failed]}
    text = json.dumps(content, ensure_ascii=False, indent=2)
    out.mkdir(parents=True, exist_ok=True)
    atomic_write_bytes(out / _REPORT, text.encode() + b"\n")
    if as_json:
        say(text)
    else:
        _tell_report(compared, failed)
    if stopped:
        return INTERRUPTED_STATUS
    return 0 if not failed and all(one.same for one in compared) else 1


def _replayed(
    project: Project, runs: list[Run], out: Path, factory: EngineFactory
) -> tuple[list[Compared | NotRun], bool]:
    report: list[Compared | NotRun] = []
    with EngineRoom(factory) as room:
        for number, run in enumerate(runs, start=1):
            tell(f"{number} of {len(runs)}: {run.id}")
            folder = out.absolute() / run.id
            try:
                job = project.job(run).model_copy(update={"digests": {}})
                last = room.follow(run_folder.create(job, folder))
            except AdStudioError as error:
                report.append(NotRun(run=run.id, reason=" ".join(str(error).split())))
                continue
            match last:
                case Finished():
                    report += _compared(project, run, folder)
                case Failed(reason=reason):
                    report.append(NotRun(run=run.id, reason=reason))
                case Cancelled():
                    return report, True
    return report, False


def _compared(project: Project, run: Run, folder: Path) -> list[Compared]:
    found: list[Compared] = []
    for result in run.results:
        theirs = load_image(project.object_path(result.object.digest)).pixels
        ours = load_image(folder / result.file).pixels
        if theirs.shape != ours.shape:
            found.append(Compared(run=run.id, file=result.file, same=False, largest=None, mean=None))
            continue
        difference = np.abs(theirs - ours) * _EIGHT_BIT
        largest, mean = float(difference.max()), float(difference.mean())
        found.append(Compared(run=run.id, file=result.file, same=largest == 0, largest=largest, mean=mean))
    return found


def _tell_report(compared: list[Compared], failed: list[NotRun]) -> None:
    for one in compared:
        if one.same:
            say(f"same     {one.run} {one.file}")
        elif one.largest is None:
            say(f"differs  {one.run} {one.file}: another size")
        else:
            say(f"differs  {one.run} {one.file}: at most {one.largest:.0f} of 255, {one.mean:.2f} on average")
    for other in failed:
        say(f"not run  {other.run}: {other.reason}")
    same = sum(one.same for one in compared)
    say(f"{same} of {len(compared)} pictures are the same, {len(failed)} runs could not be done")


def chosen_runs(project: Project, runs: str | None, board: str | None) -> tuple[str, ...]:
    """The runs that --runs or --board names, in that order. Raises ProjectError where one is not there."""
    if board is not None:
        known = {one.name: one for one in project.boards()}
        if board not in known:
            names = ", ".join(known) or "none"
            raise ProjectError(f"--board: the project has no board {board}; there are: {names}")
        return known[board].run_ids
    ids = tuple(one.strip() for one in (runs or "").split(",") if one.strip())
    there = set(project.run_ids(Query())) | set(project.run_ids(Query(trashed=True)))
    for one in ids:
        if not is_run_id(one) or one not in there:
            raise ProjectError(f"--runs: the project has no run {one}")
    return ids

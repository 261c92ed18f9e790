"""`adstudio sweep`: one job over the values of one or two of its fields, and a labelled grid of what came out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adstudio.commands.console import quoted, say, tell
from adstudio.commands.engine_room import INTERRUPTED_STATUS
from adstudio.commands.series import check_items, run_items, tell_summary
from adstudio.errors import EngineError, JobError
from adstudio.exports.grid import Cell, Header, write_grid
from adstudio.jobs.files import apply_settings, read_mapping
from adstudio.jobs.host import EngineFactory
from adstudio.jobs.job_lines import SourcedJob
from adstudio.jobs.series import Item, ItemState, Series, begin, read_items, read_plan
from adstudio.jobs.sweep import Axis, last_part, parse_axis, sweep_jobs

GRID_NAME = "grid.png"
_KIND = "sweep"


def sweep_command(
    job_file: Path | None,
    over: Sequence[str],
    out: Path,
    settings: Sequence[str],
    factory: EngineFactory,
    *,
    draft: bool = False,
    resume: bool = False,
    retry: bool = False,
) -> int:
    """Run a job with every combination of values into run folders below out and draw out/grid.png; the exit status.

    over: one or two times "field=a,b,c". resume, retry: as in `adstudio batch`.
    Raises AdStudioError before anything is written where a value or the job is wrong.
    """
    resume = resume or retry
    if job_file is None:
        if not resume or over or settings or draft:
            raise JobError("JOB.json: must be named (only --resume and --retry by themselves can do without)")
        axes, draft = _read_axes(out)
        stored = read_items(out, _KIND)
        jobs = tuple(SourcedJob(job=item.job, source=item.source, title=item.name) for item in stored)
    else:
        if not over:
            raise JobError("--over: must name a field and its values, for instance --over content_weight=0.1,0.25,0.5")
        axes = [parse_axis(text) for text in over]
        mapping = apply_settings(read_mapping(job_file), settings)
        jobs = sweep_jobs(mapping, job_file.absolute().parent, axes, draft=draft)
    named: list[dict[str, Any]] = [{"field": axis.field, "values": list(axis.values)} for axis in axes]
    series = begin(out, _KIND, jobs, resume=resume, details={"over": named, "draft": draft})
    wanted = {ItemState.OPEN, ItemState.FAILED} if retry else {ItemState.OPEN}
    todo = [item for item in series.items if series.standing(item).state in wanted]
    works = check_items(series, todo)
    again = f"adstudio sweep --out {quoted(out)}"
    grid = series.folder / GRID_NAME
    if todo or not grid.is_file():
        series.make_folder()
        series.write()
        went_through = run_items(series, todo, works, factory)
        series.write()
        _draw(series, axes, grid, draft=draft)
        if not went_through:
            tell(f"Cancelled. Go on with: {again} --resume")
            return INTERRUPTED_STATUS
    say(f"Grid: {grid}")
    return 0 if tell_summary(series, again=f"{again} --retry") else EngineError.exit_status


def _read_axes(out: Path) -> tuple[list[Axis], bool]:
    plan = read_plan(out, _KIND)
    try:
        axes = [Axis(field=str(one["field"]), values=tuple(map(str, one["values"]))) for one in plan["over"]]
        return axes, bool(plan["draft"])
    except (KeyError, TypeError) as error:
        raise JobError(f"{out / 'sweep.json'}: is damaged ({error!r}); begin anew in another folder") from error


def _draw(series: Series, axes: Sequence[Axis], grid: Path, *, draft: bool) -> None:
    headers = [Header(field=axis.field, values=tuple(map(last_part, axis.values))) for axis in axes]
    columns = len(axes[0].values)
    cells = [
        _cell(series, item, [header.values[place] for header, place in zip(headers, places, strict=False)], headers)
        for index, item in enumerate(series.items)
        for places in [(index % columns, index // columns)]
    ]
    job = series.items[0].job
    title = f"{job.task.value.replace('_', ' ').capitalize()}, {last_part(job.model)}{', draft' if draft else ''}"
    write_grid(grid, title, headers[0], headers[1] if len(headers) > 1 else None, cells)


def _cell(series: Series, item: Item, values: Sequence[str], headers: Sequence[Header]) -> Cell:
    caption = ", ".join(f"{header.field}={value}" for header, value in zip(headers, values, strict=True))
    standing = series.standing(item)
    if standing.state is ItemState.FINISHED:
        return Cell(caption=caption, picture=standing.results[0], note="The picture cannot be read")
    if standing.state is ItemState.FAILED:
        return Cell(caption=caption, note=f"Failed: {standing.reason}", failed=True)
    return Cell(caption=caption, note="Not made yet")

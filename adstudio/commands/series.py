"""Runs the jobs of a series one after another, going on after a failed one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from adstudio.commands.console import say, tell
from adstudio.commands.engine_room import EngineRoom
from adstudio.commands.whole import Whole
from adstudio.errors import AdStudioError, JobError, UnavailableError
from adstudio.jobs import run_folder
from adstudio.jobs.events import Event, Failed, Finished
from adstudio.jobs.files import load_job
from adstudio.jobs.host import EngineFactory, RunRequest
from adstudio.jobs.inputs import checked
from adstudio.jobs.series import Item, ItemState, Series
from adstudio.jobs.spec import Job


def check_items(series: Series, items: Sequence[Item], *, tolerated: Collection[str] = ()) -> dict[str, float]:
    """Check every job that is new to the series completely; how much work each is, by its name.

    What is wrong with others, and faults of the fields in `tolerated`, show in the job's turn: it fails, and the
    others go on. Raises AdStudioError naming where the job stands.
    """
    works: dict[str, float] = {}
    for item in items:
        stored = series.folder_of(item) / run_folder.JOB_NAME
        try:
            works[item.name] = _work(load_job(stored) if stored.is_file() else checked(item.job))
        except AdStudioError as error:
            if item.name not in series.accepted and getattr(error, "field", "") not in tolerated:
                raise type(error)(f"{item.source}: {error}") from error
            works[item.name] = 0.0
    return works


def run_items(series: Series, items: Sequence[Item], works: Mapping[str, float], factory: EngineFactory) -> bool:
    """Run these jobs of a series; False where Ctrl+C ended it. What becomes of each is noted as it happens."""
    whole = Whole(works)
    with EngineRoom(factory) as room:
        for number, item in enumerate(items, start=1):
            if room.stopped:
                return False
            tell(f"{number} of {len(items)}: {item.name}")
            whole.begin(item.name)
            last = _run_item(series, item, room, whole)
            match last:
                case Finished(results=results):
                    series.note(item, ItemState.FINISHED.value)
                    for path in results:
                        say(str(path))
                case Failed(reason=reason):
                    series.note(item, ItemState.FAILED.value, reason)
                    tell(f"{item.name} ({item.source}) failed: {reason}")
                case _:
                    series.note(item, "stopped")
                    return False
    return True


def tell_summary(series: Series, *, again: str) -> bool:
    """Say how the jobs of a series stand; whether all are finished. again: the command that tries failed ones again."""
    standings = [(item, series.standing(item)) for item in series.items]
    failed = [(item, standing.reason) for item, standing in standings if standing.state is ItemState.FAILED]
    finished = sum(standing.state is ItemState.FINISHED for _, standing in standings)
    words = f"{finished} of {len(standings)} jobs finished"
    tell(f"{words}, {len(failed)} failed:" if failed else words)
    for item, reason in failed:
        tell(f"  {item.name} ({item.source}): {reason}")
    if failed:
        tell(f"Try again what failed with: {again}")
    return finished == len(standings)


def _run_item(series: Series, item: Item, room: EngineRoom, whole: Whole) -> Event:
    folder = series.folder_of(item)
    was_there, was_free = folder.exists(), run_folder.is_free(folder)
    series.note(item, "started")
    try:
        request = _request(item, series)
    except AdStudioError as error:
        return Failed(reason=" ".join(str(error).split()), exit_status=error.exit_status)
    last = room.follow(request, whole=whole)
    refused = (JobError.exit_status, UnavailableError.exit_status)
    if isinstance(last, Failed) and was_free and last.exit_status in refused:
        run_folder.take_back(folder, keep_folder=was_there)
    return last


def _request(item: Item, series: Series) -> RunRequest:
    folder = series.folder_of(item)
    if (folder / run_folder.JOB_NAME).is_file():
        return run_folder.open_run(folder)
    return run_folder.create(item.job, folder, resume=not run_folder.is_free(folder))


def _work(job: Job) -> float:
    """Something that grows as the time a resolved job takes."""
    area = (job.width or 1) * (job.height or 1)
    return float(area * job.images * (job.num_inference_steps or 1) * (job.iterations or 1))

"""`adstudio batch`: many jobs, or one look over a folder of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adstudio.commands.console import quoted, tell
from adstudio.commands.engine_room import INTERRUPTED_STATUS
from adstudio.commands.series import check_items, run_items, tell_summary
from adstudio.errors import EngineError, JobError
from adstudio.jobs.host import EngineFactory
from adstudio.jobs.job_lines import SourcedJob, jobs_of_folder, read_job_lines
from adstudio.jobs.series import ItemState, begin, read_items

_KIND = "batch"


def batch_command(
    jobs_file: Path | None,
    out: Path,
    settings: Sequence[str],
    factory: EngineFactory,
    *,
    look: Path | None = None,
    pictures: Path | None = None,
    resume: bool = False,
    retry: bool = False,
) -> int:
    """Run the jobs of a file, or a look over a folder, each into its own run folder below out; the exit status.

    resume: go on with what is in out; it may then name no jobs. retry: the same, and failed ones are tried again.
    Raises AdStudioError before anything is written where a job is wrong.
    """
    resume = resume or retry
    jobs = _jobs(jobs_file, look, pictures, out, settings, resume=resume)
    series = begin(out, _KIND, jobs, resume=resume)
    wanted = {ItemState.OPEN, ItemState.FAILED} if retry else {ItemState.OPEN}
    todo = [item for item in series.items if series.standing(item).state in wanted]
    works = check_items(series, todo, tolerated=("content",) if look is not None else ())
    again = f"adstudio batch --out {quoted(out)}"
    if todo:
        series.make_folder()
        series.write()
        went_through = run_items(series, todo, works, factory)
        series.write()
        if not went_through:
            tell(f"Cancelled. Go on with: {again} --resume")
            return INTERRUPTED_STATUS
    return 0 if tell_summary(series, again=f"{again} --retry") else EngineError.exit_status


def _jobs(
    jobs_file: Path | None,
    look: Path | None,
    pictures: Path | None,
    out: Path,
    settings: Sequence[str],
    *,
    resume: bool,
) -> tuple[SourcedJob, ...]:
    if (look is None) != (pictures is None):
        raise JobError("--look and --folder: belong together: the look of a job over a folder of pictures")
    if look is not None and pictures is not None:
        if jobs_file is not None:
            raise JobError(f"{jobs_file}: leave it out, or leave out --look and --folder")
        return jobs_of_folder(look, pictures, settings)
    if jobs_file is not None:
        return read_job_lines(jobs_file, settings)
    if not resume:
        raise JobError("JOBS.jsonl: name a file with one job a line, or use --look JOB.json --folder PICTURES")
    if settings:
        raise JobError("--set: cannot change the jobs of a batch that is gone on with")
    stored = read_items(out, _KIND)
    return tuple(SourcedJob(job=item.job, source=item.source, title=item.name) for item in stored)

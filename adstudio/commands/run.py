"""`adstudio run`: one job from its file to its pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from adstudio.commands.console import quoted, say, tell
from adstudio.commands.engine_room import INTERRUPTED_STATUS, EngineRoom
from adstudio.errors import JobError, UnavailableError
from adstudio.jobs.events import Cancelled, Failed, Finished
from adstudio.jobs.files import apply_settings, parse_job, read_mapping
from adstudio.jobs.host import EngineFactory
from adstudio.settings import bytes_of


def run_command(
    job_file: Path,
    out: Path | None,
    settings: Sequence[str],
    factory: EngineFactory,
    *,
    resume: bool = False,
    memory_gb: float | None = None,
) -> int:
    """Run the job in a file into the folder out, which with resume defaults to the file's own; the exit status.

    memory_gb: what the run may take in all; None for what the settings say.

    Raises AdStudioError before anything is written where the job is wrong.
    """
    if memory_gb is not None and not (0 < memory_gb < math.inf):
        raise JobError(f"--memory: must be above 0, in gigabytes, got {memory_gb}")
    if out is None and not resume:
        raise JobError("--out: must name the folder for the results (only --resume can do without)")
    job = parse_job(apply_settings(read_mapping(job_file), settings), job_file.absolute().parent)
    folder = out if out is not None else job_file.absolute().parent

    from adstudio.jobs import run_folder  # reads pictures: not before the job itself is known to be sound

    was_there, was_free = folder.exists(), run_folder.is_free(folder)
    request = run_folder.create(job, folder, resume=resume)
    if run_folder.is_finished(folder):
        tell(f"{folder}: is already finished")
        return 0
    with EngineRoom(factory, memory_limit_bytes=bytes_of(memory_gb)) as room:
        last = room.follow(request)
    match last:
        case Finished(results=results):
            for path in results:
                say(str(path))
            return 0
        case Cancelled():
            tell(f"Cancelled. Go on with: adstudio run {quoted(folder / run_folder.JOB_NAME)} --resume")
            return INTERRUPTED_STATUS
        case Failed(reason=reason, exit_status=exit_status):
            if was_free and exit_status in (JobError.exit_status, UnavailableError.exit_status):
                run_folder.take_back(folder, keep_folder=was_there)
            tell(f"adstudio: {reason}")
            return exit_status
    return 1

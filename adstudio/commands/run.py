"""`adstudio run`: one job from its file to its pictures."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from adstudio.commands.console import ProgressLines, duration, say, tell
from adstudio.errors import JobError, UnavailableError
from adstudio.jobs.events import TERMINAL, Cancelled, Event, Failed, Finished, Started
from adstudio.jobs.files import apply_settings, parse_job, read_mapping
from adstudio.jobs.host import EngineFactory, RunId, RunRequest
from adstudio.jobs.thread_host import ThreadHost

INTERRUPTED_STATUS = 130
_HARD_STOP_S = 600.0


def run_command(
    job_file: Path, out: Path | None, settings: Sequence[str], factory: EngineFactory, *, resume: bool = False
) -> int:
    """Run the job in a file into the folder out, which with resume defaults to the file's own; the exit status.

    Raises AdStudioError before anything is written where the job is wrong.
    """
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
    last = follow_run(request, factory)
    match last:
        case Finished(results=results):
            for path in results:
                say(str(path))
            return 0
        case Cancelled():
            tell(f"Cancelled. Go on with: adstudio run {_quoted(folder / run_folder.JOB_NAME)} --resume")
            return INTERRUPTED_STATUS
        case Failed(reason=reason, exit_status=exit_status):
            if was_free and exit_status in (JobError.exit_status, UnavailableError.exit_status):
                run_folder.take_back(folder, keep_folder=was_there)
            tell(f"adstudio: {reason}")
            return exit_status
    return 1


def follow_run(request: RunRequest, factory: EngineFactory) -> Event:
    """Compute a run in the engine thread, showing its progress on stderr; its terminal event.

    Ctrl+C cancels it and waits for the engine to leave a checkpoint; a second one ends the program at once.
    """
    host = ThreadHost(factory)
    try:
        return asyncio.run(_follow(host, request))
    finally:
        host.shutdown_blocking(_HARD_STOP_S)


async def _follow(host: ThreadHost, request: RunRequest) -> Event:
    lines = ProgressLines(sys.stderr, images=request.job.images)
    run_id = host.submit(request)
    started_s = 0.0
    last: Event = Cancelled()
    with _cancelled_by_interrupt(host, run_id, lines):
        async for event in host.events(run_id):
            lines.show(event)
            last = event
            if isinstance(event, Started):
                started_s = event.time_s
            if isinstance(event, TERMINAL):
                break
        await host.shutdown()
    lines.close()
    if isinstance(last, Finished):
        tell(f"Done in {duration(last.time_s - started_s)}")
    return last


@contextmanager
def _cancelled_by_interrupt(host: ThreadHost, run_id: RunId, lines: ProgressLines) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    asked = False

    def give_up() -> None:
        lines.close()
        tell("Stopping; a second Ctrl+C stops at once")
        host.cancel(run_id)

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(INTERRUPTED_STATUS)
        asked = True
        loop.call_soon_threadsafe(give_up)

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.default_int_handler)


def _quoted(path: Path) -> str:
    text = str(path)
    return f'"{text}"' if " " in text else text

"""Who makes the pictures: the real engine at its public seam, G'MIC, and any script that is to be tried."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from adstudio.jobs import run_folder
from adstudio.jobs.choices import Device, Seamless, Task
from adstudio.jobs.events import TERMINAL, Event, Failed, Finished, Started
from adstudio.jobs.host import EngineFactory, RunRequest
from adstudio.jobs.spec import Job, Reference
from adstudio.jobs.thread_host import ThreadHost
from tests.benchmarks.cases import Case

_HARD_STOP_S = 600.0
_PATIENCE_S = 1800.0
_WARM_SIZE_PX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A picture that was made, or why not. seconds: None where they mean nothing."""

    result: Path | None = None
    seconds: float | None = None
    failure: str = ""


class Contestant(Protocol):
    """Makes the picture of a case below a folder of its own."""

    name: str

    def make(self, case: Case, folder: Path, size_px: int) -> Made: ...


class Ours:
    """The engine in its thread, as `adstudio run` has it, but kept warm. Used in a `with`; joined at its end."""

    name = "ours"

    def __init__(self, factory: EngineFactory, device: Device = Device.AUTO) -> None:
        self._host = ThreadHost(factory)
        self._device = device

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._host.shutdown_blocking(_HARD_STOP_S)

    def warm(self, case: Case, folder: Path) -> Made:
        """One small job, so that imports and compiled kernels are behind us."""
        return self.make(case, folder, _WARM_SIZE_PX)

    def make(self, case: Case, folder: Path, size_px: int, seamless: Seamless = Seamless.NONE) -> Made:
        """Run a job into a new run folder; seconds from Started to Finished."""
        task = Task.TEXTURE if case.content is None else Task.STYLE_TRANSFER
        job = Job(
            task=task,
            content=case.content,
            styles=(Reference(image=case.style),),
            width=size_px,
            height=size_px,
            seamless=seamless,
            device=self._device,
        )
        events = asyncio.run(self._follow(run_folder.create(job, folder)))
        started_s = next((event.time_s for event in events if isinstance(event, Started)), 0.0)
        match events[-1]:
            case Finished(results=results, time_s=finished_s):
                return Made(result=results[0], seconds=finished_s - started_s)
            case Failed(reason=reason):
                return Made(failure=reason)
        return Made(failure="the run was given up")

    async def _follow(self, request: RunRequest) -> list[Event]:
        events = []
        async for event in self._host.events(self._host.submit(request)):
            events.append(event)
            if isinstance(event, TERMINAL):
                break
        return events


class Gmic:
    """G'MIC's `stylize` and `syntexturize_matchpatch` as they come; seconds of the whole process.

    command: the program, with arguments that go before all others.
    """

    name = "peer"

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    @classmethod
    def found(cls) -> Gmic | None:
        """The one on PATH, or None."""
        program = shutil.which("gmic")
        return None if program is None else cls((program,))

    def version(self) -> str:
        """Such as "2.9.4"; empty where the program does not say."""
        said = subprocess.run([*self._command, "-h"], capture_output=True, timeout=_PATIENCE_S, check=False).stdout
        found = re.search(r"Version (\d+(?:\.\d+)*)", said.decode(errors="replace"))
        return found[1] if found else ""

    def make(self, case: Case, folder: Path, size_px: int) -> Made:
        if case.content is None:
            work = [str(case.style), "syntexturize_matchpatch", f"{size_px},{size_px}"]
        else:
            work = [str(case.content), str(case.style), "stylize[0]", "[1]", "keep[0]"]
        result = folder / "result.png"
        return _timed([*self._command, "-v", "0", *work, "-o", str(result)], result)


class Script:
    """A Python script called with CONTENT STYLE RESULT.png SIZE; does transfers only, and its time is not taken."""

    name = "prototype"

    def __init__(self, file: Path) -> None:
        self._file = file.absolute()

    def make(self, case: Case, folder: Path, size_px: int) -> Made:
        if case.content is None:
            return Made()
        result = folder / "result.png"
        made = _timed(
            [sys.executable, str(self._file), str(case.content), str(case.style), str(result), str(size_px)], result
        )
        return Made(result=made.result, failure=made.failure)


def _timed(command: Sequence[str], result: Path) -> Made:
    result.parent.mkdir(parents=True, exist_ok=True)
    began_s = time.perf_counter()
    try:
        ended = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Made(failure=str(error))
    seconds = time.perf_counter() - began_s
    if ended.returncode or not result.is_file():
        lines = ended.stderr.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no result was written")
        return Made(failure=f"exit status {ended.returncode}: {last}")
    return Made(result=result, seconds=seconds)

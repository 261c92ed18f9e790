"""The seam between those who want pictures and whatever computes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NewType, Protocol

from adstudio.jobs.events import Event
from adstudio.jobs.spec import Job

RunId = NewType("RunId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A job with the run folder it lives in (made by `adstudio.jobs.run_folder.create`).

    job: its image paths are absolute and point into `folder / "inputs"`.
    memory_limit_bytes: what the program may take in all (on a graphics card: what it takes there), None for what is
    free. resume: go on from the newest sound checkpoint in `folder / "checkpoints"`; with none, start over.
    """

    job: Job
    folder: Path
    resume: bool = False
    memory_limit_bytes: int | None = None


class RunControl(Protocol):
    """What the engine asks the host while it computes. Cheap enough for every tile; callable from any thread."""

    def interrupted(self) -> bool:
        """True once the run is cancelled or the host shuts down: return from the generator as soon as possible."""

    def pause_requested(self) -> bool:
        """True while a pause is wanted: long steps return early so that the loop can stop between rounds."""


class Engine(Protocol):
    """Computes jobs, one at a time, always in the thread that made it."""

    def run(self, request: RunRequest, control: RunControl) -> Iterator[Event]:
        """Yield LoadingModel, Started, Progress, Preview, Checkpointed, Notice and, last, Finished.

        Between two items the host may hold the generator (pause) or close it (cancel: GeneratorExit). When
        `control.interrupted()` turns true the generator simply ends without Finished; the host reports Cancelled.
        Results are on disk before Finished is yielded. Errors are raised as AdStudioError.
        """

    def warm(self) -> None:
        """Do slow one-time work (imports, compiled kernels) ahead of the first job. Idempotent."""

    def release(self) -> None:
        """Give back the memory of models and of what is kept for later jobs; the next job loads anew. Idempotent."""


EngineFactory = Callable[[], Engine]


class EngineHost(Protocol):
    """Runs jobs in order of submission, one at a time. Methods never block on computing."""

    def submit(self, request: RunRequest) -> RunId: ...

    def events(self, run_id: RunId) -> AsyncIterator[Event]:
        """All events of a run from the first on, ending after the terminal one.

        Previews may be dropped: the newest wins.         Raises KeyError for an unknown run.
        """

    def pause(self, run_id: RunId) -> None: ...

    def resume(self, run_id: RunId) -> None: ...

    def cancel(self, run_id: RunId) -> None:
        """Idempotent; a run that is over stays as it ended."""

    def warm(self) -> None:
        """Let the engine be imported and its kernels be made ready when nothing else is queued."""

    def release(self) -> None:
        """Let the engine give its memory back as soon as nothing computes, before the next queued run begins."""

    async def shutdown(self) -> None:
        """Cancel what runs and waits, then join the thread."""

"""Runs jobs: hands each to the engine of its model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from adstudio.engine.patch.run import PatchEngine
from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.jobs.events import Event
from adstudio.jobs.host import RunControl, RunRequest

if TYPE_CHECKING:
    from adstudio.engine.diffusion.engine import DiffusionEngine


class StudioEngine:
    """The engine behind every host; made and used in one thread. See `adstudio.jobs.host.Engine`."""

    def __init__(self, threads: int | None = None) -> None:
        """threads: for the CPU; None takes one for each core this process may use."""
        self._threads = threads
        self._patch = PatchEngine(threads)
        self._diffusion: DiffusionEngine | None = None

    def warm(self) -> None:
        """Load or compile the patch model's search ahead of the first job."""
        self._patch.warm()

    def release(self) -> None:
        """Let go of diffusion models and what is kept beside them in memory; the patch model keeps nothing large."""
        if self._diffusion is not None:
            self._diffusion.release()

    def run(self, request: RunRequest, control: RunControl) -> Iterator[Event]:
        """Compute one job; see `adstudio.jobs.host.Engine.run`. Raises UnavailableError where memory runs out."""
        if request.job.model == PATCH_MODEL:
            yield from self._patch.run(request, control)
        else:
            yield from self._diffusion_engine().run(request, control)

    def _diffusion_engine(self) -> DiffusionEngine:
        if self._diffusion is None:
            from adstudio.engine.diffusion.engine import DiffusionEngine  # diffusers takes seconds to import

            self._diffusion = DiffusionEngine(self._threads)
        return self._diffusion

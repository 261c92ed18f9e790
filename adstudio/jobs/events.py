"""What happens to a run, as frozen values without tensors.

Every event carries `time_s`, the seconds since the job was taken. The order for one run is
Queued, LoadingModel, Started, then any of Progress, Preview, Checkpointed, Paused, Resumed and Notice, then exactly
one of Finished, Cancelled and Failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:  # the command line answers sooner without numpy
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events. time_s: seconds since the job was taken, >= 0 (filled in by the host)."""

    type: ClassVar[str] = ""
    time_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued(Event):
    """The job is taken. position: how many jobs are before it."""

    type: ClassVar[str] = "queued"
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadingModel(Event):
    """The engine gets its model ready."""

    type: ClassVar[str] = "loading_model"
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Event):
    """The model is loaded and computing begins. device: "cpu", "cuda" or "mps".

    steps: as many as Progress counts, over all pictures of the job. prepared_s: seconds of computing that it took to
    know them; the host dates `time_s` back by these, so that it says when computing began.
    """

    type: ClassVar[str] = "started"
    device: str = "cpu"
    steps: int = 0
    prepared_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Event):
    """step of steps, over all pictures of the job; fraction in 0 … 1 follows the work, not the count of steps.

    image_index: 0-based picture of the job. remaining_s: forecast, None while unknown.
    label: what is being done, in words. loss: how far the picture is from its references, where that is known.
    """

    type: ClassVar[str] = "progress"
    step: int
    steps: int
    fraction: float
    image_index: int = 0
    remaining_s: float | None = None
    label: str = ""
    loss: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Preview(Event):
    """A small picture of the state of things.

    image: uint8 [height, width, 3], sRGB, long side at most 512; read-only.
    """

    type: ClassVar[str] = "preview"
    image: NDArray[np.uint8]
    step: int
    steps: int
    image_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpointed(Event):
    """The state after this step is safely on disk."""

    type: ClassVar[str] = "checkpointed"
    step: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused(Event):
    """Computing is held."""

    type: ClassVar[str] = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Event):
    """Computing goes on after a pause."""

    type: ClassVar[str] = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """Something the artist should know that does not stop the run (a mask snapped, an image made smaller)."""

    type: ClassVar[str] = "notice"
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Event):
    """results: the files, already safely on disk.

    figures: what the engine measured on the way, by name. The patch model measures nothing: the fidelity figures of a
    512² picture take a quarter of the time that the picture itself takes.
    """

    type: ClassVar[str] = "finished"
    results: tuple[Path, ...]
    figures: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(Event):
    """The run was given up on request."""

    type: ClassVar[str] = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """reason: one sentence for the artist. exit_status: what the command line returns."""

    type: ClassVar[str] = "failed"
    reason: str
    exit_status: int = 1


TERMINAL = (Finished, Cancelled, Failed)

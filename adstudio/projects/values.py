"""What a project holds, as frozen values: they cross threads, and the sidecars of the runs are made from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from adstudio.jobs.choices import Task

MAX_RATING = 5


def sound_text(text: str) -> str:
    """The text with what is no Unicode (names of files in an old encoding) replaced, so that it can be written."""
    return text.encode("utf-8", "replace").decode()


class RunState(StrEnum):
    """How a run stands. One that was going on when the program died is INTERRUPTED at the next opening."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    BROKEN = "broken"


RESUMABLE = frozenset({RunState.QUEUED, RunState.CANCELLED, RunState.FAILED, RunState.INTERRUPTED})


class Relation(StrEnum):
    """What a run took from an earlier one."""

    CONTENT = "content"
    STYLE = "style"
    OTHER_INPUT = "other_input"
    BRANCH = "branch"
    AGAIN = "again"


class Health(StrEnum):
    """What the last look at an object found. UNCHECKED: nobody has read it since it was written."""

    UNCHECKED = "unchecked"
    SOUND = "sound"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """A file of the project under its own digest. width, height: of the upright picture, None for other files."""

    digest: str
    size_bytes: int
    media_type: str
    width: int | None = None
    height: int | None = None
    health: Health = Health.UNCHECKED

    @property
    def usable(self) -> bool:
        """Whether it may be shown or computed with; otherwise a placeholder stands for it."""
        return self.health in (Health.UNCHECKED, Health.SOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInput:
    """A picture of a run's job.

    field: its dotted name in the job. name: what the artist's file was called. file: its path in the run's folder.
    """

    field: str
    name: str
    file: str
    object: StoredObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A picture that a run made. file: its name in the run's folder."""

    file: str
    object: StoredObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """An intermediate state that was kept.

    image_index: 0-based picture of the job. step: as Progress counts. picture, latents: at least one is there.
    pinned: the artist wants it; it is never thinned out. time_s: of its event, None where unknown.
    """

    image_index: int
    step: int
    picture: StoredObject | None = None
    latents: StoredObject | None = None
    pinned: bool = False
    time_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a run comes from. digest: of what it took, a result or a frame's picture or latents; "" for AGAIN."""

    relation: Relation
    parent_id: str
    digest: str = ""
    step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run with everything known about it; `Project.job` gives its job, `Project.folder_of` its folder.

    job_text: its job.json, paths relative to its folder. seconds: of computing. device: "" until computing began.
    versions: of AD Studio and the libraries that computed, by name. origin: digest of the folder it was taken in from.
    rating: 0 (none) … 5. trashed: when it was put into the trash, None while it is not there.
    """

    id: str
    state: RunState
    task: Task | None
    model: str
    created: datetime
    job_text: str
    prompt: str = ""
    seed: int = 0
    width: int | None = None
    height: int | None = None
    model_digest: str | None = None
    finished: datetime | None = None
    seconds: float | None = None
    device: str = ""
    reason: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    rating: int = 0
    favourite: bool = False
    notes: str = ""
    tags: tuple[str, ...] = ()
    trashed: datetime | None = None
    inputs: tuple[RunInput, ...] = ()
    results: tuple[RunResult, ...] = ()
    frames: tuple[Frame, ...] = ()
    lineage: tuple[Lineage, ...] = ()

    def inputs_and_results(self) -> tuple[tuple[str, str], ...]:
        """(file, digest) of every picture that went in or came out: two runs that agree in them are the same."""
        named = [(one.file, one.object.digest) for one in self.inputs]
        return tuple(named + [(one.file, one.object.digest) for one in self.results])

    @property
    def can_go_on(self) -> bool:
        """Whether it ended, or was cut off, before its pictures were made."""
        return self.state in RESUMABLE and self.task is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A collection of runs in the artist's order."""

    id: str
    name: str
    notes: str = ""
    run_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list of runs, without their frames. total: how many there are in all."""

    runs: tuple[Run, ...]
    total: int


class ReadOnlyReason(StrEnum):
    """Why a project was opened for reading only."""

    ASKED = "asked"
    NEWER = "newer"
    FOLDER = "folder"

"""What the artist has laid out: frozen values, so that an edit is a new value and undo is an old one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path

from PySide6.QtGui import QImage

from adstudio.jobs.spec import Task

ParameterValue = bool | int | float | str | None
_keys = count(1)


class SlotStatus(StrEnum):
    """Whether the picture of a slot can be used yet."""

    LOADING = "loading"
    READY = "ready"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPicture:
    """A picture in a slot.

    key: stays the same while the slot is edited, so that widgets find their slot again.
    name: shown to the artist; the file's name unless the picture came from elsewhere.
    weight: relative share among the style references, > 0.
    mask: label image beside it, or None. detail: size and colour space in words. error: why it is BROKEN.
    too_large: it is BROKEN for its size alone.
    """

    path: Path
    name: str
    key: int = field(default_factory=lambda: next(_keys))
    status: SlotStatus = SlotStatus.LOADING
    weight: float = 1.0
    mask: Path | None = None
    crop: tuple[int, int, int, int] | None = None
    detail: str = ""
    width_px: int = 0
    height_px: int = 0
    thumbnail: QImage | None = field(default=None, compare=False)
    error: str = ""
    too_large: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Task, model, pictures and the parameters that differ from their defaults.

    model: as a job names it. follows_content: text to image takes its structure from the content, too.
    """

    task: Task = Task.STYLE_TRANSFER
    model: str = "patch"
    content: SlotPicture | None = None
    follows_content: bool = False
    styles: tuple[SlotPicture, ...] = ()
    values: tuple[tuple[str, ParameterValue], ...] = ()

    @property
    def used_content(self) -> SlotPicture | None:
        """The content as far as the task uses it; it stays laid out for the other tasks."""
        if self.task is Task.TEXTURE or (self.task is Task.TEXT_TO_IMAGE and not self.follows_content):
            return None
        return self.content

    def value(self, name: str) -> ParameterValue:
        """A parameter the artist has changed; None where the default holds."""
        return dict(self.values).get(name)

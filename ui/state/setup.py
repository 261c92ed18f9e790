"""What the artist has laid out: frozen values, so that an edit is a new value and undo is an old one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from pathlib import Path

from PySide6.QtGui import QImage

from adstudio.jobs.spec import ControlKind, Task

ParameterValue = bool | int | float | str | None
NEEDS_CONTENT = (Task.STYLE_TRANSFER, Task.APPEARANCE_TRANSFER)
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
    mask: label image beside it, or None. protect: of a content, what of it stays (white), or None.
    detail: size and colour space in words. error: why it is BROKEN.
    too_large: it is BROKEN for its size alone.
    """

    path: Path
    name: str
    key: int = field(default_factory=lambda: next(_keys))
    status: SlotStatus = SlotStatus.LOADING
    weight: float = 1.0
    mask: Path | None = None
    protect: Path | None = None
    crop: tuple[int, int, int, int] | None = None
    detail: str = ""
    width_px: int = 0
    height_px: int = 0
    thumbnail: QImage | None = field(default=None, compare=False)
    error: str = ""
    too_large: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraChoice:
    """A LoRA file laid over the model. name: as a job calls it, in the library or by path."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlChoice:
    """A ControlNet that guided sampling follows.

    model: as a job calls it, in the library or by path; empty while none is chosen. picture: None for the content.
    """

    kind: ControlKind = ControlKind.CANNY
    model: str = ""
    scale: float = 1.0
    picture: SlotPicture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Task, model, pictures and the parameters that differ from their defaults.

    model: as a job names it. follows_content: text to image takes its structure from the content, too.
    layout: labels of the result's regions, where there is no content whose mask says them. start: what the result
    begins with, None for what is usual. control: None for none.
    LoRA files and control stay laid out for a model or method that cannot use them, and wait.
    """

    task: Task = Task.STYLE_TRANSFER
    model: str = "patch"
    content: SlotPicture | None = None
    follows_content: bool = False
    styles: tuple[SlotPicture, ...] = ()
    layout: SlotPicture | None = None
    start: SlotPicture | None = None
    loras: tuple[LoraChoice, ...] = ()
    control: ControlChoice | None = None
    values: tuple[tuple[str, ParameterValue], ...] = ()

    @property
    def used_content(self) -> SlotPicture | None:
        """The content as far as the task uses it; it stays laid out for the other tasks."""
        if self.task is Task.TEXTURE or (self.task is Task.TEXT_TO_IMAGE and not self.follows_content):
            return None
        return self.content

    @property
    def used_layout(self) -> SlotPicture | None:
        """The layout as far as it is used: not where a content gives the structure."""
        return self.layout if self.used_content is None and self.task not in NEEDS_CONTENT else None

    @property
    def slots(self) -> tuple[SlotPicture, ...]:
        """Every picture that is laid out, used or not."""
        beside = self.control.picture if self.control is not None else None
        return tuple(slot for slot in (self.content, *self.styles, self.layout, self.start, beside) if slot is not None)

    def mapped(self, change: Callable[[SlotPicture], SlotPicture]) -> Setup:
        """The same with every picture changed."""
        control = self.control
        if control is not None and control.picture is not None:
            control = replace(control, picture=change(control.picture))
        return replace(
            self,
            content=change(self.content) if self.content is not None else None,
            styles=tuple(change(style) for style in self.styles),
            layout=change(self.layout) if self.layout is not None else None,
            start=change(self.start) if self.start is not None else None,
            control=control,
        )

    def value(self, name: str) -> ParameterValue:
        """A parameter the artist has changed; None where the default holds."""
        return dict(self.values).get(name)

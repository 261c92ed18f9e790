"""The setup being edited: the one place that changes it, with undo, and the Job that comes out."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal

from adstudio.errors import JobError
from adstudio.jobs.spec import Job, Reference, Task
from ui.state.background import Background
from ui.state.setup import ParameterValue, Setup, SlotPicture, SlotStatus
from ui.state.slot_loading import Loaded, load_slot

MAX_STYLES = 16
LONG_SIDE_PX = 1024
_UNDO_STEPS = 100
_SEEDS = 10_000


class Session(QObject):
    """Signals say what to redraw; `changed` follows each of them."""

    task_changed = Signal()
    content_changed = Signal()
    styles_changed = Signal()
    values_changed = Signal()
    changed = Signal()
    undo_changed = Signal()

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._setup = Setup()
        self._undone: list[Setup] = []
        self._done: list[Setup] = []
        self._merge = ""
        self.seed_locked = True

    @property
    def setup(self) -> Setup:
        return self._setup

    # Edits

    def set_task(self, task: Task) -> None:
        """Another task; pictures and parameters stay, those that do not apply wait."""
        self._edit(replace(self._setup, task=task))

    def set_content(self, path: Path, *, name: str = "") -> None:
        self._edit(replace(self._setup, content=SlotPicture(path=path, name=name or path.name)))

    def clear_content(self) -> None:
        self._edit(replace(self._setup, content=None))

    def set_content_mask(self, mask: Path | None) -> None:
        """A label image that pairs regions of the content with those of the references."""
        if self._setup.content is not None:
            self._edit(replace(self._setup, content=replace(self._setup.content, mask=mask)))

    def add_styles(self, paths: Iterable[Path], *, name: str = "") -> None:
        """Append references; more than a job may have are left out."""
        room = MAX_STYLES - len(self._setup.styles)
        added = tuple(SlotPicture(path=path, name=name or path.name) for path in list(paths)[: max(room, 0)])
        if added:
            self._edit(replace(self._setup, styles=self._setup.styles + added))

    def set_styles(self, paths: Iterable[Path], *, name: str = "") -> None:
        """These references instead of the present ones."""
        added = tuple(SlotPicture(path=path, name=name or path.name) for path in list(paths)[:MAX_STYLES])
        self._edit(replace(self._setup, styles=added))

    def replace_style(self, key: int, path: Path, *, name: str = "") -> None:
        """Another picture in the same slot, with the same weight."""
        self._edit_style(
            key, lambda old: SlotPicture(path=path, name=name or path.name, key=old.key, weight=old.weight)
        )

    def remove_style(self, key: int) -> None:
        self._edit(replace(self._setup, styles=tuple(s for s in self._setup.styles if s.key != key)))

    def move_style(self, key: int, by: int) -> None:
        """Up (negative) or down in the list; stops at its ends."""
        styles = list(self._setup.styles)
        at = next((i for i, style in enumerate(styles) if style.key == key), None)
        if at is None:
            return
        target = max(0, min(len(styles) - 1, at + by))
        if target != at:
            styles.insert(target, styles.pop(at))
            self._edit(replace(self._setup, styles=tuple(styles)))

    def swap(self) -> None:
        """Content and first style change places."""
        content, styles = self._setup.content, self._setup.styles
        if content is not None and styles:
            first = replace(content, key=styles[0].key, weight=styles[0].weight)
            other = replace(styles[0], key=content.key, weight=content.weight)
            self._edit(replace(self._setup, content=other, styles=(first, *styles[1:])))

    def set_weight(self, key: int, weight: float) -> None:
        self._edit_style(key, lambda old: replace(old, weight=weight), merge=f"weight {key}")

    def set_style_mask(self, key: int, mask: Path | None) -> None:
        self._edit_style(key, lambda old: replace(old, mask=mask))

    def set_value(self, name: str, value: ParameterValue) -> None:
        """Change a parameter; None gives its default back."""
        values = dict(self._setup.values)
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
        self._edit(replace(self._setup, values=tuple(sorted(values.items()))), merge=f"value {name}")

    def set_seed_locked(self, locked: bool) -> None:
        """Locked: the same seed for every run; else each run takes a new one."""
        self.seed_locked = locked

    def expected_size(self) -> tuple[int, int]:
        """Width and height of the result in pixels; (0, 0) while the pictures are unknown."""
        setup = self._setup
        source = setup.content if setup.task is not Task.TEXTURE else next(iter(setup.styles), None)
        width, height = setup.value("width"), setup.value("height")
        wanted = (width if isinstance(width, int) else 0, height if isinstance(height, int) else 0)
        if all(wanted) or source is None or not source.width_px:
            return wanted if all(wanted) else (0, 0)
        aspect = source.width_px / source.height_px
        if wanted[0]:
            return wanted[0], max(1, round(wanted[0] / aspect))
        if wanted[1]:
            return max(1, round(wanted[1] * aspect)), wanted[1]
        shrink = min(1.0, LONG_SIDE_PX / max(source.width_px, source.height_px))
        return max(1, round(source.width_px * shrink)), max(1, round(source.height_px * shrink))

    def roll_seed(self) -> None:
        """Another seed."""
        self.set_value("seed", secrets.randbelow(_SEEDS))

    def restore(self, job: Job, names: Mapping[Path, str]) -> None:
        """Take over everything a job says. names: what its files were called when the artist chose them."""

        def slot(path: Path) -> SlotPicture:
            return SlotPicture(path=path, name=names.get(path, path.name))

        skipped = {"task", "model", "content", "styles", "content_mask", "digests", "color", "strength"}
        explicit = job.model_dump(mode="json", exclude_unset=True, exclude=skipped)
        values = {name: value for name, value in explicit.items() if isinstance(value, (bool, int, float, str))}
        content = replace(slot(job.content), mask=job.content_mask) if job.content else self._setup.content
        styles = tuple(
            replace(slot(style.image), weight=style.weight, mask=style.mask, crop=style.crop) for style in job.styles
        )
        self._edit(
            Setup(task=job.task, model=job.model, content=content, styles=styles, values=tuple(sorted(values.items())))
        )

    # Undo

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def undo(self) -> None:
        if self._done:
            self._undone.append(self._setup)
            self._show(self._done.pop())

    def redo(self) -> None:
        if self._undone:
            self._done.append(self._setup)
            self._show(self._undone.pop())

    # What comes out

    def problem(self) -> str:
        """Why this cannot be run yet, in words; empty when it can."""
        setup = self._setup
        if setup.task is Task.TEXT_TO_IMAGE and setup.model == "patch":
            return self.tr(
                "Text to image needs a diffusion model, and none is installed. The other tasks work at once."
            )
        needs_content = setup.task is not Task.TEXTURE
        slots = ((setup.content,) if needs_content and setup.content else ()) + setup.styles
        if needs_content and setup.content is None:
            return self.tr("Choose a content picture: drop it on the canvas, paste it or open it.")
        if not setup.styles:
            return self.tr("Add at least one style reference.")
        broken = next((slot for slot in slots if slot.status is SlotStatus.BROKEN), None)
        if broken is not None:
            return self.tr("{name} cannot be used. Replace or remove it.").format(name=broken.name)
        if any(slot.status is SlotStatus.LOADING for slot in slots):
            return self.tr("Reading the pictures …")
        return ""

    def job(self) -> Job:
        """The setup as a job with absolute paths. Raises JobError where `problem` would say something."""
        problem = self.problem()
        if problem:
            raise JobError(problem)
        setup = self._setup
        content = setup.content if setup.task is not Task.TEXTURE else None
        try:
            return Job(
                task=setup.task,
                model=setup.model,
                content=content.path if content else None,
                content_mask=content.mask if content else None,
                styles=tuple(
                    Reference(image=style.path, weight=style.weight, mask=style.mask, crop=style.crop)
                    for style in setup.styles
                ),
                **dict(setup.values),  # type: ignore[arg-type]
            )
        except ValidationError as problem_found:
            first = problem_found.errors()[0]
            field_name = ".".join(str(part) for part in first["loc"])
            raise JobError(f"{field_name}: {first['msg']}.", field=field_name) from problem_found

    # Inside

    def _edit_style(self, key: int, change: Callable[[SlotPicture], SlotPicture], *, merge: str = "") -> None:
        styles = tuple(change(style) if style.key == key else style for style in self._setup.styles)
        self._edit(replace(self._setup, styles=styles), merge=merge)

    def _edit(self, setup: Setup, *, merge: str = "") -> None:
        """One step of undo. Edits in a row with the same `merge` (a slider being dragged) are one step."""
        if setup == self._setup:
            return
        if not merge or merge != self._merge:
            self._done = [*self._done[-_UNDO_STEPS:], self._setup]
        self._merge = merge
        self._undone.clear()
        self._show(setup, keep_merge=True)

    def forget_undo(self) -> None:
        """What stands now is where undo ends (after the first pictures were filled in)."""
        self._done.clear()
        self._undone.clear()
        self._merge = ""
        self.undo_changed.emit()

    def _show(self, setup: Setup, *, keep_merge: bool = False) -> None:
        before, self._setup = self._setup, setup
        if not keep_merge:
            self._merge = ""
        if before.task is not setup.task:
            self.task_changed.emit()
        if before.content is not setup.content:
            self.content_changed.emit()
        if before.styles != setup.styles:
            self.styles_changed.emit()
        if before.values != setup.values:
            self.values_changed.emit()
        for slot in (setup.content, *setup.styles):
            if slot is not None and slot.status is SlotStatus.LOADING:
                self._load(slot)
        self.undo_changed.emit()
        self.changed.emit()

    def _load(self, slot: SlotPicture) -> None:
        """Have a picture read in the background; the slot says LOADING until then."""
        self._background.submit(
            lambda: load_slot(slot.path),
            lambda loaded: self._on_loaded(slot.path, loaded),
            lambda error: self._on_loaded(slot.path, Loaded(error=error)),
            key=f"slot {slot.key} {slot.path}",
        )

    def _on_loaded(self, path: Path, loaded: Loaded) -> None:
        """Fill in every slot with this path; not an edit, so undo does not see it."""

        def filled(slot: SlotPicture) -> SlotPicture:
            if slot.path != path or slot.status is not SlotStatus.LOADING:
                return slot
            return replace(
                slot,
                status=SlotStatus.BROKEN if loaded.error else SlotStatus.READY,
                detail=loaded.detail,
                width_px=loaded.width_px,
                height_px=loaded.height_px,
                thumbnail=loaded.thumbnail,
                error=loaded.error,
            )

        content = self._setup.content
        styles = tuple(filled(style) for style in self._setup.styles)
        new_content = filled(content) if content else None
        content_new, styles_new = new_content is not content, styles != self._setup.styles
        self._setup = replace(self._setup, content=new_content, styles=styles)
        if content_new:
            self.content_changed.emit()
        if styles_new:
            self.styles_changed.emit()
        if content_new or styles_new:
            self.changed.emit()

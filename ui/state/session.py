"""The setup being edited: the one place that changes it, with undo, and the Job that comes out."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from adstudio.errors import JobError
from adstudio.jobs.choices import Device
from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.jobs.parameters import Parameter
from adstudio.jobs.spec import Job, Task
from adstudio.models.description import ModelDescription
from ui.state.background import Background
from ui.state.beside import used_loras
from ui.state.beside_editor import BesideEditor
from ui.state.chosen_models import ChosenModels
from ui.state.hindrance import Hindrance, hindrance_of
from ui.state.model_choice import model_problem
from ui.state.model_library import ModelLibrary, can_do
from ui.state.setup import ParameterValue, Setup, SlotPicture, SlotStatus
from ui.state.setup_job import expected_size, job_of, parameters_of, setup_of
from ui.state.slot_loading import Loaded, filled, load_slot, unread

MAX_STYLES = 16
_UNDO_STEPS = 100
_SEEDS = 10_000
_DECIDE_METHOD = frozenset({"method", "width", "height", "seamless"})


class Session(QObject):
    """Signals say what to redraw; `changed` follows each of them. model_changed: or what is known of the model.

    stepped: an edit was made that undo takes back as a step of its own.
    beside: edits LoRA files and the ControlNet, for which beside_changed stands.
    """

    task_changed = Signal()
    model_changed = Signal()
    content_changed = Signal()
    styles_changed = Signal()
    values_changed = Signal()
    beside_changed = Signal()
    changed = Signal()
    undo_changed = Signal()
    stepped = Signal()

    def __init__(self, background: Background, models: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._models = models
        self.chosen = ChosenModels(models)
        self.beside = BesideEditor(self, models)
        self._setup = Setup()
        self._undone: list[Setup] = []
        self._done: list[Setup] = []
        self._merge = ""
        self.seed_locked = True
        self._device = Device.AUTO
        models.changed.connect(self._on_models)

    @property
    def setup(self) -> Setup:
        return self._setup

    def set_device(self, device: Device) -> None:
        """Where jobs are computed that name no device themselves."""
        if device is not self._device:
            self._device = device
            self.changed.emit()

    # Edits

    def set_task(
        self, task: Task, *, content: SlotPicture | None = None, styles: tuple[SlotPicture, ...] | None = None
    ) -> None:
        """Another task with the model last chosen for it; pictures and parameters stay, those that do not apply wait.

        content, styles: pictures that come with the task, in place of the present ones.
        """
        present = self._setup
        changed = replace(
            present,
            task=task,
            model=self.chosen.for_task(task),
            content=present.content if content is None else content,
            styles=present.styles if styles is None else styles,
        )
        self.edit(self.with_own_values(changed))

    def choose_model(self, model: str) -> None:
        """Another model for the present task, once it has been looked at; what is its own comes and goes with it."""
        if model != self._setup.model:
            self._models.meet(model, lambda: self._take_model(model))

    def _take_model(self, model: str) -> None:
        self.edit(self.with_own_values(replace(self._setup, model=model)))

    def _here(self, model: str) -> str:
        """A model whose parameters are known; the patch model in place of one that is not here."""
        entry = self._models.find(model) if model != PATCH_MODEL else None
        return model if entry is not None and can_do(entry) else PATCH_MODEL

    def set_content(self, path: Path, *, name: str = "") -> None:
        """Another content; text to image follows it from now on."""
        follows = self._setup.follows_content or self._setup.task is Task.TEXT_TO_IMAGE
        content = SlotPicture(path=path, name=name or path.name)
        self.edit(replace(self._setup, content=content, follows_content=follows))

    def clear_content(self) -> None:
        """No content; the other tasks keep it when text to image follows it no longer."""
        if self._setup.task is Task.TEXT_TO_IMAGE:
            self.edit(replace(self._setup, follows_content=False))
        else:
            self.edit(replace(self._setup, content=None))

    def set_content_mask(self, mask: Path | None) -> None:
        """A label image that pairs regions of the content with those of the references."""
        if self._setup.content is not None:
            self.edit(replace(self._setup, content=replace(self._setup.content, mask=mask)))

    def add_styles(self, paths: Iterable[Path], *, name: str = "") -> None:
        """Append references; more than a job may have are left out."""
        room = MAX_STYLES - len(self._setup.styles)
        added = tuple(SlotPicture(path=path, name=name or path.name) for path in list(paths)[: max(room, 0)])
        if added:
            self.edit(replace(self._setup, styles=self._setup.styles + added))

    def set_styles(self, paths: Iterable[Path], *, name: str = "") -> None:
        """These references instead of the present ones."""
        added = tuple(SlotPicture(path=path, name=name or path.name) for path in list(paths)[:MAX_STYLES])
        self.edit(replace(self._setup, styles=added))

    def replace_style(self, key: int, path: Path, *, name: str = "") -> None:
        """Another picture in the same slot, with the same weight."""
        self._edit_style(
            key, lambda old: SlotPicture(path=path, name=name or path.name, key=old.key, weight=old.weight)
        )

    def remove_style(self, key: int) -> None:
        self.edit(replace(self._setup, styles=tuple(s for s in self._setup.styles if s.key != key)))

    def move_style(self, key: int, by: int) -> None:
        """Up (negative) or down in the list; stops at its ends."""
        styles = list(self._setup.styles)
        at = next((i for i, style in enumerate(styles) if style.key == key), None)
        if at is None:
            return
        target = max(0, min(len(styles) - 1, at + by))
        if target != at:
            styles.insert(target, styles.pop(at))
            self.edit(replace(self._setup, styles=tuple(styles)))

    def swap(self) -> None:
        """Content and first style change places."""
        content, styles = self._setup.used_content, self._setup.styles
        if content is not None and styles:
            first = replace(content, key=styles[0].key, weight=styles[0].weight)
            other = replace(styles[0], key=content.key, weight=content.weight)
            self.edit(replace(self._setup, content=other, styles=(first, *styles[1:])))

    def set_weight(self, key: int, weight: float) -> None:
        self._edit_style(key, lambda old: replace(old, weight=weight), merge=f"weight {key}")

    def set_protect(self, mask: Path | None) -> None:
        """A picture that is white where the content's own pixels stay."""
        if self._setup.content is not None:
            self.edit(replace(self._setup, content=replace(self._setup.content, protect=mask)))

    def set_layout(self, path: Path | None, *, name: str = "") -> None:
        """Labels of the result's regions, where no content gives the structure."""
        slot = SlotPicture(path=path, name=name or path.name) if path is not None else None
        self.edit(replace(self._setup, layout=slot))

    def set_start(self, path: Path | None, *, name: str = "") -> None:
        """What the result begins with; None for what is usual."""
        slot = SlotPicture(path=path, name=name or path.name) if path is not None else None
        self.edit(replace(self._setup, start=slot))

    def set_style_mask(self, key: int, mask: Path | None) -> None:
        self._edit_style(key, lambda old: replace(old, mask=mask))

    def set_value(self, name: str, value: ParameterValue) -> None:
        """Change a parameter; None gives its default back."""
        values = dict(self._setup.values)
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
        changed = replace(self._setup, values=tuple(sorted(values.items())))
        changed = self.with_own_values(changed) if name in _DECIDE_METHOD else changed
        self.edit(changed, merge=f"value {name}")

    def with_own_values(self, setup: Setup) -> Setup:
        """A changed setup with the settings of its model and method, where these are others now."""
        before = parameters_of(self._setup, self._here(self._setup.model))
        after = parameters_of(setup, self._here(setup.model))
        return replace(setup, values=self.chosen.carry(self._setup, before, setup, after))

    def set_seed_locked(self, locked: bool) -> None:
        """Locked: the same seed for every run; else each run takes a new one."""
        self.seed_locked = locked

    def expected_size(self) -> tuple[int, int]:
        """Width and height of the result in pixels; (0, 0) while the pictures are unknown."""
        return expected_size(self._setup, self.model())

    def model(self) -> ModelDescription | None:
        """What is known of the chosen model; None for the patch model and one that is not here."""
        entry = self._models.find(self._setup.model) if self._setup.model != PATCH_MODEL else None
        return entry.model if entry is not None and can_do(entry) else None

    def parameters(self) -> tuple[Parameter, ...]:
        """What can be set for what is laid out."""
        return parameters_of(self._setup, self._here(self._setup.model))

    def roll_seed(self) -> None:
        """Another seed."""
        self.set_value("seed", secrets.randbelow(_SEEDS))

    def restore(self, job: Job, names: Mapping[Path, str]) -> None:
        """Take over everything a job says. names: what its files were called when the artist chose them.

        Its model and what goes with it should have been looked at (`ModelLibrary.meet`).
        """
        model = self._models.called(job.model) if job.model != PATCH_MODEL else job.model
        is_here = self._here(model) == model
        self.edit(setup_of(job, names, self._setup, model=model, is_here=is_here, called=self._models.called))

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
        found = self.hindrance()
        return found.text if found is not None else ""

    def model_problem(self) -> str:
        """Why the model cannot be used for this task, in words; empty where it can."""
        return model_problem(self._setup.task, self._setup.model, self._models)

    def hindrance(self) -> Hindrance | None:
        """The same with the place where something is missing; None when it can be run."""
        return hindrance_of(self._setup, self.model_problem(), self.model(), self._models)

    def job(self) -> Job:
        """The setup as a job with absolute paths. Raises JobError where `problem` would say something."""
        problem = self.problem()
        if problem:
            raise JobError(problem)
        model = self.model()
        job = job_of(self._setup, model, used_loras(self._setup, model, self._models))
        return job.model_copy(update={"device": self._device}) if job.device is Device.AUTO else job

    # Inside

    def _edit_style(self, key: int, change: Callable[[SlotPicture], SlotPicture], *, merge: str = "") -> None:
        styles = tuple(change(style) if style.key == key else style for style in self._setup.styles)
        self.edit(replace(self._setup, styles=styles), merge=merge)

    def edit(self, setup: Setup, *, merge: str = "") -> None:
        """One step of undo. Edits in a row with the same `merge` (a slider being dragged) are one step."""
        if setup == self._setup:
            return
        if not merge or merge != self._merge:
            self._done = [*self._done[-_UNDO_STEPS:], self._setup]
            self.stepped.emit()
        self._merge = merge
        self._undone.clear()
        self._show(setup, keep_merge=True)

    def bring_back(self, setup: Setup) -> None:
        """Lay out what was laid out before; no edit, and where undo ends. A model that is not here is waited for."""
        self._models.meet(setup.model, lambda: self._show(setup))
        self.forget_undo()

    def end_merge(self) -> None:
        """The next edit is a step of its own: something else was edited in between."""
        self._merge = ""

    def forget_undo(self) -> None:
        """What stands now is where undo ends (after the first pictures were filled in)."""
        self._done.clear()
        self._undone.clear()
        self._merge = ""
        self.undo_changed.emit()

    def _show(self, setup: Setup, *, keep_merge: bool = False) -> None:
        before, self._setup = self._setup, setup
        self.chosen.remember(setup.task, setup.model)
        if not keep_merge:
            self._merge = ""
        if before.task is not setup.task:
            self.task_changed.emit()
        if before.model != setup.model:
            self.model_changed.emit()
        self._tell_slots(before, setup)
        if before.values != setup.values:
            self.values_changed.emit()
        for slot in setup.slots:
            if slot.status is SlotStatus.LOADING:
                self._load(slot)
        self.undo_changed.emit()
        self.changed.emit()

    def _on_models(self) -> None:
        """Others are installed: what was chosen may be gone or back, and text to image may find its first model."""
        model = self.chosen.for_task(self._setup.task)
        if model != self._setup.model:
            self._setup = replace(self._setup, model=model)  # not an edit, so undo does not see it
        self.model_changed.emit()
        self.changed.emit()

    def look_again(self) -> None:
        """Read every picture once more: a file may have gone or changed since it was laid out."""
        self._show(unread(self._setup))

    def _load(self, slot: SlotPicture) -> None:
        """Have a picture read in the background; the slot says LOADING until then."""
        self._background.submit(
            lambda: load_slot(slot.path),
            lambda loaded: self._on_loaded(slot.path, loaded),
            lambda error: self._on_loaded(slot.path, Loaded(error=error)),
            key=f"slot {slot.key} {slot.path}",
        )

    def _on_loaded(self, path: Path, loaded: Loaded) -> None:
        """Not an edit, so undo does not see it."""
        before, self._setup = self._setup, filled(self._setup, path, loaded)
        if self._tell_slots(before, self._setup):
            self.changed.emit()

    def _tell_slots(self, before: Setup, setup: Setup) -> bool:
        """Signal which pictures are others; whether any is."""
        told = False
        for signal, differs in (
            (self.content_changed, before.content != setup.content or before.used_content != setup.used_content),
            (
                self.styles_changed,
                (before.styles, before.layout, before.start) != (setup.styles, setup.layout, setup.start),
            ),
            (self.beside_changed, (before.loras, before.control) != (setup.loras, setup.control)),
        ):
            if differs:
                signal.emit()
                told = True
        return told

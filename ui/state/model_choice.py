"""Which models a task can be given, and what is wrong with the one that is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from adstudio.jobs.choices import Task
from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.models.find import is_model_path
from adstudio.models.library import Entry, Health
from adstudio.models.library_file import Kind
from ui.state.model_library import ModelLibrary
from ui.state.model_words import badge, family_word, health_word, patch_name, size_words, tasks_of, told
from ui.state.words import short_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOption:
    """One line of the picker. model: as in a job. reason: why it cannot be chosen, empty where it can."""

    model: str
    name: str
    detail: str
    reason: str = ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Models", text)


def options_for(task: Task, models: ModelLibrary, current: str) -> tuple[ModelOption, ...]:
    """The patch model, then every installed model; the chosen one also where it is not installed (any more)."""
    patch_reason = _tr("Makes no pictures from words.") if task is Task.TEXT_TO_IMAGE else ""
    options = [ModelOption(model=PATCH_MODEL, name=patch_name(), detail=_tr("built in"), reason=patch_reason)]
    options += [
        ModelOption(model=one.name, name=one.name, detail=_detail(one), reason=problem_with(task, one, current=""))
        for one in models.entries
        if one.kind is Kind.MODEL
    ]
    if current != PATCH_MODEL and models.loaded:
        entry = models.find(current)
        if entry is None or all(option.model != entry.name for option in options):
            options.append(
                ModelOption(
                    model=current,
                    name=model_name(current),
                    detail=_detail(entry) if entry is not None else _tr("not installed"),
                    reason=model_problem(task, current, models),
                )
            )
    return tuple(options)


def _detail(entry: Entry) -> str:
    if entry.health is not Health.READY:
        return health_word(entry.health).lower()
    return f"{badge(entry)} · {size_words(entry.size_bytes)}"


def problem_with(task: Task, entry: Entry, *, current: str) -> str:
    """Why an installed model cannot do a task now; empty where it can. current: how the job calls it, for the words."""
    name = short_name(current or entry.name)
    if entry.kind is Kind.LORA:
        return _tr("{name} is a LoRA file: changes to a model, and no model itself.").format(name=name)
    if entry.kind is Kind.CONTROL:
        return _tr("{name} is a ControlNet: it steers a model, and is no model itself.").format(name=name)
    match entry.health:
        case Health.OFFLINE:
            return _tr("{name} is offline: {path} is not there. Plug its drive in, or choose another model.").format(
                name=name, path=entry.path
            )
        case Health.UNUSABLE | Health.INCOMPLETE:
            return told(entry.problem, entry.path)
    if task not in tasks_of(entry):
        return _tr(
            "{name} cannot read words: its vocabulary is not on this machine. The model page can fetch it; a whole "
            "diffusers folder of {family} brings it, too."
        ).format(name=name, family=family_word(entry.family))
    return ""


def model_problem(task: Task, model: str, models: ModelLibrary) -> str:
    """Why a task cannot be run with a model, in words; empty where it can."""
    if model == PATCH_MODEL:
        if task is not Task.TEXT_TO_IMAGE:
            return ""
        if any(entry.kind is Kind.MODEL for entry in models.entries):
            return _tr("Text to image needs a diffusion model, and none that is installed can be used for it now.")
        return _tr("Text to image needs a diffusion model, and none is installed. The other tasks work at once.")
    if not models.loaded:
        return _tr("Looking for the installed models …")
    entry = models.find(model)
    if entry is None:
        return _tr("{name} is not installed. Add it again, or choose another model.").format(
            name=short_name(model_name(model))
        )
    return problem_with(task, entry, current=model_name(model))


def default_model(task: Task, models: ModelLibrary) -> str:
    """What a task begins with: the patch model, for text to image the first model that can do it."""
    if task is Task.TEXT_TO_IMAGE:
        for entry in models.entries:
            if not problem_with(task, entry, current=""):
                return entry.name
    return PATCH_MODEL


def model_name(model: str) -> str:
    """What the window calls a model of a job: a path by its last part."""
    if model == PATCH_MODEL:
        return patch_name()
    if not is_model_path(model):
        return model
    path = Path(model)
    return path.stem if path.suffix.lower() == ".safetensors" else path.name

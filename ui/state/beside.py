"""What goes with the chosen model: which LoRA files and which ControlNet are used now, which wait, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from adstudio.jobs.choices import ControlKind, Method
from adstudio.jobs.diffusion_defaults import methods_of
from adstudio.models.description import ModelDescription
from adstudio.models.families import Family
from adstudio.models.find import is_model_path
from adstudio.models.library import Entry, Health
from adstudio.models.library_file import Kind
from ui.state.model_library import ModelLibrary
from ui.state.model_words import family_word, told
from ui.state.setup import ControlChoice, LoraChoice, Setup, SlotPicture
from ui.state.words import short_name

READY_MADE = frozenset({ControlKind.DEPTH, ControlKind.POSE})
_STEERED = frozenset({Family.SD15, Family.SD2, Family.SDXL})
_Named = tuple[LoraChoice, ...]


class Fit(StrEnum):
    """USED: goes into the job. WAITS: for a model or method that takes it. MISSING: hinders the run."""

    USED = "used"
    WAITS = "waits"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraState:
    """One LoRA file of the setup. title: what it is called. words: why it is not used, empty where it is."""

    choice: LoraChoice
    title: str
    fit: Fit
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlState:
    """The control of the setup. words: why it is not used, empty where it is."""

    fit: Fit
    words: str = ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Beside", text)


def name_of(called: str) -> str:
    """What a LoRA file or ControlNet is called: a path by its last part."""
    if not is_model_path(called):
        return called
    path = Path(called)
    return path.stem if path.suffix.lower() == ".safetensors" else path.name


def offered(kind: Kind, model: ModelDescription | None, models: ModelLibrary) -> tuple[Entry, ...]:
    """What of a kind is installed, can be used and fits the model."""
    if model is None:
        return ()
    return tuple(
        entry
        for entry in models.entries
        if entry.kind is kind and entry.health is Health.READY and entry.family in (model.family, None)
    )


def loras_in(setup: Setup, model: ModelDescription | None, models: ModelLibrary) -> tuple[LoraState, ...]:
    """Every LoRA file of the setup. model: None for the patch model."""
    return tuple(_lora(choice, model, models) for choice in setup.loras)


def misfit(kind: Kind, called: str, model: ModelDescription, models: ModelLibrary) -> str:
    """Why something that is installed does not go with a model, in words; empty where it does, as far as is known."""
    entry = models.find(called)
    if entry is None or entry.family in (model.family, None):
        return ""
    words = _tr("{name} is made for {theirs}, and {model} is {ours}.")
    if kind is Kind.CONTROL:
        words = _tr("{name} is a ControlNet for {theirs}, and {model} is {ours}.")
    return words.format(
        name=short_name(name_of(called)),
        theirs=family_word(entry.family),
        model=short_name(model.name),
        ours=family_word(model.family),
    )


def _lora(choice: LoraChoice, model: ModelDescription | None, models: ModelLibrary) -> LoraState:
    title = name_of(choice.name)
    if model is None:
        return LoraState(choice=choice, title=title, fit=Fit.WAITS, words=_tr("Waits for a diffusion model."))
    problem = _absent(Kind.LORA, choice.name, models)
    if problem:
        return LoraState(choice=choice, title=title, fit=Fit.MISSING, words=problem)
    entry = models.find(choice.name)
    if misfit(Kind.LORA, choice.name, model, models):
        words = _tr("Waits for {family}; not used with this model.")
        words = words.format(family=family_word(entry.family if entry is not None else None))
        return LoraState(choice=choice, title=title, fit=Fit.WAITS, words=words)
    return LoraState(choice=choice, title=title, fit=Fit.USED)


def _absent(kind: Kind, called: str, models: ModelLibrary) -> str:
    """Why something cannot be used at all, in words; empty where it can."""
    name = short_name(name_of(called))
    if not models.loaded:
        return _tr("Looking for the installed models …")
    entry = models.find(called)
    if entry is None:
        way_out = _tr("{name} is not installed. Add it again, or remove it.")
        if kind is Kind.CONTROL:
            way_out = _tr("{name} is not installed. Add it again, or choose another one.")
        return way_out.format(name=name)
    if entry.health is Health.OFFLINE:
        return _tr("{name} is not there. Plug its drive in, or do without it.").format(name=name)
    if entry.health is not Health.READY:
        return told(entry.problem, entry.path)
    if entry.kind is not kind:
        word = _tr("{name} is no LoRA file.") if kind is Kind.LORA else _tr("{name} is no ControlNet.")
        return word.format(name=name)
    return ""


def chosen_method(setup: Setup) -> Method | None:
    """The method that the artist chose, where the task has it."""
    wanted = setup.value("method")
    return next((method for method in methods_of(setup.task) if method.value == wanted), None)


def can_control(model: ModelDescription | None) -> bool:
    """Whether there are ControlNets for a model."""
    return model is not None and model.family in _STEERED


def controlled(setup: Setup, model: ModelDescription | None) -> bool:
    """Whether the control takes part: with guided sampling, which it asks for where no other method is chosen."""
    return setup.control is not None and can_control(model) and chosen_method(setup) in (None, Method.SAMPLE)


def picture_of(setup: Setup) -> SlotPicture | None:
    """The picture that the control is made from: its own, or the content where that can be."""
    control = setup.control
    if control is None:
        return None
    if control.picture is not None or control.kind in READY_MADE:
        return control.picture
    return setup.used_content


def control_in(setup: Setup, model: ModelDescription | None, models: ModelLibrary) -> ControlState | None:
    """The control of the setup, None where there is none. model: None for the patch model."""
    control = setup.control
    if control is None:
        return None
    if not can_control(model):
        return ControlState(fit=Fit.WAITS, words=_tr("Waits for Stable Diffusion 1.5, 2.x or XL."))
    if not controlled(setup, model):
        return ControlState(fit=Fit.WAITS, words=_tr("Waits for guided sampling, the only method that follows it."))
    words = _control_problem(control, setup, model, models) if model is not None else ""
    return ControlState(fit=Fit.MISSING if words else Fit.USED, words=words)


def _control_problem(control: ControlChoice, setup: Setup, model: ModelDescription, models: ModelLibrary) -> str:
    if not control.model:
        return _tr("Choose the ControlNet, or follow nothing.")
    absent = _absent(Kind.CONTROL, control.model, models)
    if absent:
        return absent
    foreign = misfit(Kind.CONTROL, control.model, model, models)
    if foreign:
        return _tr("{why} Choose another one, or follow nothing.").format(why=foreign)
    if picture_of(setup) is not None:
        return ""
    words = {ControlKind.DEPTH: _tr("Open the depth map."), ControlKind.POSE: _tr("Open the picture of the pose.")}
    return words.get(control.kind, _tr("Open a picture to follow."))


def used_loras(setup: Setup, model: ModelDescription | None, models: ModelLibrary) -> _Named:
    """The LoRA files that go into the job."""
    return tuple(state.choice for state in loras_in(setup, model, models) if state.fit is Fit.USED)


def used_control(setup: Setup, model: ModelDescription | None) -> ControlChoice | None:
    """The control that goes into the job."""
    return setup.control if controlled(setup, model) else None

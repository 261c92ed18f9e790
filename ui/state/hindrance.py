"""What still hinders a run of what is laid out, and where to say so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QCoreApplication

from adstudio.jobs.choices import Task
from adstudio.models.description import ModelDescription
from ui.state.beside import Fit, control_in, loras_in, used_control
from ui.state.model_library import ModelLibrary
from ui.state.setup import NEEDS_CONTENT, Setup, SlotPicture, SlotStatus
from ui.state.words import content_word, short_name


class Place(StrEnum):
    """Where something is missing: beside slots of the references panel, or among the parameters."""

    CONTENT = "content"
    STYLES = "styles"
    LAYOUT = "layout"
    LORAS = "loras"
    CONTROL = "control"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Why a setup cannot be run yet. place: where to say so; None where the slots say it themselves."""

    text: str
    place: Place | None = None


def _tr(text: str) -> str:
    return QCoreApplication.translate("Session", text)


def hindrance_of(
    setup: Setup, model_problem: str, model: ModelDescription | None, models: ModelLibrary
) -> Hindrance | None:
    """The first thing that hinders a run; None when nothing does.

    model_problem: why the model cannot be used. model: None for the patch model.
    """
    if model_problem:
        return Hindrance(text=model_problem)
    content = setup.used_content
    if content is None and setup.task in NEEDS_CONTENT:
        words = _tr("Choose a {content} picture: drop it on the canvas, paste it or open it.")
        return Hindrance(text=words.format(content=content_word(setup.task).lower()), place=Place.CONTENT)
    if not setup.styles:
        words = _tr("Add at least one reference: drop it, paste it, or click one in the library.")
        if setup.task is Task.TEXTURE:
            words = _tr("Add the texture to make more of: drop it on the canvas, paste it or open it.")
        return Hindrance(text=words, place=Place.STYLES)
    return (
        _slot_hindrance(_used_slots(setup, model)) or _mask_hindrance(setup) or _beside_hindrance(setup, model, models)
    )


def _used_slots(setup: Setup, model: ModelDescription | None) -> tuple[SlotPicture, ...]:
    control = used_control(setup, model)
    beside = control.picture if control is not None else None
    return tuple(slot for slot in (setup.used_content, *setup.styles, setup.used_layout, beside) if slot is not None)


def _slot_hindrance(slots: tuple[SlotPicture, ...]) -> Hindrance | None:
    broken = next((slot for slot in slots if slot.status is SlotStatus.BROKEN), None)
    if broken is not None:
        name = short_name(broken.name)
        return Hindrance(text=_tr("{name} cannot be used. Replace or remove it.").format(name=name))
    if any(slot.status is SlotStatus.LOADING for slot in slots):
        return Hindrance(text=_tr("Reading the pictures …"))
    return None


def _mask_hindrance(setup: Setup) -> Hindrance | None:
    content = setup.used_content
    masked = next((style for style in setup.styles if style.mask is not None), None)
    if content is None:
        if setup.used_layout is None or masked is not None:
            return None
        words = _tr("The layout pairs with masks, and no reference has one. Give one to a reference, or remove it.")
        return Hindrance(text=words, place=Place.LAYOUT)
    if (content.mask is None) == (masked is None):
        return None
    word = content_word(setup.task).lower()
    if masked is None:
        words = _tr("The {content} has a mask, no reference has. Give one to a reference too, or remove it.")
        return Hindrance(text=words.format(content=word), place=Place.STYLES)
    words = _tr("{name} has a mask, the {content} has none. Give one to the {content} too, or remove it.")
    return Hindrance(text=words.format(name=short_name(masked.name), content=word), place=Place.CONTENT)


def _beside_hindrance(setup: Setup, model: ModelDescription | None, models: ModelLibrary) -> Hindrance | None:
    missing = next((state for state in loras_in(setup, model, models) if state.fit is Fit.MISSING), None)
    if missing is not None:
        return Hindrance(text=missing.words, place=Place.LORAS)
    control = control_in(setup, model, models)
    if control is not None and control.fit is Fit.MISSING:
        return Hindrance(text=control.words, place=Place.CONTROL)
    return None

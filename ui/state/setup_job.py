"""Between what is laid out and a job: what still hinders a run, the job itself, and the way back from a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError
from PySide6.QtCore import QCoreApplication

from adstudio.errors import JobError
from adstudio.jobs.defaults import PATCH_NATIVE_SIDE_PX
from adstudio.jobs.diffusion_defaults import diffusion_size
from adstudio.jobs.parameters import Parameter, parameters_for
from adstudio.jobs.spec import Job, Reference, Task
from adstudio.models.description import ModelDescription
from ui.state.setup import ParameterValue, Setup, SlotPicture, SlotStatus
from ui.state.words import content_word, short_name

NEEDS_CONTENT = (Task.STYLE_TRANSFER, Task.APPEARANCE_TRANSFER)
_ABOUT_CONTENT = frozenset({"content_weight", "denoising_strength", "color", "strength"})


class Place(StrEnum):
    """Where in the references panel something is missing."""

    CONTENT = "content"
    STYLES = "styles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Why a setup cannot be run yet. place: beside which slots to say so; None where they say it themselves."""

    text: str
    place: Place | None = None


def _tr(text: str) -> str:
    return QCoreApplication.translate("Session", text)


def hindrance_of(setup: Setup, model_problem: str) -> Hindrance | None:
    """The first thing that hinders a run; None when nothing does. model_problem: why the model cannot be used."""
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
    slots = (*((content,) if content is not None else ()), *setup.styles)
    broken = next((slot for slot in slots if slot.status is SlotStatus.BROKEN), None)
    if broken is not None:
        name = short_name(broken.name)
        return Hindrance(text=_tr("{name} cannot be used. Replace or remove it.").format(name=name))
    if any(slot.status is SlotStatus.LOADING for slot in slots):
        return Hindrance(text=_tr("Reading the pictures …"))
    return _mask_hindrance(content, setup)


def _mask_hindrance(content: SlotPicture | None, setup: Setup) -> Hindrance | None:
    masked = next((style for style in setup.styles if style.mask is not None), None)
    if content is None or (content.mask is None) == (masked is None):
        return None
    word = content_word(setup.task).lower()
    if masked is None:
        words = _tr("The {content} has a mask, no reference has. Give one to a reference too, or remove it.")
        return Hindrance(text=words.format(content=word), place=Place.STYLES)
    words = _tr("{name} has a mask, the {content} has none. Give one to the {content} too, or remove it.")
    return Hindrance(text=words.format(name=short_name(masked.name), content=word), place=Place.CONTENT)


def expected_size(setup: Setup, model: ModelDescription | None) -> tuple[int, int]:
    """Width and height of the result in pixels; (0, 0) while unknown. model: None for the patch model."""
    source = setup.used_content if setup.task is not Task.TEXTURE else next(iter(setup.styles), None)
    width, height = setup.value("width"), setup.value("height")
    if model is not None:
        return _diffusion_size(setup, model, source)
    wanted = (width if isinstance(width, int) else 0, height if isinstance(height, int) else 0)
    if all(wanted):
        return wanted
    if source is None or not source.width_px:
        return (0, 0)
    aspect = source.width_px / source.height_px
    if wanted[0]:
        return wanted[0], max(1, round(wanted[0] / aspect))
    if wanted[1]:
        return max(1, round(wanted[1] * aspect)), wanted[1]
    shrink = min(1.0, PATCH_NATIVE_SIDE_PX / max(source.width_px, source.height_px))
    return max(1, round(source.width_px * shrink)), max(1, round(source.height_px * shrink))


def _diffusion_size(setup: Setup, model: ModelDescription, source: SlotPicture | None) -> tuple[int, int]:
    """Of a diffusion model's result: pictures from words alone are square."""
    if setup.task is not Task.TEXT_TO_IMAGE and (source is None or not source.width_px):
        return (0, 0)
    aspect = (source.width_px, source.height_px) if source is not None and source.width_px else None
    try:
        asked = Job.model_construct(width=setup.value("width"), height=setup.value("height"))
        return diffusion_size(asked, model, aspect)
    except JobError:
        return (0, 0)  # a side too long is said when the run is prepared


def parameters_of(setup: Setup, model: str) -> tuple[Parameter, ...]:
    """What can be set for what is laid out. model: the setup's, or the patch model while that is not here."""
    parameters = parameters_for(setup.task, model)
    if setup.task is Task.TEXT_TO_IMAGE and setup.used_content is None:
        return tuple(parameter for parameter in parameters if parameter.name not in _ABOUT_CONTENT)
    return parameters


def job_of(setup: Setup, model_problem: str) -> Job:
    """The setup as a job with absolute paths; what does not belong to its task stays behind. Raises JobError."""
    hindrance = hindrance_of(setup, model_problem)
    if hindrance is not None:
        raise JobError(hindrance.text)
    content = setup.used_content
    known = {parameter.name for parameter in parameters_of(setup, setup.model)}
    values = {name: value for name, value in setup.values if name in known}
    try:
        return Job(
            task=setup.task,
            model=setup.model,
            content=content.path if content else None,
            content_mask=content.mask if content else None,
            styles=tuple(
                Reference(
                    image=style.path,
                    weight=style.weight,
                    mask=style.mask if content is not None else None,
                    crop=style.crop,
                )
                for style in setup.styles
            ),
            **values,  # type: ignore[arg-type]
        )
    except ValidationError as problem_found:
        first = problem_found.errors()[0]
        field_name = ".".join(str(part) for part in first["loc"])
        raise JobError(f"{field_name}: {first['msg']}.", field=field_name) from problem_found


def setup_of(job: Job, names: Mapping[Path, str], present: Setup, *, model: str, is_here: bool) -> Setup:
    """What was laid out for a job.

    names: what its files were called. present: keeps its content for a task without one. model: what the job's model is
    called here. is_here: whether it can be used now; where not, all of the job's settings wait for it.
    """

    def slot(path: Path) -> SlotPicture:
        return SlotPicture(path=path, name=names.get(path, path.name))

    content = replace(slot(job.content), mask=job.content_mask) if job.content else present.content
    styles = tuple(
        replace(slot(style.image), weight=style.weight, mask=style.mask, crop=style.crop) for style in job.styles
    )
    values: list[tuple[str, ParameterValue]] = []
    defaults = {one.name: one.default for one in parameters_for(job.task, model)} if is_here else _all_settings()
    for name, default in defaults.items():
        value = getattr(job, name)
        if value is not None and value != default:
            values.append((name, value if isinstance(value, (bool, int, float)) else str(value)))
    return Setup(
        task=job.task,
        model=model,
        content=content,
        follows_content=job.task is Task.TEXT_TO_IMAGE and job.content is not None,
        styles=styles,
        values=tuple(sorted(values)),
    )


def _all_settings() -> dict[str, object]:
    """Every field that a panel can show, with the default of the specification."""
    return {
        name: field.default
        for name, field in Job.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and "ui" in field.json_schema_extra
    }

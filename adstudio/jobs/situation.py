"""Which settings a job may have as it stands, what they are while they are left open, and which have an effect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from adstudio.jobs.choices import Method, Task
from adstudio.jobs.defaults import default_values
from adstudio.jobs.diffusion_defaults import REDONE_SHARE, diffusion_values, method_of
from adstudio.jobs.spec import Job
from adstudio.models.description import ModelDescription
from adstudio.models.families import Family

SettingValue = float | int | bool | str
_OF_PATCH = frozenset({"coverage"})
_OF_DIFFUSION = frozenset(
    {
        "method",
        "preset",
        "iterations",
        "learning_rate",
        "guidance_scale",
        "denoising_strength",
        "start",
        "adain",
        "layers",
        "scheduler",
        "start_time",
        "tune_decoder",
        "precision",
    }
)
_OF_WORDS = frozenset({"prompt", "negative_prompt"})
_OF_CONTENT = frozenset({"content_weight", "denoising_strength", "color", "strength"})
_OF_SAMPLING = frozenset({"guidance_scale", "denoising_strength", "adain", "start_time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What settings depend on beside task and model.

    method: as the job says, None for the usual one. has_content: None for what the task can have. has_start: whether it
    begins with a picture of its own.
    size: (width, height) of the result, None while unknown.
    """

    method: Method | None = None
    images: int = 1
    has_content: bool | None = None
    has_control: bool = False
    has_start: bool = False
    size: tuple[int, int] | None = None


def situation_of(job: Job) -> Situation:
    """The situation of a job as it is written."""
    return Situation(
        method=job.method,
        images=job.images,
        has_content=job.content is not None,
        has_control=job.control is not None,
        has_start=job.start_image is not None,
        size=(job.width, job.height) if job.width is not None and job.height is not None else None,
    )


def method_in(task: Task, model: ModelDescription, situation: Situation, *, usual: bool = False) -> Method:
    """How a job in a situation is done. usual: how it would be if it did not say."""
    return method_of(
        task,
        model,
        None if usual else situation.method,
        size=situation.size,
        has_control=situation.has_control,
    )


def words_of(name: str) -> dict[str, Any]:
    """What a panel says of a setting: label, hint, usual range; empty for what is none."""
    extra = Job.model_fields[name].json_schema_extra
    shown = extra.get("ui") if isinstance(extra, dict) else None
    return dict(shown) if isinstance(shown, dict) else {}


def defaults_in(task: Task, model: ModelDescription | None, situation: Situation) -> dict[str, SettingValue | None]:
    """What each setting is while it is left open, for all that a job may set; None for a size, which follows pictures.

    model: None for the patch model.
    """
    content = _has_content(task, situation)
    if model is None:
        known = dict(default_values(task, situation.images))
        known["denoising_strength"] = REDONE_SHARE
    else:
        method = method_in(task, model, situation)
        known = dict(
            diffusion_values(
                task, model, method=method, images=situation.images, has_content=content, has_start=situation.has_start
            )
        )
        known["method"] = method_in(task, model, situation, usual=True)
    refused = _refused(task, model, situation)
    return {
        name: known.get(name, _plain(field.default))
        for name, field in Job.model_fields.items()
        if words_of(name) and name not in refused
    }


def without_effect(task: Task, model: ModelDescription | None, situation: Situation) -> frozenset[str]:
    """Settings that a job may have and that change nothing."""
    if model is None:
        return frozenset()
    hidden: set[str] = set()
    if model.family is Family.FLUX:
        hidden |= set() if model.is_guidance_distilled else {"guidance_scale"}
    elif task is not Task.TEXT_TO_IMAGE:
        hidden.add("guidance_scale")  # without words there is nothing to guide by
    begins_alike = _has_content(task, situation) or situation.has_start
    if method_in(task, model, situation) is not Method.OPTIMIZE or not begins_alike:
        hidden.add("variation")  # each picture has noise of its own
    return frozenset(hidden)


def _refused(task: Task, model: ModelDescription | None, situation: Situation) -> frozenset[str]:
    refused = _OF_DIFFUSION | _OF_WORDS if model is None else _OF_PATCH
    if not _has_content(task, situation):
        refused |= _OF_CONTENT | {"start"}
    if situation.has_start:
        refused = (refused | {"start"}) - {"denoising_strength"}
    if model is None:
        return refused
    if task is not Task.TEXT_TO_IMAGE:
        refused |= _OF_WORDS
    refused |= _OF_SAMPLING if method_in(task, model, situation) is Method.OPTIMIZE else {"preset", "start"}
    if model.family is Family.FLUX:
        refused |= {"negative_prompt", "seamless"}
    return refused


def _has_content(task: Task, situation: Situation) -> bool:
    return task is not Task.TEXTURE and situation.has_content is not False


def _plain(value: Any) -> SettingValue | None:
    return str(value.value) if isinstance(value, Enum) else value

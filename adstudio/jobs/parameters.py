"""The settings a panel shows for a task, derived from the specification."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from adstudio.errors import AdStudioError
from adstudio.jobs.choices import Method, Task
from adstudio.jobs.defaults import PATCH_MAX_SIDE_PX, PATCH_MODEL, default_values
from adstudio.jobs.diffusion_defaults import FLOW_SCHEDULER, SCHEDULERS, diffusion_values, methods_of
from adstudio.jobs.spec import MAX_SIDE_PX, Job
from adstudio.models.description import ModelDescription
from adstudio.models.families import Family
from adstudio.models.find import find_model
from adstudio.models.folder import INDEX_NAME
from adstudio.paths import library_path

_ABOUT_CONTENT = frozenset({"content_weight", "color", "strength"})
_OF_STRUCTURE = {
    "content_weight": "Keep the structure",
    "color": "Colours: structure … reference",
    "strength": "Strength over the structure",
}
_BOTH_DECIDED_BY_PICTURE = frozenset({"width", "height"})
_OF_PATCH = frozenset({"coverage"})
_OF_DIFFUSION = frozenset(
    {
        "method",
        "iterations",
        "learning_rate",
        "guidance_scale",
        "denoising_strength",
        "adain",
        "layers",
        "scheduler",
        "start_time",
        "tune_decoder",
        "precision",
    }
)
_OF_WORDS = frozenset({"prompt", "negative_prompt"})
_OF_SAMPLING = frozenset({"guidance_scale", "adain", "start_time"})
_Mark = tuple[int, int, int] | None


class ParameterKind(StrEnum):
    """Which widget a parameter wants."""

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    CHOICE = "choice"
    SEED = "seed"
    SIZE = "size"
    TEXT = "text"


ParameterValue = float | int | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A model that was looked at, with marks of the list of models and of its own files at that moment."""

    model: ModelDescription
    listed: _Mark
    files: tuple[_Mark, ...]


_known: dict[str, _Known] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One setting as a panel shows it.

    name: field of `Job`. minimum, maximum: the allowed range; slider_minimum, slider_maximum: the usual part of it.
    A minimum that is itself not allowed (a weight above 0) is moved up by one step.
    default: None for a size, which then follows the picture.
    choices: values in the order shown, for CHOICE only. group: "parameters", "size" or "after".
    """

    name: str
    kind: ParameterKind
    label: str
    hint: str = ""
    unit: str = ""
    minimum: float | int | None = None
    maximum: float | int | None = None
    slider_minimum: float | int | None = None
    slider_maximum: float | int | None = None
    step: float | int | None = None
    choices: tuple[str, ...] = ()
    default: ParameterValue | None = None
    advanced: bool = False
    group: str = "parameters"


def parameters_for(task: Task, model: str) -> tuple[Parameter, ...]:
    """The parameters of a task with a model, in the order of the specification.

    model: a name or path as in `Job.model`. One that is not here has the patch model's parameters. With a diffusion
    model they are those of its family and of the task's usual method (settings of the other methods stand for jobs).
    Leave a field of the job open (None) while its parameter is untouched: some defaults depend on other fields
    (variation on the number of pictures, the method on the size).
    """
    described = described_model(model)
    if described is None:
        defaults = default_values(task)
    else:
        defaults = diffusion_values(task, described, has_content=task is not Task.TEXTURE)
    hidden = _hidden(task, described)
    found: list[Parameter] = []
    for name, field in Job.model_fields.items():
        extra = field.json_schema_extra
        if name in hidden or not isinstance(extra, dict) or not isinstance(extra.get("ui"), dict):
            continue
        words: dict[str, Any] = dict(extra["ui"])  # type: ignore[arg-type]
        if task is Task.APPEARANCE_TRANSFER:
            words["label"] = _OF_STRUCTURE.get(name, words["label"])
        parameter = _parameter(name, field, words, defaults.get(name))
        found.append(parameter if described is None else _of_model(parameter, task, described))
    return tuple(found)


def described_model(model: str) -> ModelDescription | None:
    """What is known of a model by name or path; None for the patch model and one that is not here.

    It is looked at once, and again when the list of models or the model itself has changed. That reads a few files: for
    the first time not before a picture of the window is shown. A model whose drive is away stays known.
    """
    if model == PATCH_MODEL:
        return None
    known = _known.get(model)
    if known is None or _is_stale(known):
        _known.pop(model, None)
        listed = _mark(library_path())
        try:
            found = find_model(model)
        except AdStudioError:
            return None
        known = _known[model] = _Known(model=found, listed=listed, files=_marks(found.path))
    return known.model


def _is_stale(known: _Known) -> bool:
    if _mark(library_path()) != known.listed:
        return True
    now = _marks(known.model.path)
    return now[0] is not None and now != known.files


def _marks(model: Path) -> tuple[_Mark, ...]:
    return _mark(model), _mark(model / INDEX_NAME)


def _mark(path: Path) -> _Mark:
    """What changes when a file is written anew; None where it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _hidden(task: Task, model: ModelDescription | None) -> frozenset[str]:
    """Names of fields that mean nothing for a task and model."""
    hidden = _OF_DIFFUSION | _OF_WORDS if model is None else _OF_PATCH
    if task is Task.TEXTURE:
        hidden |= _ABOUT_CONTENT | {"denoising_strength"}
    if model is None:
        return hidden
    if task is not Task.TEXT_TO_IMAGE:
        hidden |= _OF_WORDS | {"denoising_strength"}
    if methods_of(task)[0] is Method.OPTIMIZE:
        hidden |= _OF_SAMPLING
    if model.family is Family.FLUX:
        hidden |= {"negative_prompt", "seamless"}
        if not model.is_guidance_distilled:
            hidden |= {"guidance_scale"}
    return hidden


def _of_model(parameter: Parameter, task: Task, model: ModelDescription) -> Parameter:
    """A parameter as it is with a diffusion model."""
    match parameter.name:
        case "method":
            return replace(parameter, choices=tuple(method.value for method in methods_of(task)))
        case "scheduler":
            choices = (FLOW_SCHEDULER,) if model.family is Family.FLUX else SCHEDULERS
            return replace(
                parameter,
                kind=ParameterKind.CHOICE,
                choices=choices,
                slider_minimum=None,
                slider_maximum=None,
                step=None,
            )
        case "width" | "height":
            return replace(parameter, maximum=MAX_SIDE_PX)
        case "num_inference_steps":
            return replace(parameter, slider_minimum=4, slider_maximum=400)
    return parameter


def _parameter(name: str, field: FieldInfo, words: dict[str, Any], task_default: float | None) -> Parameter:
    kind = _kind(name, field)
    step = words.get("step", {ParameterKind.FLOAT: 0.01}.get(kind, 1))
    low, high = _limits(field, step)
    if kind is ParameterKind.SIZE:
        high = PATCH_MAX_SIDE_PX
    slider = words.get("slider") or (low, high)
    default = field.default if task_default is None else task_default
    numeric = kind not in (ParameterKind.CHOICE, ParameterKind.BOOL, ParameterKind.TEXT)
    return Parameter(
        name=name,
        kind=kind,
        label=words["label"],
        hint=words["hint"],
        unit=words["unit"],
        minimum=low,
        maximum=high,
        slider_minimum=slider[0] if numeric else None,
        slider_maximum=slider[1] if numeric else None,
        step=step if numeric else None,
        choices=_choices(field),
        default=str(default.value) if isinstance(default, Enum) else default,
        advanced=words["advanced"],
        group=words["group"],
    )


def _types(field: FieldInfo) -> tuple[Any, ...]:
    """The plain types of a field, without None and without the marks of `Annotated`."""
    found: list[Any] = []
    pending: list[Any] = [field.annotation]
    while pending:
        candidate = pending.pop()
        if isinstance(candidate, type):
            found.append(candidate)
        else:
            pending.extend(one for one in get_args(candidate) if one is not type(None))
    return tuple(found)


def _kind(name: str, field: FieldInfo) -> ParameterKind:
    if name == "seed":
        return ParameterKind.SEED
    if name in _BOTH_DECIDED_BY_PICTURE:
        return ParameterKind.SIZE
    types = _types(field)
    if _choices(field):
        return ParameterKind.CHOICE
    for python_type, kind in (
        (bool, ParameterKind.BOOL),
        (int, ParameterKind.INT),
        (float, ParameterKind.FLOAT),
    ):
        if python_type in types:
            return kind
    return ParameterKind.TEXT


def _choices(field: FieldInfo) -> tuple[str, ...]:
    for one in _types(field):
        if issubclass(one, Enum):
            return tuple(str(member.value) for member in one)
    return ()


def _limits(field: FieldInfo, step: float) -> tuple[float | int | None, float | int | None]:
    low: Any = None
    high: Any = None
    for rule in field.metadata:
        match rule:
            case Ge(ge=bound):
                low = bound
            case Gt(gt=bound):
                low = bound + step  # type: ignore[operator]
            case Le(le=bound):
                high = bound
            case Lt(lt=bound):
                high = bound - step  # type: ignore[operator]
    return low, high

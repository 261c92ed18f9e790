"""The settings a panel shows for a task, derived from the specification."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from adstudio.jobs.choices import Task
from adstudio.jobs.defaults import PATCH_MAX_SIDE_PX
from adstudio.jobs.described import described_model
from adstudio.jobs.diffusion_defaults import FLOW_SCHEDULER, SCHEDULERS, methods_of
from adstudio.jobs.situation import SettingValue, Situation, defaults_in, without_effect, words_of
from adstudio.jobs.spec import MAX_SIDE_PX, Job
from adstudio.models.description import ModelDescription
from adstudio.models.families import Family

_OF_STRUCTURE = {
    "content_weight": "Keep the structure",
    "color": "Colours: structure … reference",
    "strength": "Strength over the structure",
}
_BOTH_DECIDED_BY_PICTURE = frozenset({"width", "height"})


class ParameterKind(StrEnum):
    """Which widget a parameter wants."""

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    CHOICE = "choice"
    SEED = "seed"
    SIZE = "size"
    TEXT = "text"


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
    default: SettingValue | None = None
    advanced: bool = False
    group: str = "parameters"


def parameters_for(task: Task, model: str, situation: Situation | None = None) -> tuple[Parameter, ...]:
    """The parameters that matter for a task with a model, in the order of the specification.

    model: a name or path as in `Job.model`. One that is not here has the patch model's parameters.
    situation: what else is chosen; by default nothing, so that they are those of the task's usual method.
    Leave a field of the job open (None) while its parameter is untouched: some defaults depend on other fields
    (variation on the number of pictures, the method on the size).
    """
    described, there = described_model(model), situation or Situation()
    defaults = defaults_in(task, described, there)
    hidden = without_effect(task, described, there)
    found: list[Parameter] = []
    for name, default in defaults.items():
        if name in hidden:
            continue
        field = Job.model_fields[name]
        words = words_of(name)
        if task is Task.APPEARANCE_TRANSFER:
            words["label"] = _OF_STRUCTURE.get(name, words["label"])
        parameter = _parameter(name, field, words, default)
        found.append(parameter if described is None else _of_model(parameter, task, described))
    return tuple(found)


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


def _parameter(name: str, field: FieldInfo, words: dict[str, Any], default: SettingValue | None) -> Parameter:
    kind = _kind(name, field)
    step = words.get("step", {ParameterKind.FLOAT: 0.01}.get(kind, 1))
    low, high = _limits(field, step)
    if kind is ParameterKind.SIZE:
        high = PATCH_MAX_SIDE_PX
    slider = words.get("slider") or (low, high)
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
        default=default,
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

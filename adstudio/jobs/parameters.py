"""The settings a panel shows for a task, derived from the specification."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from adstudio.jobs.choices import Task
from adstudio.jobs.defaults import PATCH_MAX_SIDE_PX, default_values
from adstudio.jobs.spec import Job

_ABOUT_CONTENT = frozenset({"content_weight", "color", "strength"})
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


ParameterValue = float | int | bool | str


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


def parameters_for(task: Task, model: str) -> tuple[Parameter, ...]:  # noqa: ARG001
    """The parameters of a task with a model, in the order of the specification.

    A model that is not here has the patch model's parameters. Leave a field of the job open (None) while its parameter
    is untouched: some defaults depend on other fields (variation on the number of pictures).
    """
    defaults = default_values(task)
    found: list[Parameter] = []
    for name, field in Job.model_fields.items():
        extra = field.json_schema_extra
        if not isinstance(extra, dict) or not isinstance(extra.get("ui"), dict):
            continue
        if task is Task.TEXTURE and name in _ABOUT_CONTENT:
            continue
        words: dict[str, Any] = dict(extra["ui"])  # type: ignore[arg-type]
        if task is Task.APPEARANCE_TRANSFER:
            words["label"] = _OF_STRUCTURE.get(name, words["label"])
        found.append(_parameter(name, field, words, defaults.get(name)))
    return tuple(found)


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

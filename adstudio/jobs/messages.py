"""One line for one wrong field: its dotted name, what is allowed, and what was given."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from enum import Enum
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from adstudio.errors import JobError
from adstudio.jobs.spec import Control, Job, LoraUse, Reference

_NESTED: dict[str, type[BaseModel]] = {"styles": Reference, "control": Control, "loras": LoraUse}
_LONGEST_VALUE = 60
_ALIKE = 0.6


def job_error(error: ValidationError) -> JobError:
    """The first complaint of a validation as a JobError whose `field` is the dotted name."""
    details = error.errors(include_url=False)
    detail = next((one for one in details if one["type"] == "extra_forbidden"), details[0])
    if detail["type"] == "job_rule":
        field = str(detail["ctx"]["field"])
        return JobError(f"{field}: {detail['ctx']['message']}", field=field)
    field = ".".join(str(part) for part in detail["loc"])
    return JobError(f"{field or 'job'}: {_complaint(detail)}", field=field)


def in_one_line(value: object) -> str:
    """A value of JSON as it would be typed, shortened, without line breaks."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def unknown_field(name: str, model: type[BaseModel] = Job) -> str:
    """What is to be said of a field that is not there: the nearest one that is, and where all of them stand."""
    meant = _nearest(name, model)
    if meant is None:
        return "unknown field; `adstudio schema` lists them all"
    return f"unknown field; did you mean {meant}? (`adstudio schema` lists them all)"


def model_of(owner: str) -> type[BaseModel]:
    """What the fields below a field of the job are fields of."""
    return _NESTED.get(owner, Job)


def _complaint(detail: ErrorDetails) -> str:
    kind = detail["type"]
    location = detail["loc"]
    model, field = _field_at(location)
    if kind == "extra_forbidden":
        return unknown_field(str(location[-1]), model)
    if kind == "missing":
        return f"must be given{_choices_hint(field)}"
    given = f", got {in_one_line(detail['input'])}"
    if kind in ("file_path", "crop"):
        return detail["msg"] + given
    return _allowed(detail, field) + given


def _allowed(detail: ErrorDetails, field: FieldInfo | None) -> str:  # noqa: PLR0911 (one line for each kind)
    kind = detail["type"]
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"):
        return f"must be {'a number ' if kind == 'finite_number' else ''}{_range(field)}".rstrip()
    if kind.startswith("int_"):
        return f"must be a whole number {_range(field)}".rstrip()
    if kind.startswith("float_"):
        return f"must be a number {_range(field)}".rstrip()
    if kind.startswith("bool_"):
        return "must be true or false"
    if kind == "enum":
        return f"must be one of {_choices(field)}"
    if kind in ("string_too_short", "string_too_long"):
        return f"must be a text of {_lengths(field)} characters"
    if kind in ("too_short", "too_long"):
        return f"must be a list of {_lengths(field)}"
    if kind == "string_pattern_mismatch":
        return f"must match {detail['ctx']['pattern']}"
    if kind.startswith("string_"):
        return "must be a text"
    if kind.startswith("tuple_"):
        return "must be a list"
    if kind.startswith(("model_", "dict_", "dataclass_")):
        return "must be an object"
    return detail["msg"]


def _field_at(location: Sequence[int | str]) -> tuple[type[BaseModel], FieldInfo | None]:
    model: type[BaseModel] = Job
    field: FieldInfo | None = None
    for part in location:
        if isinstance(part, int):
            continue
        if field is not None and (nested := _NESTED.get(_name_of(field))) is not None and model is Job:
            model = nested
        field = model.model_fields.get(part)
    return model, field


def _name_of(field: FieldInfo) -> str:
    return next((name for name, candidate in Job.model_fields.items() if candidate is field), "")


def _range(field: FieldInfo | None) -> str:
    parts: list[str] = []
    for rule in field.metadata if field is not None else ():
        match rule:
            case Ge(ge=low):
                parts.append(f"at least {low}")
            case Gt(gt=low):
                parts.append(f"greater than {low}")
            case Le(le=high):
                parts.append(f"at most {high}")
            case Lt(lt=high):
                parts.append(f"less than {high}")
    return " and ".join(parts)


def _lengths(field: FieldInfo | None) -> str:
    low = high = None
    for rule in field.metadata if field is not None else ():
        match rule:
            case MinLen(min_length=length):
                low = length
            case MaxLen(max_length=length):
                high = length
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at most {high}" if high is not None else f"at least {low}"


def _enum_of(field: FieldInfo | None) -> type[Enum] | None:
    if field is None:
        return None
    candidates: tuple[Any, ...] = (field.annotation, *get_args(field.annotation))
    return next((one for one in candidates if isinstance(one, type) and issubclass(one, Enum)), None)


def _choices(field: FieldInfo | None) -> str:
    enum = _enum_of(field)
    return ", ".join(str(member.value) for member in enum) if enum is not None else "the allowed values"


def _choices_hint(field: FieldInfo | None) -> str:
    return f": one of {_choices(field)}" if _enum_of(field) is not None else ""


def _nearest(name: str, model: type[BaseModel]) -> str | None:
    """The field that was meant, going by its own name and by the words a panel has for it."""
    words = {}
    for field, info in model.model_fields.items():
        extra = info.json_schema_extra
        shown = extra.get("ui") if isinstance(extra, dict) else None
        if isinstance(shown, dict):
            words[str(shown["label"]).lower()] = field
    words |= {field: field for field in model.model_fields}
    said = name.strip().lower()
    for candidate in (said, said.replace("-", "_"), said.replace("_", " ")):
        if close := difflib.get_close_matches(candidate, words, n=1, cutoff=_ALIKE):
            return words[close[0]]
    return None

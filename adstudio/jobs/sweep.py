"""One job over the values of one or two of its fields."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adstudio.errors import JobError
from adstudio.jobs.files import apply_settings, parse_job
from adstudio.jobs.inputs import checked
from adstudio.jobs.job_lines import SourcedJob
from adstudio.jobs.messages import in_one_line
from adstudio.jobs.spec import Job

MAX_CELLS = 400
_DRAFT_SHARE = 0.5
_DRAFT_LEAST_PX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A field with the values it takes, each as it would stand behind `--set field=`."""

    field: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.values)) != len(self.values):
            twice = next(value for value in self.values if self.values.count(value) > 1)
            raise JobError(f"--over {self.field}: {in_one_line(twice)} is given twice", field=self.field)


def parse_axis(text: str) -> Axis:
    """An axis from "field=a,b,c"; values with commas of their own stand in a JSON list: field=["a, b", "c"].

    Raises JobError for anything else.
    """
    name, equals, values = text.partition("=")
    name = name.strip()
    if not equals or not name or not values.strip():
        raise JobError(f"--over: must be field=value,value,…, got {in_one_line(text)}")
    found = _json_list(values) or _json_list(f"[{values}]")
    if found is None:
        return Axis(field=name, values=tuple(value.strip() for value in values.split(",")))
    return Axis(
        field=name,
        values=tuple(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in found),
    )


def sweep_jobs(
    mapping: Mapping[str, Any], base_dir: Path, axes: Sequence[Axis], *, draft: bool = False
) -> tuple[SourcedJob, ...]:
    """The jobs of a sweep, one for each cell of its grid, row by row: the first axis runs along the columns.

    draft: half the width, height and steps, but for what an axis sets. Raises JobError naming the field of a cell.
    """
    if not 1 <= len(axes) <= 2:
        raise JobError("--over: one or two fields can be gone over")
    if len({axis.field for axis in axes}) != len(axes):
        raise JobError(f"--over {axes[0].field}: is given twice; name all its values in one", field=axes[0].field)
    count = math.prod(len(axis.values) for axis in axes)
    if count > MAX_CELLS:
        raise JobError(f"--over: would be {count} pictures; at most {MAX_CELLS} make a grid")
    jobs: list[SourcedJob] = []
    for values in itertools.product(*(axis.values for axis in reversed(axes))):
        pairs = [(axis.field, value) for axis, value in zip(axes, reversed(values), strict=True)]
        settings = [f"{field}={value}" for field, value in pairs]
        job = parse_job(apply_settings(mapping, settings), base_dir)
        if draft:
            job = _draft(job, {axis.field for axis in axes})
        title = " ".join(f"{field.rpartition('.')[2]} {last_part(value)}" for field, value in pairs)
        jobs.append(SourcedJob(job=job, source=", ".join(settings), title=title))
    return tuple(jobs)


def last_part(value: str) -> str:
    """A value as it is read: of a path what stands at its end."""
    return value.replace("\\", "/").rstrip("/").rpartition("/")[2] or value


def _draft(job: Job, swept: set[str]) -> Job:
    """The job at half its size with half its steps. Raises AdStudioError where it is wrong."""
    whole = checked(job)
    changes: dict[str, int] = {}
    if not swept & {"width", "height"}:
        for name, side in (("width", whole.width), ("height", whole.height)):
            changes[name] = max(min(side or 1, _DRAFT_LEAST_PX), round((side or 1) * _DRAFT_SHARE))
    if "num_inference_steps" not in swept and whole.num_inference_steps is not None:
        changes["num_inference_steps"] = math.ceil(whole.num_inference_steps * _DRAFT_SHARE)
    return job.model_copy(update=changes)


def _json_list(text: str) -> list[Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and found else None

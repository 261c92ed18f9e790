"""What goes with a job's model, its ControlNet and LoRA files: found, and held to be those it was made with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from adstudio.errors import JobError
from adstudio.jobs.spec import Job
from adstudio.models.control import ControlDescription
from adstudio.models.description import ModelDescription
from adstudio.models.digest import control_digest, whole_digest
from adstudio.models.find import is_model_path
from adstudio.models.find_beside import find_control, find_lora
from adstudio.models.library import Library, load_library
from adstudio.models.lora import Lora, LoraDescription


def control_of(job: Job, model: ModelDescription, library: Library | None = None) -> ControlDescription | None:
    """The job's ControlNet, None where it has none. Raises as `find_control` does."""
    return find_control(job.control.model, model, library) if job.control is not None else None


def loras_of(job: Job, model: ModelDescription) -> tuple[Lora, ...]:
    """The job's LoRA files with their weights. Raises as `find_lora` does."""
    found = _found_loras(job, model, _library_for(job))
    return tuple(Lora(path=one.path, weight=use.weight) for one, use in zip(found, job.loras, strict=True))


def check_beside(job: Job, model: ModelDescription) -> None:
    """Raise JobError naming the field for what does not fit the model or is not what the job was made with.

    Raises UnavailableError for a name that is not in the library.
    """
    library = _library_for(job)
    control = control_of(job, model, library)
    if control is not None and job.control is not None:
        _require_same("control.model", job.control.model, job.control.model_digest, partial(control_digest, control))
    for index, (use, found) in enumerate(zip(job.loras, _found_loras(job, model, library), strict=True)):
        _require_same(f"loras.{index}.path", use.path, use.digest, partial(whole_digest, found.path))


def with_digests(job: Job, model: ModelDescription) -> Job:
    """The job with the digests of its ControlNet and LoRA files written down. Raises as `check_beside` does."""
    library = _library_for(job)
    changes: dict[str, Any] = {}
    control = control_of(job, model, library)
    if control is not None and job.control is not None:
        changes["control"] = job.control.model_copy(update={"model_digest": control_digest(control)})
    if job.loras:
        changes["loras"] = tuple(
            use.model_copy(update={"digest": whole_digest(found.path)})
            for use, found in zip(job.loras, _found_loras(job, model, library), strict=True)
        )
    return job.model_copy(update=changes)


def _found_loras(job: Job, model: ModelDescription, library: Library | None) -> list[LoraDescription]:
    return [find_lora(use.path, model, f"loras.{index}.path", library) for index, use in enumerate(job.loras)]


def _library_for(job: Job) -> Library | None:
    """What is installed, looked at once, where a job names something of it."""
    names = [str(use.path) for use in job.loras]
    if job.control is not None and job.control.model is not None:
        names.append(job.control.model)
    return load_library() if any(not is_model_path(name) for name in names) else None


def _require_same(field: str, name: object, wanted: str | None, digest: Callable[[], str]) -> None:
    if wanted is not None and digest() != wanted:
        which = f"{field.removesuffix('path')}digest" if field.endswith("path") else "control.model_digest"
        raise JobError(
            f"{field}: {name} is another one than when this job was made; "
            f"put the old file back, or leave {which} out to use it as it is now",
            field=field,
        )

"""What a field left open becomes, per task and model, and what a model cannot be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adstudio.errors import JobError, UnavailableError
from adstudio.jobs.choices import Precision, Task
from adstudio.jobs.spec import Job

PATCH_MODEL = "patch"
PATCH_MAX_SIDE_PX = 4096
PATCH_NATIVE_SIDE_PX = 1024
PATCH_CONTENT_WEIGHT = 0.25
PATCH_STEPS = 16
VARIATION_OF_SEVERAL = 0.1

_DIFFUSION_ONLY = (
    "prompt",
    "negative_prompt",
    "control",
    "method",
    "iterations",
    "learning_rate",
    "guidance_scale",
    "adain",
    "layers",
    "scheduler",
    "start_time",
    "tune_decoder",
)
_PICKLE_SUFFIXES = frozenset({".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle"})
_ONLY_PATCH = f'this version has only the built-in model "{PATCH_MODEL}": leave model out or set it to "{PATCH_MODEL}"'

Size = tuple[int, int]


def resolve(job: Job, content_size: Size | None, reference_size: Size) -> Job:
    """The job with every open field of its task and model made concrete; fields that do not apply stay as they are.

    content_size, reference_size: as in `resolve_size`.
    Raises JobError for what the model cannot do and UnavailableError for a model that is not here.
    """
    check_model(job)
    width, height = resolve_size(job, content_size, reference_size)
    filled: dict[str, Any] = {"width": width, "height": height, **default_values(job.task, job.images)}
    if job.content is None:
        filled.pop("content_weight", None)
    changes = {name: value for name, value in filled.items() if getattr(job, name) is None}
    return job.model_copy(update=changes)


def default_values(task: Task, images: int = 1) -> Mapping[str, float | int]:
    """Defaults of the fields that the specification leaves open, by name, for a task with the patch model."""
    values: dict[str, float | int] = {"num_inference_steps": PATCH_STEPS}
    values["variation"] = VARIATION_OF_SEVERAL if images > 1 else 0.0
    if task is not Task.TEXTURE:
        values["content_weight"] = PATCH_CONTENT_WEIGHT
    return values


def resolve_size(job: Job, content_size: Size | None, reference_size: Size) -> Size:
    """(width, height) of the result in pixels.

    content_size: of the upright content picture; for a job without one, of its layout mask, or None.
    reference_size: of the first reference after its crop; decides where there is no content.
    Raises JobError naming width or height where the model cannot make that size.
    """
    width, height = content_size if content_size is not None else reference_size
    if job.width is None and job.height is None:
        size = _shrunk((width, height), PATCH_NATIVE_SIDE_PX)
    elif job.height is None and job.width is not None:
        size = (job.width, max(1, round(job.width * height / width)))
    elif job.width is None and job.height is not None:
        size = (max(1, round(job.height * width / height)), job.height)
    else:
        size = (job.width or width, job.height or height)
    for name, side, given in (("width", size[0], job.width), ("height", size[1], job.height)):
        if side > PATCH_MAX_SIDE_PX:
            how = "" if given is not None else " (it follows the aspect of the picture; give both width and height)"
            raise JobError(
                f"{name}: must be at most {PATCH_MAX_SIDE_PX} with the patch model, got {side}{how}", field=name
            )
    return size


def check_model(job: Job) -> None:
    """Raise JobError where the job asks for what its model cannot do, UnavailableError where the model is not here."""
    if job.model != PATCH_MODEL:
        raise _unavailable(job.model)
    if job.task is Task.TEXT_TO_IMAGE:
        raise JobError(
            "task: text_to_image needs a diffusion model; "
            "the patch model does style_transfer, appearance_transfer and texture",
            field="task",
        )
    for name in _DIFFUSION_ONLY:
        if getattr(job, name) != Job.model_fields[name].default:
            raise JobError(f"{name}: the patch model has no such setting; leave it out", field=name)
    if job.precision not in (Precision.AUTO, Precision.FP32):
        raise JobError(f"precision: must be auto or fp32 with the patch model, got {job.precision}", field="precision")


def looks_like_path(model: str) -> bool:
    """Whether a model is given as a file or folder rather than by name."""
    return "/" in model or "\\" in model or Path(model).suffix.lower() in {".safetensors", *_PICKLE_SUFFIXES}


def _unavailable(model: str) -> JobError | UnavailableError:
    if Path(model).suffix.lower() in _PICKLE_SUFFIXES:
        return JobError(
            f"model: {model} is a pickle checkpoint, which can run any program when it is opened; "
            "use the same model as .safetensors",
            field="model",
        )
    if not looks_like_path(model):
        return UnavailableError(f'model: no model named "{model}" is installed; {_ONLY_PATCH}')
    if not Path(model).exists():
        return JobError(f"model: there is no file or folder {model}", field="model")
    return UnavailableError(f"model: {model} cannot be used yet; {_ONLY_PATCH}")


def _shrunk(size: Size, longest_px: int) -> Size:
    width, height = size
    longest = max(width, height)
    if longest <= longest_px:
        return size
    return max(1, round(width * longest_px / longest)), max(1, round(height * longest_px / longest))

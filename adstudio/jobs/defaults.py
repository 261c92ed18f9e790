"""What a field left open becomes, per task and model, and what a model cannot be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adstudio.errors import JobError
from adstudio.jobs.beside import with_digests
from adstudio.jobs.choices import Precision, Task
from adstudio.jobs.diffusion_defaults import (
    REDONE_SHARE,
    VARIATION_OF_SEVERAL,
    check_diffusion,
    diffusion_size,
    diffusion_values,
    method_of,
)
from adstudio.jobs.spec import Job
from adstudio.models.description import ModelDescription
from adstudio.models.digest import model_digest
from adstudio.models.find import find_model

PATCH_MODEL = "patch"
PATCH_MAX_SIDE_PX = 4096
PATCH_NATIVE_SIDE_PX = 1024
PATCH_CONTENT_WEIGHT = 0.25
PATCH_STEPS = 16

_DIFFUSION_ONLY = (
    "prompt",
    "negative_prompt",
    "control",
    "loras",
    "method",
    "preset",
    "iterations",
    "learning_rate",
    "guidance_scale",
    "adain",
    "layers",
    "scheduler",
    "start_time",
    "start",
    "tune_decoder",
    "model_digest",
)
Size = tuple[int, int]


def resolve(job: Job, content_size: Size | None, reference_size: Size) -> Job:
    """The job with every open field of its task and model made concrete; fields that do not apply stay as they are.

    content_size, reference_size: as in `resolve_size`.
    Raises JobError for what the model cannot do and UnavailableError for a model that is not here.
    """
    model = check_model(job)
    width, height = resolve_size(job, content_size, reference_size, model)
    filled: dict[str, Any] = {"width": width, "height": height}
    if model is None:
        filled |= default_values(job.task, job.images)
        if job.content is None:
            filled.pop("content_weight", None)
        if job.start_image is not None:
            filled["denoising_strength"] = REDONE_SHARE
    else:
        method = method_of(
            job.task,
            model,
            job.method,
            size=(width, height),
            has_control=job.control is not None,
        )
        filled |= diffusion_values(
            job.task,
            model,
            method=method,
            images=job.images,
            has_content=job.content is not None,
            has_start=job.start_image is not None,
        )
        filled["model_digest"] = model_digest(model)
    changes = {name: value for name, value in filled.items() if getattr(job, name) is None}
    resolved = job.model_copy(update=changes)
    if model is not None:
        check_diffusion(resolved, model)
        return with_digests(resolved, model)
    return resolved


def default_values(task: Task, images: int = 1, model: ModelDescription | None = None) -> Mapping[str, Any]:
    """Defaults of the fields that the specification leaves open, by name, for a task with a model.

    model: None for the patch model.
    """
    if model is not None:
        return diffusion_values(task, model, images=images)
    values: dict[str, float | int] = {"num_inference_steps": PATCH_STEPS}
    values["variation"] = VARIATION_OF_SEVERAL if images > 1 else 0.0
    if task is not Task.TEXTURE:
        values["content_weight"] = PATCH_CONTENT_WEIGHT
    return values


def resolve_size(
    job: Job, content_size: Size | None, reference_size: Size, model: ModelDescription | None = None
) -> Size:
    """(width, height) of the result in pixels.

    content_size: of the upright content picture; for a job without one, of its layout mask, or None.
    reference_size: of the first reference after its crop; decides where there is no content (but pictures from words
    are square then). model: None for the patch model.
    Raises JobError naming width or height where the model cannot make that size.
    """
    if model is not None:
        square = content_size is None and job.task is Task.TEXT_TO_IMAGE
        return diffusion_size(job, model, None if square else content_size or reference_size)
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


def check_model(job: Job) -> ModelDescription | None:
    """The job's model, None for the patch model.

    Raises JobError where the job asks for what its model cannot do, or where the model is not the one that the job was
    made with; UnavailableError where it is not here.
    """
    if job.model != PATCH_MODEL:
        model = find_model(job.model)
        check_diffusion(job, model)
        if job.model_digest is not None and job.model_digest != model_digest(model):
            raise JobError(
                f"model: {job.model} is another one than when this job was made; "
                "put the old files back, or leave model_digest out to use it as it is now",
                field="model",
            )
        return model
    if job.task is Task.TEXT_TO_IMAGE:
        raise JobError(
            "task: text_to_image needs a diffusion model; "
            "the patch model does style_transfer, appearance_transfer and texture",
            field="task",
        )
    for name in _DIFFUSION_ONLY:
        if getattr(job, name) != Job.model_fields[name].default:
            raise JobError(f"{name}: the patch model has no such setting; leave it out", field=name)
    if job.denoising_strength is not None and job.start_image is None:
        raise JobError(
            "denoising_strength: needs a start_image with the patch model; leave it out", field="denoising_strength"
        )
    if job.precision not in (Precision.AUTO, Precision.FP32):
        raise JobError(f"precision: must be auto or fp32 with the patch model, got {job.precision}", field="precision")
    return None


def _shrunk(size: Size, longest_px: int) -> Size:
    width, height = size
    longest = max(width, height)
    if longest <= longest_px:
        return size
    return max(1, round(width * longest_px / longest)), max(1, round(height * longest_px / longest))

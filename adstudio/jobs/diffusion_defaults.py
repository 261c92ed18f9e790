"""What open fields become with a diffusion model, per task, method and family; what such a model cannot be asked for.

Source: the paper's settings (Attention Distillation, arXiv 2502.20235) where it has them; the rest is marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from adstudio.errors import JobError, UnavailableError
from adstudio.jobs.beside import check_beside
from adstudio.jobs.choices import Device, Method, Precision, Preset, Seamless, Start, Task
from adstudio.jobs.layers import check_layers, default_layers
from adstudio.jobs.spec import MAX_SIDE_PX, Job
from adstudio.models.description import ModelDescription
from adstudio.models.families import FACTS, Family

SCHEDULERS = (
    "ddim",
    "ddpm",
    "euler",
    "euler_ancestral",
    "dpmpp_2m",
    "unipc",
    "pndm",
    "heun",
    "kdpm2",
    "dpmpp_2s",
    "dpmpp_2m_sde",
    "deis",
)
FLOW_SCHEDULER = "flow_euler"
VARIATION_OF_SEVERAL = 0.1
FP16_ON_CPU = "precision: fp16 is for graphics cards; on the CPU use auto, bf16 or fp32"
REDONE_SHARE = 0.6
_LARGE = {Family.SD15: 4.0, Family.SD2: 4.0}
_LARGE_OTHERS = 1.6
_OF_SAMPLING = ("guidance_scale", "start_time", "denoising_strength")

Size = tuple[int, int]
Value = float | int | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """Of one method. content_weight, guidance_scale, adain: None where the method has no such setting."""

    num_inference_steps: int
    iterations: int
    learning_rate: float
    content_weight: float | None = None
    guidance_scale: float | None = None
    adain: bool | None = None


_TRANSFER = {
    Method.OPTIMIZE: _Settings(num_inference_steps=200, iterations=1, learning_rate=0.05, content_weight=0.25),
    # own choice: the paper samples transfers only with a ControlNet
    Method.SAMPLE: _Settings(
        num_inference_steps=50, iterations=3, learning_rate=0.015, content_weight=0.25, guidance_scale=1, adain=False
    ),
    Method.MULTIDIFFUSION: _Settings(
        num_inference_steps=50, iterations=2, learning_rate=0.015, content_weight=0.25, guidance_scale=1, adain=False
    ),
}
_TEXTURE = {
    Method.OPTIMIZE: _Settings(num_inference_steps=300, iterations=1, learning_rate=0.05),
    Method.SAMPLE: _Settings(num_inference_steps=50, iterations=3, learning_rate=0.05, guidance_scale=1, adain=False),
    Method.MULTIDIFFUSION: _Settings(
        num_inference_steps=50, iterations=2, learning_rate=0.05, guidance_scale=1, adain=False
    ),
}
_TEXT = {
    Method.SAMPLE: _Settings(
        num_inference_steps=50, iterations=3, learning_rate=0.015, content_weight=0.25, guidance_scale=7.5, adain=True
    ),
    Method.MULTIDIFFUSION: _Settings(
        num_inference_steps=50, iterations=2, learning_rate=0.015, content_weight=0.25, guidance_scale=7.5, adain=True
    ),
}


def methods_of(task: Task) -> tuple[Method, ...]:
    """The methods that can do a task, the usual one first."""
    return tuple(_table(task))


def default_method(task: Task, model: ModelDescription, size: Size | None = None) -> Method:
    """How a task is done where the job does not say. size: of the result; None for the model's own.

    Textures from 1.6 times the model's area on and large pictures from words are sampled window by window.
    """
    if size is not None and task is not Task.STYLE_TRANSFER and task is not Task.APPEARANCE_TRANSFER:
        wide = task is Task.TEXTURE and _share(model.native_side_px, size) > _LARGE_OTHERS
        if wide or is_large(model.family, model.native_side_px, size):
            return Method.MULTIDIFFUSION
    return methods_of(task)[0]


def method_of(
    task: Task,
    model: ModelDescription,
    method: Method | None,
    *,
    size: Size | None = None,
    has_control: bool = False,
) -> Method:
    """How a job is done. method: as it says, None where it does not. size: of the result, None while unknown."""
    if method is not None:
        return method
    return Method.SAMPLE if has_control else default_method(task, model, size)


def is_large(family: Family, native_side_px: int, size: Size) -> bool:
    """Whether a picture (width, height) is so much larger than the model's own that it is made window by window.

    Own choice: up to 4 times the area the UNet of SD 1.5 and 2.x still sees a picture as one; SDXL and FLUX, whose own
    pictures are large already, stop at 1.6 times.
    """
    return _share(native_side_px, size) > _LARGE.get(family, _LARGE_OTHERS)


def _share(native_side_px: int, size: Size) -> float:
    return size[0] * size[1] / native_side_px**2 / 1.001


def diffusion_values(
    task: Task,
    model: ModelDescription,
    *,
    method: Method | None = None,
    images: int = 1,
    has_content: bool | None = None,
    has_start: bool = False,
    size: Size | None = None,
) -> Mapping[str, Value]:
    """Defaults of the fields that the specification leaves open, by name.

    method: as the job says, None for the usual one. has_content: None for what is usual with the task.
    has_start: whether a picture to begin with is given. size: (width, height) of the result, where it is known.
    """
    chosen = method or default_method(task, model, size)
    settings = _settings(task, chosen, model)
    content = task in (Task.STYLE_TRANSFER, Task.APPEARANCE_TRANSFER) if has_content is None else has_content
    kept = content or has_start  # the beginning is a picture, which by itself is the same for all
    values: dict[str, Value] = {
        "method": chosen,
        "num_inference_steps": settings.num_inference_steps,
        "iterations": settings.iterations,
        "learning_rate": settings.learning_rate,
        "layers": default_layers(model),
        "scheduler": FLOW_SCHEDULER if model.family is Family.FLUX else SCHEDULERS[0],
        "variation": VARIATION_OF_SEVERAL if images > 1 and kept and chosen is Method.OPTIMIZE else 0.0,
    }
    if settings.guidance_scale is not None:
        values["guidance_scale"] = settings.guidance_scale
    if settings.adain is not None:
        values["adain"] = settings.adain
    if chosen is Method.OPTIMIZE and not has_start:
        values["start"] = Start.CONTENT if content else Start.NOISE
    if chosen is not Method.OPTIMIZE and kept:
        values["denoising_strength"] = 1.0 if task is Task.TEXT_TO_IMAGE and not has_start else REDONE_SHARE
    if content:
        values["content_weight"] = settings.content_weight or 0.0
    return values


def _table(task: Task) -> Mapping[Method, _Settings]:
    if task is Task.TEXTURE:
        return _TEXTURE
    return _TEXT if task is Task.TEXT_TO_IMAGE else _TRANSFER


def _settings(task: Task, method: Method, model: ModelDescription) -> _Settings:
    settings = _table(task)[method]
    if task is not Task.TEXT_TO_IMAGE or model.family in (Family.SD15, Family.SD2):
        return settings
    if model.family is Family.SDXL:
        return replace(settings, iterations=2, guidance_scale=7)
    if model.is_guidance_distilled:
        return replace(settings, iterations=2, learning_rate=0.01, guidance_scale=3.5)
    # own choice for FLUX.1 schnell, which is made for few steps and takes no guidance
    return replace(settings, num_inference_steps=8, iterations=4, learning_rate=0.01, guidance_scale=1)


def diffusion_size(job: Job, model: ModelDescription, picture: Size | None) -> Size:
    """(width, height) of the result in pixels. picture: whose aspect it takes; None for a square.

    Raises JobError naming width or height where a side is too long.
    """
    wide, high = picture if picture is not None else (1, 1)
    if job.width is None and job.height is None:
        return _native(wide / high, model.native_side_px, FACTS[model.family].size_multiple_px)
    width = job.width or max(1, round((job.height or 1) * wide / high))
    height = job.height or max(1, round((job.width or 1) * high / wide))
    for name, side in (("width", width), ("height", height)):
        if side > MAX_SIDE_PX:
            raise JobError(
                f"{name}: must be at most {MAX_SIDE_PX}, got {side} "
                "(it follows the aspect of the picture; give both width and height)",
                field=name,
            )
    return width, height


def _native(aspect: float, side_px: int, multiple_px: int) -> Size:
    """A size of about the model's area, whole multiples, no side beyond four times the model's."""
    longest = 4 * side_px
    width = min(longest, side_px * aspect**0.5)
    height = min(longest, side_px / aspect**0.5)
    return _rounded(width, multiple_px), _rounded(height, multiple_px)


def _rounded(side: float, multiple_px: int) -> int:
    return min(MAX_SIDE_PX, max(1, round(side / multiple_px)) * multiple_px)


def check_diffusion(job: Job, model: ModelDescription) -> None:
    """Raise JobError naming the field for what the model cannot do.

    Raises UnavailableError for words it cannot read, and for numbers that the CPU does not compute with.
    """
    title = FACTS[model.family].title
    _check_method(job)
    if job.coverage != Job.model_fields["coverage"].default:
        raise JobError("coverage: only the patch model has this setting; leave it out", field="coverage")
    known = (FLOW_SCHEDULER,) if model.family is Family.FLUX else SCHEDULERS
    if job.scheduler is not None and job.scheduler not in known:
        raise JobError(
            f"scheduler: must be one of {', '.join(known)} with {title}, got {job.scheduler}", field="scheduler"
        )
    if job.layers is not None:
        check_layers(job.layers, model)
    if model.family is Family.FLUX:
        for name, empty in (("negative_prompt", ""), ("seamless", Seamless.NONE), ("control", None)):
            if getattr(job, name) != empty:
                raise JobError(
                    f"{name}: {title} cannot do this; use SD 1.5, SD 2.x or SDXL, or leave it out", field=name
                )
    if job.precision is Precision.FP16 and job.device is Device.CPU:
        raise UnavailableError(FP16_ON_CPU)
    check_beside(job, model)
    _check_words(job, model)


def _check_method(job: Job) -> None:
    allowed = methods_of(job.task)
    if job.method is not None and job.method not in allowed:
        raise JobError(f"method: must be one of {', '.join(allowed)} for {job.task}, got {job.method}", field="method")
    method = job.method or (Method.SAMPLE if job.control is not None else allowed[0])
    if method is Method.OPTIMIZE:
        given = [name for name in _OF_SAMPLING if getattr(job, name) is not None]
        given += ["adain"] if job.adain else []
        given += ["control"] if job.control is not None else []
        if given:
            raise JobError(
                f"{given[0]}: the method optimize has no such setting; leave it out or set method to sample",
                field=given[0],
            )
    elif job.start is not None:
        raise JobError(
            "start: only the method optimize has this setting; use denoising_strength (1 begins with noise)",
            field="start",
        )
    if job.preset is Preset.FAST and method is not Method.OPTIMIZE:
        raise JobError(
            f"preset: fast is a way through the method optimize, and this job has {method}; leave it out",
            field="preset",
        )
    if job.method is Method.MULTIDIFFUSION and job.control is not None:
        raise JobError(
            "control: cannot steer windows (method multidiffusion); set method to sample, or leave it out",
            field="control",
        )


def _check_words(job: Job, model: ModelDescription) -> None:
    for name in ("prompt", "negative_prompt"):
        if getattr(job, name) and any(role not in model.tokenizer_dirs for role in FACTS[model.family].text_roles):
            raise UnavailableError(
                f"{name}: the words that {model.name} knows are not on this machine (its vocabulary), so prompts "
                f"cannot be read; fetch it with `adstudio models fetch-vocabulary {model.family}`, or add a diffusers "
                "folder of this family, which holds it. Style and appearance transfer and textures need no prompt and "
                "work without"
            )

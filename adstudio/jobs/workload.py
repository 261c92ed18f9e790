"""How much work a job of a diffusion model is, for a forecast of its time and memory."""

from __future__ import annotations

import os
from collections.abc import Sequence

from adstudio.jobs.choices import Device, Method, Precision
from adstudio.jobs.diffusion_defaults import Size, diffusion_values, is_large
from adstudio.jobs.presets import Course, shortened
from adstudio.jobs.spec import Job
from adstudio.models.description import ModelDescription
from adstudio.models.families import Family, Role
from adstudio.models.forecast import Workload, parameters_of

_MOST_WINDOWS = 256
_WINDOWS_ON_CARDS = 4


def workload_of(
    job: Job, model: ModelDescription, size: Size, *, device: str, precision: str, threads: int
) -> Workload:
    """The work of a job, open fields taken as their defaults. size: (width, height) of the result in pixels."""
    with_content = job.content is not None
    method = job.method or (Method.SAMPLE if job.control is not None else None)
    values = dict(
        diffusion_values(
            job.task, model, method=method, images=job.images, has_content=with_content, size=None if method else size
        )
    )
    values |= {name: value for name in values if (value := getattr(job, name)) is not None}
    course = Course(
        num_inference_steps=int(values["num_inference_steps"]),
        iterations=int(values["iterations"]),
        learning_rate=float(values["learning_rate"]),
    )
    if values["method"] is Method.OPTIMIZE:
        course = shortened(job.preset, course)
    steps = course.num_inference_steps
    side = latent_px(model)
    latents = max(1, size[0] // side) * max(1, size[1] // side)
    native = (model.native_side_px // side) ** 2
    read = [max(1, round(native * job.stroke_scale**2))] * len(job.styles)
    windows, batch, predictions = 1, 1, 0
    if values["method"] is not Method.OPTIMIZE:
        strength = float(values.get("denoising_strength", 1.0)) if with_content else 1.0
        steps = max(1, round(steps * strength))
        guided = model.family is not Family.FLUX and float(values.get("guidance_scale", 1.0)) > 1
        predictions = 2 if guided else 1
    if values["method"] is Method.MULTIDIFFUSION:
        windows = _windows(size[0] // side, size[1] // side, model.native_side_px // side)
        latents = min(latents, native)
        batch = 1 if device == "cpu" else _WINDOWS_ON_CARDS
    in_tiles = values["method"] is Method.OPTIMIZE and is_large(model.family, model.native_side_px, size)
    if in_tiles:
        windows = _windows(size[0] // side, size[1] // side, model.native_side_px // side, apart=(4 / 3,))
        latents = min(latents, native)
    if with_content and float(values.get("content_weight", 0.0)) > 0:
        if in_tiles:  # each window reads its own part for every update
            predictions = course.iterations
        else:
            read.append(latents)
    return Workload(
        family=model.family,
        parameters=parameters_of(model),
        device=device,
        precision=precision,
        threads=threads,
        pixels=size[0] * size[1],
        latents=latents,
        windows=windows,
        batch=min(batch, windows),
        read=tuple(read),
        levels=steps,
        iterations=course.iterations,
        predictions=predictions,
        images=job.images,
    )


def latent_px(model: ModelDescription) -> int:
    """Pixels of one latent's side, as the network sees latents."""
    vae = model.components.get(Role.VAE)
    blocks = vae.config.get("block_out_channels") if vae is not None else None
    halved: int = len(blocks) - 1 if isinstance(blocks, list | tuple) else 3
    return (2 if model.family is Family.FLUX else 1) << halved


def usual_precision(wanted: Precision, device: str, family: Family) -> str:
    """The numbers that a job is computed with. device: cpu, cuda or mps."""
    if wanted is not Precision.AUTO:
        return wanted.value
    if device == Device.CPU:
        return Precision.FP32.value
    return (Precision.BF16 if family is Family.FLUX else Precision.FP16).value


def cpu_threads() -> int:
    """Threads for the CPU: as OMP_NUM_THREADS says, otherwise one for each core this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _windows(width: int, height: int, side: int, apart: Sequence[float] = (8, 4, 2)) -> int:
    """How many windows of a side cover a canvas, all in latents, where they overlap as far as time allows.

    apart: side of a window over the distance of two, the nearest first.
    """
    count = 1
    for share in apart:
        stride = max(1, int(side / share))
        count = 1
        for length in (width, height):
            count *= 1 + max(0, -(-(length - side) // stride))
        if count <= _MOST_WINDOWS:
            break
    return count

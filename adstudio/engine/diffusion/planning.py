"""Before a run: what it will need, whether that is there, and what is done about it from the start."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import psutil
import torch

from adstudio.engine.devices import device_memory
from adstudio.engine.diffusion.ladder import said_ahead
from adstudio.errors import UnavailableError
from adstudio.jobs.choices import Precision
from adstudio.jobs.spec import Job
from adstudio.jobs.workload import latent_px, workload_of
from adstudio.models.calibration import Calibration, calibrations, keep_calibration
from adstudio.models.description import ModelDescription
from adstudio.models.forecast import UPDATE_SHARE, Plan, Workload, gigabytes, plan, tflop

_NAMES = {torch.float32: Precision.FP32, torch.float16: Precision.FP16, torch.bfloat16: Precision.BF16}
_SHORTEST_S = 0.05
"""Of steps in a run; less says nothing of the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A run's work and how to go about it. notice: for the artist, "" where there is nothing to say."""

    load: Workload
    plan: Plan
    notice: str

    @property
    def spare_bytes(self) -> int:
        """What may be kept beside the run."""
        return max(0, self.plan.available_bytes - self.plan.peak_bytes)


def planned(
    job: Job,
    model: ModelDescription,
    device: torch.device,
    dtype: torch.dtype,
    *,
    threads: int,
    held_bytes: int,
    limit_bytes: int | None,
) -> Planned:
    """Plan a resolved job.

    held_bytes: of the model and features that are in memory now and can be used or let go of. limit_bytes: what the
    program (on a card: what it takes there) may have in all; None for what is free.
    Raises UnavailableError where there is a limit and the job is beyond it whatever is done.
    """
    side = latent_px(model)
    size = (-(-(job.width or side) // side) * side, -(-(job.height or side) // side) * side)
    load = workload_of(job, model, size, device=device.type, precision=_NAMES[dtype].value, threads=threads)
    free, _ = device_memory(device)
    available = free + held_bytes
    if limit_bytes is not None:
        taken = max(0, psutil.Process().memory_info().rss - held_bytes) if device.type == "cpu" else 0
        available = min(available, limit_bytes - taken)
    shown = calibrations()
    chosen = plan(load, available, shown)
    if limit_bytes is not None and not chosen.fits:
        raise UnavailableError(
            f"a picture of {job.width} × {job.height} pixels needs about {gigabytes(chosen.peak_bytes)}, also with "
            f"everything that saves memory, and the limit of {gigabytes(limit_bytes)} leaves "
            f"{gigabytes(max(0, available))} for it; make the picture smaller or raise the memory limit"
        )
    usual = plan(load, sys.maxsize)
    return Planned(load=load, plan=chosen, notice=_notice(chosen, usual, limited=limit_bytes is not None))


def remember(load: Workload, device: torch.device, *, steps_s: float, done_tflop: float, decode_s: float) -> None:
    """Keep what a finished run has shown, for the forecasts to come.

    steps_s: of its steps. done_tflop: work of the passes in them, see `adstudio.engine.diffusion.work`.
    """
    if steps_s < _SHORTEST_S or done_tflop <= 0 or decode_s <= 0:
        return
    reading_s = steps_s / done_tflop * tflop(load.family, load.latents)
    _, total = device_memory(device)
    keep_calibration(
        Calibration(
            family=load.family,
            parameters=load.parameters,
            device=load.device,
            memory_bytes=total,
            precision=load.precision,
            threads=load.threads,
            latents=load.latents,
            pixels=load.pixels,
            reading_s=reading_s,
            update_s=UPDATE_SHARE * reading_s,
            decode_s=decode_s,
        )
    )


def _notice(chosen: Plan, usual: Plan, *, limited: bool) -> str:
    if usual.peak_bytes <= chosen.available_bytes:
        return ""
    there = f"{gigabytes(max(0, chosen.available_bytes))} {'are allowed' if limited else 'are free'}"
    means = chosen.means
    done = said_ahead(replace(means, tiled=means.tiled and not usual.means.tiled))
    if chosen.fits:
        return f"This needs about {gigabytes(usual.peak_bytes)} and {there}, so {done}."
    return (
        f"This needs about {gigabytes(chosen.peak_bytes)}, also with everything that saves memory, and {there}. "
        "It is tried all the same; where memory runs out, make the picture smaller or close other programs."
    )

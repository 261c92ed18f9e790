"""Why a diffusion model gave values that are no numbers, in words, found out once it has happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import nn

from adstudio.engine.backbones.base import Guidance
from adstudio.engine.control import ControlNet
from adstudio.engine.diffusion.loaded import Loaded
from adstudio.jobs.spec import Job

_FP32 = "run it again with precision set to fp32"


def reason_of(job: Job, loaded: Loaded, guidance: Guidance, *, where: str, from_the_start: bool) -> str:
    """A sentence. where: what was being computed. from_the_start: nothing of it was a number, at no step."""
    found = f"{where} gave values that are no numbers"
    parts = loaded.parts
    networks = {"its network": cast("nn.Module", parts.denoiser), "its VAE": cast("nn.Module", parts.vae)}
    dtype = next(networks["its network"].parameters()).dtype
    half = dtype != torch.float32
    control = guidance.control
    if isinstance(control, ControlNet) and _is_damaged(control.network, half=half):
        steering = job.control.model if job.control is not None else None
        return f"{found}: weights of the ControlNet {steering} are none; the file is damaged, get it again"
    for name, network in networks.items():
        if _is_damaged(network, half=half):
            return f"{found}: weights of {name} are none; {_damaged(job)}"
    prompts = [prompt.tokens for prompt in (guidance.positive, guidance.negative) if prompt is not None]
    if not _all_finite(prompts):
        return f"{found}: its text encoder makes none of the prompt; {_FP32 if half else _damaged(job)}"
    if half:
        kind = "bf16" if dtype is torch.bfloat16 else "16 bit"
        return f"{found}: they left the range of {kind} numbers with {job.model}; {_FP32}"
    if from_the_start:
        return f"{found}, from the first step on; {_damaged(job)}"
    return f"{found}; run it again with a lower learning_rate"


def _damaged(job: Job) -> str:
    beside = ", or of a LoRA file laid over it," if job.loras else ""
    return f"the file of {job.model}{beside} is damaged, get it again"


def _is_damaged(network: nn.Module, *, half: bool) -> bool:
    """Whether weights are no numbers. half: infinite ones may be too large for 16 bit alone, and so do not count."""
    return any(bool((weight.isnan() if half else ~weight.isfinite()).any()) for weight in network.parameters())


def _all_finite(tensors: Iterable[torch.Tensor]) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in tensors)

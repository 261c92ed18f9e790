"""Which device computes."""

from __future__ import annotations

import psutil
import torch

from adstudio.errors import UnavailableError
from adstudio.jobs.choices import Device, Precision, Preset
from adstudio.jobs.diffusion_defaults import FP16_ON_CPU
from adstudio.models.families import Family

_DTYPES = {Precision.FP16: torch.float16, Precision.BF16: torch.bfloat16, Precision.FP32: torch.float32}


def choose_device(wanted: Device) -> torch.device:
    """The device for a job; auto takes CUDA, then MPS, then the CPU.

    Raises UnavailableError when the machine has no such device.
    """
    has_cuda = torch.cuda.is_available()
    has_mps = torch.backends.mps.is_available()
    if wanted is Device.AUTO:
        return torch.device("cuda" if has_cuda else "mps" if has_mps else "cpu")
    if (wanted is Device.CUDA and not has_cuda) or (wanted is Device.MPS and not has_mps):
        name = "NVIDIA card that torch can use (CUDA)" if wanted is Device.CUDA else "Apple GPU (MPS)"
        raise UnavailableError(f'device: this machine has no {name}; set device to "auto" or "cpu"')
    return torch.device(str(wanted))


def choose_dtype(wanted: Precision, device: torch.device, family: Family, preset: Preset = Preset.EXACT) -> torch.dtype:
    """The number type of a diffusion model's networks; latents, losses and updates are float32 in any case.

    auto: 16 bit on graphics cards (bfloat16 for FLUX, which leaves float16's range, and float16 otherwise), float32 on
    the CPU, where 16 bit is slower on many machines; the fast preset takes it where the processor computes with it.
    Raises UnavailableError for a type that the device does not compute with.
    """
    if wanted is Precision.AUTO:
        if device.type == "cpu":
            return torch.bfloat16 if preset is Preset.FAST and cpu_has_bf16() else torch.float32
        return torch.bfloat16 if family is Family.FLUX else torch.float16
    if wanted is Precision.FP16 and device.type == "cpu":
        raise UnavailableError(FP16_ON_CPU)
    return _DTYPES[wanted]


def cpu_has_bf16() -> bool:
    """Whether the processor computes with bfloat16 itself: there a pass takes half the time of float32."""
    asked = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(bool(ask()) for ask in asked if ask is not None)


def device_memory(device: torch.device) -> tuple[int, int]:
    """Bytes that are free for this program, and in all; what torch holds back for itself counts as free."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device), total
    memory = psutil.virtual_memory()
    if device.type == "mps":
        most = torch.mps.recommended_max_memory()
        return max(0, most - torch.mps.current_allocated_memory()), most
    return memory.available, memory.total


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says, in any of torch's ways, that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and ("allocate memory" in str(error) or "out of memory" in str(error))

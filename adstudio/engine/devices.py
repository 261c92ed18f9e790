"""Which device computes."""

from __future__ import annotations

import torch

from adstudio.errors import UnavailableError
from adstudio.jobs.choices import Device


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


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says, in any of torch's ways, that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and ("allocate memory" in str(error) or "out of memory" in str(error))

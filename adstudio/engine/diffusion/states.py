"""Between a method's state and the arrays of a checkpoint: nested values with tensors, read back without pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adstudio.engine.checkpoint_files import UNREADABLE, checkpoint_paths, opened_arrays, write_arrays

_FORMAT = "diffusion 1"
_HEADER = "header"
_TENSOR = "$tensor"

Stored = Mapping[str, Any]
"""What a method stores: None, bool, int, float, str, tensors, and lists and mappings of these."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """image_index: 0-based picture of the job. method: whose state it is. stored: the state, tensors on the CPU."""

    image_index: int
    method: str
    stored: Stored


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint into the run folder; older ones beyond the two newest go. Raises StorageError."""
    arrays: dict[str, NDArray[Any]] = {}
    header = {
        "format": _FORMAT,
        "image_index": checkpoint.image_index,
        "method": checkpoint.method,
        "stored": _flattened(checkpoint.stored, arrays),
    }
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    return write_arrays(folder, {_HEADER: text, **arrays})


def sound_checkpoint(folder: Path, image_index: int, method: str) -> Checkpoint | None:
    """The newest checkpoint of a picture that can be read whole; None where there is none."""
    for path in checkpoint_paths(folder):
        try:
            with opened_arrays(path) as arrays:
                header = json.loads(arrays[_HEADER].tobytes())
                if header["format"] != _FORMAT or header["method"] != method:
                    continue
                stored = _filled(header["stored"], arrays)
                found = Checkpoint(image_index=int(header["image_index"]), method=method, stored=stored)
        except (*UNREADABLE, AttributeError, RecursionError):
            continue
        if found.image_index == image_index and _is_sound(stored):
            return found
    return None


def _flattened(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, Tensor):
        name = f"tensor-{len(arrays)}"
        arrays[name] = value.detach().cpu().numpy()
        return {_TENSOR: name}
    if isinstance(value, Mapping):
        return {str(key): _flattened(each, arrays) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_flattened(each, arrays) for each in value]
    return value


def _filled(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(value, dict):
        if _TENSOR in value:
            return torch.from_numpy(np.array(arrays[value[_TENSOR]]))
        return {key: _filled(each, arrays) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, arrays) for each in value]
    return value


def _is_sound(stored: Stored) -> bool:
    latents = stored.get("latents")
    return isinstance(latents, Tensor) and latents.ndim == 4 and bool(torch.isfinite(latents).all())

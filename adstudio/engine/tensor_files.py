"""Tensors kept on disk for later starts of the program, within a budget; what is damaged counts as not there."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

_log = logging.getLogger(__name__)
_SUFFIX = ".safetensors"
_FIRST_GUESS = 200e6
_WORTH = 3.0
_LEAST_S = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What was kept. tensors: by name, on the CPU. note: plain values beside them."""

    tensors: Mapping[str, Tensor]
    note: Mapping[str, Any]


class TensorFiles:
    """A folder of tensors by key. budget_bytes: of all files; those unused for longest go first.

    What was used since `begin` stays in any case: where a run needs more than there is room for, the first part of it
    is kept, and not each one pushed out by the next just before it is asked for again.
    """

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self._folder, self._budget = folder, budget_bytes
        self._used: set[str] = set()
        self._bytes_per_s = _FIRST_GUESS

    def begin(self) -> None:
        """A run begins: what earlier ones used may go."""
        self._used.clear()

    def is_worth(self, size_bytes: int, cost_s: float) -> bool:
        """Whether reading so much again takes clearly less time than computing it, going by what was written so far."""
        return cost_s > max(_LEAST_S, _WORTH * size_bytes / self._bytes_per_s)

    def get(self, key: str) -> Kept | None:
        """What was kept under a key; None where there is nothing sound."""
        path = self._folder / f"{key}{_SUFFIX}"
        try:
            kept = _read(path)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError, safetensors.SafetensorError) as error:
            _log.info("%s: left out and removed (%s)", path, error)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        self._used.add(path.name)
        return kept

    def put(self, key: str, tensors: Mapping[str, Tensor], note: Mapping[str, Any]) -> None:
        """Keep tensors under a key where there is room for them. A folder that cannot be written is no error."""
        path = self._folder / f"{key}{_SUFFIX}"
        whole = {name: each.detach().cpu().contiguous() for name, each in tensors.items()}
        size = sum(each.nbytes for each in whole.values())
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self._make_room(size, path.name):
                return
            began = time.monotonic()
            metadata = {"sum": _sum(whole), "note": json.dumps(dict(note))}
            safetensors.torch.save_file(whole, part, metadata)
            part.replace(path)
            self._bytes_per_s = size / max(1e-6, time.monotonic() - began)
            self._used.add(path.name)
        except (OSError, safetensors.SafetensorError) as error:
            _log.info("%s: not kept (%s)", path, error)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _make_room(self, size: int, name: str) -> bool:
        """Remove what was unused for longest until so much fits; False where it cannot."""
        held = {path: path.stat() for path in self._folder.iterdir() if path.name != name}
        too_much = sum(each.st_size for each in held.values()) + size - self._budget
        for path in sorted(held, key=lambda path: held[path].st_mtime):
            if too_much <= 0:
                break
            if path.name not in self._used:
                path.unlink()
                too_much -= held[path].st_size
        return too_much <= 0


def _read(path: Path) -> Kept:
    """What a file holds. Raises ValueError, KeyError, TypeError, OSError or SafetensorError for a damaged one."""
    with safetensors.safe_open(path, "pt") as stored:
        metadata = stored.metadata()
        tensors = {name: stored.get_tensor(name).clone() for name in stored.keys()}  # noqa: SIM118 - no dict
    if metadata["sum"] != _sum(tensors):
        raise ValueError("the sum does not fit")
    return Kept(tensors, dict(json.loads(metadata["note"])))


def _sum(tensors: Mapping[str, Tensor]) -> str:
    total = 0
    for name in sorted(tensors):
        each = tensors[name]
        total = zlib.crc32(f"{name} {tuple(each.shape)} {each.dtype}".encode(), total)
        total = zlib.crc32(each.reshape(-1).view(torch.uint8).numpy().data, total)
    return f"{total:08x}"

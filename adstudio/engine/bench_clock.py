"""Time and memory of what is measured."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import torch

_SAMPLE_S = 0.05


def now(device: torch.device) -> float:
    """Seconds of a clock, once the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()


def timed(device: torch.device, compute: Callable[[], Any]) -> tuple[float, Any]:
    """The seconds that a computation takes, and its result."""
    begun_s = now(device)
    result = compute()
    return now(device) - begun_s, result


class Peak:
    """The most memory taken while inside: of the card's allocator, elsewhere of the process."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self.bytes = 0

    def __enter__(self) -> Self:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._device.type == "cuda":
            self.bytes = torch.cuda.max_memory_allocated(self._device)
            return
        self._done.set()
        self._watch.join()

    def _look(self) -> None:
        psutil: Any = importlib.import_module("psutil")
        process = psutil.Process()
        while True:
            self.bytes = max(self.bytes, process.memory_info().rss)
            if self._done.wait(_SAMPLE_S):
                return

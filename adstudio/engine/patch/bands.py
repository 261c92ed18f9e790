"""Work shared out over horizontal bands of a picture.

The bands depend on the picture alone and each is computed by one thread, so results do not depend on how many threads
there are. Own threads instead of torch's: they do not spin while waiting, so the window stays quick on a full machine.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import torch

_BAND_PIXELS = 32768
_LOWER_PRIORITY = 5


class Bands:
    """A pool of threads at lower priority than the window. Used in a `with`; joined at its end.

    threads: how many; None takes one for each core this process may use.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or usable_cores()
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="patch", initializer=_enter_background)

    def __enter__(self) -> Bands:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def each(self, height: int, width: int, work: Callable[[int, int], None]) -> None:
        """Call work(first_row, last_row) for every band and wait for all. Raises what any of them raised."""
        for future in [self._pool.submit(work, *band) for band in split_rows(height, width)]:
            future.result()


def split_rows(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Bands of about equal work: (first, last + 1), in order, covering all rows."""
    count = max(1, min(height, height * width // _BAND_PIXELS))
    if height * width > 4096:
        count = max(count, min(4, height))
    for band in range(count):
        yield band * height // count, (band + 1) * height // count


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _enter_background() -> None:
    torch.set_num_threads(1)
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):  # not every system has priorities per thread
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWER_PRIORITY)

"""Work shared out over horizontal bands of a picture.

The bands depend on the picture alone and each is computed by one thread, so results do not depend on how many threads
there are. Own threads instead of torch's: they do not spin while waiting, so the window stays quick on a full machine.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Self, TypeVar

import torch

_BAND_PIXELS = 32768
_LOWER_PRIORITY = 5

_Result = TypeVar("_Result")


class Stopped(Exception):  # noqa: N818  (nothing went wrong: somebody asked)
    """The run is to end here; what was begun is dropped."""


class Bands:
    """A pool of threads at lower priority than the window. Used in a `with`; joined at its end.

    threads: how many; None takes one for each core this process may use.
    interrupted: asked before every band; once it is true, `each` raises Stopped.
    """

    def __init__(self, threads: int | None = None, interrupted: Callable[[], bool] = lambda: False) -> None:
        self.threads = threads or usable_cores()
        self.interrupted = interrupted
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="patch", initializer=_enter_background)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def each(self, height: int, width: int, work: Callable[[int, int], None]) -> None:
        """Call work(first_row, last_row) for every band and wait for all.

        Raises Stopped when interrupted, otherwise what any of the calls raised.
        """

        def unless_stopped(first: int, last: int) -> None:
            if self.interrupted():
                raise Stopped
            work(first, last)

        futures = [self._pool.submit(unless_stopped, *band) for band in split_rows(height, width)]
        wait(futures)
        for future in futures:
            future.result()

    def together(self, *works: Callable[[], _Result]) -> list[_Result]:
        """What each of a few independent works gives, done at once. Raises what the first that failed raised."""
        futures = [self._pool.submit(work) for work in works]
        wait(futures)
        return [future.result() for future in futures]


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

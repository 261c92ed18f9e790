"""Lines for a person: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from adstudio.jobs.events import Event, LoadingModel, Notice, Paused, Progress, Started

_BAR_CELLS = 24
_LIVE_INTERVAL_S = 0.1


def say(line: str) -> None:
    """One line on stdout."""
    _write(sys.stdout, line + "\n")


def tell(line: str) -> None:
    """One line on stderr."""
    _write(sys.stderr, line + "\n")


def _write(stream: TextIO, text: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # the reader has gone; the exit status still says how it went
        stream.write(text)
        stream.flush()


class ProgressLines:
    """Shows how a run goes on stderr: one live line on a terminal, otherwise a line for about every tenth.

    clock: seconds, monotonic. whole: words about all the runs of which this is one.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        images: int,
        clock: Callable[[], float] = time.monotonic,
        whole: Callable[[], str] | None = None,
    ) -> None:
        self._stream = stream
        self._images = images
        self._clock = clock
        self._whole = whole
        self._live = stream.isatty()
        self._shown = False
        self._next_tenth = 0
        self._next_live_s = 0.0

    def show(self, event: Event) -> None:
        """Take note of an event and show it if it is worth it."""
        match event:
            case LoadingModel(model=model):
                self._line(f"Loading the model {model} …")
            case Started(device=device):
                self._line(f"Computing on {device}")
            case Notice(message=message):
                self._line(message)
            case Paused():
                self._line("Paused")
            case Progress():
                self._progress(event)

    def close(self) -> None:
        """Leave the live line and go to the next one."""
        if self._shown:
            _write(self._stream, "\n")
            self._shown = False

    def _line(self, text: str) -> None:
        self.close()
        _write(self._stream, text + "\n")

    def _progress(self, event: Progress) -> None:
        fraction = min(max(event.fraction, 0.0), 1.0)
        words = _words(event, fraction, self._images, self._whole() if self._whole is not None else "")
        if not self._live:
            if fraction * 10 + 1e-9 >= self._next_tenth:
                self._next_tenth = int(fraction * 10 + 1e-9) + 1
                self._line(words)
            return
        now_s = self._clock()
        if now_s < self._next_live_s and fraction < 1:
            return
        self._next_live_s = now_s + _LIVE_INTERVAL_S
        done = round(fraction * _BAR_CELLS)
        columns = shutil.get_terminal_size().columns
        line = f"[{'#' * done}{'.' * (_BAR_CELLS - done)}] {words}"[: max(20, columns - 1)]
        _write(self._stream, f"\r\x1b[2K{line}")
        self._shown = True


def duration(seconds: float) -> str:
    """A time as a person says it: "8 s", "2 min 05 s", "1 h 04 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def quoted(path: Path) -> str:
    """A path as it is typed in a command."""
    text = str(path)
    return f'"{text}"' if " " in text else text


def _words(event: Progress, fraction: float, images: int, whole: str) -> str:
    parts = [f"{int(fraction * 100):3d} %", f"step {event.step} of {event.steps}"]
    if images > 1:
        parts.append(f"picture {event.image_index + 1} of {images}")
    if event.remaining_s is not None and fraction < 1:
        parts.append(f"about {duration(event.remaining_s)} left")
    if whole:
        parts.append(whole)
    if event.label:
        parts.append(event.label)
    return ", ".join(parts)

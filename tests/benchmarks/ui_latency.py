"""How long the window's event loop is held up while the real engine works: `python -m tests.benchmarks.ui_latency`.

A timer asks to be called every 5 ms; a gap is the time between two calls. Meanwhile the hands work too: the compare
slider is dragged, the picture is zoomed, cards are drawn. Prints p50, p99 and the worst gap in ms for idle and busy;
exit status 1 where p99 of the busy window is 50 ms or more. --project scrolls through and searches the history of a
project instead, as `tests.benchmarks.project_scale --keep` makes one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

import qasync  # type: ignore[import-untyped]  # isort: skip

from adstudio.jobs.thread_host import ThreadHost
from adstudio.paths import samples_dir
from adstudio.settings import Appearance
from ui.app import make_engine
from ui.canvas.view import ViewMode
from ui.main_window import MainWindow
from ui.state.samples import read_samples
from ui.state.workbench import Workbench
from ui.theme import apply_theme

_TICK_MS = 5
_HAND_MS = 16
_LIMIT_MS = 50.0


class Metronome:
    """Measures the gaps between two turns of the event loop, in ms."""

    def __init__(self) -> None:
        self.gaps_ms: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self.gaps_ms = []
        self._last = time.perf_counter()
        self._timer.start(_TICK_MS)

    def stop(self) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps_ms.append((now - self._last) * 1000)
        self._last = now

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.gaps_ms, share)) if self.gaps_ms else 0.0


class Hands:
    """Someone who plays with the canvas."""

    def __init__(self, window: MainWindow) -> None:
        self._view = window.canvas.view
        self._turn = 0
        self._timer = QTimer()
        self._timer.timeout.connect(self._move)

    def start(self) -> None:
        self._timer.start(_HAND_MS)

    def stop(self) -> None:
        self._timer.stop()

    def _move(self) -> None:
        self._turn += 1
        self._view.set_split(0.5 + 0.4 * float(np.sin(self._turn / 20)))
        if self._turn % 40 == 0:
            self._view.zoom_step(self._turn % 80 == 0)
        if self._turn % 200 == 0:
            modes = tuple(ViewMode)
            self._view.set_mode(modes[(self._turn // 200) % len(modes)])


async def until(reached: Callable[[], bool], patience_s: float) -> None:
    async with asyncio.timeout(patience_s):
        while not reached():  # noqa: ASYNC110  the bench has many signals, one question is enough
            await asyncio.sleep(0.05)


def report(name: str, metronome: Metronome) -> None:
    sys.stdout.write(
        f"{name:6} p50 {metronome.percentile(50):6.1f}  p99 {metronome.percentile(99):6.1f}  "
        f"worst {max(metronome.gaps_ms, default=0.0):6.1f} ms  ({len(metronome.gaps_ms)} turns)\n"
    )


async def scrolled(window: MainWindow) -> None:
    """From one end of the history to the other and back, a card and then a screen at a time."""
    bar = window.history.strip.horizontalScrollBar()
    steps = [*range(0, min(bar.maximum(), 6000), 40), *range(0, bar.maximum(), max(1, bar.maximum() // 150))]
    for value in (*steps, *reversed(steps)):
        bar.setValue(value)
        await asyncio.sleep(0.016)


async def measure_history(project: Path) -> int:
    """Open a project with many runs, scroll through them, type into its search."""
    bench = Workbench(
        ThreadHost(make_engine), asyncio.get_running_loop(), project_folder=project, pasted_folder=project / "pasted"
    )
    window = MainWindow(bench)
    window.resize(1440, 900)
    window.show()
    metronome = Metronome()
    began = time.perf_counter()
    bench.open(read_samples(samples_dir()))
    await until(lambda: bench.history.rowCount() > 0, 60)
    sys.stdout.write(f"{bench.history.total} runs listed after {(time.perf_counter() - began) * 1000:.0f} ms\n")
    await until(lambda: not bench.background.busy and not bench.room.background.busy, 60)
    metronome.start()
    await scrolled(window)
    metronome.stop()
    report("scroll", metronome)
    typing = Metronome()
    typing.start()
    for words in ("l", "li", "lig", "light", "", "storm", "storm c", ""):
        window.history.filter.search.setText(words)
        await asyncio.sleep(0.15)
        await until(lambda: not bench.room.background.busy, 60)
    typing.stop()
    report("search", typing)
    await bench.controller.shutdown()
    bench.close()
    window.allow_close()
    window.close()
    return 0 if max(metronome.percentile(99), typing.percentile(99)) < _LIMIT_MS else 1


async def measure(side_px: int) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        host = ThreadHost(make_engine)
        bench = Workbench(
            host,
            asyncio.get_running_loop(),
            project_folder=Path(scratch) / "studio.adproj",
            pasted_folder=Path(scratch) / "pasted",
        )
        window = MainWindow(bench)
        window.resize(1440, 900)
        window.show()
        bench.open(read_samples(samples_dir()))
        await until(lambda: not bench.session.problem() and not bench.background.busy, 60)
        metronome, hands = Metronome(), Hands(window)
        window.canvas.view.set_mode(ViewMode.COMPARE)
        hands.start()
        metronome.start()
        await asyncio.sleep(2)
        metronome.stop()
        report("idle", metronome)
        bench.session.set_value("width", side_px)
        bench.session.set_value("height", side_px)
        failures: list[str] = []
        bench.failed.connect(failures.append)
        bench.run()
        metronome.start()
        await asyncio.sleep(0.2)
        await until(lambda: not bench.controller.busy and not bench.background.busy, 500)
        metronome.stop()
        hands.stop()
        report("busy", metronome)
        await bench.controller.shutdown()
        bench.close()
        window.allow_close()
        window.close()
        if failures:
            sys.stdout.write(f"The run failed: {failures[0]}\n")
        return 0 if not failures and metronome.percentile(99) < _LIMIT_MS else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1024, help="width and height of the result in pixels")
    parser.add_argument("--project", type=Path, help="scroll and search this project's history instead")
    arguments = parser.parse_args()
    app = QApplication([])
    apply_theme(app, Appearance.DARK)
    loop = qasync.QEventLoop(app)
    with loop:
        work = measure(arguments.side) if arguments.project is None else measure_history(arguments.project)
        return int(loop.run_until_complete(work))


if __name__ == "__main__":
    sys.exit(main())

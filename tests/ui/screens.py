"""Makes pictures of the window in its states, dark and light: `python -m tests.ui.screens FOLDER [WIDTH HEIGHT]`.

QT_SCALE_FACTOR=2 makes them at 2x. Looking at them is part of every change to the window.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

import qasync  # type: ignore[import-untyped]  # isort: skip

from adstudio.jobs.choices import Task
from adstudio.jobs.events import Failed, Finished, LoadingModel, Preview, Progress, Started
from tests.ui.fake_host import FakeHost
from tests.ui.pictures import gradient, save
from ui.canvas.view import ViewMode
from ui.icons import resources_folder
from ui.main_window import MainWindow
from ui.state.adjust import Adjustment, apply
from ui.state.image_files import read_rgb
from ui.state.samples import Samples, read_samples
from ui.state.scheme import Scheme
from ui.state.stage import fit_to
from ui.state.workbench import Workbench
from ui.theme import apply_theme

_PATIENCE_S = 20.0


class Photographer:
    """Drives a window over a fake host and saves what it looks like."""

    def __init__(self, app: QApplication, folder: Path, size: tuple[int, int]) -> None:
        self._app, self._folder, self._size = app, folder, size
        self._host = FakeHost()
        self._samples = read_samples(resources_folder() / "samples")

    async def until(self, reached: Callable[[], bool]) -> None:
        """Let the loop turn until something is so."""
        async with asyncio.timeout(_PATIENCE_S):
            while not reached():  # noqa: ASYNC110  what is waited for is the look of things
                await asyncio.sleep(0.02)

    async def shoot(self, window: MainWindow, name: str, scheme: Scheme) -> None:
        await self.until(lambda: not window.bench.background.busy)
        await asyncio.sleep(0.05)
        window.grab().save(str(self._folder / f"{name}-{scheme}.png"))

    async def all(self, scheme: Scheme) -> None:
        apply_theme(self._app, scheme)
        with tempfile.TemporaryDirectory() as scratch:
            loop = asyncio.get_running_loop()
            bench = Workbench(self._host, loop, runs_folder=Path(scratch) / "runs", pasted_folder=Path(scratch))
            window = MainWindow(bench)
            window.resize(*self._size)
            window.show()
            bench.open(Samples())
            await self.shoot(window, "1-empty", scheme)
            window.canvas.zones.offer(window.canvas.drop_zones())
            window.canvas.zones.mark(window.canvas.zones.rect().center() / 2)
            await self.shoot(window, "2-drop-zones", scheme)
            window.canvas.zones.hide()
            bench.open(self._samples)
            await self.shoot(window, "3-first-start", scheme)
            await self._run(window, scheme)
            await self._others(window, scheme)
            window.allow_close()
            window.close()
            bench.background.close()

    async def _run(self, window: MainWindow, scheme: Scheme) -> None:
        bench, host = window.bench, self._host
        content, style = self._samples.first_pair(Task.STYLE_TRANSFER)
        if content is None or style is None:
            return
        for turn in range(3):
            count = len(host.submitted)
            bench.run()
            await self.until(lambda count=count: len(host.submitted) > count)  # type: ignore[misc]
            request = host.submitted[-1]
            host.emit(LoadingModel(model="patch"))
            host.emit(Started(device="cpu", steps=18))
            own = read_rgb(content.path)
            look = fit_to(read_rgb(style.path), own.shape[1], own.shape[0])
            host.emit(Preview(image=apply(Adjustment(strength=0.6), look, own)[::4, ::4], step=7, steps=18))
            host.emit(Progress(step=7, steps=18, fraction=0.39, remaining_s=6.2, label="Painting at half size"))
            await self.until(lambda: window.canvas.progress.value() == 390)
            if turn == 0:
                await self.shoot(window, "4-running", scheme)
                host.emit(Failed(reason="There is no room left on the disk. Free some space, then run again."))
            else:
                made = apply(Adjustment(strength=0.5 + 0.2 * turn), look, own)
                picture = save(request.folder / "result.png", made)
                host.emit(Finished(results=(picture,), time_s=8.7))
            await self.until(lambda: not bench.controller.busy)
            if turn == 0:
                await self.shoot(window, "5-failed", scheme)
                window.canvas.banner.dismiss()
        for mode in ViewMode:
            window.canvas.view.set_mode(mode)
            await self.shoot(window, f"6-{mode}", scheme)
        window.canvas.view.set_mode(ViewMode.COMPARE)
        bench.adjust(Adjustment(color=0.3, strength=0.8))
        window.after_run.show_adjustment(bench.stage.adjustment, available=True)
        window.parameters.verticalScrollBar().setValue(10_000)
        await self.shoot(window, "7-adjusted", scheme)

    async def _others(self, window: MainWindow, scheme: Scheme) -> None:
        session = window.bench.session
        more = [sample for sample in self._samples.all if sample.role == "style"][1:3]
        session.add_styles([sample.path for sample in more])
        with tempfile.TemporaryDirectory() as scratch:
            long = save(Path(scratch) / f"{'a very long name of a holiday ' * 5}.png", gradient(320, 200))
            broken = Path(scratch) / "half a picture.png"
            broken.write_bytes(long.read_bytes()[:60])
            session.set_content(long)
            session.add_styles([broken])
            window.parameters.advanced.button.setChecked(True)
            window.parameters.verticalScrollBar().setValue(0)
            await self.shoot(window, "8-many-and-broken", scheme)
        session.set_task(Task.TEXT_TO_IMAGE)
        await self.shoot(window, "9-text-to-image", scheme)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    size = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else (1440, 900)
    app = QApplication([])
    loop = qasync.QEventLoop(app)
    with loop:
        for scheme in (Scheme.DARK, Scheme.LIGHT):
            loop.run_until_complete(Photographer(app, folder, size).all(scheme))


if __name__ == "__main__":
    main()

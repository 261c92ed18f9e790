"""Makes pictures of the window in its states, with the real engine and our own samples.

    python -m tests.ui.screens FOLDER [--size 1440x900] [--scheme dark|light|both] [--width 512]
    python -m tests.ui.screens resources/screenshots --official

Looking at them is part of every change to the window; QT_SCALE_FACTOR=2 makes them at 2x. --official writes the few
that the README shows, at the samples' own size and small enough for a repository.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QPixmap
from PySide6.QtWidgets import QApplication

import qasync  # type: ignore[import-untyped]  # isort: skip

from adstudio.engine.runner import StudioEngine
from adstudio.jobs.choices import Task
from adstudio.jobs.thread_host import ThreadHost
from adstudio.paths import samples_dir
from adstudio.settings import Appearance
from tests.ui.pictures import gradient, save
from ui.canvas.view import ViewMode
from ui.main_window import MainWindow
from ui.state.adjust import Adjustment
from ui.state.image_files import read_rgb
from ui.state.job_controller import RunState
from ui.state.samples import Samples, read_samples
from ui.state.workbench import Workbench
from ui.theme import apply_theme

_PATIENCE_S = 300.0
_ROW_PX, _ROW_GAP_PX = 360, 12
# The last one is seen in the picture.
_STYLES_OF_THE_SHOW = (
    "painting_oil",
    "painting_linocut",
    "painting_mosaic",
    "painting_watercolour",
)
_GAP_OF_THE_SHOW = 0.42  # where the compare slider stands in the pictures for the README


class Photographer:
    """Drives a window over the real engine and saves what it looks like."""

    def __init__(self, app: QApplication, folder: Path, size: tuple[int, int], width_px: int | None) -> None:
        self._app, self._folder, self._size, self._width_px = app, folder, size, width_px
        self._samples = read_samples(samples_dir())
        self._taken = 0

    async def until(self, reached: Callable[[], bool]) -> None:
        """Let the loop turn until something is so."""
        async with asyncio.timeout(_PATIENCE_S):
            while not reached():  # noqa: ASYNC110  what is waited for is the look of things
                await asyncio.sleep(0.02)

    async def open(self, project_folder: Path, *, samples: bool) -> MainWindow:
        """A window of its own, with or without the first pictures."""
        host = ThreadHost(lambda: StudioEngine(1))
        bench = Workbench(
            host,
            asyncio.get_running_loop(),
            project_folder=project_folder,
            pasted_folder=project_folder.parent / "pasted",
        )
        window = MainWindow(bench)
        window.resize(*self._size)
        window.show()
        bench.open(self._samples if samples else Samples())
        await self.until(lambda: bench.room.current is not None)
        window.status_line.show_place("~/Pictures/AD Studio/Studio.adproj")
        if samples:
            await self.until(lambda: not bench.session.problem())
        await self.settle(window)
        return window

    async def close(self, window: MainWindow) -> None:
        await window.bench.controller.shutdown()
        window.bench.close()
        window.allow_close()
        window.close()
        window.deleteLater()

    async def settle(self, window: MainWindow) -> None:
        await asyncio.sleep(0.05)
        await self.until(lambda: not window.bench.background.busy)
        await asyncio.sleep(0.05)

    async def run(self, window: MainWindow) -> None:
        """A whole run of what is laid out."""
        window.bench.run()
        await self.until(lambda: not window.bench.controller.busy)
        await asyncio.sleep(0.4)
        await self.settle(window)

    async def run_until_seen(self, window: MainWindow) -> None:
        """Start a run and wait for a preview worth looking at."""
        seen: list[int] = []
        connection = window.bench.controller.previewed.connect(lambda image, *_: seen.append(image.width()))
        window.bench.run()
        await self.until(lambda: any(width >= 100 for width in seen) or not window.bench.controller.busy)
        window.bench.controller.previewed.disconnect(connection)

    def shoot(self, window: MainWindow, name: str, *, official: bool = False) -> None:
        picture = window.grab()
        if official:
            save_small(picture, self._folder / f"{name}.jpg")
        else:
            self._taken += 1
            picture.save(str(self._folder / f"{self._taken:02d}-{name}.png"))

    def show_result(self, window: MainWindow, name: str) -> None:
        """Content, reference and result of the shown run side by side."""
        shown = window.bench.stage.shown
        if shown is None or shown.job is None:
            return
        paths = [shown.job.styles[0].image, shown.picture]
        if shown.job.content is not None:
            paths.insert(0, shown.job.content)
        save_row([Image.fromarray(read_rgb(path)) for path in paths], self._folder / f"{name}.jpg")

    def limit(self, window: MainWindow) -> None:
        if self._width_px is not None:
            window.bench.session.set_value("width", self._width_px)

    async def official(self) -> None:
        """What the README shows."""
        with tempfile.TemporaryDirectory() as scratch:
            runs = Path(scratch) / "AD Studio"
            apply_theme(self._app, Appearance.DARK)
            window = await self.open(runs, samples=True)
            self.shoot(window, "window-first-start", official=True)
            bench, view = window.bench, window.canvas.view
            self.limit(window)
            for style in _STYLES_OF_THE_SHOW:
                sample = self._samples.named(style)
                if sample is not None:
                    bench.session.set_styles([sample.path], name=sample.title)
                await self.settle(window)
                await self.run(window)
            view.set_mode(ViewMode.COMPARE)
            view.set_split(_GAP_OF_THE_SHOW)
            self.shoot(window, "window-dark", official=True)
            self.show_result(window, "style")
            apply_theme(self._app, Appearance.LIGHT)
            await self.settle(window)
            self.shoot(window, "window-light", official=True)
            apply_theme(self._app, Appearance.DARK)
            view.set_split(0.5)
            for task in (Task.APPEARANCE_TRANSFER, Task.TEXTURE):
                bench.session.set_styles([])
                bench.session.set_task(task)
                bench.lay_out_samples()
                if task is Task.TEXTURE:
                    bench.session.set_value("seamless", "both")
                    bench.session.set_value("width", 768)
                await self.settle(window)
                await self.run(window)
                view.set_mode(ViewMode.COMPARE if task is not Task.TEXTURE else ViewMode.RESULT)
                name = "appearance" if task is Task.APPEARANCE_TRANSFER else "texture"
                self.shoot(window, f"window-{name}", official=True)
                self.show_result(window, name)
            await self.close(window)

    async def states(self, scheme: Appearance) -> None:
        """Every state there is."""
        apply_theme(self._app, scheme)
        with tempfile.TemporaryDirectory() as scratch:
            runs = Path(scratch) / "AD Studio"
            window = await self.open(runs.with_name("Empty"), samples=False)
            self.shoot(window, f"{scheme}-empty")
            self._offer_drop(window)
            self.shoot(window, f"{scheme}-drop-zones")
            window.canvas.zones.hide()
            await self.close(window)
            window = await self.open(runs, samples=True)
            self.shoot(window, f"{scheme}-first-start")
            self.limit(window)
            await self._runs(window, scheme)
            await self._tasks(window, scheme)
            await self._troubles(window, scheme, Path(scratch))
            await self.close(window)

    def _offer_drop(self, window: MainWindow) -> None:
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(sample.path)) for sample in self._samples.all[:1]])
        button, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        event = QDragEnterEvent(QPointF(200, 200), Qt.DropAction.CopyAction, mime, button, keys)
        QApplication.sendEvent(window.canvas, event)
        window.canvas.zones.mark(QPoint(100, 100))

    async def _runs(self, window: MainWindow, scheme: Appearance) -> None:
        bench = window.bench
        await self.run_until_seen(window)
        self.shoot(window, f"{scheme}-running")
        bench.toggle_pause()
        await self.until(lambda: bench.controller.state in (RunState.PAUSED, RunState.IDLE))
        self.shoot(window, f"{scheme}-paused")
        if bench.controller.state is RunState.PAUSED:
            bench.toggle_pause()
        await self.until(lambda: not bench.controller.busy)
        await asyncio.sleep(0.4)
        await self.settle(window)
        for mode in ViewMode:
            window.canvas.view.set_mode(mode)
            await self.settle(window)
            self.shoot(window, f"{scheme}-result-{mode}")
        window.canvas.view.set_mode(ViewMode.COMPARE)
        window.after_run.show_adjustment(Adjustment(color=0.3, strength=0.8), available=True)
        bench.adjust(Adjustment(color=0.3, strength=0.8))
        await asyncio.sleep(0.4)
        await self.settle(window)
        self.shoot(window, f"{scheme}-adjusted")
        window.canvas.view.actual_size()
        await self.run_until_seen(window)
        bench.controller.cancel()
        self.shoot(window, f"{scheme}-cancelling")
        await self.until(lambda: not bench.controller.busy)
        await self.settle(window)
        entry = bench.history.entry(0)
        if entry is not None:
            bench.past.show_entry(entry)
        self.shoot(window, f"{scheme}-cancelled")
        window.canvas.banner.dismiss()
        window.canvas.view.fit()
        bench.session.set_value("images", 3)
        await self.run(window)
        bench.stage.turn_to(1)
        await self.settle(window)
        self.shoot(window, f"{scheme}-three-pictures")
        bench.session.set_value("images", None)

    async def _tasks(self, window: MainWindow, scheme: Appearance) -> None:
        for task in (Task.APPEARANCE_TRANSFER, Task.TEXTURE, Task.TEXT_TO_IMAGE):
            window.bench.choose_task(task)
            await self.settle(window)
            self.shoot(window, f"{scheme}-{task}-ready")
            if not window.bench.session.problem():
                await self.run(window)
                self.shoot(window, f"{scheme}-{task}-done")
        window.bench.choose_task(Task.STYLE_TRANSFER)

    async def _troubles(self, window: MainWindow, scheme: Appearance, scratch: Path) -> None:
        session = window.bench.session
        more = [sample for sample in self._samples.all if sample.role == "style"][1:3]
        session.add_styles([sample.path for sample in more])
        long = save(scratch / f"{'a very long name of a holiday ' * 5}.png", gradient(320, 200))
        broken = scratch / "half a picture.png"
        broken.write_bytes(long.read_bytes()[:60])
        session.set_content(long)
        session.add_styles([broken])
        window.parameters.advanced.button.setChecked(True)
        window.canvas.view.set_mode(ViewMode.RESULT)
        await self.settle(window)
        self.shoot(window, f"{scheme}-many-and-broken")
        session.remove_style(session.setup.styles[-1].key)
        await self.settle(window)
        long.unlink()
        window.bench.run()
        await self.settle(window)
        self.shoot(window, f"{scheme}-content-is-gone")


def save_row(pictures: list[Image.Image], target: Path) -> None:
    """Pictures of one height beside each other, as JPEG."""
    scaled = [
        one.resize((round(one.width * _ROW_PX / one.height), _ROW_PX), Image.Resampling.LANCZOS) for one in pictures
    ]
    gaps = _ROW_GAP_PX * (len(scaled) - 1)
    row = Image.new("RGB", (sum(one.width for one in scaled) + gaps, _ROW_PX), "white")
    left = 0
    for one in scaled:
        row.paste(one, (left, 0))
        left += one.width + _ROW_GAP_PX
    row.save(target, "JPEG", quality=88, optimize=True)


def save_small(picture: QPixmap, target: Path) -> None:
    """As JPEG with full colour resolution, so that words stay sharp."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    image = Image.open(io.BytesIO(buffer.data().data())).convert("RGB")
    image.save(target, "JPEG", quality=90, subsampling=0, optimize=True, progressive=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--official", action="store_true", help="those that the README shows")
    parser.add_argument("--size", default="1440x900", help="of the window")
    parser.add_argument("--scheme", choices=("dark", "light", "both"), default="both")
    parser.add_argument("--width", type=int, default=None, help="of the results, in pixels; 512 unless official")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    width, height = (int(part) for part in chosen.size.split("x"))
    limit = chosen.width if chosen.width is not None or chosen.official else 512
    app = QApplication([sys.argv[0]])
    loop = qasync.QEventLoop(app)
    photographer = Photographer(app, chosen.folder, (width, height), limit)
    with loop:
        if chosen.official:
            loop.run_until_complete(photographer.official())
            return
        for scheme in (Appearance.DARK, Appearance.LIGHT):
            if chosen.scheme in ("both", scheme):
                loop.run_until_complete(photographer.states(scheme))


if __name__ == "__main__":
    main()

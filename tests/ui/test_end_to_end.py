"""The window with the real engine: a picture is dropped, run, watched, cancelled, run again and restored."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from adstudio.jobs.thread_host import ThreadHost
from adstudio.paths import samples_dir
from adstudio.settings import Appearance
from tests.ui.pictures import save, stripes
from tests.ui.test_references import drop
from ui.app import make_engine
from ui.main_window import MainWindow
from ui.state.image_files import job_inside, read_rgb
from ui.state.job_controller import RunState
from ui.state.samples import Samples
from ui.state.workbench import Workbench
from ui.theme import apply_theme

WIDTH_PX, HEIGHT_PX = 192, 144
PATIENCE_MS = 120_000


@pytest.fixture
def real(qtbot: QtBot, qapp: QApplication, loop: asyncio.AbstractEventLoop, tmp_path: Path) -> Iterator[MainWindow]:
    """A window over the thread host with the patch model in it."""
    apply_theme(qapp, Appearance.DARK)
    host = ThreadHost(make_engine)
    bench = Workbench(host, loop, project_folder=tmp_path / "studio.adproj", pasted_folder=tmp_path / "pasted")
    bench.open(Samples())
    window = MainWindow(bench)
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    yield window
    leaving = loop.create_task(bench.controller.shutdown())
    qtbot.waitUntil(leaving.done, timeout=30_000)
    bench.close()
    window.allow_close()
    window.close()
    window.deleteLater()


def lay_out(window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    """Drop a photograph and a painting, two of our samples, on their zones; the result is to be small."""
    content = Path(shutil.copy(samples_dir() / "content_lighthouse.jpg", folder / "My lighthouse.jpg"))
    style = Path(shutil.copy(samples_dir() / "painting_linocut.jpg", folder / "Printed boat.jpg"))
    drop(window.canvas, [content], QPoint(60, 200))
    drop(window.canvas, [style], QPoint(window.canvas.width() - 60, 200))
    window.bench.session.set_value("width", WIDTH_PX)
    qtbot.waitUntil(lambda: window.bench.session.problem() == "", timeout=10_000)


def test_drop_run_watch_cancel_run_again_restore(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    lay_out(real, qtbot, tmp_path)
    bench = real.bench
    bench.session.set_value("seed", 11)

    previews: list[tuple[int, int]] = []
    bench.controller.previewed.connect(lambda image, step, steps: previews.append((step, steps)))
    QTest.mouseClick(real.top_bar.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(previews) > 0, timeout=PATIENCE_MS)
    QTest.keyClick(real, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not bench.controller.busy, timeout=10_000)

    with qtbot.waitSignal(bench.controller.finished, timeout=PATIENCE_MS) as finished:
        QTest.keyClick(real, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert finished.args is not None
    folder: Path = finished.args[0].folder
    qtbot.waitUntil(lambda: bench.stage.shown is not None, timeout=10_000)
    result = read_rgb(folder / "result.png")
    assert result.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert bench.stage.shown is not None and bench.stage.shown.content is not None
    assert np.abs(result.astype(int) - bench.stage.shown.content.astype(int)).mean() > 10, "it was repainted"
    carried = job_inside(folder / "result.png")
    assert carried is not None and carried.seed == 11

    qtbot.waitUntil(lambda: real.history.current() is not None, timeout=10_000)
    qtbot.waitUntil(lambda: bench.history.rowCount() >= 1 and bench.history.entry(0) is not None, timeout=10_000)
    bench.session.set_task(Task.TEXTURE)
    bench.session.set_value("seed", 1)
    bench.session.clear_content()
    real.history.select(bench.history.row_of(folder))
    real.history.strip.setFocus()
    QTest.keyClick(real.history.strip, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: bench.session.problem() == "", timeout=10_000)
    assert bench.session.setup.task is Task.STYLE_TRANSFER
    assert bench.session.job().seed == 11
    names = [real.references.content_card.name.text(), *(card.name.text() for card in real.references.cards())]
    assert names == ["My lighthouse.jpg", "Printed boat.jpg"], "as the files were called"


def test_a_run_that_was_cancelled_is_gone_on_with_and_measured(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    lay_out(real, qtbot, tmp_path)
    bench = real.bench
    with qtbot.waitSignal(bench.controller.previewed, timeout=PATIENCE_MS):
        bench.run()
    bench.controller.cancel()
    qtbot.waitUntil(lambda: not bench.controller.busy, timeout=10_000)
    qtbot.waitUntil(lambda: (entry := bench.history.entry(0)) is not None and entry.can_go_on, timeout=10_000)
    entry = bench.history.entry(0)
    assert entry is not None
    bench.past.go_on(entry)
    qtbot.waitUntil(lambda: bench.stage.shown is not None, timeout=PATIENCE_MS)
    assert (entry.folder / "result.png").is_file()
    qtbot.waitUntil(lambda: bench.figures.figures is not None, timeout=60_000)
    assert float(real.canvas.result_bar.line.values["style"].text()) > 0
    assert len(list((bench.project_folder / "runs").iterdir())) == 1


def test_pause_holds_and_goes_on_to_the_end(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    lay_out(real, qtbot, tmp_path)
    controller = real.bench.controller
    with qtbot.waitSignal(controller.previewed, timeout=PATIENCE_MS):
        real.bench.run()
    real.top_bar.pause.click()
    qtbot.waitUntil(lambda: controller.state in (RunState.PAUSED, RunState.IDLE), timeout=PATIENCE_MS)
    if controller.state is RunState.PAUSED:
        real.top_bar.pause.click()
    qtbot.waitUntil(lambda: real.bench.stage.shown is not None, timeout=PATIENCE_MS)


def test_a_texture_fills_its_size(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    style = save(tmp_path / "weave.png", stripes(96, 96))
    session = real.bench.session
    session.set_task(Task.TEXTURE)
    session.set_styles([style])
    session.set_value("width", 144)
    session.set_value("height", 80)
    qtbot.waitUntil(lambda: session.problem() == "", timeout=10_000)
    with qtbot.waitSignal(real.bench.controller.finished, timeout=PATIENCE_MS):
        real.bench.run()
    qtbot.waitUntil(lambda: real.bench.stage.shown is not None, timeout=10_000)
    assert (real.bench.stage.size().width(), real.bench.stage.size().height()) == (144, 80)

"""The window with the real engine and tiny diffusion models: every task from the picker to the picture."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from adstudio.engine.runner import StudioEngine
from adstudio.jobs.choices import Task
from adstudio.jobs.files import load_job
from adstudio.jobs.thread_host import ThreadHost
from adstudio.models.families import Family
from adstudio.models.library import add_to_library
from adstudio.settings import Appearance
from tests.engine.tiny_models import tiny_model, write_folder
from tests.ui.pictures import gradient, save, stripes
from tests.ui.test_end_to_end import PATIENCE_MS
from tests.ui.test_models_page import GOLDENS
from ui.main_window import MainWindow
from ui.state.image_files import read_rgb
from ui.state.job_controller import RunState
from ui.state.samples import Samples
from ui.state.workbench import Workbench
from ui.theme import apply_theme
from ui.widgets.prompt_editor import PromptEditor

needs_goldens = pytest.mark.skipif(not GOLDENS.is_dir(), reason="the tiny models are not on this machine")
STEPS = 2


@pytest.fixture
def real(qtbot: QtBot, qapp: QApplication, loop: asyncio.AbstractEventLoop, tmp_path: Path) -> Iterator[MainWindow]:
    """A window over the thread host with an engine of one thread: tiny models gain nothing from more."""
    apply_theme(qapp, Appearance.DARK)
    bench = Workbench(
        ThreadHost(lambda: StudioEngine(1)),
        loop,
        project_folder=tmp_path / "studio.adproj",
        pasted_folder=tmp_path / "pasted",
    )
    bench.open(Samples())
    window = MainWindow(bench)
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    yield window
    leaving = loop.create_task(bench.controller.shutdown())
    qtbot.waitUntil(leaving.done, timeout=60_000)
    bench.close()
    window.allow_close()
    window.close()
    window.deleteLater()


def lay_out(window: MainWindow, qtbot: QtBot, folder: Path, task: Task, model: str) -> None:
    """Small pictures, few steps, a tiny model."""
    session = window.bench.session
    window.bench.models.refresh()
    qtbot.waitUntil(lambda: window.bench.models.find(model) is not None, timeout=10_000)
    session.set_content(save(folder / "scene.png", gradient(64, 48)))
    session.set_styles([save(folder / "look.png", stripes(64, 64))])
    session.set_task(task)
    window.top_bar.model.chosen.emit(model)
    qtbot.waitUntil(lambda: session.setup.model == model, timeout=10_000)
    session.set_value("num_inference_steps", STEPS)
    session.set_value("iterations", 1)
    session.set_value("width", 64)
    session.set_value("height", 64)
    qtbot.waitUntil(lambda: session.problem() == "", timeout=10_000)


def run(window: MainWindow, qtbot: QtBot) -> Path:
    with qtbot.waitSignal(window.bench.controller.finished, timeout=PATIENCE_MS) as finished:
        QTest.mouseClick(window.top_bar.run, Qt.MouseButton.LeftButton)
    assert finished.args is not None
    folder: Path = finished.args[0].folder
    qtbot.waitUntil(lambda: window.bench.stage.shown is not None, timeout=10_000)
    return folder


@pytest.mark.parametrize("task", [Task.STYLE_TRANSFER, Task.TEXTURE])
def test_pictures_with_a_tiny_model(real: MainWindow, qtbot: QtBot, tmp_path: Path, task: Task) -> None:
    add_to_library(write_folder(tiny_model(Family.SD15), tmp_path / "painter"))
    lay_out(real, qtbot, tmp_path, task, "painter")
    said: list[str] = []
    real.bench.status.connect(said.append)
    folder = run(real, qtbot)
    assert read_rgb(folder / "result.png").shape == (64, 64, 3)
    assert "Loading painter …" in said and said[-1].endswith("painter · CPU")
    assert load_job(folder / "job.json").num_inference_steps == STEPS


@needs_goldens
@pytest.mark.parametrize("name", ["tiny-sd15", "tiny-flux"])
def test_pictures_from_words(real: MainWindow, qtbot: QtBot, tmp_path: Path, name: str) -> None:
    add_to_library(GOLDENS / name)
    lay_out(real, qtbot, tmp_path, Task.TEXT_TO_IMAGE, name)
    row = real.parameters.rows["prompt"]
    assert isinstance(row, PromptEditor)
    QTest.keyClicks(row.edit, "a boat")
    folder = run(real, qtbot)
    job = load_job(folder / "job.json")
    assert (job.prompt, job.content, job.model) == ("a boat", None, name)
    assert read_rgb(folder / "result.png").shape == (64, 64, 3)


def test_cancelled_gone_on_with_and_restored(real: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    add_to_library(write_folder(tiny_model(Family.SD15), tmp_path / "painter"))
    lay_out(real, qtbot, tmp_path, Task.STYLE_TRANSFER, "painter")
    bench = real.bench
    bench.session.set_value("num_inference_steps", 40)
    with qtbot.waitSignal(bench.controller.progressed, timeout=PATIENCE_MS):
        bench.run()
    real.top_bar.pause.click()
    qtbot.waitUntil(lambda: bench.controller.state in (RunState.PAUSED, RunState.IDLE), timeout=PATIENCE_MS)
    bench.controller.cancel()
    qtbot.waitUntil(lambda: not bench.controller.busy, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: (entry := bench.history.entry(0)) is not None and entry.can_go_on, timeout=10_000)
    entry = bench.history.entry(0)
    assert entry is not None
    bench.past.go_on(entry)
    qtbot.waitUntil(lambda: bench.stage.shown is not None, timeout=PATIENCE_MS)
    assert (entry.folder / "result.png").is_file()
    bench.session.choose_model("patch")
    bench.past.restore(entry)
    qtbot.waitUntil(lambda: bench.session.setup.model == "painter", timeout=10_000)
    assert bench.session.setup.value("num_inference_steps") == 40

"""Models in the window: the picker, text to image from words to result, and runs that come back with their model."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from adstudio.jobs.events import Finished, LoadingModel, Progress, Started
from adstudio.jobs.files import load_job
from adstudio.models.families import Family
from adstudio.models.library import add_to_library, remove_from_library
from adstudio.settings import Settings
from tests.ui.fake_host import FakeHost
from tests.ui.model_files import write_model, write_words
from tests.ui.pictures import save, stripes
from tests.ui.test_references import drop
from ui.canvas.empty_state import Empty
from ui.main_window import MainWindow
from ui.state.job_controller import RunState
from ui.widgets.parameter_row import ParameterRow
from ui.widgets.prompt_editor import MAX_LETTERS, PromptEditor

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support raise", "grabbing the keyboard")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Two models on the list: one that reads words, one that does not."""
    folder = tmp_path / "disk"
    add_to_library(write_words(write_model(folder / "oil.safetensors", size_gb=0.02)))
    add_to_library(write_model(folder / "wide.safetensors", Family.SD2, size_gb=0.02))
    return folder


@pytest.fixture
def ready(disk: Path, filled: MainWindow, qtbot: QtBot) -> MainWindow:
    """A window in which a style transfer could run, and that knows the models."""
    qtbot.waitUntil(lambda: len(filled.bench.models.entries) == 2, timeout=10_000)
    return filled


def choose(window: MainWindow, qtbot: QtBot, model: str) -> None:
    window.top_bar.model.chosen.emit(model)
    qtbot.waitUntil(lambda: window.bench.session.setup.model == model, timeout=10_000)


def entries(window: MainWindow) -> dict[str, QAction]:
    menu = window.top_bar.model.make_menu()
    menu.deleteLater()
    return {action.text().split("\t")[0]: action for action in menu.actions() if action.text()}


def prompt(window: MainWindow, name: str = "prompt") -> PromptEditor:
    row = window.parameters.rows[name]
    assert isinstance(row, PromptEditor)
    return row


def start(window: MainWindow, host: FakeHost, qtbot: QtBot) -> Path:
    count = len(host.submitted)
    QTest.mouseClick(window.top_bar.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(host.submitted) == count + 1, timeout=5000)
    return host.submitted[-1].folder


def test_the_picker_offers_what_can_do_the_task_and_says_why_not(ready: MainWindow, disk: Path, qtbot: QtBot) -> None:
    found = entries(ready)
    assert list(found) == ["Patch model", "oil", "wide", "Models …"]
    assert found["Patch model"].isChecked() and all(action.isEnabled() for action in found.values())
    assert "SD 1.5" in found["oil"].text()
    ready.bench.session.set_task(Task.TEXT_TO_IMAGE)
    found = entries(ready)
    assert found["oil"].isChecked() and found["oil"].isEnabled()
    assert not found["Patch model"].isEnabled() and "words" in found["Patch model"].toolTip()
    (disk / "wide.safetensors").unlink()
    ready.bench.models.refresh()
    qtbot.waitUntil(lambda: not entries(ready)["wide"].isEnabled(), timeout=10_000)
    wide = entries(ready)["wide"]
    assert wide.text().endswith("offline") and "Plug its drive in" in wide.toolTip()


def test_the_picker_opens_with_the_keyboard_and_leads_to_the_page(ready: MainWindow, qtbot: QtBot) -> None:
    picker = ready.top_bar.model
    assert picker.accessibleName() == "Model: Patch model · built in"
    picker.setFocus()
    QTest.keyClick(picker, Qt.Key.Key_Space)
    menu = picker.menu_shown
    assert menu is not None and menu.isVisible()
    menu.actions()[-1].trigger()
    menu.close()
    qtbot.waitUntil(lambda: ready.models.page is not None and picker.menu_shown is None, timeout=5000)


def test_each_task_keeps_its_model(ready: MainWindow, qtbot: QtBot) -> None:
    session = ready.bench.session
    choose(ready, qtbot, "wide")
    assert ready.top_bar.model.words() == "wide"
    session.set_task(Task.TEXTURE)
    assert session.setup.model == "patch"
    session.set_task(Task.STYLE_TRANSFER)
    assert session.setup.model == "wide"
    session.undo()
    session.undo()
    session.undo()
    assert (session.setup.task, session.setup.model) == (Task.STYLE_TRANSFER, "patch")
    assert Settings(models=session.chosen.by_task).models == {}


def test_parameters_follow_the_model_and_its_own_wait(ready: MainWindow, qtbot: QtBot) -> None:
    session, rows = ready.bench.session, ready.parameters.rows
    session.set_value("num_inference_steps", 12)
    session.set_value("stroke_scale", 1.5)
    assert "coverage" in rows and "method" not in rows
    choose(ready, qtbot, "oil")
    rows = ready.parameters.rows
    assert "coverage" not in rows and "method" in rows
    assert session.job().model == "oil" and session.job().num_inference_steps is None
    assert session.job().stroke_scale == 1.5
    session.set_value("num_inference_steps", 90)
    choose(ready, qtbot, "patch")
    assert session.job().num_inference_steps == 12
    choose(ready, qtbot, "oil")
    assert session.job().num_inference_steps == 90


def test_the_size_is_the_models_own(ready: MainWindow, qtbot: QtBot) -> None:
    assert ready.bench.session.expected_size() == (120, 90)
    choose(ready, qtbot, "oil")
    width, height = ready.bench.session.expected_size()
    assert width % 8 == height % 8 == 0 and abs(width * height - 512 * 512) < 0.1 * 512 * 512
    assert f"{width} × {height}" in ready.top_bar.machine_chip.text()
    ready.bench.session.set_task(Task.TEXT_TO_IMAGE)
    assert ready.bench.session.expected_size() == (512, 512)


def test_without_a_model_the_way_is_shown(filled: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: filled.bench.models.loaded, timeout=10_000)
    filled.top_bar.tasks.button(Task.TEXT_TO_IMAGE).click()
    assert "needs a diffusion model" in filled.parameters.notice.text()
    assert filled.parameters.models_button.isVisible() and not filled.parameters.rows
    assert filled.canvas.empty.models_button.isVisible() and not filled.canvas.empty.open_button.isVisible()
    filled.canvas.empty.models_button.click()
    page = filled.models.page
    assert page is not None
    page.accept()
    filled.parameters.models_button.click()
    qtbot.waitUntil(lambda: filled.models.page not in (None, page), timeout=5000)


def test_a_model_added_meanwhile_is_taken_at_once(filled: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    filled.bench.session.set_task(Task.TEXT_TO_IMAGE)
    assert not filled.top_bar.run.isEnabled()
    add_to_library(write_words(write_model(tmp_path / "oil.safetensors")))
    filled.bench.models.refresh()
    qtbot.waitUntil(filled.top_bar.run.isEnabled, timeout=10_000)
    assert filled.bench.session.setup.model == "oil" and not filled.parameters.notice.isVisible()
    assert prompt(filled).isVisible()


def test_from_words_to_a_picture(ready: MainWindow, qtbot: QtBot, host: FakeHost) -> None:
    ready.top_bar.tasks.button(Task.TEXT_TO_IMAGE).click()
    assert ready.canvas.empty._kind is Empty.WORDS
    QTest.keyClicks(prompt(ready).edit, "a harbour")
    QTest.keyClicks(prompt(ready, "negative_prompt").edit, "people")
    assert "content_weight" not in ready.parameters.rows, "there is no content to keep"
    folder = start(ready, host, qtbot)
    job = load_job(folder / "job.json")
    assert (job.task, job.model, job.prompt, job.negative_prompt) == (
        Task.TEXT_TO_IMAGE,
        "oil",
        "a harbour",
        "people",
    )
    assert job.content is None and job.width == job.height == 512
    host.emit(LoadingModel(model="oil"))
    qtbot.waitUntil(lambda: ready.bench.controller.state is RunState.LOADING, timeout=5000)
    assert ready.status_line.doing.text() == "Loading oil …"
    assert ready.canvas.progress.isVisible()
    host.emit(Started(device="cpu", steps=50))
    host.emit(Progress(step=1, steps=50, fraction=0.02, remaining_s=90.0, label="Step 1"))
    qtbot.waitUntil(lambda: "about 1 min 30 s left" in ready.status_line.doing.text(), timeout=5000)
    QTest.mouseClick(ready.top_bar.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: ready.bench.controller.state is RunState.PAUSED, timeout=5000)
    QTest.mouseClick(ready.top_bar.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: ready.bench.controller.state is RunState.RUNNING, timeout=5000)
    host.emit(Finished(results=(save(folder / "result.png", stripes(64, 64)),), time_s=12.0))
    qtbot.waitUntil(lambda: ready.bench.stage.shown is not None, timeout=5000)
    assert ready.status_line.doing.text().endswith("· oil · CPU")
    qtbot.waitUntil(lambda: ready.bench.history.rowCount() == 1, timeout=5000)
    tooltip = ready.bench.history.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert "oil" in tooltip and "“a harbour”" in tooltip


def test_text_to_image_follows_a_content_only_when_asked(ready: MainWindow, content: Path, qtbot: QtBot) -> None:
    session = ready.bench.session
    session.set_task(Task.TEXT_TO_IMAGE)
    assert session.job().content is None and ready.references.content_empty.isVisible()
    drop(ready.references.content_empty, [content], QPoint(10, 10))
    qtbot.waitUntil(lambda: session.setup.used_content is not None, timeout=5000)
    qtbot.waitUntil(lambda: session.problem() == "", timeout=5000)
    assert session.job().content == content and "content_weight" in ready.parameters.rows
    session.clear_content()
    assert session.job().content is None
    session.set_task(Task.STYLE_TRANSFER)
    assert session.job().content == content, "the other tasks keep theirs"


def test_a_run_comes_back_with_its_model(ready: MainWindow, qtbot: QtBot, host: FakeHost) -> None:
    session = ready.bench.session
    choose(ready, qtbot, "oil")
    session.set_value("num_inference_steps", 77)
    folder = start(ready, host, qtbot)
    host.emit(Finished(results=(save(folder / "result.png", stripes(64, 64)),)))
    qtbot.waitUntil(lambda: not ready.bench.controller.busy, timeout=5000)
    choose(ready, qtbot, "patch")
    job = load_job(folder / "job.json")
    ready.bench.past.restore_job(job)
    qtbot.waitUntil(lambda: session.setup.model == "oil", timeout=10_000)
    row = ready.parameters.rows["num_inference_steps"]
    assert isinstance(row, ParameterRow) and row.value() == 77
    assert session.setup.value("layers") is None, "what the run took by default stays open"


def test_a_run_whose_model_is_gone_says_so_and_keeps_its_settings(
    ready: MainWindow, qtbot: QtBot, host: FakeHost, disk: Path
) -> None:
    session = ready.bench.session
    choose(ready, qtbot, "oil")
    session.set_value("num_inference_steps", 77)
    folder = start(ready, host, qtbot)
    host.emit(Finished(results=(save(folder / "result.png", stripes(64, 64)),)))
    qtbot.waitUntil(lambda: not ready.bench.controller.busy, timeout=5000)
    choose(ready, qtbot, "patch")
    remove_from_library("oil")
    ready.bench.past.restore_job(load_job(folder / "job.json"))
    qtbot.waitUntil(ready.canvas.banner.isVisible, timeout=10_000)
    assert "oil is not installed" in ready.canvas.banner.message.text()
    assert not ready.top_bar.run.isEnabled() and ready.top_bar.model.property("broken")
    assert "oil is not installed" in ready.parameters.notice.text()
    assert not entries(ready)["oil"].isEnabled()
    ready.canvas.banner.buttons()[0].click()
    page = ready.models.page
    assert page is not None
    page.add((disk / "oil.safetensors",))
    qtbot.waitUntil(ready.top_bar.run.isEnabled, timeout=10_000)
    assert session.job().num_inference_steps == 77


def test_a_job_that_names_a_file_is_shown_by_its_name(ready: MainWindow, qtbot: QtBot, disk: Path) -> None:
    session = ready.bench.session
    ready.bench.past.restore_job(session.job().model_copy(update={"model": str(disk / "oil.safetensors")}))
    qtbot.waitUntil(lambda: session.setup.model == "oil", timeout=10_000)
    qtbot.waitUntil(lambda: session.problem() == "", timeout=5000)
    other = write_model(disk / "not on the list.safetensors")
    ready.bench.past.restore_job(session.job().model_copy(update={"model": str(other)}))
    qtbot.waitUntil(lambda: session.setup.model == str(other), timeout=10_000)
    assert ready.top_bar.model.words() == "not on the list"
    qtbot.waitUntil(ready.top_bar.run.isEnabled, timeout=5000)
    assert session.job().model == str(other)


def test_the_prompt_grows_counts_and_ends(qtbot: QtBot) -> None:
    around = QWidget()
    qtbot.addWidget(around)
    editor, other = PromptEditor("Prompt", "In words.", parent=around), QLineEdit(around)
    editor.resize(240, 200)
    around.show()
    qtbot.waitExposed(around)
    low = editor.edit.height()
    told: list[str] = []
    editor.changed.connect(told.append)
    mime = QMimeData()
    mime.setText("  word " * 60)
    editor.edit.insertFromMimeData(mime)
    QApplication.processEvents()
    assert editor.edit.height() > low and told[-1].startswith("word") and not editor.count.text()
    editor.edit.setPlainText("x" * (MAX_LETTERS + 50))
    assert told[-1] == "x" * MAX_LETTERS and editor.count.text() == "0 left"
    editor.show_value("short")
    assert told[-1] == "x" * MAX_LETTERS and editor.edit.height() == low
    QTest.keyClick(editor.edit, Qt.Key.Key_Tab)
    assert editor.value() == "short" and around.focusWidget() is other, "Tab goes on to the next field"


def test_typing_in_the_prompt_is_no_shortcut(ready: MainWindow, qtbot: QtBot) -> None:
    ready.bench.session.set_task(Task.TEXT_TO_IMAGE)
    ready.activateWindow()
    edit = prompt(ready).edit
    edit.setFocus()
    QTest.keyClicks(edit, "chs")
    assert ready.bench.session.setup.value("prompt") == "chs"
    assert ready.canvas.view.mode == "result"
    ready.bench.session.undo()
    assert prompt(ready).value() == ""

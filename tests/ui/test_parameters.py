"""The parameter panel, made from the job's schema."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from adstudio.jobs.parameters import parameters_for
from ui.actions import Command
from ui.main_window import MainWindow
from ui.widgets.choice_row import ChoiceRow
from ui.widgets.parameter_row import ParameterRow
from ui.widgets.seed_row import SeedRow
from ui.widgets.size_row import SizeRow
from ui.widgets.stepper_row import StepperRow


def _row(window: MainWindow, name: str) -> ParameterRow:
    row = window.parameters.rows[name]
    assert isinstance(row, ParameterRow)
    return row


def test_every_parameter_of_the_task_has_a_row(window: MainWindow) -> None:
    for task in (Task.STYLE_TRANSFER, Task.APPEARANCE_TRANSFER, Task.TEXTURE):
        window.bench.session.set_task(task)
        wanted = {p.name for p in parameters_for(task, "patch") if p.group != "after"} - {"height"}
        assert set(window.parameters.rows) == wanted


def test_defaults_are_shown_and_leave_the_job_alone(filled: MainWindow) -> None:
    default = next(p.default for p in parameters_for(Task.STYLE_TRANSFER, "patch") if p.name == "content_weight")
    assert _row(filled, "content_weight").value() == default
    assert filled.bench.session.job().content_weight is None


def test_slider_field_and_reset(filled: MainWindow) -> None:
    row = _row(filled, "content_weight")
    assert not row.reset.isVisible()
    row.slider.setValue(row.slider.maximum())
    assert row.field.value() == row.slider.number()
    assert filled.bench.session.job().content_weight == row.slider.number()
    assert row.reset.isVisible()
    row.field.setValue(0.33)
    assert filled.bench.session.job().content_weight == 0.33
    row.reset.click()
    assert filled.bench.session.job().content_weight is None
    assert not row.reset.isVisible()


def test_a_dragged_slider_is_one_step_of_undo(filled: MainWindow) -> None:
    row = _row(filled, "coverage")
    before = row.value()
    for value in (3, 5, 8, 12):
        row.slider.setValue(value)
    filled.actions_table[Command.UNDO].trigger()
    assert row.value() == before


def test_whole_numbers_stay_whole(filled: MainWindow) -> None:
    row = filled.parameters.rows["images"]
    assert isinstance(row, StepperRow)
    assert not row.fewer.isEnabled()
    row.more.click()
    row.more.click()
    assert filled.bench.session.job().images == 3
    row.field.setValue(1)
    assert filled.bench.session.setup.value("images") is None


def test_hints_stand_below_the_sliders_where_there_is_room(window: MainWindow, qtbot: QtBot) -> None:
    hint = _row(window, "content_weight").hint
    window.resize(1280, 1400)
    qtbot.waitUntil(hint.isVisible, timeout=5000)
    window.resize(1280, 700)
    qtbot.waitUntil(lambda: not hint.isVisible(), timeout=5000)
    assert _row(window, "content_weight").slider.toolTip() == hint.text() != ""


def test_another_task_shows_no_hints_where_there_is_no_room(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1000, 600)
    qtbot.waitUntil(lambda: not _row(window, "content_weight").hint.isVisible(), timeout=5000)
    for task in (Task.APPEARANCE_TRANSFER, Task.TEXTURE, Task.STYLE_TRANSFER):
        window.bench.session.set_task(task)
        QApplication.processEvents()
        hint = _row(window, "stroke_scale").hint
        assert hint.text() and not hint.isVisible(), task


@pytest.mark.parametrize("seed", [7, 2**63 - 1])
def test_a_seed_of_any_length_can_be_read(filled: MainWindow, qtbot: QtBot, seed: int) -> None:
    filled.bench.session.set_value("seed", seed)
    row = filled.parameters.rows["seed"]
    assert isinstance(row, SeedRow)
    QApplication.processEvents()
    words = row.field.fontMetrics().horizontalAdvance(str(seed))
    assert row.field.width() >= words + 12, "as wide as the panel is there is room for all digits"
    filled.resize(1000, 600)
    filled.splitter.setSizes([300, 436, 264])
    qtbot.waitUntil(lambda: row.width() < 250, timeout=5000)
    if row.field.width() < words + 12:
        assert str(seed) in row.field.toolTip() and row.field.cursorPosition() == 0
    assert row.lock.geometry().right() < row.field.geometry().left()
    assert row.field.geometry().right() <= row.width()


def test_what_belongs_to_another_task_stays_behind(filled: MainWindow) -> None:
    filled.bench.session.set_value("content_weight", 0.7)
    filled.bench.session.set_task(Task.TEXTURE)
    job = filled.bench.session.job()
    assert job.content is None and job.content_weight is None
    filled.bench.session.set_task(Task.STYLE_TRANSFER)
    assert filled.bench.session.job().content_weight == 0.7


def test_colour_and_strength_of_a_restored_job_can_be_seen_and_reset(filled: MainWindow, qtbot: QtBot) -> None:
    assert "color" not in filled.parameters.rows
    job = filled.bench.session.job().model_copy(update={"color": 0.4, "coverage": 0.8})
    filled.bench.session.restore(job, {})
    assert _row(filled, "color").value() == 0.4
    qtbot.waitUntil(lambda: filled.bench.session.problem() == "", timeout=5000)
    assert filled.bench.session.job().color == 0.4
    assert filled.bench.session.setup.value("coverage") is None, "a default is no change"
    _row(filled, "color").reset.click()
    assert "color" not in filled.parameters.rows


def test_seed_typing_dice_and_lock(filled: MainWindow) -> None:
    row = filled.parameters.rows["seed"]
    assert isinstance(row, SeedRow)
    row.field.setText(str(2**63 - 1))
    QTest.keyClick(row.field, Qt.Key.Key_Return)
    assert filled.bench.session.job().seed == 2**63 - 1
    row.dice.click()
    assert filled.bench.session.job().seed < 2**63 - 1
    row.lock.click()
    assert filled.bench.session.seed_locked is False


def test_size_follows_the_content_until_it_is_set(filled: MainWindow) -> None:
    row = filled.parameters.rows["width"]
    assert isinstance(row, SizeRow)
    assert (row.width_field.placeholderText(), row.height_field.placeholderText()) == ("120", "90")
    row.width_field.setText("60")
    QTest.keyClick(row.width_field, Qt.Key.Key_Return)
    assert filled.bench.session.job().width == 60
    assert row.height_field.placeholderText() == "45"
    row.reset.click()
    assert filled.bench.session.job().width is None


def test_choice_reaches_the_job(filled: MainWindow) -> None:
    filled.bench.session.set_task(Task.TEXTURE)
    row = filled.parameters.rows["seamless"]
    assert isinstance(row, ChoiceRow)
    row.field.setCurrentIndex(row.field.findData("both"))
    row.field.activated.emit(row.field.currentIndex())
    assert filled.bench.session.job().seamless == "both"


def test_advanced_is_folded(window: MainWindow) -> None:
    steps = window.parameters.rows["num_inference_steps"]
    assert not steps.isVisible()
    window.parameters.advanced.button.click()
    assert steps.isVisible()


def test_text_to_image_says_what_is_missing(filled: MainWindow) -> None:
    filled.top_bar.tasks.button(Task.TEXT_TO_IMAGE).click()
    assert "diffusion model" in filled.parameters.notice.text()
    assert filled.parameters.notice.isVisible()
    assert not filled.top_bar.run.isEnabled()
    assert "diffusion model" in filled.top_bar.run.toolTip()
    filled.top_bar.tasks.button(Task.STYLE_TRANSFER).click()
    assert filled.top_bar.run.isEnabled()
    assert not filled.parameters.notice.isVisible()

"""One thing has one name everywhere: the picture of the structure, in each task."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from tests.ui.fake_host import FakeHost
from tests.ui.test_runs import finish, running
from ui.canvas.view import ViewMode
from ui.main_window import MainWindow
from ui.state.words import content_word, short_name
from ui.widgets.parameter_row import ParameterRow


def words_of_the_window(window: MainWindow) -> list[str]:
    """Every place that names the picture of the structure."""
    references, canvas, after = window.references, window.canvas, window.after_run
    return [
        references.content_header.findChildren(type(references.content_missing))[0].accessibleName(),
        window.bench.stage.before_label(),
        canvas.drop_zones()[0][1],
        canvas.modes.button(ViewMode.COMPARE).toolTip(),
        after.color.label.text(),
        after.strength.label.text(),
        after.strength.slider.accessibleName(),
        after.strength.reset.accessibleName(),
        *(row.label.text() for row in [window.parameters.rows["content_weight"]] if isinstance(row, ParameterRow)),
    ]


@pytest.mark.parametrize(
    ("task", "word", "other"),
    [(Task.STYLE_TRANSFER, "content", "structure"), (Task.APPEARANCE_TRANSFER, "structure", "content")],
)
def test_the_picture_of_the_structure_has_one_name(
    filled: MainWindow, qtbot: QtBot, task: Task, word: str, other: str
) -> None:
    filled.bench.choose_task(task)
    qtbot.waitUntil(lambda: not filled.bench.background.busy, timeout=5000)
    for words in words_of_the_window(filled):
        assert word in words.lower() and other not in words.lower(), words
    filled.bench.session.clear_content()
    assert f"a {word} picture" in filled.bench.session.problem()


def test_a_result_keeps_the_words_of_its_own_task(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    filled.bench.session.set_task(Task.APPEARANCE_TRANSFER)
    finish(filled, host, qtbot, running(filled, host, qtbot))
    filled.bench.session.set_task(Task.STYLE_TRANSFER)
    assert filled.bench.stage.before_label() == "Structure"
    assert filled.after_run.strength.label.text() == "Strength over the structure"


def test_what_cannot_be_computed_promises_no_machine(filled: MainWindow, qtbot: QtBot) -> None:
    filled.resize(1600, 900)
    assert filled.top_bar.model.words() == "Patch model · built in"
    filled.bench.choose_task(Task.TEXT_TO_IMAGE)
    assert filled.top_bar.model.words() == "No diffusion model"
    assert filled.top_bar.machine_chip.text() == ""


def test_a_short_name_stays_and_a_long_one_keeps_its_ends() -> None:
    assert short_name("holiday.png") == "holiday.png"
    long = f"{'x' * 60}.png"
    assert short_name(long) == f"{'x' * 18}…{'x' * 14}.png"
    assert content_word(Task.TEXTURE) == "Content"

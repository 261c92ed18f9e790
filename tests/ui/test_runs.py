"""Runs as the window shows them, with a host that does what the test says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from adstudio.images import blend_color, blend_strength
from adstudio.jobs.events import Failed, Finished, LoadingModel, Notice, Preview, Progress, Started
from tests.ui.fake_host import FakeHost
from tests.ui.pictures import gradient, save, stripes
from ui.actions import Command
from ui.canvas.view import ViewMode
from ui.main_window import MainWindow
from ui.state import adjust
from ui.state.adjust import Adjustment, apply, read_adjustment
from ui.state.job_controller import RunState


def start(window: MainWindow, host: FakeHost, qtbot: QtBot) -> Path:
    """Press Run and let computing begin. Returns the run folder."""
    count = len(host.submitted)
    QTest.mouseClick(window.top_bar.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(host.submitted) == count + 1, timeout=5000)
    host.emit(LoadingModel(model="patch"))
    host.emit(Started(device="cpu", steps=10))
    return host.submitted[-1].folder


def running(window: MainWindow, host: FakeHost, qtbot: QtBot) -> Path:
    folder = start(window, host, qtbot)
    qtbot.waitUntil(lambda: window.bench.controller.state is RunState.RUNNING, timeout=5000)
    return folder


def finish(window: MainWindow, host: FakeHost, qtbot: QtBot, folder: Path) -> None:
    picture = save(folder / "result.png", stripes(120, 90))
    host.emit(Finished(results=(picture,), time_s=2.5))
    qtbot.waitUntil(lambda: window.bench.stage.shown is not None, timeout=5000)


def test_run_makes_a_run_folder_with_copies_of_the_inputs(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    folder = running(filled, host, qtbot)
    request = host.submitted[0]
    assert (folder / "job.json").is_file()
    assert folder.parent == filled.bench.project_folder / "runs"
    assert request.job.content is not None and request.job.content.is_relative_to(folder / "inputs")


def test_the_shortcut_runs_too(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    QTest.keyClick(filled, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(host.submitted) == 1, timeout=5000)


def test_previews_and_progress_are_seen(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    running(filled, host, qtbot)
    host.emit(Preview(image=stripes(40, 30), step=3, steps=10))
    host.emit(Progress(step=3, steps=10, fraction=0.3, remaining_s=14.0, label="Painting"))
    qtbot.waitUntil(lambda: filled.canvas.progress.value() == 300, timeout=5000)
    assert filled.bench.stage.after().preview is not None
    assert (filled.bench.stage.size().width(), filled.bench.stage.size().height()) == (120, 90)
    assert "3 of 10" in filled.bench.stage.after_label()
    assert "14 s" in filled.status_line.doing.text()
    assert filled.windowTitle() == "30 % · AD Studio"


def test_a_finished_run_shows_its_result_and_can_be_compared(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    folder = running(filled, host, qtbot)
    finish(filled, host, qtbot, folder)
    assert filled.bench.controller.state is RunState.IDLE
    assert filled.bench.stage.before().pyramid is not None
    assert "2.5 s" in filled.status_line.doing.text()
    filled.canvas.modes.button(ViewMode.COMPARE).click()
    assert filled.canvas.view.mode is ViewMode.COMPARE
    qtbot.waitUntil(lambda: filled.history.current() is not None, timeout=5000)
    assert filled.canvas.progress.isHidden()


def test_pause_and_go_on(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    running(filled, host, qtbot)
    filled.top_bar.pause.click()
    qtbot.waitUntil(lambda: filled.bench.controller.state is RunState.PAUSED, timeout=5000)
    assert filled.top_bar.pause.isChecked()
    filled.actions_table[Command.PAUSE].trigger()
    qtbot.waitUntil(lambda: filled.bench.controller.state is RunState.RUNNING, timeout=5000)
    assert not filled.top_bar.pause.isChecked()


def test_cancel_is_said_at_once(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    running(filled, host, qtbot)
    host.emit(Preview(image=stripes(40, 30), step=1, steps=10))
    qtbot.waitUntil(lambda: filled.bench.stage.after().preview is not None, timeout=5000)
    host.answers_cancel = False
    QTest.keyClick(filled, Qt.Key.Key_Escape)
    assert filled.bench.controller.state is RunState.CANCELLING
    assert "Cancelling" in filled.status_line.doing.text()
    host.answers_cancel = True
    filled.bench.controller.cancel()
    qtbot.waitUntil(lambda: filled.bench.controller.state is RunState.IDLE, timeout=5000)
    assert filled.bench.stage.after().preview is None
    assert filled.top_bar.run.isEnabled()


def test_a_failure_is_said_over_the_canvas_and_the_next_run_works(
    filled: MainWindow, host: FakeHost, qtbot: QtBot
) -> None:
    running(filled, host, qtbot)
    host.emit(Failed(reason="There is no room left on the disk. Free some space and run again."))
    qtbot.waitUntil(lambda: filled.canvas.banner.isVisible(), timeout=5000)
    assert "no room left" in filled.canvas.banner.message.text()
    assert filled.bench.controller.state is RunState.IDLE
    QTest.keyClick(filled, Qt.Key.Key_Escape)
    assert not filled.canvas.banner.isVisible()
    finish(filled, host, qtbot, running(filled, host, qtbot))


def test_a_notice_is_shown(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    running(filled, host, qtbot)
    host.emit(Notice(message="The mask was snapped to its labels."))
    qtbot.waitUntil(lambda: "snapped" in filled.canvas.banner.message.text(), timeout=5000)


def test_a_second_run_waits_for_its_turn(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    first = running(filled, host, qtbot)
    QTest.mouseClick(filled.top_bar.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "1 waiting" in filled.history.queue.text(), timeout=5000)
    assert len(host.submitted) == 1
    finish_picture = save(first / "result.png", stripes(120, 90))
    host.emit(Finished(results=(finish_picture,)))
    qtbot.waitUntil(lambda: len(host.submitted) == 2, timeout=5000)
    assert host.submitted[1].folder != first
    assert filled.history.queue.text() == ""
    assert filled.bench.controller.busy


def test_a_seed_that_is_not_locked_changes_for_every_run(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    filled.bench.session.set_seed_locked(False)
    seeds = set()
    for _ in range(3):
        finish(filled, host, qtbot, running(filled, host, qtbot))
        seeds.add(host.submitted[-1].job.seed)
    assert len(seeds) > 1


def test_an_unwritable_folder_is_said(filled: MainWindow, host: FakeHost, qtbot: QtBot, tmp_path: Path) -> None:
    runs = filled.bench.project_folder / "runs"
    runs.rmdir()
    runs.write_text("in the way")
    filled.bench.run()
    qtbot.waitUntil(lambda: filled.canvas.banner.isVisible(), timeout=5000)
    assert filled.bench.controller.state is RunState.IDLE
    assert not host.submitted


def test_colour_and_strength_change_the_result_at_once_and_stay(
    filled: MainWindow, host: FakeHost, qtbot: QtBot
) -> None:
    stage = filled.bench.stage
    assert not filled.after_run.color.isEnabled()
    folder = running(filled, host, qtbot)
    finish(filled, host, qtbot, folder)
    assert filled.after_run.strength.isEnabled()
    before = stage.after().key
    shown = stage.shown
    assert shown is not None and shown.content is not None
    filled.after_run.strength.slider.setValue(0)
    qtbot.waitUntil(lambda: stage.after().key != before, timeout=5000)
    qtbot.waitUntil(lambda: stage.after().pyramid is not None, timeout=5000)
    pyramid = stage.after().pyramid
    assert pyramid is not None
    pixels = pyramid.levels[0].pixels[..., 2::-1].astype(int)
    assert np.abs(pixels - shown.content.astype(int)).max() <= 1
    qtbot.waitUntil(lambda: (folder / "adjustment.json").is_file(), timeout=5000)
    filled.bench.past.show_entry(filled.history.current() or pytest.fail("nothing is selected"))
    qtbot.waitUntil(lambda: filled.after_run.strength.value() == 0, timeout=5000)
    filled.after_run.strength.reset.click()
    qtbot.waitUntil(lambda: not (folder / "adjustment.json").exists(), timeout=5000)


def test_several_pictures_are_leafed_through_and_adjusted_each(
    filled: MainWindow, host: FakeHost, qtbot: QtBot
) -> None:
    stage, bar = filled.bench.stage, filled.canvas.result_bar
    assert not bar.isVisible()
    folder = running(filled, host, qtbot)
    pictures = tuple(
        save(folder / name, np.full((90, 120, 3), value, np.uint8))
        for name, value in (("result.png", 40), ("result-2.png", 200))
    )
    host.emit(Finished(results=pictures, time_s=2.5))
    qtbot.waitUntil(lambda: stage.shown is not None, timeout=5000)
    assert bar.isVisible() and bar.place.text() == "1 of 2"
    assert not bar.back.isEnabled()
    bar.on.click()
    qtbot.waitUntil(lambda: stage.shown is not None and stage.shown.picture == pictures[1], timeout=5000)
    assert bar.place.text() == "2 of 2" and not bar.on.isEnabled()
    filled.after_run.color.field.setValue(50)
    qtbot.waitUntil(lambda: (folder / "adjustment.json").is_file(), timeout=5000)
    assert read_adjustment(pictures[1]).color == 0.5
    assert read_adjustment(pictures[0]).is_neutral
    qtbot.waitUntil(lambda: not filled.bench.background.busy, timeout=10_000)


def test_a_run_is_compared_with_the_content_it_began_with(
    filled: MainWindow, host: FakeHost, qtbot: QtBot, style: Path
) -> None:
    running(filled, host, qtbot)
    host.emit(Preview(image=stripes(40, 30), step=1, steps=10))
    stage = filled.bench.stage
    qtbot.waitUntil(lambda: stage.previewing, timeout=5000)
    began_with = stage.before().key
    filled.bench.session.set_content(style)
    qtbot.waitUntil(lambda: not filled.bench.background.busy, timeout=5000)
    assert stage.before().key == began_with
    filled.bench.controller.cancel()
    qtbot.waitUntil(lambda: not stage.previewing, timeout=5000)
    assert stage.size().width() == 96


def test_sliders_do_what_the_fields_of_a_job_would(monkeypatch: pytest.MonkeyPatch) -> None:
    result, content = stripes(40, 30), gradient(40, 30)
    monkeypatch.setattr(adjust, "_STRIP_PIXELS", 400)  # several strips, the last one lower
    adjusted = apply(Adjustment(color=0.3, strength=0.6), result, content)
    own, other = (rgb.astype(np.float32) / np.float32(255) for rgb in (result, content))
    wanted = blend_strength(blend_color(own, other, 0.3), other, 0.6)
    assert np.abs(adjusted.astype(float) - wanted * 255).max() <= 0.51
    assert apply(Adjustment(), result, content) is result


@pytest.mark.parametrize("measuring", [True])
def test_figures_of_the_result_are_measured(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    finish(filled, host, qtbot, running(filled, host, qtbot))
    figures = filled.bench.figures
    assert figures.measuring and filled.canvas.result_bar.line.waiting.isVisible()
    qtbot.waitUntil(lambda: figures.figures is not None, timeout=30_000)
    assert figures.figures is not None
    line = filled.canvas.result_bar.line
    assert float(line.values["style"].text()) == pytest.approx(figures.figures.style, abs=0.001)
    assert line.values["structure"].isVisible() and not line.values["copied"].isVisible()
    before = figures.figures.structure
    filled.after_run.strength.slider.setValue(0)
    qtbot.waitUntil(
        lambda: figures.figures is not None and not figures.measuring and figures.figures.structure != before,
        timeout=30_000,
    )
    assert figures.figures.structure == pytest.approx(1.0, abs=0.01), "the content itself keeps all of its structure"


def test_a_picture_that_went_away_is_said_in_its_slot(
    filled: MainWindow, host: FakeHost, qtbot: QtBot, content: Path
) -> None:
    content.unlink()
    QTest.mouseClick(filled.top_bar.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(filled.references.content_card.error.isVisible, timeout=5000)
    assert "holiday.png" in filled.canvas.banner.message.text()
    assert str(content.parent) not in filled.canvas.banner.message.text()
    assert not filled.top_bar.run.isEnabled() and not host.submitted


def test_another_content_takes_the_place_of_the_result(
    filled: MainWindow, host: FakeHost, qtbot: QtBot, style: Path
) -> None:
    finish(filled, host, qtbot, running(filled, host, qtbot))
    filled.bench.session.set_content(style)
    stage = filled.bench.stage
    qtbot.waitUntil(lambda: stage.size().width() == 96, timeout=5000)
    assert stage.shown is None and not filled.canvas.result_bar.isVisible()
    qtbot.waitUntil(lambda: not filled.bench.background.busy, timeout=30_000)


def test_the_time_to_expect_is_learnt_from_earlier_runs(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    chip = filled.top_bar.machine_chip
    assert chip.text() == "120 × 90"
    finish(filled, host, qtbot, running(filled, host, qtbot))
    qtbot.waitUntil(lambda: filled.bench.forecast_s() is not None, timeout=5000)
    assert "CPU" in chip.text() and "about 2.5 s" in chip.text()
    filled.bench.session.set_value("width", 240)
    assert "about 10 s" in chip.text(), "four times the pixels"
    qtbot.waitUntil(lambda: not filled.bench.background.busy, timeout=30_000)

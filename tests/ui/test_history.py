"""The history: run folders as cards, and the ways back from them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from adstudio.jobs.events import Failed
from tests.ui.fake_host import FakeHost
from tests.ui.test_runs import finish, running
from ui.actions import Command
from ui.main_window import MainWindow
from ui.state.roles import CardRole
from ui.state.samples import Samples
from ui.state.workbench import Workbench


@pytest.fixture
def with_run(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> MainWindow:
    """One finished run with seed 5, selected."""
    filled.bench.session.set_value("seed", 5)
    filled.bench.session.set_value("coverage", 0.4)
    finish(filled, host, qtbot, running(filled, host, qtbot))
    qtbot.waitUntil(lambda: (entry := filled.history.current()) is not None and entry.results != (), timeout=5000)
    return filled


def test_an_empty_history_says_what_fills_it(window: MainWindow) -> None:
    assert window.history.empty.isVisible()
    assert "Run" in window.history.empty.text()


def test_a_run_becomes_a_card_with_its_picture(with_run: MainWindow, qtbot: QtBot) -> None:
    model = with_run.bench.history
    assert model.rowCount() == 1
    index = model.index(0)
    qtbot.waitUntil(lambda: isinstance(index.data(CardRole.IMAGE), QImage), timeout=5000)
    assert "seed 5" in str(index.data(Qt.ItemDataRole.ToolTipRole))
    assert not with_run.history.empty.isVisible()


def test_newest_first_and_badges(with_run: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    running(with_run, host, qtbot)
    with_run.bench.controller.cancel()
    qtbot.waitUntil(lambda: not with_run.bench.controller.busy, timeout=5000)
    model = with_run.bench.history
    qtbot.waitUntil(lambda: model.rowCount() == 2, timeout=5000)
    assert model.entry(0) is not None and not model.entry(0).results  # type: ignore[union-attr]
    assert model.index(1).data(CardRole.BADGE) in ("", "finished", "running", "interrupted")


def test_restore_all_brings_everything_back(with_run: MainWindow, qtbot: QtBot) -> None:
    session = with_run.bench.session
    session.set_task(Task.TEXTURE)
    session.set_value("coverage", None)
    session.set_value("seed", 99)
    session.set_styles([])
    session.clear_content()
    with_run.history.strip.setFocus()
    QTest.keyClick(with_run.history.strip, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: session.problem() == "", timeout=5000)
    job = session.job()
    assert job.task is Task.STYLE_TRANSFER
    assert (job.seed, job.coverage) == (5, 0.4)
    assert job.content is not None and job.content.is_file()
    assert len(job.styles) == 1
    assert with_run.references.content_card.name.text() == "holiday.png"


def test_restore_the_seed_only(with_run: MainWindow) -> None:
    session = with_run.bench.session
    session.set_value("seed", 99)
    session.set_value("coverage", 0.9)
    with_run.history.strip.setFocus()
    QTest.keyClick(with_run.history.strip, Qt.Key.Key_S)
    assert session.job().seed == 5 and session.job().coverage == 0.9


def test_a_result_becomes_content_or_style(with_run: MainWindow, qtbot: QtBot) -> None:
    session = with_run.bench.session
    with_run.actions_table[Command.USE_AS_CONTENT].trigger()
    assert session.setup.content is not None and session.setup.content.path.name == "result.png"
    with_run.actions_table[Command.USE_AS_STYLE].trigger()
    assert [style.path.name for style in session.setup.styles][-1] == "result.png"


def test_run_again_makes_a_new_folder_with_the_same_job(with_run: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    with_run.bench.session.set_value("seed", 1)
    with_run.actions_table[Command.RUN_AGAIN].trigger()
    qtbot.waitUntil(lambda: len(host.submitted) == 2, timeout=5000)
    assert host.submitted[1].job.seed == 5
    assert host.submitted[1].folder != host.submitted[0].folder


def test_the_menu_of_a_card(with_run: MainWindow) -> None:
    menu = with_run.history.make_menu()
    texts = {action.text() for action in menu.actions() if action.text()}
    menu.deleteLater()
    assert {"Restore all", "Restore the seed", "Use as content", "Use as style", "Run again", "Show in folder"} <= texts


def test_keys_of_the_history_do_nothing_elsewhere(with_run: MainWindow) -> None:
    with_run.bench.session.set_value("seed", 99)
    with_run.canvas.view.setFocus()
    QTest.keyClick(with_run.canvas.view, Qt.Key.Key_S)
    assert with_run.bench.session.job().seed == 99


def test_a_run_with_a_damaged_picture_is_marked_and_the_picture_not_shown(with_run: MainWindow, qtbot: QtBot) -> None:
    entry, room = with_run.history.current(), with_run.bench.room
    assert entry is not None
    digest = dict(entry.digests)[entry.results[0]]
    entry.results[0].write_bytes(b"altered")
    room.edit(lambda project: project.check_object(digest))
    model = with_run.bench.history
    qtbot.waitUntil(lambda: model.index(0).data(CardRole.BADGE) == "broken", timeout=5000)
    damaged = model.entry(0)
    assert damaged is not None and damaged.results == () and damaged.job is not None
    assert "missing or not as it was" in str(model.index(0).data(Qt.ItemDataRole.ToolTipRole))


def test_results_drag_out_as_files(with_run: MainWindow) -> None:
    model = with_run.bench.history
    urls = model.mimeData([model.index(0)]).urls()
    assert Path(urls[0].toLocalFile()).name == "result.png"


def test_a_failed_run_says_why_in_its_tooltip(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    running(filled, host, qtbot)
    host.emit(Failed(reason="The picture is too large for this machine."))
    model = filled.bench.history
    qtbot.waitUntil(lambda: model.rowCount() == 1 and not filled.bench.controller.busy, timeout=5000)
    qtbot.waitUntil(lambda: "too large" in str(model.index(0).data(Qt.ItemDataRole.ToolTipRole)), timeout=5000)


def test_a_cancelled_run_can_be_gone_on_with(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    folder = running(filled, host, qtbot)
    filled.bench.controller.cancel()
    model = filled.bench.history
    qtbot.waitUntil(lambda: model.rowCount() == 1 and model.index(0).data(CardRole.BADGE) == "cancelled", timeout=5000)
    filled.history.strip.setCurrentIndex(model.index(0))
    assert filled.actions_table[Command.GO_ON].isEnabled()
    assert not filled.actions_table[Command.USE_AS_CONTENT].isEnabled()
    banner = filled.canvas.banner
    assert [button.text() for button in banner.buttons()] == ["Go on with it"]
    filled.bench.run()
    assert not banner.isVisible(), "another run: that message is of the past"
    qtbot.waitUntil(lambda: len(host.submitted) == 2, timeout=5000)
    filled.bench.controller.cancel()
    qtbot.waitUntil(lambda: not filled.bench.controller.busy and model.rowCount() == 2, timeout=5000)
    filled.history.strip.setCurrentIndex(model.index(model.row_of(folder)))
    filled.bench.past.show_entry(filled.history.current() or pytest.fail("nothing is selected"))
    banner.buttons()[0].click()
    qtbot.waitUntil(lambda: len(host.submitted) == 3, timeout=5000)
    assert host.submitted[2].folder == folder and host.submitted[2].resume
    assert host.submitted[2].job == host.submitted[0].job


def test_a_run_cut_short_is_offered_at_the_next_start(
    filled: MainWindow, host: FakeHost, qtbot: QtBot, loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> None:
    folder = running(filled, host, qtbot)
    qtbot.waitUntil(lambda: not filled.bench.room.background.busy, timeout=5000)
    crashed = tmp_path / "crashed.adproj"
    shutil.copytree(filled.bench.project_folder, crashed)
    other = Workbench(FakeHost(), loop, project_folder=crashed, pasted_folder=tmp_path / "pasted")
    with qtbot.waitSignal(other.unfinished_found, timeout=5000) as found:
        other.open(Samples())
    assert found.args is not None and found.args[0].run_id == folder.name
    other.close()

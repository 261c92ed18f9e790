"""Stopping a run so that something else can have the memory."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.ui.fake_host import FakeHost
from tests.ui.test_runs import running
from ui.actions import Command
from ui.main_window import MainWindow
from ui.state.job_controller import RunState


def test_a_run_stops_and_its_memory_is_given_back(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    folder = running(filled, host, qtbot)
    with qtbot.waitSignal(filled.bench.unfinished_found, timeout=5000) as found:
        filled.actions_table[Command.STOP_AND_FREE].trigger()
    assert (host.released, len(host.cancelled)) == (1, 1)
    assert found.args is not None and found.args[0].run_id == folder.name
    assert filled.bench.controller.state is RunState.IDLE
    assert "memory is free" in filled.status_line.doing.text()
    filled.canvas.banner.buttons()[0].click()
    qtbot.waitUntil(lambda: len(host.submitted) == 2, timeout=5000)
    assert host.submitted[1].folder == folder and host.submitted[1].resume


def test_with_no_run_the_memory_is_given_back_too(filled: MainWindow, host: FakeHost) -> None:
    filled.actions_table[Command.STOP_AND_FREE].trigger()
    assert (host.released, host.cancelled) == (1, [])
    assert "memory is free" in filled.status_line.doing.text()


def test_a_run_that_is_merely_cancelled_offers_nothing(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    running(filled, host, qtbot)
    with qtbot.assertNotEmitted(filled.bench.unfinished_found):
        filled.bench.controller.cancel()
        qtbot.waitUntil(lambda: filled.bench.controller.state is RunState.IDLE, timeout=5000)
        qtbot.waitUntil(lambda: not filled.bench.room.background.busy, timeout=5000)
    assert host.released == 0

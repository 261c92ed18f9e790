"""Runs that wait: kept with their project, held and offered at the next start, given up."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from adstudio.jobs.events import Failed, Finished
from adstudio.jobs.queue_entry import EntryState, QueueFile
from tests.ui.fake_host import FakeHost
from tests.ui.pictures import save, stripes
from tests.ui.test_runs import running
from ui.actions import Command
from ui.main_window import MainWindow
from ui.state.runs import entry_of
from ui.state.samples import Samples
from ui.state.workbench import Workbench

Next = Callable[[], tuple[Workbench, FakeHost]]


@pytest.fixture
def two_wait(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> tuple[Path, ...]:
    """One run goes on, two wait. Returns their folders."""
    running(filled, host, qtbot)
    for _ in range(2):
        filled.actions_table[Command.RUN].trigger()
        quiet(filled.bench, qtbot)
    return tuple(one.folder for one in filled.bench.controller.queue.entries)


@pytest.fixture
def next_start(filled: MainWindow, qtbot: QtBot, loop: asyncio.AbstractEventLoop, tmp_path: Path) -> Iterator[Next]:
    """A second window's state over the project as it lies on disk now."""
    made: list[Workbench] = []

    def start() -> tuple[Workbench, FakeHost]:
        copy = tmp_path / f"next{len(made)}.adproj"
        shutil.copytree(filled.bench.project_folder, copy)
        host = FakeHost()
        bench = Workbench(host, loop, project_folder=copy, pasted_folder=tmp_path / "pasted")
        made.append(bench)
        bench.open(Samples())
        return bench, host

    yield start
    for bench in made:
        bench.controller.cancel_all()
        quiet(bench, qtbot)
        bench.close()


def quiet(bench: Workbench, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not bench.room.background.busy, timeout=5000)


def names(folders: tuple[Path, ...]) -> list[str]:
    return [folder.name for folder in folders]


def test_after_a_crash_all_of_it_is_held_and_goes_on_when_asked(
    two_wait: tuple[Path, ...], next_start: Next, qtbot: QtBot
) -> None:
    bench, host = next_start()
    with qtbot.waitSignal(bench.controller.queue.left_waiting, timeout=5000) as left:
        pass
    assert left.args == [3]
    quiet(bench, qtbot)
    assert host.submitted == [] and not bench.controller.busy
    bench.controller.queue.release_held()
    qtbot.waitUntil(lambda: len(host.submitted) == 1, timeout=5000)
    assert host.submitted[0].resume
    host.emit(Finished(results=(save(host.submitted[0].folder / "result.png", stripes(60, 40)),)))
    qtbot.waitUntil(lambda: len(host.submitted) == 2, timeout=5000)
    assert [one.folder.name for one in host.submitted] == names(two_wait)[:2]
    assert all(one.folder.is_relative_to(bench.project_folder) for one in host.submitted)


def test_what_is_forgotten_stays_in_the_history_and_is_not_offered_again(
    two_wait: tuple[Path, ...], next_start: Next, qtbot: QtBot
) -> None:
    bench, _host = next_start()
    with qtbot.waitSignal(bench.controller.queue.left_waiting, timeout=5000):
        pass
    bench.controller.queue.forget_held()
    quiet(bench, qtbot)
    assert QueueFile(bench.project_folder / "queue.json").load() == ()
    found: list[str] = []
    bench.room.ask(
        lambda project: [entry_of(project, project.run(name)).status for name in names(two_wait)[1:]], found.extend
    )
    quiet(bench, qtbot)
    assert found == ["cancelled", "cancelled"]


def test_leaving_keeps_what_ran_and_what_waits(
    two_wait: tuple[Path, ...], filled: MainWindow, host: FakeHost, loop: asyncio.AbstractEventLoop, qtbot: QtBot
) -> None:
    leaving = loop.create_task(filled.bench.controller.shutdown())
    qtbot.waitUntil(leaving.done, timeout=5000)
    quiet(filled.bench, qtbot)
    assert host.shut_down
    kept = QueueFile(filled.bench.project_folder / "queue.json").load()
    assert [one.folder for one in kept] == list(two_wait)
    assert {one.state for one in kept} == {EntryState.WAITING}
    assert {one.title for one in kept} == {"holiday.png"}


def test_held_runs_let_new_ones_pass_and_can_be_given_up(
    two_wait: tuple[Path, ...], filled: MainWindow, host: FakeHost, qtbot: QtBot
) -> None:
    filled.actions_table[Command.HOLD_QUEUE].trigger()
    host.emit(Failed(reason="The disk was pulled."))
    qtbot.waitUntil(lambda: not filled.bench.controller.busy, timeout=5000)
    assert filled.bench.controller.folders() == frozenset(two_wait[1:])
    filled.actions_table[Command.RUN].trigger()
    qtbot.waitUntil(lambda: len(host.submitted) == 2, timeout=5000)
    assert host.submitted[1].folder not in two_wait
    filled.actions_table[Command.RELEASE_QUEUE].trigger()
    assert [one.state for one in filled.bench.controller.queue.entries] == ["running", "waiting", "waiting"]
    filled.actions_table[Command.EMPTY_QUEUE].trigger()
    assert filled.bench.controller.folders() == {host.submitted[1].folder}


def test_the_window_asks_what_to_do_with_runs_of_last_time(
    filled: MainWindow, two_wait: tuple[Path, ...], qtbot: QtBot
) -> None:
    filled.actions_table[Command.HOLD_QUEUE].trigger()
    filled.bench.controller.queue.left_waiting.emit(2)
    assert "2 runs wait from last time" in filled.canvas.banner.message.text()
    filled.canvas.banner.buttons()[1].click()
    quiet(filled.bench, qtbot)
    assert filled.bench.controller.folders() == {two_wait[0]}

"""One look over a folder of pictures, with a host that does what the test says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from adstudio.jobs.events import Cancelled, Event, Failed, Finished, LoadingModel, Progress, Started
from adstudio.jobs.spec import Task
from tests.ui.fake_host import FakeHost
from tests.ui.pictures import gradient, save, stripes
from ui.actions import Command
from ui.main_window import MainWindow
from ui.state.folder_look import FolderLook


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "album"
    made.mkdir()
    for name in ("10.png", "2.png", "3.png"):
        save(made / name, gradient(60, 40))
    (made / "notes.txt").write_text("no picture")
    return made


@pytest.fixture
def look(filled: MainWindow) -> FolderLook:
    return filled.handlers.folder_look


def answer(host: FakeHost, qtbot: QtBot, number: int, last: Callable[[Path], Event]) -> None:
    """Wait for the run of this number and let it end."""
    qtbot.waitUntil(lambda: len(host.submitted) == number, timeout=5000)
    host.emit(LoadingModel(model="patch"))
    host.emit(Started(device="cpu", steps=10))
    host.emit(last(host.submitted[-1].folder))


def finished(folder: Path) -> Event:
    return Finished(results=(save(folder / "result.png", stripes(60, 40)),), time_s=1.0)


def test_every_picture_gets_a_run_with_the_look_of_the_beginning(
    filled: MainWindow, look: FolderLook, host: FakeHost, qtbot: QtBot, folder: Path
) -> None:
    told: list[str] = []
    look.told.connect(told.append)
    look.begin(folder)
    qtbot.waitUntil(lambda: len(host.submitted) == 1, timeout=5000)
    host.emit(LoadingModel(model="patch"))
    host.emit(Started(device="cpu", steps=10))
    host.emit(Progress(step=3, steps=10, fraction=0.3, remaining_s=14.0))
    shown = filled.status_line.doing
    qtbot.waitUntil(lambda: shown.text() == "Picture 1 of 3, 2.png · 30 % · about 14 s left", timeout=5000)
    host.emit(finished(host.submitted[0].folder))
    filled.bench.session.set_value("seed", 77)
    answer(host, qtbot, 2, finished)
    answer(host, qtbot, 3, finished)
    qtbot.waitUntil(lambda: not look.going, timeout=5000)
    contents = [one.job.content for one in host.submitted]
    assert [path.name for path in contents if path is not None] == ["content-2.png", "content-3.png", "content-10.png"]
    assert len({one.job.seed for one in host.submitted}) == 1
    assert told == ["3 of 3 pictures of the folder are made."]


def test_a_failed_picture_does_not_stop_the_others(
    look: FolderLook, host: FakeHost, qtbot: QtBot, folder: Path
) -> None:
    refused: list[str] = []
    look.refused.connect(refused.append)
    (folder / "1.png").write_bytes((folder / "2.png").read_bytes()[:60])
    look.begin(folder)
    answer(host, qtbot, 1, lambda _: Failed(reason="not a number"))
    answer(host, qtbot, 2, finished)
    answer(host, qtbot, 3, finished)
    qtbot.waitUntil(lambda: not look.going, timeout=5000)
    assert refused[0].startswith("2 of 4 pictures of the folder are made. 2 failed, the first: 1.png: content: ")


def test_cancelling_one_ends_it_and_a_run_pressed_meanwhile_goes_first(
    filled: MainWindow, look: FolderLook, host: FakeHost, qtbot: QtBot, folder: Path
) -> None:
    look.begin(folder)
    qtbot.waitUntil(lambda: len(host.submitted) == 1, timeout=5000)
    filled.bench.run()
    qtbot.waitUntil(lambda: len(filled.bench.controller.queue.entries) == 2, timeout=5000)
    for count in (1, 2):
        assert look.going
        host.emit(finished(host.submitted[-1].folder))
        qtbot.waitUntil(lambda count=count: len(host.submitted) == count + 1, timeout=5000)  # type: ignore[misc]
    assert host.submitted[2].job.content is not None
    assert host.submitted[2].job.content.name == "content-3.png"
    answer(host, qtbot, 3, lambda _: Cancelled())
    qtbot.waitUntil(lambda: not look.going, timeout=5000)
    assert len(host.submitted) == 3


def test_what_cannot_go_over_a_folder_says_why(
    filled: MainWindow, look: FolderLook, host: FakeHost, qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    refused: list[str] = []
    look.refused.connect(refused.append)
    (tmp_path / "empty").mkdir()
    look.begin(tmp_path / "empty")
    look.begin(folder)
    assert refused == ["Another folder is being worked through; cancel its run first."]
    qtbot.waitUntil(lambda: not look.going, timeout=5000)
    assert "holds no pictures" in refused[1]
    filled.bench.session.set_task(Task.TEXTURE)
    look.begin(folder)
    assert "has no content" in refused[2]
    filled.bench.session.set_task(Task.STYLE_TRANSFER)
    filled.bench.session.clear_content()
    look.begin(folder)
    assert len(refused) == 4 and not look.going
    assert host.submitted == []


def test_the_menu_asks_for_the_folder(
    filled: MainWindow,
    look: FolderLook,
    host: FakeHost,
    qtbot: QtBot,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filled.dialogs, "choose_folder", lambda _title, then: then(folder))
    filled.actions_table[Command.RUN_FOLDER].trigger()
    answer(host, qtbot, 1, lambda _: Cancelled())
    qtbot.waitUntil(lambda: not look.going, timeout=5000)

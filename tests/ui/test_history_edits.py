"""Stars, favourites, tags, notes, boards, search, the trash, and the one undo for all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from adstudio.jobs.events import Preview
from adstudio.projects import Query, Run
from tests.ui.fake_host import FakeHost
from tests.ui.pictures import save, stripes
from tests.ui.test_runs import finish, running
from ui.actions import Command
from ui.main_window import MainWindow
from ui.state.history import HistoryModel
from ui.state.roles import CardRole

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

Quiet = Callable[[], None]


@pytest.fixture
def quiet(filled: MainWindow, qtbot: QtBot) -> Quiet:
    """Waits until the project has answered everything."""
    return lambda: qtbot.waitUntil(lambda: not filled.bench.room.background.busy, timeout=5000)


@pytest.fixture
def three(filled: MainWindow, host: FakeHost, qtbot: QtBot, quiet: Quiet) -> MainWindow:
    """Three finished runs with seeds 1, 2, 3; the newest, seed 3, is selected and has the keyboard."""
    for seed in (1, 2, 3):
        filled.bench.session.set_value("seed", seed)
        done(filled, host, qtbot, running(filled, host, qtbot))
    quiet()
    filled.history.select(0)
    filled.history.strip.setFocus()
    return filled


def done(window: MainWindow, host: FakeHost, qtbot: QtBot, folder: Path) -> None:
    """End a run; its result is in the project when this returns."""
    model = window.bench.history
    finish(window, host, qtbot, folder)
    qtbot.waitUntil(
        lambda: (entry := model.entry(model.row_of(folder))) is not None and entry.results != (), timeout=5000
    )


def seeds(model: HistoryModel) -> list[int]:
    return [entry.job.seed for row in range(model.rowCount()) if (entry := model.entry(row)) and entry.job]


def choice(menu: QMenu, title: str, words: str) -> QAction:
    """An entry of a submenu."""
    submenu = next(action.menu() for action in menu.actions() if action.text() == title)
    assert isinstance(submenu, QMenu)
    return next(action for action in submenu.actions() if action.text() == words)


def press(window: MainWindow, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.history.strip, key, modifier)


def test_keys_rate_and_undo_takes_it_back(three: MainWindow, quiet: Quiet) -> None:
    model = three.bench.history
    press(three, Qt.Key.Key_4)
    press(three, Qt.Key.Key_Period)
    quiet()
    assert model.index(0).data(CardRole.RATING) == 4
    assert model.index(0).data(CardRole.FAVOURITE) is True
    assert "4 of 5 stars" in str(model.index(0).data(Qt.ItemDataRole.ToolTipRole))
    three.actions_table[Command.UNDO].trigger()
    quiet()
    assert model.index(0).data(CardRole.FAVOURITE) is False
    assert model.index(0).data(CardRole.RATING) == 4
    three.actions_table[Command.UNDO].trigger()
    three.actions_table[Command.REDO].trigger()
    quiet()
    assert model.index(0).data(CardRole.RATING) == 4


def test_undo_follows_the_order_of_setups_and_edits(three: MainWindow, quiet: Quiet) -> None:
    session, model = three.bench.session, three.bench.history
    session.set_value("coverage", 0.5)
    press(three, Qt.Key.Key_2)
    quiet()
    session.set_value("coverage", 0.1)
    three.actions_table[Command.UNDO].trigger()
    assert session.setup.value("coverage") == 0.5 and model.index(0).data(CardRole.RATING) == 2
    three.actions_table[Command.UNDO].trigger()
    quiet()
    assert session.setup.value("coverage") == 0.5 and model.index(0).data(CardRole.RATING) == 0
    three.actions_table[Command.UNDO].trigger()
    assert session.setup.value("coverage") is None
    for _ in range(3):
        three.actions_table[Command.REDO].trigger()
        quiet()
    assert session.setup.value("coverage") == 0.1 and model.index(0).data(CardRole.RATING) == 2


def test_an_edit_that_changes_nothing_is_no_step_of_undo(three: MainWindow, quiet: Quiet) -> None:
    session, model = three.bench.session, three.bench.history
    session.set_value("coverage", 0.5)
    for _ in range(2):
        press(three, Qt.Key.Key_4)
        quiet()
    three.actions_table[Command.UNDO].trigger()
    quiet()
    assert session.setup.value("coverage") == 0.5 and model.index(0).data(CardRole.RATING) == 0
    three.actions_table[Command.UNDO].trigger()
    quiet()
    assert session.setup.value("coverage") is None


def test_several_runs_are_rated_at_once(three: MainWindow, quiet: Quiet) -> None:
    model = three.bench.history
    three.history.strip.selectionModel().select(model.index(2), QItemSelectionModel.SelectionFlag.Select)
    press(three, Qt.Key.Key_5)
    quiet()
    assert [model.index(row).data(CardRole.RATING) for row in range(3)] == [5, 0, 5]
    three.actions_table[Command.UNDO].trigger()
    quiet()
    assert [model.index(row).data(CardRole.RATING) for row in range(3)] == [0, 0, 0]


def test_delete_moves_to_the_trash_and_undo_brings_back(three: MainWindow, quiet: Quiet) -> None:
    model = three.bench.history
    press(three, Qt.Key.Key_Delete)
    quiet()
    assert seeds(model) == [2, 1]
    assert "Ctrl+Z" in three.status_line.doing.text()
    three.actions_table[Command.UNDO].trigger()
    quiet()
    assert seeds(model) == [3, 2, 1]


def test_the_trash_shows_what_is_in_it_and_gives_back(three: MainWindow, quiet: Quiet, qtbot: QtBot) -> None:
    model, panel = three.bench.history, three.history
    press(three, Qt.Key.Key_Delete)
    quiet()
    panel.filter.trash.click()
    quiet()
    assert seeds(model) == [3] and "1 in the trash" in panel.filter.found.text()
    panel.select(0)
    assert not three.actions_table[Command.TO_TRASH].isEnabled()
    three.actions_table[Command.FROM_TRASH].trigger()
    quiet()
    assert model.rowCount() == 0 and "trash is empty" in panel.empty.text()
    panel.filter.trash.click()
    quiet()
    assert seeds(model) == [3, 2, 1]


def test_emptying_the_trash_asks_and_deletes_for_good(three: MainWindow, quiet: Quiet) -> None:
    entry = three.history.current()
    assert entry is not None
    press(three, Qt.Key.Key_Delete)
    quiet()
    three.actions_table[Command.EMPTY_TRASH].trigger()
    question = three.runs.question
    assert question is not None and entry.folder.is_dir()
    next(button for button in question.buttons() if "for good" in button.text()).click()
    quiet()
    assert not entry.folder.exists()
    assert "1" in three.status_line.doing.text()
    assert three.bench.history.total == 2


def test_a_run_that_goes_on_is_not_thrown_away(three: MainWindow, host: FakeHost, qtbot: QtBot, quiet: Quiet) -> None:
    folder = running(three, host, qtbot)
    quiet()
    three.history.select(three.bench.history.row_of(folder))
    three.actions_table[Command.TO_TRASH].trigger()
    quiet()
    assert three.bench.history.row_of(folder) == 0
    assert "Cancel it first" in three.canvas.banner.message.text()


def test_search_lists_what_has_the_words(three: MainWindow, quiet: Quiet, qtbot: QtBot) -> None:
    model, panel = three.bench.history, three.history
    three.bench.edits.change_tags(model.run_ids([1]), add=("harbour at night",))
    quiet()
    three.actions_table[Command.SEARCH].trigger()
    QTest.keyClicks(panel.filter.search, "harb")
    qtbot.waitUntil(lambda: model.query == Query(text="harb"), timeout=3000)
    quiet()
    assert seeds(model) == [2] and panel.filter.found.text() == "1 of 3"
    QTest.keyClicks(panel.filter.search, "zzz")
    qtbot.waitUntil(lambda: model.query.text == "harbzzz", timeout=3000)
    quiet()
    assert model.rowCount() == 0 and panel.empty.isVisible() and "Esc" in panel.empty.text()
    QTest.keyClick(panel.filter.search, Qt.Key.Key_Escape)
    quiet()
    assert seeds(model) == [3, 2, 1] and panel.filter.found.text() == ""


def test_the_filter_menu_offers_what_there_is(three: MainWindow, quiet: Quiet) -> None:
    model, panel = three.bench.history, three.history
    three.bench.edits.rate(model.run_ids([0]), 3)
    three.bench.edits.add_board("Calendar", model.run_ids([1]))
    quiet()
    menu = panel.filter.make_menu()
    assert {"Task", "Rating", "Date", "Board"} <= {action.text() for action in menu.actions()}
    choice(menu, "Rating", "★★ or more").trigger()
    quiet()
    assert seeds(model) == [3] and panel.filter.more.isChecked()
    panel.filter.clear()
    choice(menu, "Board", "Calendar").trigger()
    quiet()
    assert seeds(model) == [2]
    menu.deleteLater()


def test_boards_from_the_menu_of_a_card(three: MainWindow, quiet: Quiet) -> None:
    three.bench.edits.add_board("Calendar")
    quiet()
    menu = three.history.make_menu()
    choice(menu, "Board", "Calendar").trigger()
    menu.deleteLater()
    quiet()
    assert three.bench.edits.boards[0].run_ids == three.bench.history.run_ids([0])
    three.actions_table[Command.UNDO].trigger()
    quiet()
    assert three.bench.edits.boards[0].run_ids == ()


def test_details_keep_tags_and_notes(three: MainWindow, quiet: Quiet) -> None:
    press(three, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    quiet()
    details = three.runs.details
    assert details is not None
    details.tags.setText("lighthouse,  for  Marie , lighthouse")
    details.notes.setPlainText("the second one was too blue")
    details.stars[2].click()
    details.accept()
    quiet()
    entry = three.bench.history.entry(0)
    assert entry is not None
    assert set(entry.tags) == {"for Marie", "lighthouse"}
    assert (entry.notes, entry.rating) == ("the second one was too blue", 3)


def test_marks_are_there_after_a_restart(three: MainWindow, quiet: Quiet) -> None:
    model, room = three.bench.history, three.bench.room
    press(three, Qt.Key.Key_5)
    quiet()
    other = three.bench.project_folder.with_name("other.adproj")
    first = three.bench.project_folder
    room.open(other, create=True)
    quiet()
    assert model.rowCount() == 0 and three.top_bar.project_name() == "other"
    room.open(first)
    quiet()
    assert seeds(model) == [3, 2, 1] and model.index(0).data(CardRole.RATING) == 5


def test_a_folder_that_is_no_project_is_refused_and_the_present_one_stays(
    three: MainWindow, quiet: Quiet, qtbot: QtBot
) -> None:
    here = three.bench.project_folder
    three.bench.room.open(here.parent)
    quiet()
    assert three.bench.project_folder == here and three.bench.history.rowCount() == 3
    assert "is not a project" in three.canvas.banner.message.text()


def test_runs_go_into_a_bundle_and_into_another_project(three: MainWindow, quiet: Quiet) -> None:
    room, projects = three.bench.room, three.projects
    bundle = three.bench.project_folder.with_name("friend.adbundle")
    three.history.strip.selectAll()
    three.actions_table[Command.EXPORT_BUNDLE].trigger()
    dialog = three.dialogs.current
    assert dialog is not None and "3 runs" in dialog.windowTitle()
    dialog.selectFile(str(bundle))
    dialog.accept()
    quiet()
    assert bundle.is_file() and "3 runs exported" in three.status_line.doing.text()
    room.open(bundle.with_name("other.adproj"), create=True)
    quiet()
    projects.take_in(bundle)
    quiet()
    assert seeds(three.bench.history) == [3, 2, 1]
    bundle.write_bytes(bundle.read_bytes()[:-30])
    projects.take_in(bundle)
    quiet()
    assert "friend.adbundle" in three.canvas.banner.message.text()


def _export_gallery(three: MainWindow, target: Path, quiet: Quiet) -> None:
    three.history.strip.selectAll()
    three.actions_table[Command.EXPORT_GALLERY].trigger()
    dialog = three.dialogs.current
    assert dialog is not None and "3 runs" in dialog.windowTitle()
    dialog.selectFile(str(target))
    dialog.accept()
    quiet()


def test_the_selected_runs_become_a_gallery(three: MainWindow, quiet: Quiet) -> None:
    target = three.bench.project_folder.with_name("gallery")
    _export_gallery(three, target, quiet)
    assert (target / "index.html").read_text(encoding="utf-8").count("<dialog") == 3
    assert "3 pictures in" in three.status_line.doing.text()


def test_a_gallery_in_one_file_replaces_none(three: MainWindow, quiet: Quiet) -> None:
    target = three.bench.project_folder.with_name("gallery.html")
    _export_gallery(three, target, quiet)
    assert target.read_text(encoding="utf-8").count("<dialog") == 3
    target.write_text("mine", encoding="utf-8")
    _export_gallery(three, target, quiet)
    assert target.read_text(encoding="utf-8") == "mine"
    assert "gallery.html: is there already" in three.canvas.banner.message.text()


def test_previews_are_kept_as_frames_about_one_a_second(
    filled: MainWindow, host: FakeHost, qtbot: QtBot, quiet: Quiet
) -> None:
    folder = running(filled, host, qtbot)
    for step, moment in ((1, 0.1), (2, 0.4), (3, 1.2), (4, 1.3)):
        with qtbot.waitSignal(filled.bench.controller.previewed, timeout=3000):
            host.emit(Preview(image=stripes(32, 24), step=step, steps=4, time_s=moment))
        quiet()
    found: list[Run] = []
    filled.bench.room.ask(lambda project: project.run(folder.name), found.append)
    quiet()
    assert [frame.step for frame in found[0].frames] == [1, 3]
    assert all(frame.picture is not None and frame.picture.width == 32 for frame in found[0].frames)


def test_a_frame_or_result_is_gone_on_from_with_the_runs_settings(
    three: MainWindow, host: FakeHost, qtbot: QtBot, quiet: Quiet
) -> None:
    session = three.bench.session
    session.set_value("coverage", 0.2)
    folder = running(three, host, qtbot)
    with qtbot.waitSignal(three.bench.controller.previewed, timeout=3000):
        host.emit(Preview(image=stripes(32, 24), step=2, steps=4, time_s=0.1))
    quiet()
    done(three, host, qtbot, folder)
    quiet()
    session.set_value("coverage", 0.9)
    three.history.select(0)
    three.actions_table[Command.DETAILS].trigger()
    quiet()
    details = three.runs.details
    assert details is not None
    details.frames.view.setCurrentIndex(details.frames.model.index(0))
    details.frames.go_on.click()
    qtbot.waitUntil(lambda: session.setup.start is not None and session.problem() == "", timeout=5000)
    job = session.job()
    assert job.coverage == 0.2 and job.start_image is not None and job.start_image.is_relative_to(folder.parents[1])
    assert three.references.start_section.isVisible()
    assert three.references.start_section.card.name.text() == "Step 2"
    running(three, host, qtbot)
    quiet()
    branched = three.bench.history.entry(0)
    assert branched is not None and branched.made_from == (folder.name,)
    three.references.start_section.card.remove.click()
    assert session.job().start_image is None and not three.references.start_section.isVisible()
    three.history.select(three.bench.history.row_of(folder))
    three.actions_table[Command.BEGIN_WITH].trigger()
    qtbot.waitUntil(lambda: session.problem() == "", timeout=5000)
    assert session.job().start_image == folder / "result.png"


def test_relatives_of_a_run_are_found_from_its_menu(
    three: MainWindow, host: FakeHost, qtbot: QtBot, quiet: Quiet, tmp_path: Path
) -> None:
    session, model = three.bench.session, three.bench.history
    parent = three.history.current()
    assert parent is not None
    session.set_content(parent.results[0])
    session.set_styles([save(tmp_path / "another look.png", stripes(80, 60))])
    qtbot.waitUntil(lambda: session.problem() == "", timeout=5000)
    done(three, host, qtbot, running(three, host, qtbot))
    quiet()
    three.history.select(0)
    menu = three.history.make_menu()
    choice(menu, "Runs with this reference", "another look.png").trigger()
    quiet()
    assert model.rowCount() == 1 and three.history.filter.more.isChecked()
    parents = next(action.menu() for action in menu.actions() if action.text() == "Made from")
    assert isinstance(parents, QMenu)
    parents.actions()[0].trigger()
    quiet()
    current = three.history.current()
    assert model.rowCount() == 4 and current is not None and current.folder == parent.folder
    menu.deleteLater()

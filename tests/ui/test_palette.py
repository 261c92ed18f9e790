"""The command palette, with the keyboard alone."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.actions import TABLE, Command
from ui.canvas.view import ViewMode
from ui.dialogs.palette import Palette
from ui.main_window import MainWindow
from ui.state.command_list import CommandEntry, CommandList, CommandRole

_PLAIN = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def palette(window: MainWindow, qtbot: QtBot) -> Palette:
    qtbot.waitUntil(window.isActiveWindow, timeout=3000)
    QTest.keyClick(window.canvas.view, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    return window.commands.palette


def rows(palette: Palette) -> list[CommandEntry]:
    model = palette.list.model()
    return [model.index(row, 0).data(CommandRole.ENTRY) for row in range(model.rowCount())]


def names(palette: Palette) -> list[str]:
    return [entry.name for entry in rows(palette)]


def current(palette: Palette) -> str:
    entry = palette.list.currentIndex().data(CommandRole.ENTRY)
    return entry.name if isinstance(entry, CommandEntry) else ""


def test_every_action_of_the_table_is_there_with_its_menu_and_keys(palette: Palette) -> None:
    assert palette.isVisible() and palette.search.hasFocus()
    assert set(names(palette)) == {spec.command for spec in TABLE} - {Command.PALETTE}
    by_name = {entry.name: entry for entry in rows(palette)}
    assert by_name[Command.FIT].place == "View" and by_name[Command.FIT].keys == "Ctrl+0"
    assert by_name[Command.RATE_3].place == "History › Rating"


def test_it_opens_in_the_middle_of_the_window_and_stays_there(palette: Palette, window: MainWindow) -> None:
    for width in (1280, 1100):
        window.resize(width, 800)
        middle = palette.geometry().center().x()
        assert abs(middle - window.rect().center().x()) <= 1
        assert window.rect().contains(palette.geometry())


def test_words_and_return_do_it_and_the_keyboard_goes_back(palette: Palette, window: MainWindow) -> None:
    QTest.keyClicks(palette.search, "side by")
    assert current(palette) == Command.VIEW_SIDE
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert window.canvas.view.mode is ViewMode.SIDE_BY_SIDE
    assert not palette.isVisible() and window.canvas.view.hasFocus()


def test_what_cannot_be_done_now_is_shown_and_does_nothing(palette: Palette, window: MainWindow) -> None:
    assert not window.actions_table[Command.UNDO].isEnabled()
    done: list[str] = []
    palette.chosen.connect(done.append)
    QTest.keyClicks(palette.search, "undo")
    assert names(palette)[0] == Command.UNDO and current(palette) == ""
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    place = palette.list.visualRect(palette.list.model().index(0, 0)).center()
    QTest.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, _PLAIN, place)
    assert done == [] and palette.isVisible()
    window.actions_table[Command.UNDO].setEnabled(True)
    QTest.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, _PLAIN, place)
    assert done == [Command.UNDO]


def test_arrows_go_round_past_what_cannot_be_done(palette: Palette, window: MainWindow) -> None:
    QTest.keyClicks(palette.search, "view")
    possible = [entry.name for entry in rows(palette) if entry.action.isEnabled()]
    seen = []
    for _ in possible:
        seen.append(current(palette))
        QTest.keyClick(palette.search, Qt.Key.Key_Down)
    assert seen == possible and current(palette) == possible[0]
    QTest.keyClick(palette.search, Qt.Key.Key_Up)
    assert current(palette) == possible[-1]
    for _ in range(2):
        QTest.keyClick(palette.search, Qt.Key.Key_PageUp)
    assert current(palette) == possible[0]
    QTest.keyClick(palette.search, Qt.Key.Key_PageDown)
    assert possible.index(current(palette)) > 5


def test_escape_and_its_own_key_close_it_without_cancelling_anything(palette: Palette, window: MainWindow) -> None:
    done: list[Command] = []
    window.actions_table[Command.CANCEL].triggered.connect(lambda: done.append(Command.CANCEL))
    window.actions_table[Command.HAND].triggered.connect(lambda: done.append(Command.HAND))
    QTest.keyClick(palette.search, Qt.Key.Key_Escape)
    assert not palette.isVisible() and window.canvas.view.hasFocus()
    QTest.keyClick(window.canvas.view, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert palette.isVisible()
    QTest.keyClick(palette.search, Qt.Key.Key_H)
    QTest.keyClick(palette.search, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert not palette.isVisible()
    assert done == []


def test_a_click_elsewhere_closes_it_and_keeps_the_keyboard_there(palette: Palette, window: MainWindow) -> None:
    window.history.filter.search.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not palette.isVisible() and window.history.filter.search.hasFocus()


def test_nothing_found_is_said(palette: Palette) -> None:
    QTest.keyClicks(palette.search, "juggling")
    assert palette.nothing.isVisible() and not palette.list.isVisible()
    palette.search.clear()
    assert palette.list.isVisible()


def test_what_was_used_last_comes_first_and_is_told(palette: Palette, window: MainWindow) -> None:
    told: list[tuple[str, ...]] = []
    window.commands.recent_changed.connect(told.append)
    for words in ("tiles", "zoom out"):
        palette.search.setText(words)
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
        palette.open()
    assert told[-1] == (Command.ZOOM_OUT, Command.VIEW_TILES)
    assert names(palette)[:2] == [Command.ZOOM_OUT, Command.VIEW_TILES]


def test_names_that_are_no_action_any_more_are_left_out(window: MainWindow) -> None:
    window.commands.bring_back(recent=["juggle", Command.FIT, Command.FIT], keys={})
    window.commands.palette.open()
    assert names(window.commands.palette)[0] == Command.FIT


def test_a_reader_hears_what_is_chosen_and_what_cannot_be_done(palette: Palette) -> None:
    QTest.keyClicks(palette.search, "fit")
    field = QAccessible.queryAccessibleInterface(palette.search)
    assert field.text(QAccessible.Text.Name) == "Search all actions"
    assert field.text(QAccessible.Text.Description) == "Fit, View, Ctrl+0"
    palette.search.setText("undo")
    heard = palette.list.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert heard == "Undo, Edit, Ctrl+Z, not possible now"


def test_long_names_and_small_windows_fit(window: MainWindow, qapp: QApplication) -> None:
    window.actions_table[Command.FIT].setText("A very long name of an action, as other languages have them " * 3)
    window.resize(window.minimumSize())
    palette = window.commands.palette
    palette.open()
    assert window.rect().contains(palette.geometry())
    assert palette.list.mapTo(window, QPoint(0, palette.list.height())).y() <= window.height()
    assert not palette.list.horizontalScrollBar().isVisible()


def test_the_list_shows_what_becomes_possible(window: MainWindow, qtbot: QtBot) -> None:
    entries = window.actions_table.entries()
    listed = CommandList(entries, window, greys=True)
    row = listed.row_of(Command.UNDO)
    with qtbot.waitSignal(listed.dataChanged) as changed:
        window.actions_table[Command.UNDO].setEnabled(True)
    assert changed.args is not None and changed.args[0].row() == row
    assert listed.flags(listed.index(row)) & Qt.ItemFlag.ItemIsEnabled

"""Keys that the artist chooses: set, refused, taken away elsewhere, brought back, kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.actions import Command
from ui.canvas.view import ViewMode
from ui.dialogs.shortcuts import ShortcutsDialog
from ui.main_window import MainWindow
from ui.state.command_list import CommandEntry, Scope
from ui.state.shortcuts import Shortcuts, pressed_keys

_CTRL = Qt.KeyboardModifier.ControlModifier

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def dialog(window: MainWindow) -> ShortcutsDialog:
    window.actions_table[Command.SHORTCUTS].trigger()
    made = window.commands.dialog
    assert made is not None
    return made


def keys(window: MainWindow, command: Command) -> list[str]:
    return [key.toString() for key in window.actions_table[command].shortcuts()]


def some(name: str, scope: Scope, *usual: str) -> CommandEntry:
    action = QAction(name)
    action.setShortcuts([QKeySequence(key) for key in usual])
    return CommandEntry(name=name, place="", action=action, scope=scope, usual=usual)


def test_a_pressed_key_counts_at_once_everywhere(dialog: ShortcutsDialog, window: MainWindow, qtbot: QtBot) -> None:
    told: list[dict[str, tuple[str, ...]]] = []
    window.commands.keys_changed.connect(told.append)
    dialog.search.setText("fit")
    QTest.keyClick(dialog.field, Qt.Key.Key_J, _CTRL)
    assert keys(window, Command.FIT) == ["Ctrl+J"] and told == [{"fit": ("Ctrl+J",)}]
    assert dialog.field.text() == "Ctrl+J" and not dialog.banner.isVisible()
    run = window.top_bar.run
    assert window.commands.tips.text(run) == run.toolTip() and "Ctrl" not in run.toolTip()
    assert "Ctrl+J" in window.actions_table[Command.FIT].toolTip()
    assert window.commands.tips.text(window.canvas.fit_button).endswith("(Ctrl+J)")
    dialog.reject()
    assert window.commands.dialog is None
    window.canvas.view.actual_size()
    before = window.canvas.zoom_label.text()
    window.resize(window.width() - 100, window.height())
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=3000)
    fitted: list[bool] = []
    window.actions_table[Command.FIT].triggered.connect(lambda: fitted.append(True))
    QTest.keyClick(window.canvas.view, Qt.Key.Key_0, _CTRL)
    assert fitted == [] and window.canvas.zoom_label.text() == before
    QTest.keyClick(window.canvas.view, Qt.Key.Key_J, _CTRL)
    assert len(fitted) == 1


def test_a_key_of_another_action_is_said_and_only_taken_when_asked(dialog: ShortcutsDialog, window: MainWindow) -> None:
    dialog.select(Command.SWAP)
    QTest.keyClick(dialog.field, Qt.Key.Key_A)
    assert keys(window, Command.SWAP) == [] and keys(window, Command.RESTORE_ALL) == ["A"]
    assert "Restore all (History)" in dialog.banner.message.text()
    dialog.banner.buttons()[0].click()
    assert keys(window, Command.SWAP) == ["A"] and keys(window, Command.RESTORE_ALL) == []
    assert not dialog.banner.isVisible()


def test_taking_one_of_two_keys_leaves_the_other(dialog: ShortcutsDialog, window: MainWindow) -> None:
    dialog.select(Command.SWAP)
    QTest.keyClick(dialog.field, Qt.Key.Key_C)
    dialog.banner.buttons()[0].click()
    assert keys(window, Command.VIEW_COMPARE) == ["Alt+3"]
    assert window.commands.tips.text(window.canvas.modes.button(ViewMode.COMPARE)).endswith("(Alt+3)")


def test_the_usual_comes_back_for_one_and_for_all(dialog: ShortcutsDialog, window: MainWindow) -> None:
    assert not dialog.usual.isEnabled() and not dialog.all_usual.isEnabled()
    dialog.select(Command.REDO)
    dialog.none.click()
    assert keys(window, Command.REDO) == [] and not dialog.none.isEnabled()
    dialog.select(Command.SWAP)
    QTest.keyClick(dialog.field, Qt.Key.Key_Y, _CTRL)
    assert keys(window, Command.SWAP) == ["Ctrl+Y"]
    dialog.select(Command.REDO)
    dialog.usual.click()
    assert keys(window, Command.REDO) == [] and "Swap" in dialog.banner.message.text()
    dialog.all_usual.click()
    assert keys(window, Command.REDO) == ["Ctrl+Shift+Z", "Ctrl+Y"] and keys(window, Command.SWAP) == []
    assert not dialog.all_usual.isEnabled() and window.commands.shortcuts.chosen() == {}


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Left])
def test_keys_that_walk_through_the_window_are_refused_in_words(
    dialog: ShortcutsDialog, window: MainWindow, key: Qt.Key
) -> None:
    dialog.select(Command.SWAP)
    QTest.keyClick(dialog.field, key)
    assert keys(window, Command.SWAP) == [] and "Hold Ctrl" in dialog.banner.message.text()
    QTest.keyClick(dialog.field, key, _CTRL | Qt.KeyboardModifier.AltModifier)
    assert len(keys(window, Command.SWAP)) == 1 and not dialog.banner.isVisible()


def test_the_keyboard_alone_is_enough(dialog: ShortcutsDialog, window: MainWindow, qapp: QApplication) -> None:
    dialog.activateWindow()
    dialog.search.setFocus()
    QTest.keyClicks(dialog.search, "swap")
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.focusWidget() is dialog.list
    QTest.keyClick(dialog.list, Qt.Key.Key_Return)
    assert dialog.focusWidget() is dialog.field
    QTest.keyClick(dialog.field, Qt.Key.Key_B, _CTRL)
    assert keys(window, Command.SWAP) == ["Ctrl+B"]
    QTest.keyClick(dialog.field, Qt.Key.Key_Escape)
    assert dialog.focusWidget() is dialog.list and keys(window, Command.SWAP) == ["Ctrl+B"]
    QTest.keyClick(dialog.list, Qt.Key.Key_Escape)
    assert window.commands.dialog is None


def test_it_is_searched_by_keys_too_and_nothing_found_is_said(dialog: ShortcutsDialog) -> None:
    dialog.search.setText("ctrl+shift+e")
    entry = dialog.current()
    assert entry is not None and entry.name == Command.SAVE_RESULT
    dialog.search.setText("juggling")
    assert dialog.current() is None and not dialog.field.isEnabled() and dialog.name.text()
    QTest.keyClick(dialog.field, Qt.Key.Key_J, _CTRL)
    dialog.search.clear()
    assert dialog.current() is not None


def test_what_was_kept_comes_back_and_wins_over_the_usual(window: MainWindow) -> None:
    kept = {"swap": ("Ctrl+Y", "no such key"), "fit": (), "juggle": ("Ctrl+J",), "zoom_in": ("Ctrl+Y",)}
    window.commands.bring_back(recent=(), keys=kept)
    assert keys(window, Command.SWAP) == ["Ctrl+Y"] and keys(window, Command.ZOOM_IN) == []
    assert keys(window, Command.REDO) == ["Ctrl+Shift+Z"] and keys(window, Command.FIT) == []
    window.commands.bring_back(recent=(), keys=window.commands.shortcuts.chosen())
    assert keys(window, Command.REDO) == ["Ctrl+Shift+Z"]


def test_the_history_and_the_window_share_keys_no_two_parts_do(qapp: QApplication) -> None:
    assert Scope.WINDOW.meets(Scope.HISTORY) and Scope.HISTORY.meets(Scope.WINDOW)
    assert Scope.HISTORY.meets(Scope.HISTORY)


@given(steps=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "F1", "F2", "Ctrl+K"])), max_size=12))
def test_no_key_ever_means_two_things(qapp: QApplication, steps: list[tuple[str, str]]) -> None:
    entries = [some("a", Scope.WINDOW, "F1"), some("b", Scope.HISTORY, "F2"), some("c", Scope.HISTORY)]
    shortcuts = Shortcuts(entries)
    for name, key in steps:
        shortcuts.set(name, (QKeySequence(key),) if key else ())
        bound = [one for entry in entries for one in shortcuts.keys(entry.name)]
        assert len(bound) == len(set(bound))
        again = Shortcuts(entries)
        kept, before = shortcuts.chosen(), {entry.name: shortcuts.keys(entry.name) for entry in entries}
        again.bring_back(kept)
        assert {entry.name: again.keys(entry.name) for entry in entries} == before


@pytest.mark.parametrize(
    ("key", "held", "text", "wanted"),
    [
        (Qt.Key.Key_Slash, Qt.KeyboardModifier.ShiftModifier, "/", "/"),
        (Qt.Key.Key_Plus, _CTRL | Qt.KeyboardModifier.ShiftModifier, "+", "Ctrl++"),
        (Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier, "A", "Shift+A"),
        (Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier, "5", "5"),
        (Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier, "", "Shift+F5"),
        (Qt.Key.Key_Control, _CTRL, "", None),
    ],
)
def test_what_is_pressed_is_read_as_a_shortcut(
    key: Qt.Key, held: Qt.KeyboardModifier, text: str, wanted: str | None
) -> None:
    read = pressed_keys(QKeyEvent(QEvent.Type.KeyPress, key, held, text))
    assert (read.toString() if read is not None else None) == wanted

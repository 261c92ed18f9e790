"""The application as a whole: starting without the engine's libraries, leaving in good order, looks and names."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from adstudio.jobs.events import LoadingModel, Started
from adstudio.paths import samples_dir
from adstudio.settings import Appearance, Settings, load_settings
from tests.ui.fake_host import FakeHost
from ui.actions import MENUS, TABLE, Actions, Command
from ui.app import Studio
from ui.main_window import MainWindow
from ui.state.samples import read_samples
from ui.theme import DARK, LIGHT, Colors, apply_theme


def test_the_window_is_imported_without_the_engine() -> None:
    heavy = "torch numba diffusers transformers"
    code = f"import sys, ui.app; sys.exit(' '.join(m for m in '{heavy}'.split() if m in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def studio(
    qtbot: QtBot,
    qapp: QApplication,
    host: FakeHost,
    loop: asyncio.AbstractEventLoop,
    tmp_path: Path,
) -> Iterator[Studio]:
    apply_theme(qapp, Appearance.DARK)
    settings = Settings(appearance=Appearance.DARK, project=tmp_path / "studio.adproj", runs_dir=tmp_path / "runs")
    made = Studio(qapp, host, loop, settings, tmp_path / "config" / "settings.json")
    made.start(samples_dir())
    qtbot.waitExposed(made.window)
    yield made
    if not made.closed.done():
        made.leave()
        qtbot.waitUntil(made.closed.done, timeout=5000)
    made.window.deleteLater()


def test_the_first_start_can_run_at_once(studio: Studio, qtbot: QtBot, host: FakeHost) -> None:
    qtbot.waitUntil(lambda: studio.bench.session.problem() == "", timeout=20_000)
    assert studio.bench.session.job().task is Task.STYLE_TRANSFER
    assert studio.window.top_bar.run.isEnabled()
    assert not studio.bench.session.can_undo
    assert studio.bench.library.rowCount() > 0
    qtbot.waitUntil(lambda: host.warmed == 1, timeout=5000)


def test_closing_shuts_the_host_down_and_keeps_the_layout(
    studio: Studio, qtbot: QtBot, host: FakeHost, tmp_path: Path
) -> None:
    studio.window.close()
    qtbot.waitUntil(studio.closed.done, timeout=5000)
    assert host.shut_down and not studio.window.isVisible()
    kept = load_settings(tmp_path / "config" / "settings.json")
    assert kept.appearance is Appearance.DARK and kept.window_layout and kept.left_running is None


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_closing_during_a_run_asks_once(studio: Studio, qtbot: QtBot, host: FakeHost, tmp_path: Path) -> None:
    qtbot.waitUntil(lambda: studio.bench.session.problem() == "", timeout=20_000)
    studio.bench.run()
    qtbot.waitUntil(lambda: len(host.submitted) == 1, timeout=10_000)
    host.emit(LoadingModel(model="patch"))
    host.emit(Started(device="cpu", steps=3))
    studio.window.close()
    question = studio.question
    assert question is not None and question.isVisible() and studio.window.isVisible()
    studio.window.close()
    assert studio.question is question
    next(button for button in question.buttons() if "Keep" in button.text()).click()
    qtbot.waitUntil(lambda: studio.question is None, timeout=5000)
    assert studio.window.isVisible() and not host.cancelled
    studio.window.close()
    assert studio.question is not None
    next(button for button in studio.question.buttons() if "quit" in button.text()).click()
    qtbot.waitUntil(studio.closed.done, timeout=5000)
    assert host.cancelled and host.shut_down
    assert load_settings(tmp_path / "config" / "settings.json").left_running == host.submitted[0].folder


def test_the_look_changes_at_once_and_stays(studio: Studio, qapp: QApplication) -> None:
    studio.window.actions_table[Command.THEME_LIGHT].trigger()
    assert qapp.palette().window().color().name() == LIGHT.panel
    assert studio.window.actions_table[Command.THEME_LIGHT].isChecked()
    studio.window.actions_table[Command.THEME_DARK].trigger()
    assert qapp.palette().window().color().name() == DARK.panel


def test_settings_come_back_at_the_next_start(studio: Studio, qtbot: QtBot, tmp_path: Path) -> None:
    studio.window.actions_table[Command.THEME_LIGHT].trigger()
    studio.window.parameters.advanced.button.click()
    studio.window.commands.palette.chosen.emit(Command.FIT)
    studio.window.commands.shortcuts.set(Command.SWAP, (QKeySequence("Ctrl+J"),))
    studio.bench.room.open(tmp_path / "elsewhere.adproj", create=True)
    qtbot.waitUntil(lambda: studio.bench.project_folder.name == "elsewhere.adproj", timeout=5000)
    studio.window.close()
    qtbot.waitUntil(studio.closed.done, timeout=5000)
    kept = load_settings(tmp_path / "config" / "settings.json")
    assert kept.appearance is Appearance.LIGHT and kept.show_advanced
    assert kept.recent_commands == (Command.FIT,) and kept.shortcuts == {Command.SWAP: ("Ctrl+J",)}
    assert kept.project == tmp_path / "elsewhere.adproj"


def test_the_offline_switch_holds_at_once_and_is_kept_at_once(studio: Studio, qtbot: QtBot, tmp_path: Path) -> None:
    kept = tmp_path / "config" / "settings.json"
    before = studio.bench.downloads.offline
    studio.window.actions_table[Command.OFFLINE].trigger()
    assert [before, studio.bench.downloads.offline] == [False, True]
    qtbot.waitUntil(lambda: load_settings(kept).offline, timeout=5000)


def test_settings_that_cannot_be_kept_do_not_hold_the_window(
    studio: Studio, qtbot: QtBot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "config").write_text("in the way")
    studio.window.close()
    qtbot.waitUntil(studio.closed.done, timeout=5000)
    assert "settings" in caplog.text


def test_every_action_has_a_place_and_no_key_twice(window: MainWindow) -> None:
    assert {spec.command for spec in TABLE} == set(Command)
    assert {spec.menu for spec in TABLE} - {""} == set(MENUS)
    keys = [key for spec in TABLE for key in spec.keys]
    assert len(keys) == len(set(keys))
    assert "Ctrl+" in window.actions_table[Command.FIT].toolTip()


def test_an_action_without_a_handler_is_refused() -> None:
    with pytest.raises(KeyError):
        Actions().connect_to({})


def test_buttons_without_words_have_names(filled: MainWindow) -> None:
    for button in filled.findChildren(QAbstractButton):
        if not button.objectName().startswith("qt_") and not button.text() and not button.icon().isNull():
            assert button.accessibleName(), button
            assert button.toolTip(), button


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colors", [DARK, LIGHT])
def test_words_stand_out(colors: Colors) -> None:
    for surface in (colors.window, colors.bar, colors.panel, colors.card, colors.field):
        for words in (colors.text, colors.muted, colors.danger, colors.accent_ink):
            assert _contrast(words, surface) >= 4.5, (words, surface)
    assert _contrast(colors.accent_text, colors.accent) >= 4.5
    assert _contrast(colors.text, colors.raised) >= 4.5


def test_the_samples_of_the_project_are_listed() -> None:
    samples = read_samples(samples_dir())
    content, style = samples.first_pair(Task.STYLE_TRANSFER)
    assert content is not None and style is not None
    assert content.path.is_file() and style.path.is_file()

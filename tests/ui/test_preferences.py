"""Preferences count at once, are kept at once, and come back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from adstudio.cache import cache_bytes, clear_cache
from adstudio.jobs.choices import Device
from adstudio.jobs.events import LoadingModel, Started
from adstudio.paths import cache_dir
from adstudio.settings import Appearance, Settings, load_settings
from tests.ui.fake_host import FakeHost
from ui.actions import Command
from ui.app import Studio
from ui.dialogs.preferences import PreferencesDialog
from ui.main_window import MainWindow
from ui.preference_handlers import PreferenceHandlers
from ui.state.settings_keeper import SettingsKeeper
from ui.theme import LIGHT, apply_theme

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


@pytest.fixture
def keeper(filled: MainWindow, kept: Path) -> SettingsKeeper:
    return SettingsKeeper(Settings(appearance=Appearance.DARK), kept, filled.bench.background)


@pytest.fixture
def handlers(filled: MainWindow, keeper: SettingsKeeper) -> Iterator[PreferenceHandlers]:
    made = PreferenceHandlers(filled, keeper, "Studio.adproj")
    filled.actions_table[Command.PREFERENCES].trigger()
    yield made
    if made.dialog is not None:
        made.dialog.reject()


@pytest.fixture
def dialog(handlers: PreferenceHandlers) -> PreferencesDialog:
    assert handlers.dialog is not None
    return handlers.dialog


def choose(field: QComboBox, words: str) -> None:
    """As a hand does it: with the first letters."""
    field.setCurrentIndex(field.findText(words))
    field.activated.emit(field.currentIndex())


def test_a_look_counts_at_once_and_is_kept(
    qapp: QApplication, host: FakeHost, loop: asyncio.AbstractEventLoop, qtbot: QtBot, tmp_path: Path, kept: Path
) -> None:
    apply_theme(qapp, Appearance.DARK)
    settings = Settings(appearance=Appearance.DARK, project=tmp_path / "studio.adproj", runs_dir=tmp_path / "runs")
    studio = Studio(qapp, host, loop, settings, kept)
    studio.window.show()
    studio.window.actions_table[Command.PREFERENCES].trigger()
    dialog = studio.preferences.dialog
    assert dialog is not None
    choose(dialog.appearance, "Light")
    assert qapp.palette().window().color().name() == LIGHT.panel
    assert studio.window.actions_table[Command.THEME_LIGHT].isChecked()
    choose(dialog.network, "Never: work offline")
    assert studio.bench.downloads.offline and studio.window.actions_table[Command.OFFLINE].isChecked()
    qtbot.waitUntil(lambda: kept.is_file() and load_settings(kept).offline, timeout=5000)
    assert load_settings(kept).appearance is Appearance.LIGHT
    studio.leave()
    qtbot.waitUntil(studio.closed.done, timeout=5000)
    studio.window.deleteLater()


def test_the_device_is_that_of_jobs_that_name_none(
    filled: MainWindow, dialog: PreferencesDialog, keeper: SettingsKeeper, kept: Path, qtbot: QtBot
) -> None:
    session = filled.bench.session
    assert session.job().device is Device.AUTO
    choose(dialog.device, "CPU")
    assert session.job().device is Device.CPU and keeper.now.device is Device.CPU
    session.set_value("device", "mps")
    assert session.job().device is Device.MPS
    qtbot.waitUntil(lambda: kept.is_file() and load_settings(kept).device is Device.CPU, timeout=5000)


def test_what_was_chosen_earlier_counts_from_the_start(filled: MainWindow, kept: Path) -> None:
    earlier = Settings(device=Device.CUDA, memory_limit_gb=6.5, offline=True, appearance=Appearance.LIGHT)
    handlers = PreferenceHandlers(filled, SettingsKeeper(earlier, kept, filled.bench.background), "Studio.adproj")
    assert filled.bench.session.job().device is Device.CUDA
    handlers.open()
    dialog = handlers.dialog
    assert dialog is not None
    shown = (dialog.appearance.currentText(), dialog.device.currentText(), dialog.network.currentText())
    assert shown == ("Light", "NVIDIA GPU", "Never: work offline") and dialog.memory.value() == 6.5
    handlers.open()
    assert handlers.dialog is dialog
    dialog.reject()
    assert handlers.dialog is None


def test_the_memory_limit_counts_for_the_next_run(
    filled: MainWindow, dialog: PreferencesDialog, keeper: SettingsKeeper
) -> None:
    assert dialog.memory.text() == "What is free"
    dialog.memory.setValue(2.5)
    limits = [(keeper.now.memory_limit_gb, filled.bench.controller.queue.memory_limit_bytes)]
    dialog.memory.setValue(0)
    limits.append((keeper.now.memory_limit_gb, filled.bench.controller.queue.memory_limit_bytes))
    assert limits == [(2.5, round(2.5 * (1 << 30))), (None, None)]


def test_another_folder_gets_a_project_that_is_open_at_once(
    filled: MainWindow, handlers: PreferenceHandlers, dialog: PreferencesDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    dialog.elsewhere.click()
    assert handlers.files is not None and handlers.files.current is not None
    handlers.files.current.selectFile(str(elsewhere))
    handlers.files.current.accept()
    qtbot.waitUntil(lambda: filled.bench.project_folder == elsewhere / "Studio.adproj", timeout=5000)
    assert dialog.place.text().endswith("elsewhere/Studio.adproj")


def test_nothing_is_moved_or_cleared_under_a_run(
    filled: MainWindow, dialog: PreferencesDialog, host: FakeHost, qtbot: QtBot
) -> None:
    assert dialog.elsewhere.isEnabled() and dialog.clear.isEnabled()
    filled.bench.run()
    qtbot.waitUntil(lambda: len(host.submitted) == 1, timeout=5000)
    host.emit(LoadingModel(model="patch"))
    host.emit(Started(device="cpu", steps=3))
    qtbot.waitUntil(lambda: not dialog.elsewhere.isEnabled(), timeout=5000)
    assert not dialog.clear.isEnabled()


def test_the_cache_tells_its_size_and_is_cleared(
    filled: MainWindow, handlers: PreferenceHandlers, qtbot: QtBot
) -> None:
    assert handlers.dialog is not None
    handlers.dialog.reject()
    kept = cache_dir() / "features" / "ab" / "some.safetensors"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(bytes(3 << 20))
    handlers.open()
    dialog = handlers.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.cache.text().startswith("3."), timeout=5000)
    dialog.clear.click()
    qtbot.waitUntil(lambda: dialog.cache.text().startswith("0"), timeout=5000)
    assert not kept.exists()


def test_only_what_can_be_made_again_is_cleared(tmp_path: Path) -> None:
    for name in ("thumbnails/aa/1.jpg", "embeddings/2.safetensors", "calibration.json", "other/3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(10))
    assert cache_bytes(tmp_path) == 20
    assert clear_cache(tmp_path) == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["calibration.json", "other"]
    assert cache_bytes(tmp_path / "not there") == clear_cache(tmp_path / "not there") == 0


def test_its_key_opens_it_and_escape_closes_it(filled: MainWindow, keeper: SettingsKeeper, qtbot: QtBot) -> None:
    handlers = PreferenceHandlers(filled, keeper, "Studio.adproj")
    filled.activateWindow()
    qtbot.waitUntil(filled.isActiveWindow, timeout=3000)
    QTest.keyClick(filled.canvas.view, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    dialog = handlers.dialog
    assert dialog is not None and dialog.isVisible()
    for field in (dialog.appearance, dialog.device, dialog.memory, dialog.network, dialog.elsewhere, dialog.clear):
        assert field.accessibleName() and field.focusPolicy() & Qt.FocusPolicy.TabFocus
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert handlers.dialog is None


def test_the_newest_settings_are_those_on_disk(
    filled: MainWindow, keeper: SettingsKeeper, kept: Path, qtbot: QtBot
) -> None:
    for device in [*Device] * 5:
        keeper.change(device=device)
    qtbot.waitUntil(lambda: not filled.bench.background.busy, timeout=5000)
    assert load_settings(kept).device is [*Device][-1]

"""Fetching in the window: what would come is shown first; pause, going on, words for prompts, the offline switch."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from adstudio.models.families import Family
from adstudio.models.vocabulary_fetch import SOURCES, Words
from adstudio.paths import models_dir, vocabularies_dir
from tests.engine.tiny_models import tiny_model, write_folder
from tests.hub_server import FakeHub, serving
from tests.ui.model_files import write_model
from ui.actions import Command
from ui.dialogs.download_dialog import DownloadDialog
from ui.dialogs.models_page import ModelsPage
from ui.main_window import MainWindow
from ui.state.model_choice import model_problem
from ui.state.model_downloads import Stage

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")
REPOSITORY = "painters/oil"
UNET = "unet/diffusion_pytorch_model.safetensors"
WAIT_MS = 10_000


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    made = FakeHub()
    made.put_folder(REPOSITORY, write_folder(tiny_model(Family.SD15), tmp_path / "original"))
    with serving(made) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield made


@pytest.fixture
def page(hub: FakeHub, window: MainWindow, qtbot: QtBot) -> ModelsPage:
    qtbot.waitUntil(lambda: window.bench.models.loaded, timeout=WAIT_MS)
    window.actions_table[Command.MODELS].trigger()
    made = window.models.page
    assert made is not None
    qtbot.waitUntil(made.isVisible, timeout=WAIT_MS)
    return made


@pytest.fixture
def dialog(page: ModelsPage, qtbot: QtBot) -> DownloadDialog:
    page.download.click()
    made = page.fetching.dialog
    assert made is not None
    qtbot.waitUntil(made.isVisible, timeout=WAIT_MS)
    return made


def look_up(dialog: DownloadDialog, qtbot: QtBot) -> None:
    dialog.repository.setText(REPOSITORY)
    dialog.look_up.click()
    qtbot.waitUntil(lambda: not dialog._downloads.busy, timeout=WAIT_MS)


def test_nothing_is_asked_before_the_button_and_nothing_fetched_before_the_next(
    dialog: DownloadDialog, hub: FakeHub, qtbot: QtBot
) -> None:
    assert hub.asked == [] and not dialog.look_up.isEnabled() and not dialog.go.isEnabled()
    look_up(dialog, qtbot)
    assert dialog.files_model.item(0, 0).text() == UNET and dialog.files_model.item(0, 1).text() == "0.3 MB"
    assert dialog.licence.text() == "apache-2.0" and dialog.go.isEnabled()
    assert not any("/resolve/" in path for path, _ in hub.asked)


def test_a_model_is_fetched_listed_and_selected(
    dialog: DownloadDialog, page: ModelsPage, window: MainWindow, qtbot: QtBot
) -> None:
    look_up(dialog, qtbot)
    dialog.go.click()
    assert dialog.go.text() == "Pause"
    qtbot.waitUntil(lambda: window.bench.downloads.stage is Stage.DONE, timeout=WAIT_MS)
    assert "checksums are right" in dialog.words.text() and not dialog.go.isEnabled()
    qtbot.waitUntil(lambda: page.details.name.text() == "oil", timeout=WAIT_MS)
    assert (models_dir() / "oil" / UNET).is_file()


def test_a_download_that_breaks_off_says_so_and_goes_on(
    dialog: DownloadDialog, hub: FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    hub.breaks[UNET] = [5000, 0]
    look_up(dialog, qtbot)
    dialog.go.click()
    qtbot.waitUntil(lambda: window.bench.downloads.stage is Stage.STOPPED, timeout=WAIT_MS)
    assert "start it again to go on" in dialog.problem.text()
    assert dialog.go.text() == "Go on" and dialog.throw_away.isVisible()
    dialog.go.click()
    qtbot.waitUntil(lambda: window.bench.downloads.stage is Stage.DONE, timeout=WAIT_MS)
    assert hub.ranges(UNET)[-1] == "bytes=5000-" and not dialog.problem.isVisible()


def test_pause_and_throwing_away(dialog: DownloadDialog, window: MainWindow, qtbot: QtBot) -> None:
    downloads = window.bench.downloads
    look_up(dialog, qtbot)
    dialog.go.click()
    dialog.go.click()  # the worker has hardly begun
    assert downloads.stage is Stage.STOPPING and not dialog.go.isEnabled()
    qtbot.waitUntil(lambda: downloads.stage is Stage.STOPPED, timeout=WAIT_MS)
    assert not dialog.problem.isVisible() and "kept" in dialog.words.text()
    dialog.throw_away.click()
    qtbot.waitUntil(lambda: downloads.stage is Stage.PLANNED, timeout=WAIT_MS)
    assert not list(models_dir().glob(".*")) and dialog.go.text() == "Download"


def test_a_full_disk_is_said_and_another_place_can_be_chosen(
    dialog: DownloadDialog, window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up(dialog, qtbot)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
        dialog.go.click()
        qtbot.waitUntil(lambda: not window.bench.downloads.busy, timeout=WAIT_MS)
    assert "make room or choose another folder" in dialog.problem.text() and dialog.change_place.isEnabled()
    window.bench.downloads.choose_folder(tmp_path / "elsewhere")
    assert dialog.place.text().endswith("elsewhere/oil") and not dialog.problem.isVisible()


def test_one_file_of_several_is_named_behind_its_repository(
    dialog: DownloadDialog, hub: FakeHub, window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    for name in ("oil", "ink"):
        file = write_model(tmp_path / "files" / f"{name}.safetensors", size_gb=0.0)
        hub.files.setdefault("painters/files", {})[file.name] = file.read_bytes()
    dialog.repository.setText("painters/files")
    dialog.look_up.click()
    qtbot.waitUntil(lambda: not window.bench.downloads.busy, timeout=WAIT_MS)
    assert "as in painters/files/oil.safetensors" in dialog.problem.text()
    dialog.repository.setText("painters/files/ink.safetensors")
    dialog.look_up.click()
    qtbot.waitUntil(lambda: dialog.go.isEnabled(), timeout=WAIT_MS)
    assert dialog.files_model.rowCount() == 1 and dialog.place.text().endswith("ink.safetensors")


def test_what_is_not_there_is_said_in_the_dialog(dialog: DownloadDialog, hub: FakeHub, qtbot: QtBot) -> None:
    hub.status = 404
    look_up(dialog, qtbot)
    assert "no such repository" in dialog.problem.text() and not dialog.go.isEnabled()


def test_the_offline_switch_refuses_in_words(
    dialog: DownloadDialog, hub: FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    window.bench.downloads.offline = True
    look_up(dialog, qtbot)
    assert "the offline switch is on" in dialog.problem.text() and hub.asked == []


def test_the_switch_in_the_menu_is_told(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.offline_chosen) as told:
        window.actions_table[Command.OFFLINE].trigger()
    assert told.args == [True]


def test_leaving_while_a_model_comes_keeps_what_came(dialog: DownloadDialog, window: MainWindow, qtbot: QtBot) -> None:
    look_up(dialog, qtbot)
    dialog.go.click()
    window.bench.downloads.close()
    assert not (models_dir() / "oil").exists() or (models_dir() / "oil" / UNET).is_file()


def test_the_words_for_prompts_are_fetched_after_a_question(
    page: ModelsPage, hub: FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    source = SOURCES[Words.CLIP]
    ids = json.dumps({f"w{number}": number for number in range(source.words)}).encode()
    merges = "".join(f"a{number} b\n" for number in range(source.merges)).encode()
    hub.files[source.repository] = {"vocab.json": ids, "merges.txt": merges}
    hub.commits[source.repository] = source.commit
    page.add((write_model(models_dir() / "sketch.safetensors"),))
    qtbot.waitUntil(lambda: window.bench.models.find("sketch") is not None, timeout=WAIT_MS)
    page._select(page.list_model.row_of("sketch"))
    models = window.bench.models
    assert "The model page can fetch it" in model_problem(Task.TEXT_TO_IMAGE, "sketch", models)
    assert page.details.words.isVisible() and page.details.words.text() == "Fetch its words (1.5 MB) …"
    page.details.words.click()
    assert "openai/clip-vit-large-patch14" in page.banner.message.text() and hub.asked == []
    page.banner.buttons()[0].click()
    assert not page.details.words.isEnabled()
    qtbot.waitUntil(lambda: not page.details.words.isVisible(), timeout=WAIT_MS)
    assert (vocabularies_dir() / "clip" / "vocab.json").is_file()
    assert model_problem(Task.TEXT_TO_IMAGE, "sketch", models) == ""
    assert any(label.text() == "yes" for label in page.details.findChildren(QLabel))


def test_words_that_cannot_be_fetched_are_said_on_the_page(
    page: ModelsPage, hub: FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    page.add((write_model(models_dir() / "sketch.safetensors"),))
    qtbot.waitUntil(lambda: window.bench.models.find("sketch") is not None, timeout=WAIT_MS)
    page._select(page.list_model.row_of("sketch"))
    hub.status = 503
    page.details.words.click()
    page.banner.buttons()[0].click()
    qtbot.waitUntil(lambda: "error (503)" in page.banner.message.text(), timeout=WAIT_MS)
    assert page.details.words.isEnabled() and page.details.words.isVisible()

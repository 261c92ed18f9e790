"""The model page: what is listed and told, added, dropped and taken off."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from adstudio.models.families import Family
from adstudio.models.library import add_to_library
from adstudio.paths import library_path, models_dir
from tests.ui.model_files import write_damaged, write_lora, write_model, write_words
from tests.ui.test_references import drop
from ui.actions import Command
from ui.dialogs.models_page import ModelsPage
from ui.main_window import MainWindow
from ui.state.model_facts import Mark, ModelFacts
from ui.state.model_list import ModelRole

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")
GOLDENS = Path(__file__).resolve().parents[3] / "shared" / "goldens" / "models"


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> ModelsPage:
    qtbot.waitUntil(lambda: window.bench.models.loaded, timeout=10_000)
    window.actions_table[Command.MODELS].trigger()
    made = window.models.page
    assert made is not None
    qtbot.waitUntil(made.isVisible, timeout=5000)
    return made


def names(page: ModelsPage) -> list[str]:
    return [str(page.list_model.index(row).data()) for row in range(page.list_model.rowCount())]


def facts(page: ModelsPage, row: int) -> ModelFacts:
    found = page.list_model.index(row).data(ModelRole.FACTS)
    assert isinstance(found, ModelFacts)
    return found


def words(page: ModelsPage) -> str:
    """All that the details say."""
    return "\n".join(label.text() for label in page.details.findChildren(QLabel) if label.isVisible())


def test_the_patch_model_is_always_there_and_the_way_to_others_is_shown(page: ModelsPage) -> None:
    assert names(page) == ["Patch model"]
    assert facts(page, 0).mark is Mark.GOOD and "Texture" in facts(page, 0).tasks
    assert page.guide.isVisible() and not page.guide_button.isVisible()
    assert page.guide.title.text() == "No diffusion model yet"
    shown = "\n".join(label.text() for label in page.guide.findChildren(QLabel))
    for needed in ("Stable Diffusion XL", "FLUX.1 schnell", "GB", ".safetensors", "diffusers folder", "licence"):
        assert needed in shown, needed
    page.guide.add_file.click()
    dialog = page.dialogs.current
    assert isinstance(dialog, QFileDialog) and "*.safetensors" in dialog.nameFilters()[0]
    dialog.reject()


def test_a_dropped_file_is_added_selected_and_told_about(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    file = write_words(write_model(tmp_path / "oil.safetensors"))
    drop(page, [file], QPoint(200, 200))
    qtbot.waitUntil(lambda: names(page) == ["Patch model", "oil"], timeout=10_000)
    qtbot.waitUntil(lambda: page.list.currentIndex().row() == 1, timeout=5000)
    assert page.details.isVisible() and page.details.name.text() == "oil"
    for told in ("Stable Diffusion 1.5", "512 × 512", "16 bit", "CreativeML Open RAIL-M", "VAE", "in the file"):
        assert told in words(page), told
    assert facts(page, 1).badge == "SD 1.5" and facts(page, 1).health == "Ready"
    assert page.count.text() == "1 diffusion model"
    assert not page.banner.isVisible()
    assert file.is_file()


def test_a_pickle_is_refused_in_place(page: ModelsPage, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "old.ckpt").write_bytes(b"x")
    drop(page, [tmp_path / "old.ckpt", write_damaged(tmp_path / "half.safetensors")], QPoint(200, 200))
    qtbot.waitUntil(page.banner.isVisible, timeout=10_000)
    assert "old.ckpt is a pickle checkpoint" in page.banner.message.text()
    assert "half.safetensors is cut short" in page.banner.message.text()
    assert names(page) == ["Patch model"]


def test_a_folder_of_many_kinds(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    write_model(folder / "oil.safetensors")
    write_lora(folder / "ink.safetensors", Family.SDXL)
    write_damaged(folder / "half.safetensors")
    write_model(folder / "part.safetensors", Family.FLUX)
    page.add((folder,))
    qtbot.waitUntil(lambda: len(names(page)) == 5, timeout=10_000)
    by_name = {facts(page, row).name: facts(page, row) for row in range(5)}
    assert by_name["half"].health == "Cannot be used" and by_name["half"].trouble.startswith("is cut short")
    assert by_name["part"].health == "Incomplete" and "has no VAE" in by_name["part"].problem
    assert [part.mark for part in by_name["part"].parts] == [Mark.GOOD, Mark.BAD, Mark.BAD, Mark.BAD]
    assert by_name["ink"].badge == "LoRA · SDXL"
    page.list.setCurrentIndex(page.list_model.index(page.list_model.row_of("ink")))
    assert "no model itself" in words(page) and not page.details.use.isVisible()
    assert page.count.text() == "3 diffusion models · 1 LoRA file"
    assert folder in page.folders.buttons
    page.list.grab()


def test_taken_off_and_added_again(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    file = write_model(tmp_path / "oil.safetensors")
    page.add((file,))
    qtbot.waitUntil(lambda: page.list.currentIndex().row() == 1, timeout=10_000)
    assert page.details.remove.text() == "Remove from list"
    page.details.remove.click()
    qtbot.waitUntil(page.banner.isVisible, timeout=10_000)
    assert names(page) == ["Patch model"] and file.is_file()
    assert page.banner.message.text() == "oil is off the list. Its files stay where they are."
    page.banner.buttons()[0].click()
    qtbot.waitUntil(lambda: names(page) == ["Patch model", "oil"], timeout=10_000)


def test_delete_takes_off_and_leaves_the_patch_model(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    page.add((write_model(tmp_path / "oil.safetensors"),))
    qtbot.waitUntil(lambda: page.list.currentIndex().row() == 1, timeout=10_000)
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: names(page) == ["Patch model"], timeout=10_000)
    QTest.keyClick(page.list, Qt.Key.Key_Delete)
    assert names(page) == ["Patch model"] and not page.details.remove.isVisible()


def test_what_lies_in_the_folder_for_models_says_why_it_stays(page: ModelsPage, qtbot: QtBot) -> None:
    write_model(models_dir() / "oil.safetensors")
    page._models.refresh()
    qtbot.waitUntil(lambda: len(names(page)) == 2, timeout=10_000)
    page.list.setCurrentIndex(page.list_model.index(1))
    assert not page.details.remove.isEnabled() and "always looked through" in page.details.remove.toolTip()
    assert models_dir() not in page.folders.buttons and page.folders.isVisible()


def test_a_folder_is_looked_through_no_longer(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    write_model(tmp_path / "many" / "oil.safetensors")
    page.add((tmp_path / "many",))
    qtbot.waitUntil(lambda: len(names(page)) == 2, timeout=10_000)
    page.folders.buttons[tmp_path / "many"].click()
    qtbot.waitUntil(lambda: names(page) == ["Patch model"], timeout=10_000)
    assert not page.folders.isVisible() and "many" in page.banner.message.text()


def test_rows_keep_their_selection_when_others_come(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    page.add((write_model(tmp_path / "oil.safetensors"),))
    qtbot.waitUntil(lambda: page.list.currentIndex().row() == 1, timeout=10_000)
    add_to_library(write_model(tmp_path / "a first.safetensors"))
    page._models.refresh()
    qtbot.waitUntil(lambda: names(page) == ["Patch model", "a first", "oil"], timeout=10_000)
    assert page.list.currentIndex().data() == "oil"


def test_a_drive_that_is_away(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    file = write_model(tmp_path / "oil.safetensors")
    page.add((file,))
    qtbot.waitUntil(lambda: page.list.currentIndex().row() == 1, timeout=10_000)
    file.rename(tmp_path / "away")
    page._models.refresh()
    qtbot.waitUntil(lambda: facts(page, 1).health == "Offline", timeout=10_000)
    assert page.details.problem.isVisible() and "plug its drive in" in page.details.problem.text()
    assert not page.details.use.isEnabled() and "offline" in page.details.use.toolTip()
    assert page.details.remove.isEnabled()


def test_a_model_is_put_to_use_from_the_page(
    page: ModelsPage, window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    page.add((write_model(tmp_path / "oil.safetensors"),))
    qtbot.waitUntil(lambda: page.list.currentIndex().row() == 1, timeout=10_000)
    assert page.details.use.text() == "Use for Style"
    page.details.use.click()
    qtbot.waitUntil(lambda: window.bench.session.setup.model == "oil", timeout=10_000)
    assert page.details.use.text() == "In use for Style" and not page.details.use.isEnabled()
    window.bench.session.set_task(Task.TEXT_TO_IMAGE)
    assert not page.details.use.isEnabled() and "cannot read words" in page.details.use.toolTip()


def test_the_list_can_be_damaged(page: ModelsPage, qtbot: QtBot) -> None:
    library_path().unlink(missing_ok=True)
    library_path().mkdir(parents=True)
    page._models.refresh()
    qtbot.waitUntil(page.banner.isVisible, timeout=10_000)
    assert "list of models" in page.banner.message.text()


def test_the_place_is_shown_in_the_file_manager(
    page: ModelsPage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_url(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return len(opened) < 2

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    page.add((write_model(tmp_path / "oil.safetensors"),))
    qtbot.waitUntil(lambda: page.list.currentIndex().row() == 1, timeout=10_000)
    page.details.show_in_folder.click()
    page.details.show_in_folder.click()
    assert opened == [str(tmp_path)] * 2
    assert "No file manager answered" in page.banner.message.text()


def test_the_keyboard_reaches_everything_in_order(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    write_model(tmp_path / "many" / "oil.safetensors")
    page.add((tmp_path / "many",))
    qtbot.waitUntil(lambda: len(names(page)) == 2, timeout=10_000)
    page.list.setCurrentIndex(page.list_model.index(1))
    QApplication.processEvents()
    page.add_file.setFocus()
    found: list[str] = []
    focused: QWidget | None = page.add_file
    while focused is not None and len(found) < 40:
        name = focused.accessibleName() or getattr(focused, "text", str)()
        assert name, focused
        if name in found:
            break
        found.append(name)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        focused = page.focusWidget()
    wanted = ["Add file …", "Add folder …", "Models", "Use for Style", "Show in folder", "Where to get models", "Close"]
    assert [name for name in found if name in wanted] == wanted
    assert page.list_model.index(1).data(Qt.ItemDataRole.AccessibleTextRole).startswith("oil, SD 1.5")


def test_the_guide_is_a_click_away_and_closes(
    page: ModelsPage, window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    page.add((write_model(tmp_path / "oil.safetensors"),))
    qtbot.waitUntil(page.details.isVisible, timeout=10_000)
    page.guide_button.click()
    assert page.guide.isVisible() and page.guide.title.text() == "Where to get models"
    page.list.setCurrentIndex(page.list_model.index(0))
    assert page.details.isVisible() and not page.guide_button.isChecked()
    QTest.keyClick(page, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.models.page is None, timeout=5000)


def test_model_files_dropped_on_the_window_lead_to_the_page(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    drop(window.canvas, [write_model(tmp_path / "oil.safetensors")], QPoint(50, 200))
    qtbot.waitUntil(lambda: window.models.page is not None, timeout=5000)
    page = window.models.page
    assert page is not None
    qtbot.waitUntil(lambda: names(page) == ["Patch model", "oil"], timeout=10_000)
    assert window.bench.session.setup.content is None


@pytest.mark.skipif(not GOLDENS.is_dir(), reason="the tiny models are not on this machine")
@pytest.mark.parametrize("name", ["tiny-sd15", "tiny-sdxl", "tiny-flux"])
def test_whole_diffusers_folders(page: ModelsPage, qtbot: QtBot, name: str) -> None:
    page.add((GOLDENS / name,))
    qtbot.waitUntil(lambda: names(page) == ["Patch model", name], timeout=10_000)
    found = facts(page, 1)
    assert found.mark is Mark.GOOD and "Text to image" in found.tasks
    assert all(part.mark is Mark.GOOD and part.source.endswith(".safetensors") for part in found.parts)
    assert "diffusers folder" in words(page)

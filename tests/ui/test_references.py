"""The references panel: slots, weights, masks, drops, paste, the library."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from adstudio.paths import samples_dir
from tests.ui.pictures import gradient, save, stripes
from ui.actions import Command
from ui.main_window import MainWindow
from ui.state import image_files
from ui.state.roles import CardRole
from ui.state.samples import Sample, read_samples
from ui.state.setup import SlotStatus
from ui.widgets.slot_card import SlotAction


def drop(widget: QWidget, files: list[Path], at: QPoint) -> None:
    """Drop files on a widget as a file manager would."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in files])
    button, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QDragEnterEvent(QPointF(at), Qt.DropAction.CopyAction, mime, button, keys))
    QApplication.sendEvent(widget, QDropEvent(QPointF(at), Qt.DropAction.CopyAction, mime, button, keys))


def test_empty_window_says_what_to_do(window: MainWindow) -> None:
    assert "content" in window.bench.session.problem().lower()
    assert not window.top_bar.run.isEnabled()
    assert window.references.content_empty.isVisible()
    assert_waits_for(window, content=True)
    assert window.canvas.empty.isVisible() and "Ctrl+V" in window.canvas.empty.hint.text()


def assert_waits_for(window: MainWindow, *, content: bool = False, styles: bool = False) -> None:
    """Why Run is off is said on the button, in the status line, and beside the slots that it waits for."""
    problem = window.bench.session.problem()
    run, panel = window.top_bar.run, window.references
    assert run.isEnabled() == (not problem)
    assert run.accessibleDescription() == problem
    assert run.toolTip() == problem or not problem
    assert not problem or window.status_line.doing.text() == problem
    for label, empty, waited_for in (
        (panel.content_missing, panel.content_empty, content),
        (panel.styles_missing, panel.styles_empty, styles),
    ):
        assert label.isVisible() == waited_for
        assert label.text() == empty.accessibleDescription() == (problem if waited_for else "")


def test_what_run_waits_for_is_said_beside_the_slot(
    window: MainWindow, qtbot: QtBot, content: Path, style: Path, tmp_path: Path
) -> None:
    session = window.bench.session
    assert_waits_for(window, content=True)
    session.set_content(content)
    qtbot.waitUntil(lambda: not window.bench.background.busy, timeout=5000)
    assert "reference" in session.problem()
    assert_waits_for(window, styles=True)
    session.set_styles([style])
    qtbot.waitUntil(lambda: not session.problem(), timeout=5000)
    assert_waits_for(window)
    session.set_content_mask(tmp_path / "mask.png")
    assert_waits_for(window, styles=True)
    session.set_content_mask(None)
    session.set_style_mask(session.setup.styles[0].key, tmp_path / "mask.png")
    assert_waits_for(window, content=True)
    session.set_task(Task.TEXTURE)
    session.set_styles([])
    assert "texture" in session.problem()
    assert_waits_for(window, styles=True)


def test_a_long_name_leaves_room_for_what_is_wrong(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    long = tmp_path / f"{'a very long name of a holiday ' * 6}.png"
    long.write_text("no picture at all")
    window.bench.session.set_content(long)
    window.bench.session.set_styles([long])
    qtbot.waitUntil(lambda: "cannot be used" in window.bench.session.problem(), timeout=5000)
    problem = window.bench.session.problem()
    assert problem.startswith("a very long name o…") and problem.endswith(".png cannot be used. Replace or remove it.")
    assert len(problem) < 100


def test_a_picture_dropped_on_the_left_half_of_the_canvas_is_the_content(
    window: MainWindow, qtbot: QtBot, content: Path
) -> None:
    drop(window.canvas, [content], QPoint(100, 300))
    qtbot.waitUntil(lambda: window.references.content_card.isVisible(), timeout=5000)
    setup = window.bench.session.setup
    assert setup.content is not None and setup.content.path == content
    qtbot.waitUntil(lambda: "120" in window.references.content_card.detail.text(), timeout=5000)
    assert window.references.content_card.thumbnail.has_image()


def test_pictures_dropped_on_the_right_half_are_styles(
    window: MainWindow, qtbot: QtBot, content: Path, style: Path
) -> None:
    drop(window.canvas, [style, content], QPoint(window.canvas.width() - 80, 300))
    qtbot.waitUntil(lambda: len(window.bench.session.setup.styles) == 2, timeout=5000)
    assert [card.name.text() for card in window.references.cards()] == ["painting.png", "holiday.png"]


def test_drop_zones_are_labelled(window: MainWindow, content: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(content))])
    event = QDragEnterEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(window.canvas, event)
    assert window.canvas.zones.isVisible()
    assert window.canvas.zones.role_at(QPoint(10, 10)) == "content"
    assert window.canvas.zones.role_at(QPoint(window.canvas.width() - 10, 10)) == "style"


def test_a_broken_file_says_why_in_its_slot(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    broken = tmp_path / "notes.png"
    broken.write_text("no picture at all")
    drop(window.references.content_empty, [broken], QPoint(10, 10))
    card = window.references.content_card
    qtbot.waitUntil(lambda: card.error.isVisible(), timeout=5000)
    assert "text" in card.error.text() and card.name.text() == "notes.png"
    setup = window.bench.session.setup
    assert setup.content is not None and setup.content.status is SlotStatus.BROKEN
    assert not window.top_bar.run.isEnabled()


def test_a_picture_too_large_is_offered_smaller(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = tmp_path / "large.png"
    Image.new("1", (8200, 8200)).save(large)
    monkeypatch.setattr(image_files, "SMALLER_PIXELS", 40_000)
    drop(window.references.content_empty, [large], QPoint(10, 10))
    card = window.references.content_card
    qtbot.waitUntil(card.smaller.isVisible, timeout=10_000)
    assert "8200" in card.error.text()
    card.smaller.click()
    qtbot.waitUntil(lambda: "200 × 200" in card.detail.text(), timeout=20_000)
    assert card.name.text() == "large smaller.png" and not card.smaller.isVisible()
    assert large.stat().st_size > 0


def test_a_style_dropped_on_its_card_replaces_it(filled: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    other = save(tmp_path / "other.png", stripes(40, 40))
    key = filled.bench.session.setup.styles[0].key
    drop(filled.references.cards()[0], [other], QPoint(10, 10))
    qtbot.waitUntil(lambda: filled.bench.session.setup.styles[0].path == other, timeout=5000)
    assert filled.bench.session.setup.styles[0].key == key


def test_weights_appear_with_a_second_reference_and_reach_the_job(
    filled: MainWindow, qtbot: QtBot, content: Path
) -> None:
    card = filled.references.cards()[0]
    assert not card.weight.isVisible()
    filled.bench.session.add_styles([content])
    qtbot.waitUntil(lambda: filled.bench.session.problem() == "", timeout=5000)
    assert card.weight.isVisible()
    card.weight.setValue(card.weight.maximum() // 2)
    assert filled.bench.session.job().styles[0].weight == card.weight.number()
    assert f"{card.weight.number():.2f}" in card.detail.text()


def test_references_move_and_leave(filled: MainWindow, qtbot: QtBot, content: Path) -> None:
    session = filled.bench.session
    session.add_styles([content])
    first = session.setup.styles[0].key
    filled.references.slot_asked.emit(first, SlotAction.MOVE_DOWN)
    assert [style.key for style in session.setup.styles][1] == first
    filled.references.slot_asked.emit(first, SlotAction.REMOVE)
    assert [style.path for style in session.setup.styles] == [content]
    filled.actions_table[Command.UNDO].trigger()
    assert len(session.setup.styles) == 2
    filled.actions_table[Command.REDO].trigger()
    assert len(session.setup.styles) == 1


def test_masks_reach_the_job(filled: MainWindow, tmp_path: Path) -> None:
    session = filled.bench.session
    mask = save(tmp_path / "mask.png", gradient(120, 90))
    session.set_content_mask(mask)
    session.set_style_mask(session.setup.styles[0].key, mask)
    job = session.job()
    assert job.content_mask == mask and job.styles[0].mask == mask
    assert "mask.png" in filled.references.content_card.detail.text()


def test_slot_menu_offers_what_applies(filled: MainWindow, style: Path) -> None:
    def texts() -> list[str]:
        menu = filled.references.cards()[0].make_menu()
        found = [action.text() for action in menu.actions() if action.text()]
        menu.deleteLater()
        return found

    assert "Move up" not in texts() and "Remove" in texts()
    filled.bench.session.add_styles([style])
    assert "Move up" in texts()


def test_a_pasted_bitmap_becomes_a_file_and_the_content(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    picture = QImage(30, 20, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(picture)
    window.canvas.view.setFocus()
    QTest.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.bench.session.setup.content is not None, timeout=5000)
    setup = window.bench.session.setup
    assert setup.content is not None
    assert setup.content.path.parent == tmp_path / "pasted" and setup.content.path.suffix == ".png"
    qtbot.waitUntil(lambda: "30 × 20" in window.references.content_card.detail.text(), timeout=5000)


def test_an_empty_clipboard_is_said(window: MainWindow) -> None:
    QGuiApplication.clipboard().setText("no picture")
    window.actions_table[Command.PASTE].trigger()
    assert "clipboard" in window.canvas.banner.message.text()


def test_a_library_card_becomes_the_style(filled: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = save(tmp_path / "sample.png", stripes(32, 32))
    sample = Sample(name="s", path=path, role="style", title="Stripes", description="Warm strokes.")
    filled.bench.library.set_samples((sample,))
    index = filled.bench.library.index(0)
    qtbot.waitUntil(lambda: index.data(CardRole.IMAGE) is not None, timeout=5000)
    filled.references.library.clicked.emit(index)
    assert filled.bench.session.setup.styles[0].path == path
    assert filled.references.cards()[0].name.text() == "Stripes"
    mime = filled.bench.library.mimeData([index])
    assert Path(mime.urls()[0].toLocalFile()) == path


def test_long_names_are_shortened_in_the_middle(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = save(tmp_path / ("a_very_long_name_" * 6 + "end.png"), gradient(8, 8))
    window.bench.session.set_content(path)
    label = window.references.content_card.name
    qtbot.waitUntil(lambda: label.isVisible(), timeout=5000)
    window.grab()
    assert "…" in label.shown_text() and label.shown_text().endswith("png")
    assert label.toolTip() == path.name


def test_a_mask_alone_is_said_before_the_run(filled: MainWindow, tmp_path: Path) -> None:
    session = filled.bench.session
    mask = save(tmp_path / "mask.png", gradient(120, 90))
    session.set_content_mask(mask)
    assert "reference" in session.problem() and not filled.top_bar.run.isEnabled()
    session.set_content_mask(None)
    session.set_style_mask(session.setup.styles[0].key, mask)
    assert "painting.png" in session.problem()
    session.set_task(Task.TEXTURE)
    assert session.problem() == "" and session.job().styles[0].mask is None


def test_a_drop_beside_the_slots_goes_where_something_is_missing(
    window: MainWindow, qtbot: QtBot, content: Path, style: Path
) -> None:
    drop(window, [content], QPoint(10, window.height() - 10))
    qtbot.waitUntil(lambda: window.bench.session.setup.content is not None, timeout=5000)
    drop(window, [style], QPoint(10, window.height() - 10))
    qtbot.waitUntil(lambda: len(window.bench.session.setup.styles) == 1, timeout=5000)
    assert window.canvas.zones.isHidden()


def test_an_address_is_not_fetched_but_said(window: MainWindow) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/picture.jpg")])
    button, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    at = QPointF(100, 200)
    QApplication.sendEvent(window.canvas, QDragEnterEvent(at, Qt.DropAction.CopyAction, mime, button, keys))
    QApplication.sendEvent(window.canvas, QDropEvent(at, Qt.DropAction.CopyAction, mime, button, keys))
    assert "network" in window.canvas.banner.message.text()
    assert window.bench.session.setup.content is None


def test_the_empty_canvas_offers_ways_to_begin(window: MainWindow, qtbot: QtBot) -> None:
    empty = window.canvas.empty
    assert not empty.samples_button.isVisible(), "there are none here"
    window.bench.samples = read_samples(samples_dir())
    window.bench.choose_task(Task.APPEARANCE_TRANSFER)
    window.bench.session.clear_content()
    qtbot.waitUntil(empty.samples_button.isVisible, timeout=5000)
    empty.samples_button.click()
    qtbot.waitUntil(lambda: window.bench.session.problem() == "", timeout=10_000)
    qtbot.waitUntil(lambda: not empty.isVisible(), timeout=5000)


def test_each_task_begins_with_the_samples_that_show_it_best(window: MainWindow, qtbot: QtBot, style: Path) -> None:
    bench = window.bench
    bench.open(read_samples(samples_dir()))

    def laid_out() -> tuple[str, ...]:
        setup = bench.session.setup
        return (setup.content.path.stem if setup.content else "", *(one.path.stem for one in setup.styles))

    assert laid_out() == ("content_lighthouse", "painting_oil")
    window.top_bar.tasks.button(Task.APPEARANCE_TRANSFER).click()
    assert laid_out() == ("content_bird", "appearance_bird")
    assert bench.library.index(0).data(CardRole.VALUE).role == "appearance"
    window.top_bar.tasks.button(Task.TEXTURE).click()
    assert laid_out()[1:] == ("texture_pebbles",)
    assert not window.references.contents.isVisible()
    window.top_bar.tasks.button(Task.STYLE_TRANSFER).click()
    assert laid_out() == ("content_lighthouse", "painting_oil")
    bench.session.set_styles([style])
    window.top_bar.tasks.button(Task.APPEARANCE_TRANSFER).click()
    assert laid_out() == ("content_lighthouse", "painting"), "the artist's own pictures stay"


def test_a_picture_to_paint_is_a_click_away(window: MainWindow, qtbot: QtBot) -> None:
    window.bench.open(read_samples(samples_dir()))
    shelf = window.references.contents
    assert shelf.model().rowCount() == 4
    shelf.setCurrentIndex(shelf.model().index(1, 0))
    QTest.keyClick(shelf, Qt.Key.Key_Return)
    content = window.bench.session.setup.content
    assert content is not None and content.name == "Mountain valley"


def test_a_texture_shows_its_exemplar(window: MainWindow, qtbot: QtBot, style: Path) -> None:
    window.bench.session.set_task(Task.TEXTURE)
    window.bench.session.set_styles([style])
    stage = window.bench.stage
    qtbot.waitUntil(lambda: stage.size().width() == 96, timeout=5000)
    assert stage.before_label() == "Exemplar"
    assert not window.after_run.isVisible()


def test_a_texture_needs_no_content(window: MainWindow, qtbot: QtBot, style: Path) -> None:
    session = window.bench.session
    session.set_task(Task.TEXTURE)
    session.set_styles([style])
    qtbot.waitUntil(lambda: session.problem() == "", timeout=5000)
    assert session.job().content is None
    assert not window.references.content_header.isVisible()

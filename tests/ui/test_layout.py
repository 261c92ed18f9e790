"""The window at its sizes, and the way of the Tab key through it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from adstudio.paths import samples_dir
from tests.ui.fake_host import FakeHost
from tests.ui.test_runs import finish, running
from ui.main_window import MainWindow
from ui.state.figures import Figures
from ui.state.samples import read_samples
from ui.state.setup import Setup, SlotPicture
from ui.state.telling import in_words
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.figures_line import FiguresLine
from ui.widgets.tab_order import stops


def inside(widget: QWidget, window: QWidget) -> bool:
    """Whether a widget ends within the window's right edge."""
    return widget.mapTo(window, widget.rect().topRight()).x() <= window.width()


@pytest.mark.parametrize("size", [(1000, 600), (1024, 640), (1440, 900), (2560, 1440)])
def test_nothing_is_cut_off_at_any_size(filled: MainWindow, qtbot: QtBot, size: tuple[int, int]) -> None:
    filled.resize(*size)
    qtbot.waitUntil(lambda: filled.width() == size[0], timeout=5000)
    QApplication.processEvents()
    for widget in (filled.top_bar.cancel, filled.parameters, filled.canvas.zoom_label):
        assert inside(widget, filled), widget
    for button in filled.top_bar.findChildren(QToolButton):
        words = button.fontMetrics().horizontalAdvance(button.text())
        assert button.width() >= words, button.text()
    for label in filled.parameters.findChildren(QLabel):
        if label.isVisible() and not label.wordWrap() and not isinstance(label, ElidedLabel):
            assert label.width() >= label.sizeHint().width() - 1, label.text()


def test_every_view_is_named_in_full_and_once(filled: MainWindow, qtbot: QtBot) -> None:
    filled.resize(1000, 600)
    qtbot.waitUntil(lambda: filled.width() == 1000, timeout=5000)
    QApplication.processEvents()
    buttons = [*filled.canvas.modes.findChildren(QToolButton), filled.canvas.fit_button, filled.canvas.actual_button]
    for button in buttons:
        words = button.fontMetrics().horizontalAdvance(button.text())
        assert button.width() >= words + 18, f"{button.text()} is shortened"
    assert filled.canvas.actual_button.text() != "100 %", "that is what the zoom beside it may say"


def test_the_status_line_ends_where_the_window_ends(filled: MainWindow, qtbot: QtBot) -> None:
    line = filled.status_line
    assert not line.pixel.isVisible(), "takes no room while nothing is under the pointer"
    line.show_pixel((10, 20, "#0a78e6"))
    assert line.pixel.isVisible() and "#0A78E6" in line.pixel.text()
    assert line.place.geometry().right() == line.width() - 13
    assert line.place.alignment() & Qt.AlignmentFlag.AlignRight


def test_the_machine_is_shown_as_far_as_there_is_room(filled: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    finish(filled, host, qtbot, running(filled, host, qtbot))
    qtbot.waitUntil(lambda: filled.bench.forecast_s() is not None, timeout=5000)
    bar = filled.top_bar
    filled.resize(1600, 900)
    qtbot.waitUntil(lambda: bar.model.width() >= bar.model.needed_width(), timeout=5000)
    assert bar.machine_chip.text() == "120 × 90 · CPU · about 2.5 s"
    filled.resize(1000, 700)
    qtbot.waitUntil(lambda: bar.machine_chip.text() != "120 × 90 · CPU · about 2.5 s", timeout=5000)
    assert bar.model.isVisible() and bar.model.geometry().right() < bar.run.geometry().left()
    assert bar.machine_chip.text().endswith("about 2.5 s"), "how long it takes goes last"
    assert bar.machine_chip.toolTip() == "120 × 90 · CPU · about 2.5 s"


def test_tab_goes_through_the_window_as_it_is_read(filled: MainWindow, qtbot: QtBot) -> None:
    filled.bench.samples = read_samples(samples_dir())
    filled.bench.choose_task(Task.APPEARANCE_TRANSFER)
    qtbot.waitUntil(lambda: not filled.bench.background.busy, timeout=10_000)
    filled.activateWindow()
    qtbot.waitUntil(filled.isActiveWindow, timeout=5000)
    names: list[str] = []
    focused: QWidget | None = filled.top_bar.tasks.button(Task.APPEARANCE_TRANSFER)
    assert focused is not None
    focused.setFocus()
    while focused is not None and len(names) < 80:
        name = focused.accessibleName() or (focused.text() if hasattr(focused, "text") else "")
        assert name, focused
        if name in names and name == names[0]:
            break
        names.append(name)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
    wanted = ["Appearance", "Run", "Picture holiday.png", "Picture painting.png", "Style library", "Canvas", "Seed"]
    assert [name for name in names if name in wanted] == wanted
    assert names.index("Keep the structure") < names.index("Advanced") < len(names)


def test_everything_that_takes_the_keyboard_has_a_name(filled: MainWindow) -> None:
    for panel in (filled.top_bar, filled.references, filled.canvas, filled.parameters, filled.history):
        for stop in stops(panel):
            assert stop.accessibleName() or getattr(stop, "text", str)(), stop
            assert not isinstance(stop, QAbstractScrollArea) or stop.accessibleName()


def test_as_many_figures_as_there_is_room_for(qtbot: QtBot) -> None:
    around = QWidget()
    qtbot.addWidget(around)
    line = FiguresLine(around)
    line.resize(600, 30)
    around.resize(700, 40)
    around.show()
    line.show_figures(Figures(style=0.01, stroke=0.2, palette=0.03, structure=0.5), measuring=False)
    assert all(line.values[name].isVisible() for name in ("style", "stroke", "palette", "structure"))
    line.resize(160, 30)
    assert line.values["style"].isVisible() and not line.values["structure"].isVisible()


def test_a_refusal_names_slots_instead_of_fields_and_paths(filled: MainWindow) -> None:
    setup: Setup = filled.bench.session.setup
    content: SlotPicture | None = setup.content
    assert content is not None
    assert in_words(f"content: there is no file {content.path}", setup) == "There is no file holiday.png"
    assert in_words(f"styles.0.image: {setup.styles[0].path}: is empty", setup) == "Painting.png: is empty"
    assert in_words("width: must be at most 4096", setup) == "Width: must be at most 4096"

"""A window over a fake host, on the event loop the application uses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from adstudio.settings import Appearance
from tests.event_loop import turning
from tests.ui.fake_host import FakeHost
from tests.ui.pictures import gradient, save, stripes
from ui.main_window import MainWindow
from ui.state import figures
from ui.state.samples import Samples
from ui.state.workbench import Workbench
from ui.theme import apply_theme


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    """The application's event loop, known to asyncio while Qt's own loops turn (as `qtbot.waitUntil` lets them)."""
    with turning(qapp) as made:
        yield made


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def measuring() -> bool:
    """Whether figures of results are measured, which takes seconds; a test that wants it says so by parametrization."""
    return False


@pytest.fixture
def bench(
    qtbot: QtBot,
    host: FakeHost,
    loop: asyncio.AbstractEventLoop,
    tmp_path: Path,
    measuring: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Workbench]:
    if not measuring:
        monkeypatch.setattr(figures, "figures_of", lambda *_: None)
    made = Workbench(host, loop, project_folder=tmp_path / "studio.adproj", pasted_folder=tmp_path / "pasted")
    made.open(Samples())
    yield made
    made.controller.cancel_all()
    qtbot.waitUntil(lambda: not made.controller.busy, timeout=3000)
    made.close()


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, bench: Workbench) -> Iterator[MainWindow]:
    apply_theme(qapp, Appearance.DARK)
    made = MainWindow(bench)
    made.resize(1280, 800)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.allow_close()
    made.close()
    made.deleteLater()


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return save(tmp_path / "holiday.png", gradient(120, 90))


@pytest.fixture
def style(tmp_path: Path) -> Path:
    return save(tmp_path / "painting.png", stripes(96, 96))


@pytest.fixture
def filled(qtbot: QtBot, window: MainWindow, content: Path, style: Path) -> MainWindow:
    """A window in which Run can be pressed."""
    session = window.bench.session
    session.set_content(content)
    session.set_styles([style])
    qtbot.waitUntil(lambda: session.problem() == "", timeout=5000)
    return window

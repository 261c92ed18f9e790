"""One of our own pictures brings its settings back, or is used as a picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from adstudio.jobs.files import job_to_json
from adstudio.jobs.spec import Job, Reference, Task
from tests.ui.pictures import stripes
from tests.ui.test_references import drop
from ui.main_window import MainWindow
from ui.state.image_files import job_inside, save_png


@pytest.fixture
def ours(tmp_path: Path, content: Path, style: Path) -> Path:
    """A result whose job has seed 77."""
    job = Job(task=Task.STYLE_TRANSFER, content=content, styles=(Reference(image=style),), seed=77)
    path = tmp_path / "made here.png"
    save_png(path, stripes(40, 30), job_text=job_to_json(job))
    return path


def test_restore_settings(window: MainWindow, qtbot: QtBot, ours: Path) -> None:
    drop(window.canvas, [ours], QPoint(50, 200))
    banner = window.canvas.banner
    qtbot.waitUntil(banner.isVisible, timeout=5000)
    assert [button.text() for button in banner.buttons()] == ["Restore settings", "Use as image"]
    banner.buttons()[0].click()
    qtbot.waitUntil(lambda: window.bench.session.problem() == "", timeout=5000)
    assert window.bench.session.job().seed == 77


def test_use_as_image(window: MainWindow, qtbot: QtBot, ours: Path) -> None:
    drop(window.canvas, [ours], QPoint(50, 200))
    banner = window.canvas.banner
    qtbot.waitUntil(banner.isVisible, timeout=5000)
    banner.buttons()[1].click()
    setup = window.bench.session.setup
    assert setup.content is not None and setup.content.path == ours and not setup.styles


def test_other_pictures_ask_nothing(content: Path, tmp_path: Path) -> None:
    assert job_inside(content) is None
    text = tmp_path / "text.png"
    text.write_text("no picture")
    assert job_inside(text) is None

"""The layout of a result without a content, and what of a content stays: chosen, shown, run, restored, removed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import Task
from tests.ui.pictures import save
from ui.main_window import MainWindow
from ui.widgets.slot_card import SlotAction


def labels(path: Path, width: int, height: int) -> Path:
    """Two halves."""
    halves = np.zeros((height, width), np.uint8)
    halves[:, width // 2 :] = 200
    return save(path, halves)


def test_a_texture_takes_a_layout_once_a_reference_has_a_mask(filled: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    session, section = filled.bench.session, filled.references.layout_section
    session.set_task(Task.TEXTURE)
    assert not section.isVisible()
    session.set_style_mask(session.setup.styles[0].key, labels(tmp_path / "look.png", 96, 96))
    assert section.isVisible() and section.empty.isVisible()
    assert session.job().styles[0].mask is None, "without a layout the masks wait"
    session.set_layout(labels(tmp_path / "layout.png", 64, 64))
    qtbot.waitUntil(lambda: session.problem() == "", timeout=5000)
    assert section.card.name.text() == "layout.png" and section.card.thumbnail.has_image()
    job = session.job()
    assert (job.content_mask, job.styles[0].mask) == (tmp_path / "layout.png", tmp_path / "look.png")
    session.set_style_mask(session.setup.styles[0].key, None)
    assert section.missing.text() == session.problem() != ""
    section.card.remove.click()
    assert session.problem() == "" and not section.isVisible()
    filled.bench.past.restore_job(job)
    qtbot.waitUntil(lambda: session.problem() == "" and session.setup.layout is not None, timeout=5000)
    assert session.job() == job


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_what_stays_of_a_content_is_said_on_its_card(filled: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    session, card = filled.bench.session, filled.references.content_card
    white = save(tmp_path / "stays.png", np.full((90, 120), 255, np.uint8))
    filled.handlers.on_slot_asked(0, SlotAction.CHOOSE_PROTECT)
    dialog = filled.dialogs.current
    assert dialog is not None
    dialog.selectFile(str(white))
    dialog.accept()
    assert session.job().protect_mask == white
    assert "keeps from stays.png" in card.detail.text()
    job = session.job()
    assert any(action.text() == "Let nothing stay" for action in card.make_menu().actions())
    filled.handlers.on_slot_asked(0, SlotAction.CLEAR_PROTECT)
    assert session.job().protect_mask is None
    filled.bench.past.restore_job(job)
    qtbot.waitUntil(lambda: session.problem() == "", timeout=5000)
    assert session.job().protect_mask == white

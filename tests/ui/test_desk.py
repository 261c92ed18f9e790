"""What is laid out is kept with the project, and laid out again at the next start."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from adstudio.jobs.choices import ControlKind, Task
from tests.ui.fake_host import FakeHost
from ui.main_window import MainWindow
from ui.state.samples import Samples
from ui.state.setup import ControlChoice, LoraChoice, Setup, SlotPicture
from ui.state.setup_file import setup_from_json, setup_to_json
from ui.state.workbench import Workbench

NAMES = st.text("abcé /._-", min_size=1, max_size=20)
SLOTS = st.builds(
    SlotPicture,
    path=NAMES.map(lambda name: Path("/pictures") / name),
    name=NAMES,
    weight=st.floats(0.01, 100),
    mask=st.none() | st.just(Path("/pictures/mask.png")),
    crop=st.none() | st.just((1, 2, 30, 40)),
)
SETUPS = st.builds(
    Setup,
    task=st.sampled_from(list(Task)),
    model=NAMES,
    content=st.none() | SLOTS,
    follows_content=st.booleans(),
    styles=st.lists(SLOTS, max_size=3).map(tuple),
    layout=st.none() | SLOTS,
    start=st.none() | SLOTS,
    loras=st.lists(st.builds(LoraChoice, name=NAMES, weight=st.floats(-4, 4)), max_size=2).map(tuple),
    control=st.none() | st.builds(ControlChoice, kind=st.sampled_from(list(ControlKind)), model=NAMES),
    values=st.lists(st.tuples(NAMES, st.booleans() | st.integers(0, 9) | st.text(max_size=5)), max_size=3).map(tuple),
)


def without_keys(setup: Setup) -> Setup:
    return setup.mapped(lambda slot: replace(slot, key=0))


@given(setup=SETUPS)
def test_a_setup_is_the_same_after_the_way_through_json(setup: Setup) -> None:
    again = setup_from_json(setup_to_json(setup))
    assert again is not None and without_keys(again) == without_keys(setup)


@pytest.mark.parametrize("value", [7, [], {"task": "juggling"}, {"task": "texture"}, {"styles": 1}])
def test_what_is_no_setup_is_none(value: Any) -> None:
    assert setup_from_json(value) is None


def test_it_comes_back_with_the_project(
    filled: MainWindow, qtbot: QtBot, loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> None:
    bench = filled.bench
    bench.session.set_value("coverage", 0.35)
    bench.session.set_value("seed", 77)
    wanted = bench.session.job()
    qtbot.waitUntil(lambda: not bench.room.background.busy, timeout=5000)
    project = bench.project_folder
    bench.room.open(tmp_path / "another.adproj", create=True)
    qtbot.waitUntil(lambda: bench.project_folder != project, timeout=5000)
    other = Workbench(FakeHost(), loop, project_folder=project, pasted_folder=tmp_path / "pasted")
    other.open(Samples())
    qtbot.waitUntil(lambda: other.session.problem() == "", timeout=5000)
    assert other.session.job() == wanted
    assert not other.undo.can_undo
    other.close()


def test_a_picture_that_is_gone_is_said_in_its_slot(
    filled: MainWindow, qtbot: QtBot, loop: asyncio.AbstractEventLoop, tmp_path: Path, content: Path
) -> None:
    bench = filled.bench
    project = bench.project_folder
    bench.room.open(tmp_path / "another.adproj", create=True)
    qtbot.waitUntil(lambda: bench.project_folder != project, timeout=5000)
    content.unlink()
    other = Workbench(FakeHost(), loop, project_folder=project, pasted_folder=tmp_path / "pasted")
    other.open(Samples())
    qtbot.waitUntil(lambda: content.name in other.session.problem(), timeout=5000)
    other.close()

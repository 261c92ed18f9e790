"""The chip at the top: whether what is laid out fits into memory, and about how long it will take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from adstudio.jobs.files import parse_job
from adstudio.models.calibration import Calibration, keep_calibration
from adstudio.models.families import Family
from adstudio.models.find import find_model
from adstudio.models.forecast import parameters_of
from tests.ui.fake_host import FakeHost
from tests.ui.model_files import write_model
from tests.ui.test_runs import running
from ui.main_window import MainWindow
from ui.state.machine import Needs, needs_of

GB = 1 << 30


def test_memory_grows_with_the_picture_and_a_limit_makes_it_tight(tmp_path: Path) -> None:
    model = find_model(str(write_model(tmp_path / "ink.safetensors", Family.SD15)))
    job = parse_job({"task": "texture", "model": str(model.path), "styles": [{"image": "a.png"}]}, tmp_path)
    small, large = (needs_of(job, model, (side, side), 1 << 50) for side in (512, 1024))
    assert 0 < small.peak_gb < large.peak_gb
    assert small.seconds is None, "this machine has shown nothing yet"
    assert not needs_of(job, model, (1024, 1024), GB // 8).fits


def test_time_comes_from_what_this_machine_has_shown(tmp_path: Path) -> None:
    model = find_model(str(write_model(tmp_path / "ink.safetensors", Family.SD15)))
    shown = Calibration(
        family=Family.SD15,
        parameters=parameters_of(model),
        device="cpu",
        memory_bytes=8 * GB,
        precision="fp32",
        threads=2,
        latents=4096,
        pixels=512 * 512,
        reading_s=1.0,
        update_s=2.2,
        decode_s=3.0,
    )
    keep_calibration(shown)
    job = parse_job({"task": "texture", "model": str(model.path), "styles": [{"image": "a.png"}]}, tmp_path)
    few, many = (
        needs_of(job.model_copy(update={"num_inference_steps": steps}), model, (512, 512), None) for steps in (10, 100)
    )
    assert few.seconds is not None and many.seconds is not None
    assert many.seconds > 5 * few.seconds


def test_the_chip_says_it_in_words(filled: MainWindow, qtbot: QtBot) -> None:
    machine = filled.bench.machine
    needs = Needs(seconds=40.0, peak_gb=4.1, available_gb=8.0)
    machine._tell(needs)
    assert "fits, 4.1 of 8.0 GB" in filled.top_bar.machine_chip.toolTip()
    assert "about 40 s" in filled.top_bar.machine_chip.toolTip()
    machine._tell(replace(needs, peak_gb=9.5))
    assert "tight, 9.5 of 8.0 GB" in filled.top_bar.machine_chip.toolTip()
    machine._tell(None)
    assert "GB" not in filled.top_bar.machine_chip.toolTip()


@pytest.mark.parametrize("limit", [None, 3 * GB])
def test_runs_are_told_the_limit(filled: MainWindow, host: FakeHost, qtbot: QtBot, limit: int | None) -> None:
    filled.bench.set_memory_limit(limit)
    running(filled, host, qtbot)
    assert host.submitted[0].memory_limit_bytes == limit

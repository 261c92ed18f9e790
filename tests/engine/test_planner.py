"""Forecasts of memory and time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from adstudio.engine.planner import Calibration, Run, calibrations, keep_calibration, memory_bytes, plan, seconds
from adstudio.models.families import Family

GB = 1 << 30
RUN = Run(
    family=Family.SD15,
    latents=64 * 64,
    pixels=512 * 512,
    device="cpu",
    precision="fp32",
    threads=1,
    levels=200,
    iterations=1,
)
SHOWN = Calibration(
    family=Family.SD15,
    device="cpu",
    precision="fp32",
    threads=1,
    latents=64 * 64,
    reading_s=10,
    update_s=20,
    decode_s=30,
)


def test_time_is_what_was_shown_times_what_the_run_asks_for() -> None:
    assert seconds(RUN, [SHOWN]) == pytest.approx(200 * (2 * 10 + 20) + 30)
    fewer = seconds(replace(RUN, levels=25, iterations=8), [SHOWN])
    assert fewer == pytest.approx(25 * (2 * 10 + 8 * 20) + 30)


def test_time_grows_faster_than_the_picture_and_falls_with_threads() -> None:
    larger = seconds(replace(RUN, latents=128 * 128, pixels=1024 * 1024), [SHOWN])
    whole = seconds(RUN, [SHOWN])
    assert larger is not None
    assert whole is not None
    assert larger > 4 * whole
    two = seconds(replace(RUN, threads=2), [SHOWN])
    assert two is not None
    assert two < 0.6 * whole


def test_without_a_measurement_of_its_kind_there_is_no_forecast_of_time() -> None:
    assert seconds(RUN, []) is None
    assert seconds(replace(RUN, family=Family.SDXL), [SHOWN]) is None
    assert plan(RUN, 100 * GB).seconds is None


def test_memory_follows_size_and_precision() -> None:
    small = memory_bytes(RUN, checkpointing=False, tiled_decode=False)
    assert memory_bytes(replace(RUN, precision="bf16"), checkpointing=False, tiled_decode=False) == small // 2
    assert memory_bytes(RUN, checkpointing=True, tiled_decode=False) < small
    for side, low, high in ((64, 2.5, 3.5), (96, 3, 4.5), (128, 4.5, 6.5)):  # as expected in 16 bit on a card
        run = replace(RUN, precision="fp16", latents=side * side, pixels=64 * side * side)
        assert low * GB < memory_bytes(run, checkpointing=False, tiled_decode=True) < high * GB


def test_a_plan_saves_memory_only_where_it_must() -> None:
    plenty = plan(RUN, 100 * GB)
    assert plenty.fits
    assert not plenty.checkpointing
    assert not plenty.tiled_decode
    assert plenty.warning == ""
    tight = plan(RUN, plenty.peak_bytes - 1)
    assert tight.fits
    assert tight.checkpointing
    assert tight.peak_bytes < plenty.peak_bytes
    hopeless = plan(RUN, GB)
    assert not hopeless.fits
    assert "1.0 GB are free" in hopeless.warning
    assert plan(replace(RUN, latents=256 * 256, pixels=2048 * 2048), 100 * GB).tiled_decode
    assert plan(replace(RUN, device="mps"), 100 * GB).chunked_attention


def test_measurements_are_kept_and_replaced(tmp_path: Path) -> None:
    assert calibrations(tmp_path) == ()
    keep_calibration(SHOWN, tmp_path / "new")
    keep_calibration(replace(SHOWN, threads=2), tmp_path / "new")
    keep_calibration(replace(SHOWN, update_s=5), tmp_path / "new")
    assert {(one.threads, one.update_s) for one in calibrations(tmp_path / "new")} == {(1, 5), (2, 20)}


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"family": "other"}]', '[{"family": "sd15"}]'])
def test_a_damaged_file_is_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "calibration.json").write_text(content)
    assert calibrations(tmp_path) == ()


def test_forecasts_need_no_torch() -> None:
    code = "import sys, adstudio.engine.planner; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

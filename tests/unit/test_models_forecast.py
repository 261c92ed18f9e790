"""Forecasts of memory and time, and what this machine has shown."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from adstudio.models.calibration import Calibration, calibrations, keep_calibration
from adstudio.models.families import Family
from adstudio.models.forecast import Means, Workload, memory_bytes, plan, seconds

GB = 1 << 30
PLAIN = Means()
CHECKPOINTED = Means(checkpointing=True)
LOAD = Workload(
    family=Family.SD15,
    parameters=944_000_000,
    latents=64 * 64,
    pixels=512 * 512,
    device="cpu",
    precision="fp32",
    threads=1,
    read=(64 * 64, 64 * 64),
    levels=200,
    iterations=1,
)
SHOWN = Calibration(
    family=Family.SD15,
    parameters=943_000_000,
    device="cpu",
    memory_bytes=8 * GB,
    precision="fp32",
    threads=1,
    latents=64 * 64,
    pixels=512 * 512,
    reading_s=10,
    update_s=20,
    decode_s=30,
)


def sized(side: int) -> Workload:
    return replace(LOAD, latents=side * side, pixels=64 * side * side, read=(side * side, 64 * 64))


def test_time_is_what_was_shown_times_what_the_run_asks_for() -> None:
    coding = 30 + 0.45 * 2 * 30
    assert seconds(LOAD, [SHOWN]) == pytest.approx(200 * (2 * 10 + 20) + coding)
    fewer = seconds(replace(LOAD, levels=25, iterations=8), [SHOWN])
    assert fewer == pytest.approx(25 * (2 * 10 + 8 * 20) + coding)
    sampled = seconds(replace(LOAD, levels=50, predictions=2, images=3), [SHOWN])
    assert sampled == pytest.approx(3 * 50 * (2 * 10 + 2 * 10 + 20) + (3 + 0.9) * 30)
    windowed = seconds(replace(LOAD, levels=50, windows=9), [SHOWN])
    assert windowed == pytest.approx(50 * (2 * 10 + 9 * 20) + coding)
    saving = seconds(LOAD, [SHOWN], CHECKPOINTED)
    assert saving == pytest.approx(200 * (2 * 10 + 20 * 4 / 3) + coding)


def test_time_grows_faster_than_the_picture_and_falls_with_threads() -> None:
    larger, whole, two = (seconds(load, [SHOWN]) for load in (sized(128), LOAD, replace(LOAD, threads=2)))
    assert larger is not None and whole is not None and two is not None
    assert larger > 3 * whole
    assert two == pytest.approx(whole / 2)


def test_without_a_measurement_of_its_kind_there_is_no_forecast_of_time() -> None:
    assert seconds(LOAD, []) is None
    assert seconds(replace(LOAD, family=Family.SDXL), [SHOWN]) is None
    assert seconds(replace(LOAD, parameters=400_000_000), [SHOWN]) is None
    assert plan(LOAD, 100 * GB).seconds is None


def test_memory_follows_size_and_precision() -> None:
    small = memory_bytes(LOAD, PLAIN)
    assert memory_bytes(replace(LOAD, precision="bf16"), PLAIN) == pytest.approx(small / 2)
    assert memory_bytes(LOAD, CHECKPOINTED) < small
    assert memory_bytes(replace(LOAD, batch=4), PLAIN) > small
    for side, low, high in ((64, 2.5, 3.5), (96, 3, 4.5), (128, 4.5, 6.5)):  # as expected in 16 bit on a card
        load = replace(sized(side), precision="fp16")
        assert low * GB < memory_bytes(load, Means(tiled=True)) < high * GB


def test_a_plan_saves_memory_only_where_it_must() -> None:
    plenty = plan(LOAD, 100 * GB)
    assert plenty.fits
    assert plenty.means == PLAIN
    tight = plan(LOAD, plenty.peak_bytes - 1)
    assert tight.fits
    assert tight.means.checkpointing
    assert tight.peak_bytes < plenty.peak_bytes
    assert not plan(LOAD, GB).fits
    assert plan(sized(256), 100 * GB).means.tiled
    assert plan(replace(LOAD, device="mps"), 100 * GB).means.chunked


def test_ways_of_saving_memory_are_added_until_it_fits() -> None:
    card = replace(LOAD, device="cuda", precision="fp16")
    needed = [memory_bytes(card, means) for means in (PLAIN, CHECKPOINTED, replace(CHECKPOINTED, vae_on_cpu=True))]
    assert plan(card, needed[0]).means == PLAIN
    assert plan(card, needed[0] - 1).means.checkpointing
    least = plan(card, 0)
    assert least.means.vae_on_cpu and least.means.checkpointing
    assert least.peak_bytes == needed[2] < needed[1]
    assert not plan(replace(card, device="cpu"), 0).means.vae_on_cpu


def test_measurements_are_kept_and_replaced(tmp_path: Path) -> None:
    assert calibrations(tmp_path) == ()
    keep_calibration(SHOWN, tmp_path / "new")
    keep_calibration(replace(SHOWN, threads=2), tmp_path / "new")
    keep_calibration(replace(SHOWN, update_s=5), tmp_path / "new")
    assert {(one.threads, one.update_s) for one in calibrations(tmp_path / "new")} == {(1, 5), (2, 20)}


def test_only_the_latest_measurements_are_kept(tmp_path: Path) -> None:
    for latents in range(1, 70):
        keep_calibration(replace(SHOWN, latents=latents), tmp_path)
    assert [one.latents for one in calibrations(tmp_path)] == list(range(6, 70))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[1]",
        "[" * 100_000,
        '[{"family": "other"}]',
        '[{"family": "sd15"}]',
        json.dumps([asdict(SHOWN) | {"reading_s": "10"}]),
        json.dumps([asdict(SHOWN) | {"latents": 0}]),
        json.dumps([asdict(SHOWN) | {"decode_s": float("nan")}]),
        json.dumps([asdict(SHOWN) | {"device": 3}]),
    ],
)
def test_a_damaged_file_is_as_none_and_is_written_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "calibration.json").write_text(content)
    assert calibrations(tmp_path) == ()
    keep_calibration(SHOWN, tmp_path)
    assert calibrations(tmp_path) == (SHOWN,)


def test_forecasts_need_no_torch() -> None:
    code = "import sys, adstudio.models.forecast, adstudio.jobs.workload; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

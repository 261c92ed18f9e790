"""Bench, presets and several timesteps in a pass, on tiny models."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from adstudio.cli import main
from adstudio.engine import devices
from adstudio.engine.bench import BenchRequest, measure
from adstudio.engine.devices import choose_dtype
from adstudio.engine.distillation import Distillation, Distiller
from adstudio.engine.feature_source import levels_at_once
from adstudio.engine.optimize import OptimizeSettings, optimize, start_state
from adstudio.engine.runner import StudioEngine
from adstudio.engine.schedules import Level
from adstudio.errors import AdStudioError, JobError
from adstudio.jobs.choices import Device, Precision, Preset
from adstudio.jobs.events import Started
from adstudio.jobs.presets import FAST, Course, shortened
from adstudio.jobs.workload import workload_of
from adstudio.models.calibration import calibrations
from adstudio.models.families import Family
from adstudio.models.inspect import inspect_model
from tests.engine.diffusion_studio import DiffusionStudio
from tests.engine.tiny_models import tiny_model, write_folder
from tests.engine.tiny_parts import backbone, picture

FAMILIES = [Family.SD15, Family.SDXL, Family.FLUX]


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    for module in ("adstudio.models.calibration", "adstudio.engine.backbones.empty_prompt"):
        monkeypatch.setattr(f"{module}.cache_dir", lambda: folder)
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_timesteps_read_together_are_those_read_alone(family: Family) -> None:
    model = backbone(family)
    references = [model.encode(picture(32, 32)), model.encode(picture(48, 32, 2))]
    content = model.encode(picture(32, 48, 1))
    levels = [Level(timestep=timestep, signal=1, noise=0) for timestep in (801, 401, 1)]
    distiller = Distiller(model, Distillation(layers=model.default_layers, content_weight=0.3))
    size = content.shape[-2], content.shape[-1]
    together = distiller.objectives(levels, references, content, size)
    for level, found in zip(levels, together, strict=True):
        alone = distiller.objective(level, references, content, size)
        assert found.timestep == alone.timestep
        assert found.content_queries is not None
        assert alone.content_queries is not None
        for mine, theirs in zip(found.content_queries, alone.content_queries, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
        for here, there in zip(found.reference, alone.reference, strict=True):
            torch.testing.assert_close((here.key, here.value), (there.key, there.value), rtol=1e-4, atol=1e-4)


def test_large_pictures_are_read_one_timestep_at_a_time() -> None:
    model = backbone(Family.SD15)
    assert levels_at_once(model, [torch.zeros(1, 4, 32, 32)]) == 4
    assert levels_at_once(model, [torch.zeros(1, 4, 32, 32), torch.zeros(1, 4, 64, 64)]) == 2
    assert levels_at_once(model, [torch.zeros(1, 4, 128, 128)]) == 1


def test_the_fast_preset_makes_few_updates_at_fewer_timesteps_with_a_falling_rate() -> None:
    whole = Course(num_inference_steps=200, iterations=1, learning_rate=0.05)
    course = shortened(Preset.FAST, whole)
    assert (course.num_inference_steps, course.iterations) == (15, 4)
    assert shortened(Preset.EXACT, whole) is whole
    settings = OptimizeSettings(iterations=4, learning_rate=course.learning_rate, final_rate=course.final_rate)
    rates = [settings.rate_at(update, 60) for update in range(60)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.01)
    assert rates == sorted(rates, reverse=True)
    assert FAST.applied(Course(num_inference_steps=1, iterations=1, learning_rate=0.1)).num_inference_steps == 1
    plain = OptimizeSettings()
    assert {plain.rate_at(update, 60) for update in range(60)} == {plain.learning_rate}


def test_a_falling_rate_moves_the_latents_less_at_the_end() -> None:
    model = backbone(Family.SD15)
    content = model.encode(picture(32, 32, 1))
    distiller = Distiller(model, Distillation(layers=model.default_layers))
    states = optimize(
        distiller,
        model.schedule(6, None, 32, 32),
        [model.encode(picture(32, 32))],
        content,
        OptimizeSettings(final_rate=0.01),
        start_state(content),
    )
    latents = [content, *(state.latents for state in states)]
    moved = [float((after - before).abs().mean()) for before, after in itertools.pairwise(latents)]
    assert moved[-1] < moved[0] / 20


@pytest.mark.parametrize("family", FAMILIES)
def test_bench_measures_every_path_and_finds_plain_and_exact_alike(
    family: Family, tmp_path: Path, cache_folder: Path
) -> None:
    folder = write_folder(tiny_model(family), tmp_path / "model")
    report = measure(BenchRequest(model=str(folder), size_px=64, steps=3, device=Device.CPU))
    assert [row.name for row in report.rows] == ["plain", "first", "again", "fast"]
    assert [row.updates for row in report.rows] == [3, 3, 3, 1]
    assert all(row.total_s > 0 and row.peak_bytes > 0 for row in report.rows)
    assert report.rows[0].faster == 1
    assert report.relative_difference < 0.05
    assert not report.is_random
    (kept,) = calibrations(cache_folder)
    assert kept.family is family
    assert kept.update_s > 0


def test_the_command_prints_the_table_or_json(
    tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tiny_model(Family.SD15), tmp_path / "model")
    asked = ["bench", "--model", str(folder), "--size", "64", "--steps", "2", "--device", "cpu"]
    assert main(asked) == 0
    assert "exact, same pictures again" in capsys.readouterr().out
    assert main([*asked, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in found["rows"]] == ["plain", "first", "again", "fast"]


def test_sizes_that_fit_no_network_are_refused(tmp_path: Path, cache_folder: Path) -> None:
    folder = write_folder(tiny_model(Family.SD15), tmp_path / "model")
    with pytest.raises(AdStudioError, match="--size"):
        measure(BenchRequest(model=str(folder), size_px=100, steps=1, device=Device.CPU))


@pytest.fixture
def diffusion(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, cache_folder: Path) -> DiffusionStudio:
    return DiffusionStudio(tmp_path, tmp_path_factory.mktemp("models"), StudioEngine(threads=1))


def test_a_job_takes_the_fast_preset_where_it_asks_for_it(diffusion: DiffusionStudio) -> None:
    steps = {}
    for preset in ("exact", "fast"):
        request = diffusion.request(num_inference_steps=20, preset=preset)
        outcome = diffusion.follow(request)
        steps[preset] = next(event.steps for event in outcome.events if isinstance(event, Started))
        assert request.job.num_inference_steps == 20
    assert steps == {"exact": 20, "fast": 6}


def test_the_fast_preset_belongs_to_the_method_optimize(diffusion: DiffusionStudio) -> None:
    with pytest.raises(JobError, match=r"^preset: fast is a way through the method optimize, and this job has sample"):
        diffusion.request(preset="fast", method="sample")
    model = inspect_model(Path(diffusion.model(Family.SD15)))
    load = workload_of(
        diffusion.request(preset="fast", num_inference_steps=200).job,
        model,
        (64, 48),
        device="cpu",
        precision="fp32",
        threads=1,
    )
    assert (load.levels, load.iterations) == (15, 4)


def test_only_the_fast_preset_takes_16_bit_on_a_processor_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    for has, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(devices, "cpu_has_bf16", lambda has=has: has)
        assert choose_dtype(Precision.AUTO, cpu, Family.SD15, Preset.FAST) is dtype
        assert choose_dtype(Precision.AUTO, cpu, Family.SD15) is torch.float32
        assert choose_dtype(Precision.FP32, cpu, Family.SD15, Preset.FAST) is torch.float32

"""What is done about memory before a run, the limit on it, and what a finished run tells of the machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from adstudio.engine import memory
from adstudio.engine.diffusion import in_use, planning
from adstudio.engine.diffusion.work import Work
from adstudio.engine.runner import StudioEngine
from adstudio.errors import UnavailableError
from adstudio.jobs.events import Event, Notice, Progress, Started
from adstudio.jobs.workload import workload_of
from adstudio.models import calibration
from adstudio.models.calibration import Calibration, calibrations, keep_calibration
from adstudio.models.families import Family
from adstudio.models.forecast import seconds, tflop
from adstudio.models.inspect import inspect_model
from tests.engine.diffusion_studio import DiffusionStudio
from tests.engine.studio import Control

FIELDS: dict[str, Any] = {"num_inference_steps": 3, "width": 64, "height": 48}


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def diffusion(tmp_path: Path, tiny_models: Path) -> DiffusionStudio:
    return DiffusionStudio(tmp_path, tiny_models, StudioEngine(threads=1))


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setattr(calibration, "cache_dir", lambda: folder)
    return folder


def notices(events: tuple[Event, ...]) -> list[str]:
    return [event.message for event in events if isinstance(event, Notice)]


def with_free_bytes(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(planning, "device_memory", lambda _: (free, 8 << 30))


def needed_bytes(diffusion: DiffusionStudio) -> int:
    job = diffusion.request(**FIELDS).job
    ahead = planning.planned(
        job,
        inspect_model(Path(diffusion.model(Family.SD15))),
        torch.device("cpu"),
        torch.float32,
        threads=1,
        held_bytes=0,
        limit_bytes=None,
    )
    return ahead.plan.peak_bytes


def test_a_run_that_will_not_fit_saves_memory_from_the_start_and_says_so(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch, cache_folder: Path
) -> None:
    plain = diffusion.run(**FIELDS)
    assert notices(plain.events) == []
    entered: list[int] = []
    own = memory.checkpointing

    def counted(network: Any) -> Any:
        entered.append(1)
        return own(network)

    diffusion.engine = StudioEngine(threads=1)
    with_free_bytes(monkeypatch, needed_bytes(diffusion) - 1)
    monkeypatch.setattr(in_use, "checkpointing", counted)
    outcome = diffusion.run(**FIELDS)
    (said,) = notices(outcome.events)
    assert "are free, so less is kept for the backward pass" in said
    assert entered == [1]
    assert abs(outcome.picture.astype(int) - plain.picture).max() <= 1


def test_a_run_beyond_all_means_is_tried_all_the_same(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch, cache_folder: Path
) -> None:
    with_free_bytes(monkeypatch, 1000)
    outcome = diffusion.run(**FIELDS)
    assert "tried all the same" in notices(outcome.events)[0]
    assert outcome.kinds()[-1] == "finished"


def test_a_limit_that_cannot_hold_is_refused_before_the_model_is_loaded(
    diffusion: DiffusionStudio, cache_folder: Path
) -> None:
    request = replace(diffusion.request(**FIELDS), memory_limit_bytes=20 << 20)
    events: list[Event] = []
    with pytest.raises(UnavailableError, match=r"the limit of 0.0 GB leaves 0.0 GB for it; make the picture smaller"):
        events.extend(diffusion.engine.run(request, Control()))
    assert not any(isinstance(event, Started) for event in events)
    assert diffusion.run(**FIELDS).kinds()[-1] == "finished"


def test_features_are_kept_within_the_limit(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch, cache_folder: Path
) -> None:
    with_free_bytes(monkeypatch, needed_bytes(diffusion) + 5000)
    diffusion.run(**FIELDS)
    keeper = diffusion.engine._diffusion_engine()._keeper
    assert keeper.features(torch.device("cpu")).held_bytes[0] <= 5000


@pytest.mark.parametrize(
    "fields", [{}, {"method": "sample"}, {"task": "texture", "method": "multidiffusion", "width": 72}]
)
def test_a_finished_run_tells_how_quick_the_machine_is(
    diffusion: DiffusionStudio, cache_folder: Path, fields: dict[str, Any]
) -> None:
    diffusion.run(**FIELDS | fields)
    (kept,) = calibrations(cache_folder)
    assert (kept.family, kept.device, kept.precision, kept.threads) == (Family.SD15, "cpu", "fp32", 1)
    assert kept.reading_s > 0 and kept.decode_s > 0
    assert kept.update_s == pytest.approx(2.2 * kept.reading_s)


def test_before_the_first_step_remaining_time_is_the_forecast(diffusion: DiffusionStudio, cache_folder: Path) -> None:
    model = inspect_model(Path(diffusion.model(Family.SD15)))
    job = diffusion.request(**FIELDS).job
    load = workload_of(job, model, (64, 48), device="cpu", precision="fp32", threads=1)
    keep_calibration(
        Calibration(
            family=Family.SD15,
            parameters=load.parameters,
            device="cpu",
            memory_bytes=8 << 30,
            precision="fp32",
            threads=1,
            latents=load.latents,
            pixels=load.pixels,
            reading_s=100,
            update_s=200,
            decode_s=50,
        )
    )
    expected_s = seconds(load, calibrations(cache_folder))
    assert expected_s is not None
    events = diffusion.run(**FIELDS, tune_decoder=True).events
    first = next(event for event in events if isinstance(event, Progress))
    assert first.label == "Tuning the decoder"
    assert first.remaining_s == pytest.approx(expected_s * (1 - 1 / first.steps))


def test_work_counts_passes_by_their_size_and_whether_they_learn() -> None:
    work = Work(Family.SD15)
    network = torch.nn.Conv2d(4, 4, 1)
    once = tflop(Family.SD15, 16 * 16)
    with work.counting(network):
        with torch.no_grad():
            network(torch.zeros(3, 4, 16, 16))
        assert work.tflop == pytest.approx(3 * once)
        network(torch.zeros(1, 4, 16, 16, requires_grad=True))
    assert work.tflop == pytest.approx(5.2 * once)
    network(torch.zeros(1, 4, 16, 16))
    assert work.tflop == pytest.approx(5.2 * once)

"""Jobs of pictures larger than the model's own: windows, seams that meet, going on in the middle of a step."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from adstudio.engine.diffusion import in_use
from adstudio.engine.runner import StudioEngine
from adstudio.engine.wide_decoding import wide_decoding
from adstudio.jobs.choices import Seamless
from adstudio.jobs.events import Preview, Progress, Started
from adstudio.models.families import Family
from tests.engine.diffusion_studio import DiffusionStudio
from tests.engine.studio import labels

STYLE: dict[str, Any] = {"width": 150, "height": 124, "num_inference_steps": 2}
TEXTURE: dict[str, Any] = {"task": "texture", "width": 96, "height": 72, "num_inference_steps": 2, "iterations": 1}
SEAMLESS: dict[str, Any] = {**TEXTURE, "seamless": "both", "width": 104, "height": 64}
OPTIMIZED: dict[str, Any] = {**TEXTURE, "method": "optimize", "seamless": "x", "width": 160, "height": 112}
WORDS: dict[str, Any] = {**TEXTURE, "task": "text_to_image", "content": "content.png", "family": Family.SDXL}
JOBS = pytest.mark.parametrize(
    "fields", [STYLE, TEXTURE, SEAMLESS, OPTIMIZED, WORDS], ids=["style", "texture", "seamless", "optimized", "words"]
)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def diffusion(tmp_path: Path, tiny_models: Path, engine: StudioEngine) -> DiffusionStudio:
    return DiffusionStudio(tmp_path, tiny_models, engine)


def test_large_pictures_are_made_window_by_window(diffusion: DiffusionStudio) -> None:
    assert diffusion.request(**STYLE).job.method == "optimize"
    assert diffusion.request(**TEXTURE).job.method == "multidiffusion"
    assert diffusion.request(**SEAMLESS).job.method == "multidiffusion"
    assert diffusion.request(**WORDS).job.method == "multidiffusion"
    assert diffusion.request(task="texture", width=64, height=64).job.method == "optimize"


@JOBS
def test_progress_counts_windows_and_the_size_is_exact(diffusion: DiffusionStudio, fields: dict[str, Any]) -> None:
    outcome = diffusion.run(**fields)
    assert outcome.picture.shape == (fields["height"], fields["width"], 3)
    assert outcome.picture.std() > 1
    started = next(event for event in outcome.events if isinstance(event, Started))
    steps = [event for event in outcome.events if isinstance(event, Progress)]
    assert started.steps == len(steps) == steps[-1].step == steps[-1].steps > 2 * fields["num_inference_steps"]
    assert steps[-1].fraction == 1 and steps[-1].remaining_s == 0
    previews = [event for event in outcome.events if isinstance(event, Preview)]
    assert np.abs(previews[-1].image.astype(int) - outcome.picture).max() <= 1
    assert not list(outcome.request.folder.glob("checkpoints/*"))


@JOBS
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_a_run_stopped_between_windows_goes_on_to_the_same_picture(
    diffusion: DiffusionStudio, fields: dict[str, Any], share: float
) -> None:
    whole = diffusion.run(**fields)
    started = next(event for event in whole.events if isinstance(event, Started))
    request = diffusion.request(**fields)
    stopped = diffusion.stop_at(request, int(share * started.steps))
    assert "finished" not in stopped.kinds()
    assert list(request.folder.glob("checkpoints/*"))
    again = diffusion.resume(request)
    assert np.array_equal(again.picture, whole.picture)
    counted = [event.step for event in again.events if isinstance(event, Progress)]
    assert counted[0] == int(share * started.steps) + 1


@pytest.mark.parametrize("family", [Family.SD15, Family.SDXL])
def test_regions_and_several_references_go_through_windows(diffusion: DiffusionStudio, family: Family) -> None:
    diffusion.save("halves.png", labels(64, 48, 10, 200, below=True))
    one, other = (
        diffusion.run(
            family=family,
            **STYLE,
            content_mask="halves.png",
            styles=[
                {"image": "style.png", "mask": diffusion.save("sides.png", labels(60, 60, *order, below=False))},
                {"image": "content.png", "weight": 0.5},
            ],
        ).picture
        for order in ((10, 200), (200, 10))
    )
    assert one.shape == (124, 150, 3)
    assert not np.array_equal(one, other)


def test_a_large_picture_keeps_its_content_everywhere(diffusion: DiffusionStudio) -> None:
    """With the content held firmly, no window strays from what lies below it."""
    free, held = (
        diffusion.run(**STYLE | {"num_inference_steps": 6}, content_weight=weight).picture.astype(int)
        for weight in (0.0, 10.0)
    )
    still = diffusion.run(**STYLE | {"num_inference_steps": 1, "learning_rate": 1e-6}).picture.astype(int)
    assert np.abs(held - still).mean() < np.abs(free - still).mean()


@pytest.mark.parametrize("axes", ["none", "both"])
def test_large_pictures_are_decoded_in_windows(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch, axes: str
) -> None:
    fields = {**TEXTURE, "method": "optimize", "width": 64, "height": 64, "seamless": axes}
    whole = diffusion.run(**fields).picture.astype(int)
    asked: list[Seamless] = []

    def listening(vae: nn.Module, wraps: Seamless) -> AbstractContextManager[None]:
        asked.append(wraps)
        return wide_decoding(vae, wraps)

    monkeypatch.setattr(in_use, "wide_decoding", listening)
    monkeypatch.setattr(in_use, "_TILED_FROM_PX", 1000)
    monkeypatch.setattr(in_use, "_WIDE_FROM_PX", 1000)
    parts = diffusion.run(**fields).picture.astype(int)
    assert Seamless(axes) in asked
    assert np.abs(parts - whole).mean() < 8

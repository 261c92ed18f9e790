"""Faults 16, 20, 21, 22 and 23 with the diffusion engine: masks, memory, not-a-number, cancel, pause and resume."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from adstudio.engine import adam, optimize, sample, tiled_optimize
from adstudio.engine.adam import Moments
from adstudio.engine.backbones import stable_diffusion
from adstudio.engine.backbones.latent_codec import LatentCodec
from adstudio.engine.diffusion import loaded, run
from adstudio.engine.diffusion.engine import DiffusionEngine
from adstudio.engine.distillation import Distiller
from adstudio.engine.runner import StudioEngine
from adstudio.errors import EngineError, JobError, UnavailableError
from adstudio.jobs.events import Checkpointed, Event, Finished, Notice, Progress, Started
from adstudio.models.families import Family
from tests.engine.diffusion_studio import DiffusionStudio
from tests.engine.studio import Control, labels, pixels_of
from tests.engine.tiny_models import tiny_model, write_folder
from tests.engine.tiny_parts import traces

OPTIMIZE: dict[str, Any] = {"num_inference_steps": 5}
SAMPLE: dict[str, Any] = {"method": "sample", "num_inference_steps": 6, "scheduler": "dpmpp_2m", "adain": True}
CANVAS: dict[str, Any] = {
    "task": "texture",
    "method": "multidiffusion",
    "width": 72,
    "height": 64,
    "num_inference_steps": 4,
    "iterations": 1,
    "scheduler": "euler_ancestral",
}
TILES: dict[str, Any] = {"width": 136, "height": 128, "num_inference_steps": 4}
METHODS = pytest.mark.parametrize(
    "fields", [OPTIMIZE, TILES, SAMPLE, CANVAS], ids=["optimize", "tiles", "sample", "multidiffusion"]
)
OUT_OF_MEMORY = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 12 bytes"


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def diffusion(tmp_path: Path, tiny_models: Path) -> DiffusionStudio:
    return DiffusionStudio(tmp_path, tiny_models, StudioEngine(threads=1))


def engine_of(studio: DiffusionStudio) -> DiffusionEngine:
    return studio.engine._diffusion_engine()


def backbone_traces(studio: DiffusionStudio) -> dict[str, object]:
    """Everything of the loaded model that a run may change and must not."""
    model = engine_of(studio)._keeper._loaded
    assert model is not None
    found = dict(traces(model.backbone()))
    vae: Any = model.parts.vae
    return {**found, "tiling": vae.use_tiling, "device": vae.device, "precision": vae.dtype}


def at_call(number: int, act: Callable[[], None]) -> Callable[[], None]:
    """Do something at the call of this number, counted from 1, and nothing at the others."""
    calls = itertools.count(1)

    def called() -> None:
        if next(calls) == number:
            act()

    return called


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[[], None]) -> None:
    """Do something before every call of a method."""
    own = getattr(owner, name)

    def wrapped(*arguments: Any, **keywords: Any) -> Any:
        act()
        return own(*arguments, **keywords)

    monkeypatch.setattr(owner, name, wrapped)


def notices(events: tuple[Event, ...]) -> list[str]:
    return [event.message for event in events if isinstance(event, Notice)]


def test_fault_16_masks_that_do_not_pair_are_refused_before_the_run(diffusion: DiffusionStudio) -> None:
    diffusion.save("halves.png", labels(64, 48, 10, 200, below=True))
    diffusion.save("other.png", labels(60, 60, 10, 90, below=True))
    diffusion.save("small.png", labels(30, 30, 10, 200, below=True))
    with pytest.raises(JobError, match=r"content_mask: label 200 of .*halves"):
        diffusion.request(content_mask="halves.png", styles=[{"image": "style.png", "mask": "other.png"}])
    with pytest.raises(JobError, match=r"styles\.0\.mask: .*small"):
        diffusion.request(content_mask="halves.png", styles=[{"image": "style.png", "mask": "small.png"}])


@METHODS
def test_fault_20_memory_that_runs_out_in_a_step_is_told_and_the_run_goes_on(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    whole = diffusion.run(**fields).picture
    tidy = backbone_traces(diffusion)
    with monkeypatch.context() as broken:
        calls = itertools.count(1)

        def short_of_memory() -> None:
            if next(calls) in (3, 5, 7):
                raise RuntimeError(OUT_OF_MEMORY)

        before(broken, Distiller, "evaluate", short_of_memory)
        outcome = diffusion.run(**fields)
    said = notices(outcome.events)
    assert len(said) == 3
    assert "let go of" in said[0] and "computed again" in said[1] and "in parts" in said[2]
    assert np.abs(outcome.picture.astype(int) - whole).mean() < 6  # other kernels, other last digits
    steps = [event.step for event in outcome.events if isinstance(event, Progress)]
    assert steps == sorted(set(steps))
    assert backbone_traces(diffusion) == tidy
    assert np.array_equal(diffusion.run(**fields).picture, whole)


@pytest.mark.parametrize("name", ["encode", "decode"])
def test_fault_20_memory_that_runs_out_for_the_picture_leads_to_tiles(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    diffusion.run(**OPTIMIZE)
    tidy = backbone_traces(diffusion)
    with monkeypatch.context() as broken:
        calls = itertools.count(1)

        def short_of_memory() -> None:
            if next(calls) <= 2:
                raise torch.OutOfMemoryError("CUDA out of memory")

        before(broken, LatentCodec, name, short_of_memory)
        outcome = diffusion.run(**OPTIMIZE, stroke_scale=0.8)  # at another size, so that it must be encoded anew
    assert [("let go of" in notices(outcome.events)[0]), ("tiles" in notices(outcome.events)[1])] == [True, True]
    assert isinstance(outcome.events[-1], Finished)
    assert backbone_traces(diffusion) == tidy


def test_fault_20_when_nothing_helps_it_is_said_and_the_next_job_runs(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = diffusion.request(**OPTIMIZE)
    with monkeypatch.context() as broken:
        before(broken, Distiller, "evaluate", failing(MemoryError()))
        with pytest.raises(UnavailableError, match="not enough memory for a picture of 72 × 56 pixels with Stable"):
            diffusion.follow(request)
    assert isinstance(diffusion.run(**OPTIMIZE).events[-1], Finished)


def test_fault_20_memory_that_runs_out_while_loading(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    diffusion.run(family=Family.SDXL, num_inference_steps=1)
    with monkeypatch.context() as broken:
        before(broken, loaded, "load_parts", at_call(1, failing(MemoryError())))
        outcome = diffusion.run(**OPTIMIZE)
    assert "while the model was loaded" in notices(outcome.events)[0]
    with monkeypatch.context() as broken:
        before(broken, loaded, "load_parts", failing(MemoryError()))
        with pytest.raises(UnavailableError, match="not enough memory"):
            diffusion.run(family=Family.SDXL, num_inference_steps=1)


@METHODS
def test_fault_21_not_a_number_stops_at_the_last_good_checkpoint(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    whole = diffusion.run(**fields).picture
    tidy = backbone_traces(diffusion)
    request = diffusion.request(**fields)
    with monkeypatch.context() as broken:
        poisoned = itertools.count(1)

        def poison(latents: Tensor, gradient: Tensor, moments: Moments, rate: float) -> tuple[Tensor, Moments]:
            updated, remembered = real(latents, gradient, moments, rate)
            return (updated * float("nan"), remembered) if next(poisoned) == 4 else (updated, remembered)

        real = adam.adam_update
        broken.setattr(optimize, "adam_update", poison)
        broken.setattr(sample, "adam_update", poison)
        broken.setattr(tiled_optimize, "adam_update", poison)
        with pytest.raises(EngineError, match="no numbers"):
            diffusion.follow(request)
    assert not (request.folder / "result.png").exists()
    assert backbone_traces(diffusion) == tidy
    assert np.array_equal(diffusion.resume(request).picture, whole)


def test_fault_21_an_exception_leaves_the_model_as_it_was(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields: dict[str, Any] = {"task": "texture", "seamless": "both", "num_inference_steps": 3}
    diffusion.run(**fields)
    tidy = backbone_traces(diffusion)
    with monkeypatch.context() as broken:
        before(broken, Distiller, "evaluate", at_call(2, failing(ZeroDivisionError("odd"))))
        with pytest.raises(ZeroDivisionError):
            diffusion.run(**fields)
    assert backbone_traces(diffusion) == tidy
    diffusion.run(**fields)


@pytest.mark.parametrize("asked", [1, 40, 150])
def test_fault_22_a_cancel_while_loading_or_encoding_ends_the_run(diffusion: DiffusionStudio, asked: int) -> None:
    looks = itertools.count(1)
    outcome = diffusion.follow(diffusion.request(**OPTIMIZE), Control(stop=lambda: next(looks) > asked))
    assert outcome.kinds()[-1] in ("loading_model", "started")
    assert isinstance(diffusion.run(**OPTIMIZE).events[-1], Finished)


@METHODS
def test_fault_22_a_cancel_within_a_step_is_obeyed_at_once_and_the_run_can_go_on(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    whole = diffusion.run(**fields).picture
    tidy = backbone_traces(diffusion)
    request = diffusion.request(**fields)
    asked = False
    passes = 0

    def ask() -> None:
        nonlocal asked
        asked = True

    def counted() -> None:
        nonlocal passes
        passes += asked

    with monkeypatch.context() as watched:
        before(watched, Distiller, "evaluate", at_call(4, ask))
        before(watched, stable_diffusion.StableDiffusion, "network", counted)
        events = diffusion.follow(request, Control(stop=lambda: asked)).events
    assert passes <= 1
    assert not isinstance(events[-1], Finished)
    assert backbone_traces(diffusion) == tidy
    assert list((request.folder / "checkpoints").glob("*.npz"))
    assert np.array_equal(diffusion.resume(request).picture, whole)


@METHODS
@pytest.mark.parametrize("name", ["evaluate", "decode"])
def test_fault_22_a_pause_within_a_step_or_in_decoding_changes_nothing(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], name: str
) -> None:
    whole = diffusion.run(**fields).picture
    paused: list[bool] = []

    owner = Distiller if name == "evaluate" else LatentCodec
    before(monkeypatch, owner, name, at_call(3 if name == "evaluate" else 1, lambda: paused.append(True)))
    request = diffusion.request(**fields)
    events: list[Event] = []
    for event in diffusion.engine.run(request, Control(pause=lambda: bool(paused))):
        events.append(event)
        paused.clear()  # the host held the run at this event, and then let it go on
    assert isinstance(events[-1], Finished)
    assert [event.step for event in events if isinstance(event, Progress)] != []
    assert np.array_equal(pixels_of(request.folder / "result.png"), whole)


def test_fault_22_a_closed_run_leaves_a_checkpoint_and_the_model_as_it_was(diffusion: DiffusionStudio) -> None:
    diffusion.run(**OPTIMIZE)
    tidy = backbone_traces(diffusion)
    request = diffusion.request(**OPTIMIZE)
    items = diffusion.engine.run(request, Control())
    for event in items:
        if isinstance(event, Progress) and event.step == 2:
            break
    close: Callable[[], None] = getattr(items, "close")  # noqa: B009 - an iterator's type has none
    close()
    assert backbone_traces(diffusion) == tidy
    assert list((request.folder / "checkpoints").glob("*.npz"))


def checkpointing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_CHECKPOINT_EVERY_S", -1.0)
    monkeypatch.setattr(run, "_CHECKPOINT_SHARE", float("inf"))


@METHODS
@pytest.mark.parametrize("damaged", [False, True])
def test_fault_23_resume_gives_the_same_pixels_also_from_the_checkpoint_before(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], damaged: bool
) -> None:
    checkpointing(monkeypatch)
    whole = diffusion.run(**fields, images=2, seed=3)
    request = diffusion.request(**fields, images=2, seed=3)
    total = next(event.steps for event in whole.events if isinstance(event, Started))
    stopped = diffusion.stop_at(request, total // 2 + 2)
    assert any(isinstance(event, Checkpointed) for event in stopped.events)
    assert (request.folder / "result.png").exists()
    newest = max((request.folder / "checkpoints").glob("*.npz"))
    assert len(list(newest.parent.iterdir())) == 2
    if damaged:
        content = bytearray(newest.read_bytes())
        content[len(content) // 2] ^= 8
        newest.write_bytes(bytes(content))
    diffusion.engine = StudioEngine(threads=1)
    resumed = diffusion.resume(request)
    first = next(event.step for event in resumed.events if isinstance(event, Progress))
    assert first == total // 2 + (2 if damaged else 3)
    for one, other in zip(resumed.pictures, whole.pictures, strict=True):
        assert np.array_equal(one, other)


def test_fault_23_another_model_in_the_same_place_is_refused(diffusion: DiffusionStudio, tmp_path: Path) -> None:
    place = write_folder(tiny_model(Family.SD15), tmp_path / "mine")
    request = diffusion.request(model=str(place), num_inference_steps=2)
    write_folder(tiny_model(Family.SD15), place, dtype=torch.float16)
    with pytest.raises(JobError, match=r"model: .* is another one than when this job was made"):
        diffusion.resume(request)

"""Jobs of diffusion models through the real engine: every task and family, and what each setting does."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel

from adstudio.engine.backbones import loading
from adstudio.engine.diffusion import loaded as loaded_module
from adstudio.engine.runner import StudioEngine
from adstudio.errors import JobError, UnavailableError
from adstudio.images import JOB_KEY, read_metadata
from adstudio.jobs import run_folder
from adstudio.jobs.events import Notice, Preview, Progress, Started
from adstudio.jobs.files import parse_job
from adstudio.models.families import Family
from tests.engine.diffusion_studio import DiffusionStudio
from tests.engine.studio import labels, marks, scene
from tests.engine.tiny_models import tiny_model, write_single_file

TASKS = ("style_transfer", "appearance_transfer", "texture", "text_to_image")


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def diffusion(tmp_path: Path, tiny_models: Path, engine: StudioEngine) -> DiffusionStudio:
    return DiffusionStudio(tmp_path, tiny_models, engine)


@pytest.mark.parametrize("family", [Family.SD15, Family.SD2, Family.SDXL, Family.FLUX])
@pytest.mark.parametrize("task", TASKS)
def test_every_task_and_family_makes_a_picture_of_exactly_the_size(
    diffusion: DiffusionStudio, task: str, family: Family
) -> None:
    outcome = diffusion.run(family=family, task=task, width=75, height=59, num_inference_steps=3)
    kinds = outcome.kinds()
    assert kinds[:2] == ["loading_model", "started"]
    assert kinds[-1] == "finished"
    assert outcome.picture.shape == (59, 75, 3)
    assert outcome.picture.std() > 1
    started = next(event for event in outcome.events if isinstance(event, Started))
    steps = [event for event in outcome.events if isinstance(event, Progress)]
    assert started.steps == steps[-1].steps == steps[-1].step == 3
    assert all(later.step == earlier.step + 1 for earlier, later in pairwise(steps))
    assert steps[-1].fraction == 1 and steps[-1].loss is not None and steps[-1].remaining_s == 0
    previews = [event for event in outcome.events if isinstance(event, Preview)]
    assert len(previews) >= 2
    assert np.abs(previews[-1].image.astype(int) - outcome.picture).max() <= 1
    assert not previews[0].image.flags.writeable
    assert not list(outcome.request.folder.glob("checkpoints/*"))


@pytest.mark.parametrize("family", [Family.SD15, Family.SDXL, Family.FLUX])
def test_a_single_file_gives_the_same_picture_as_its_folder(
    diffusion: DiffusionStudio, tmp_path: Path, family: Family
) -> None:
    path = write_single_file(tiny_model(family), tmp_path / "model.safetensors")
    fields: dict[str, Any] = {"family": family, "num_inference_steps": 2, "width": 64, "height": 64}
    assert np.array_equal(diffusion.run(**fields).picture, diffusion.run(**fields, model=str(path)).picture)


@pytest.mark.parametrize("task", TASKS[1:])
@pytest.mark.parametrize("family", [Family.SD15, Family.FLUX])
def test_every_task_can_be_made_window_by_window(diffusion: DiffusionStudio, task: str, family: Family) -> None:
    outcome = diffusion.run(
        family=family, task=task, method="multidiffusion", width=100, height=64, num_inference_steps=2, iterations=1
    )
    assert outcome.picture.shape == (64, 100, 3)


def test_a_result_holds_the_job_that_makes_it_again(diffusion: DiffusionStudio) -> None:
    first = diffusion.run(seed=5, images=2, num_inference_steps=3)
    assert first.request.job.variation == 0.1
    one, other = first.pictures
    assert not np.array_equal(one, other)
    for path, picture in zip(first.results, first.pictures, strict=True):
        job = parse_job(json.loads(read_metadata(path)[JOB_KEY]), path.parent)
        again = run_folder.create(job, diffusion.folder / f"again-{path.stem}")
        assert np.array_equal(diffusion.follow(again).picture, picture)


@pytest.mark.parametrize("fields", [{"task": "texture"}, {"task": "texture", "method": "sample"}, {"method": "sample"}])
def test_the_seed_decides_where_noise_is_drawn(diffusion: DiffusionStudio, fields: dict[str, Any]) -> None:
    one, same, other = (diffusion.run(**fields, seed=seed, num_inference_steps=2).picture for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_words_change_the_picture(diffusion: DiffusionStudio) -> None:
    fields: dict[str, Any] = {"task": "text_to_image", "width": 64, "height": 64, "num_inference_steps": 2}
    plain = diffusion.run(**fields).picture
    told = diffusion.run(**fields, prompt="a b c").picture
    without = diffusion.run(**fields, prompt="a b c", negative_prompt="d e").picture
    assert not np.array_equal(plain, told)
    assert not np.array_equal(told, without)


@pytest.mark.parametrize(
    "fields",
    [
        {"content_weight": 2.0},
        {"attention_scale": 3.0},
        {"stroke_scale": 2.0},
        {"layers": "1,3-4"},
        {"styles": ["style.png", "other.png"]},
        {"styles": ["style.png", {"image": "other.png", "weight": 9.0}]},
        {"styles": [{"image": "style.png", "crop": [4, 4, 40, 30]}]},
        {"tune_decoder": True},
        {"color": 0.0},
        {"strength": 0.5},
        {"method": "sample", "denoising_strength": 1.0},
        {"method": "sample", "adain": True},
        {"method": "sample", "start_time": 100},
        {"method": "sample", "scheduler": "euler_ancestral"},
        {"method": "sample", "scheduler": "dpmpp_2m"},
        {"method": "sample", "guidance_scale": 4},
    ],
)
def test_every_setting_changes_the_picture(diffusion: DiffusionStudio, fields: dict[str, Any]) -> None:
    diffusion.save("other.png", marks(50, 60, seed=4, tint=(1, 0.6, 0.3)))
    plain: dict[str, Any] = {"method": fields["method"]} if "method" in fields else {}
    if plain:
        plain["content_weight"] = 0.25
    assert not np.array_equal(diffusion.run(**plain).picture, diffusion.run(**plain | fields).picture)


def test_regions_pair_parts_and_a_reference_without_mask_serves_all(diffusion: DiffusionStudio) -> None:
    diffusion.save("halves.png", labels(64, 48, 10, 200, below=True))
    diffusion.save("sides.png", labels(60, 60, 10, 200, below=False))
    diffusion.save("swapped.png", labels(60, 60, 200, 10, below=False))
    one, other = (
        diffusion.run(content_mask="halves.png", styles=[{"image": "style.png", "mask": mask}]).picture
        for mask in ("sides.png", "swapped.png")
    )
    assert not np.array_equal(one, other)
    both = [{"image": "style.png", "mask": "sides.png"}, {"image": "style.png"}]
    assert diffusion.run(content_mask="halves.png", styles=both).picture.shape == (56, 72, 3)
    windowed = diffusion.run(
        content_mask="halves.png", styles=both, method="multidiffusion", width=90, iterations=1, num_inference_steps=2
    )
    assert windowed.picture.shape == (68, 90, 3)


def test_a_control_picture_steers_sampling(diffusion: DiffusionStudio, tmp_path: Path) -> None:
    made: Any = ControlNetModel
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = made.from_unet(tiny_model(Family.SD15).parts["unet"], conditioning_embedding_out_channels=(4, 8, 8))
        for parameter in network.parameters():
            if not parameter.any():
                parameter.data.normal_(std=0.3)
    network.save_pretrained(tmp_path / "control")
    control = {"image": "content.png", "kind": "canny", "model": "control"}
    fields: dict[str, Any] = {"task": "text_to_image", "width": 70, "height": 64}
    plain, steered = diffusion.run(**fields).picture, diffusion.run(**fields, control=control)
    assert steered.picture.shape == (64, 70, 3)
    assert not np.array_equal(plain, steered.picture)
    assert diffusion.request(control=control).job.method == "sample"
    with pytest.raises(JobError, match=r"^control: cannot steer windows"):
        diffusion.request(**fields, control=control, method="multidiffusion")
    with pytest.raises(UnavailableError, match=r"^control\.model: "):
        diffusion.request(**fields, control={**control, "model": "nowhere"})


def test_protected_pixels_stay(diffusion: DiffusionStudio) -> None:
    diffusion.save("keep.png", labels(64, 48, 255, 0, below=True))
    picture = diffusion.run(protect_mask="keep.png", width=64, height=48).picture
    assert np.abs(picture[:20].astype(int) - scene(64, 48)[:20]).max() <= 1


def test_seamless_results_have_the_size_and_wrap(diffusion: DiffusionStudio) -> None:
    outcome = diffusion.run(task="texture", seamless="both", width=67, height=61, num_inference_steps=3)
    assert outcome.picture.shape == (61, 67, 3)


def test_tiny_and_slender_pictures_are_padded_inside(diffusion: DiffusionStudio) -> None:
    diffusion.save("slender.png", marks(400, 3))
    diffusion.save("dot.png", marks(1, 1))
    for width, height, style in ((1, 1, "style.png"), (5, 90, "slender.png"), (64, 64, "dot.png")):
        outcome = diffusion.run(width=width, height=height, styles=[style], num_inference_steps=1)
        assert outcome.picture.shape == (height, width, 3)


def test_the_model_stays_for_the_next_job_and_goes_for_another(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    load = loading.load_parts

    def counting(model: Any, **keywords: Any) -> Any:
        taken.append(model.name)
        return load(model, **keywords)

    monkeypatch.setattr(loaded_module, "load_parts", counting)
    diffusion.engine = StudioEngine(threads=1)
    for family in (Family.SD15, Family.SD15, Family.SDXL, Family.SD15):
        diffusion.run(family=family, num_inference_steps=1)
    assert taken == ["sd15", "sdxl", "sd15"]


def test_features_are_kept_for_the_next_job_and_change_nothing(diffusion: DiffusionStudio) -> None:
    diffusion.engine = StudioEngine(threads=1)
    first = diffusion.run().picture
    engine = diffusion.engine._diffusion
    assert engine is not None
    cache = engine._keeper.features(torch.device("cpu"))
    held = cache.held_bytes[0]
    assert held > 0
    assert np.array_equal(diffusion.run().picture, first)
    assert cache.held_bytes[0] == held


def test_memory_that_was_given_back_is_taken_again_for_the_same_picture(
    diffusion: DiffusionStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    diffusion.engine = StudioEngine(threads=1)
    diffusion.engine.release()  # nothing was loaded yet
    first = diffusion.run().picture
    engine = diffusion.engine._diffusion
    assert engine is not None
    loads: list[object] = []
    load = loading.load_parts

    def counting(*given: Any, **keywords: Any) -> Any:
        loads.append(given)
        return load(*given, **keywords)

    monkeypatch.setattr(loaded_module, "load_parts", counting)
    assert engine._keeper.held_bytes(torch.device("cpu")) > 0
    diffusion.engine.release()
    assert engine._keeper.held_bytes(torch.device("cpu")) == 0
    assert np.array_equal(diffusion.run().picture, first)
    assert len(loads) == 1


def test_a_snapped_mask_is_told(diffusion: DiffusionStudio) -> None:
    soft = labels(64, 48, 10, 200, below=True)
    soft[24] = 100
    diffusion.save("halves.png", soft)
    diffusion.save("sides.png", labels(60, 60, 10, 200, below=False))
    outcome = diffusion.run(content_mask="halves.png", styles=[{"image": "style.png", "mask": "sides.png"}])
    assert any("nearest label" in event.message for event in outcome.events if isinstance(event, Notice))


def test_the_patch_model_needs_no_diffusers() -> None:
    program = (
        "import sys, adstudio.engine.runner as r; r.StudioEngine(1).warm();"
        "sys.exit('diffusers' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=120).returncode == 0

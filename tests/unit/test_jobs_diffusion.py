"""What becomes of a job with a diffusion model: defaults, sizes, layers, refusals and the parameters a panel shows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from adstudio.engine.backbones.flux import Flux
from adstudio.engine.backbones.loading import load_parts
from adstudio.engine.backbones.stable_diffusion import StableDiffusion
from adstudio.engine.devices import choose_dtype
from adstudio.engine.schedules import FLOW_SCHEDULER as ENGINE_FLOW
from adstudio.engine.schedules import SCHEDULERS as ENGINE_SCHEDULERS
from adstudio.errors import JobError, UnavailableError
from adstudio.jobs import diffusion_defaults
from adstudio.jobs.choices import Method, Precision, Task
from adstudio.jobs.defaults import resolve
from adstudio.jobs.diffusion_defaults import FLOW_SCHEDULER, SCHEDULERS, diffusion_values
from adstudio.jobs.files import parse_job
from adstudio.jobs.layers import check_layers, default_layers, layer_count, layer_numbers
from adstudio.jobs.parameters import ParameterKind, parameters_for
from adstudio.jobs.spec import Job
from adstudio.models.families import FACTS, Family
from adstudio.models.find import find_model
from adstudio.models.library import add_to_library, remove_from_library
from adstudio.models.shipped import shipped_config
from tests.engine.tiny_models import tiny_model, write_folder

FAMILIES = (Family.SD15, Family.SD2, Family.SDXL, Family.FLUX)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[Family, Path]:
    base = tmp_path_factory.mktemp("models")
    return {family: write_folder(tiny_model(family), base / family.value) for family in FAMILIES}


def job(model: Path, **fields: Any) -> Job:
    base: dict[str, Any] = {"task": "style_transfer", "styles": [{"image": "b.png"}], "model": str(model), **fields}
    if base["task"] in ("style_transfer", "appearance_transfer"):
        base.setdefault("content", "a.png")
    return parse_job(base, Path("/pictures"))


def test_the_schedulers_are_those_of_the_engine() -> None:
    assert SCHEDULERS == ENGINE_SCHEDULERS
    assert FLOW_SCHEDULER == ENGINE_FLOW


@pytest.mark.parametrize("family", FAMILIES)
def test_layers_are_numbered_as_the_engine_numbers_them(models: dict[Family, Path], family: Family) -> None:
    model = find_model(str(models[family]))
    parts = load_parts(model, device=torch.device("cpu"), dtype=torch.float32)
    backbone = Flux(parts) if family is Family.FLUX else StableDiffusion(parts)
    assert layer_count(model) == len(backbone.layer_names)
    assert set(layer_numbers(default_layers(model))) <= set(range(layer_count(model)))
    last = layer_count(model) - 1
    check_layers(f"0-{last}", model)
    with pytest.raises(JobError, match=f"layers: must be from 0 to {last}"):
        check_layers(f"{last}-{last + 1}", model)


@pytest.mark.parametrize(("text", "numbers"), [("3", (3,)), ("5-7,1", (1, 5, 6, 7)), ("2,2", (2,))])
def test_layers_are_spelt_as_numbers_and_ranges(text: str, numbers: tuple[int, ...]) -> None:
    assert layer_numbers(text) == numbers


def test_a_range_that_runs_down_is_refused() -> None:
    with pytest.raises(JobError, match="layers: must be numbers and ascending ranges"):
        layer_numbers("9-3")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("task", list(Task))
def test_a_resolved_job_is_concrete_and_resolves_to_itself(
    models: dict[Family, Path], task: Task, family: Family
) -> None:
    resolved = resolve(job(models[family], task=task.value), (300, 200) if "transfer" in task else None, (90, 60))
    for name in ("width", "height", "method", "num_inference_steps", "iterations", "learning_rate", "layers"):
        assert getattr(resolved, name) is not None
    assert resolved.model_digest is not None
    assert (resolved.content_weight is None) == ("transfer" not in task)
    again = parse_job(resolved.model_dump(mode="json", exclude_none=True), Path("/"))
    assert resolve(again, None, (90, 60)) == again


def test_the_papers_settings(models: dict[Family, Path]) -> None:
    def values(family: Family, task: Task, method: Method | None = None) -> tuple[Any, ...]:
        found = diffusion_values(task, find_model(str(models[family])), method=method)
        names = "method", "num_inference_steps", "iterations", "learning_rate", "guidance_scale", "adain"
        return tuple(found.get(name) for name in names)

    assert values(Family.SD15, Task.STYLE_TRANSFER) == (Method.OPTIMIZE, 200, 1, 0.05, None, None)
    assert values(Family.SD15, Task.TEXTURE) == (Method.OPTIMIZE, 300, 1, 0.05, None, None)
    assert values(Family.SD15, Task.TEXTURE, Method.SAMPLE) == (Method.SAMPLE, 50, 3, 0.05, 1, False)
    assert values(Family.SD15, Task.TEXTURE, Method.MULTIDIFFUSION) == (Method.MULTIDIFFUSION, 50, 2, 0.05, 1, False)
    assert values(Family.SD15, Task.TEXT_TO_IMAGE) == (Method.SAMPLE, 50, 3, 0.015, 7.5, True)
    assert values(Family.SDXL, Task.TEXT_TO_IMAGE) == (Method.SAMPLE, 50, 2, 0.015, 7, True)
    assert values(Family.FLUX, Task.TEXT_TO_IMAGE) == (Method.SAMPLE, 50, 2, 0.01, 3.5, True)


@pytest.mark.parametrize(
    ("family", "name", "layers", "count"),
    [
        (Family.SD15, "sd15", "10-15", 16),
        (Family.SD2, "sd2", "10-15", 16),
        (Family.SDXL, "sdxl", "64-69", 70),
        (Family.FLUX, "flux_dev", "50-56", 57),
    ],
)
def test_the_published_models_have_the_papers_layers(
    models: dict[Family, Path], family: Family, name: str, layers: str, count: int
) -> None:
    tiny = find_model(str(models[family]))
    role = FACTS[family].denoiser
    full = replace(tiny.components[role], config=shipped_config(name, role))
    model = replace(tiny, components={**tiny.components, role: full})
    assert (default_layers(model), layer_count(model)) == (layers, count)


@pytest.mark.parametrize(
    ("fields", "size", "expected"),
    [
        ({}, (300, 200), (80, 56)),  # about 64 × 64, the tiny model's own area
        ({"width": 51}, (300, 200), (51, 34)),
        ({"height": 51}, (300, 200), (76, 51)),
        ({"width": 8192, "height": 8}, (300, 200), (8192, 8)),
        ({}, (8000, 1), (256, 8)),
    ],
)
def test_sizes(models: dict[Family, Path], fields: dict[str, Any], size: Any, expected: Any) -> None:
    resolved = resolve(job(models[Family.SD15], **fields), size, (10, 10))
    assert (resolved.width, resolved.height) == expected


def test_a_side_beyond_the_largest_is_refused(models: dict[Family, Path]) -> None:
    with pytest.raises(JobError, match=r"^height: must be at most 8192, got 12000"):
        resolve(job(models[Family.SD15], width=4000), (100, 300), (10, 10))


@pytest.mark.parametrize(
    ("family", "fields", "name"),
    [
        (Family.FLUX, {"seamless": "x"}, "seamless"),
        (Family.FLUX, {"task": "text_to_image", "negative_prompt": "rain"}, "negative_prompt"),
        (Family.FLUX, {"scheduler": "ddim"}, "scheduler"),
        (Family.SD15, {"scheduler": "flow_euler"}, "scheduler"),
        (Family.SD15, {"task": "text_to_image", "method": "optimize"}, "method"),
        (Family.SD15, {"guidance_scale": 3}, "guidance_scale"),
        (Family.SD15, {"adain": True}, "adain"),
        (Family.SD15, {"start_time": 500}, "start_time"),
        (Family.SD15, {"denoising_strength": 0.5}, "denoising_strength"),
        (Family.SD15, {"task": "texture", "method": "sample", "denoising_strength": 0.5}, "denoising_strength"),
        (Family.SD15, {"coverage": 0.1}, "coverage"),
        (Family.SD15, {"layers": "0-99"}, "layers"),
        (Family.SD15, {"model_digest": "0" * 64}, "model"),
    ],
)
def test_what_a_model_cannot_do_is_refused_by_name(
    models: dict[Family, Path], family: Family, fields: dict[str, Any], name: str
) -> None:
    with pytest.raises(JobError, match=f"^{name}: "):
        resolve(job(models[family], **fields), (8, 8), (8, 8))


def test_words_without_a_vocabulary_are_refused_before_the_run(models: dict[Family, Path]) -> None:
    with pytest.raises(UnavailableError, match=r"^prompt: the words .* are not on this machine"):
        resolve(job(models[Family.SD15], task="text_to_image", prompt="a cat"), None, (8, 8))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("task", list(Task))
def test_parameters_are_fields_whose_limits_the_job_accepts(
    models: dict[Family, Path], task: Task, family: Family
) -> None:
    parameters = parameters_for(task, str(models[family]))
    content = {} if task is Task.TEXTURE else {"content": "a.png"}
    for one in parameters:
        assert one.label
        for value in (one.minimum, one.maximum, one.slider_minimum, one.slider_maximum, one.default, *one.choices):
            if value is not None:
                assert getattr(job(models[family], task=task.value, **content, **{one.name: value}), one.name) == value
    names = {one.name for one in parameters}
    assert "coverage" not in names
    assert ("prompt" in names) == (task is Task.TEXT_TO_IMAGE)
    assert {"num_inference_steps", "iterations", "learning_rate", "layers", "scheduler"} <= names
    assert ("seamless" in names) == (family is not Family.FLUX)
    kinds = {one.name: one.kind for one in parameters}
    assert kinds["scheduler"] is ParameterKind.CHOICE
    assert kinds["layers"] is ParameterKind.TEXT


def test_parameters_follow_a_name_to_the_model_it_means_now(tmp_path: Path) -> None:
    def has_negative_prompt() -> bool:
        return "negative_prompt" in {one.name for one in parameters_for(Task.TEXT_TO_IMAGE, "painter")}

    first = write_folder(tiny_model(Family.SD15), tmp_path / "first")
    other = write_folder(tiny_model(Family.FLUX), tmp_path / "other")
    add_to_library(first, name="painter")
    assert has_negative_prompt()
    remove_from_library("painter")
    add_to_library(other, name="painter")
    assert not has_negative_prompt()
    shutil.rmtree(other)
    assert not has_negative_prompt()  # its drive is away
    write_folder(tiny_model(Family.SDXL), other)
    assert has_negative_prompt()


def test_paths_of_models_do_not_lead_through_the_folder_of_the_job(tmp_path: Path) -> None:
    fields = {
        "task": "text_to_image",
        "styles": [{"image": "../b.png"}],
        "model": "../model",
        "loras": [{"path": "../ink.safetensors"}],
        "control": {"image": "../c.png", "kind": "pose", "model": "../control"},
    }
    found = parse_job(fields, tmp_path / "gone")
    assert found.model == str(tmp_path / "model")
    assert found.loras[0].path == tmp_path / "ink.safetensors"
    assert found.control is not None and found.control.model == str(tmp_path / "control")


def test_large_canvases_are_made_window_by_window(models: dict[Family, Path]) -> None:
    model = find_model(str(models[Family.SD15]))
    default = diffusion_defaults.default_method
    assert default(Task.STYLE_TRANSFER, model, (800, 800)) is Method.OPTIMIZE  # in windows of its own
    assert default(Task.TEXT_TO_IMAGE, model, (128, 128)) is Method.SAMPLE
    assert default(Task.TEXT_TO_IMAGE, model, (129, 128)) is Method.MULTIDIFFUSION
    assert default(Task.TEXTURE, model, (83, 80)) is Method.MULTIDIFFUSION
    assert default(Task.TEXTURE, model, (80, 80)) is Method.OPTIMIZE
    large = diffusion_defaults.is_large
    assert [large(family, 64, (129, 128)) for family in (Family.SD15, Family.SD2)] == [True, True]
    assert [large(Family.SD15, 64, (128, 128)), large(Family.SDXL, 64, (83, 80)), large(Family.FLUX, 64, (80, 80))] == [
        False,
        True,
        False,
    ]


def test_fp16_on_the_cpu_is_beyond_the_machine_however_the_cpu_was_chosen(models: dict[Family, Path]) -> None:
    with pytest.raises(UnavailableError) as before:
        resolve(job(models[Family.SD15], precision="fp16", device="cpu"), (8, 8), (8, 8))
    with pytest.raises(UnavailableError) as later:
        choose_dtype(Precision.FP16, torch.device("cpu"), Family.SD15)
    assert str(before.value) == str(later.value)
    assert str(before.value).startswith("precision: fp16 is for graphics cards")

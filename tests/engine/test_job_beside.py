"""LoRA files and ControlNets by their names in the library, held to be those a job was made with; kept in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from adstudio.cli import main
from adstudio.engine.control import load_control
from adstudio.engine.diffusion import loaded
from adstudio.engine.runner import StudioEngine
from adstudio.errors import JobError, UnavailableError
from adstudio.jobs.host import RunRequest
from adstudio.models.digest import whole_digest
from adstudio.models.families import Family
from adstudio.models.library import add_to_library, load_library
from adstudio.models.library_file import Kind
from adstudio.paths import library_path
from tests.engine.diffusion_studio import DiffusionStudio
from tests.engine.test_control import HINT, tiny_control, write_control
from tests.engine.test_job_loras import NAME, write_lora
from tests.engine.tiny_models import tiny_model

JOB: dict[str, Any] = {"task": "texture", "width": 48, "height": 48, "num_inference_steps": 2}


@pytest.fixture
def diffusion(tmp_path: Path) -> DiffusionStudio:
    return DiffusionStudio(tmp_path, tmp_path / "models", StudioEngine(threads=1))


@pytest.fixture
def ink(diffusion: DiffusionStudio, tmp_path: Path) -> Path:
    """A LoRA file in the library, as "ink"."""
    path = tmp_path / "loras" / "ink.safetensors"
    path.parent.mkdir()
    unet = Path(diffusion.model(Family.SD15)) / "unet" / "diffusion_pytorch_model.safetensors"
    write_lora(path, f"lora_unet_{NAME.replace('.', '_')}", unet)
    add_to_library(path)
    return path


@pytest.fixture
def edges(tmp_path: Path) -> Path:
    """A ControlNet in the library, as "edges"."""
    made = write_control(
        tiny_control(tiny_model(Family.SD15).parts["unet"], hint=HINT), tmp_path / "controls" / "edges"
    )
    add_to_library(made)
    return made


def written(request: RunRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((request.folder / "job.json").read_text())
    return found


def change(path: Path) -> None:
    tensors = {name: tensor * 1.5 for name, tensor in load_file(path).items()}
    save_file(tensors, path)


def test_a_lora_by_its_name_is_the_file(diffusion: DiffusionStudio, ink: Path) -> None:
    named = diffusion.run(**JOB, loras=[{"path": "ink", "weight": 0.5}])
    by_path = diffusion.run(**JOB, loras=[{"path": str(ink), "weight": 0.5}])
    assert np.array_equal(named.picture, by_path.picture)
    assert written(named.request)["loras"] == [{"path": "ink", "weight": 0.5, "digest": whole_digest(ink)}]


def test_a_file_beside_the_job_goes_before_a_name(diffusion: DiffusionStudio, ink: Path, tmp_path: Path) -> None:
    (tmp_path / "ink").mkdir()
    with pytest.raises(JobError, match=r"^loras\.0\.path: "):
        diffusion.request(**JOB, loras=[{"path": "ink"}])


@pytest.mark.parametrize("name", ["ink", "path"])
def test_a_changed_lora_is_refused_when_a_run_goes_on(diffusion: DiffusionStudio, ink: Path, name: str) -> None:
    request = diffusion.request(**JOB, loras=[{"path": name if name == "ink" else str(ink)}])
    diffusion.resume(request)
    change(ink)
    with pytest.raises(JobError, match=r"^loras\.0\.path: .*ink.* is another one .* leave loras\.0\.digest out"):
        diffusion.resume(request)


def test_a_changed_controlnet_is_refused_when_a_run_goes_on(diffusion: DiffusionStudio, edges: Path) -> None:
    control = {"image": "content.png", "kind": "canny", "model": "edges"}
    request = diffusion.request(num_inference_steps=2, control=control)
    assert written(request)["control"]["model"] == "edges"
    assert len(written(request)["control"]["model_digest"]) == 64
    assert written(request)["method"] == "sample"
    change(edges / "diffusion_pytorch_model.safetensors")
    with pytest.raises(JobError, match=r"^control\.model: edges is another one .* leave control\.model_digest out"):
        diffusion.resume(request)


def test_names_that_are_nowhere_or_of_another_kind(diffusion: DiffusionStudio, ink: Path, edges: Path) -> None:
    with pytest.raises(UnavailableError, match=r'^loras\.0\.path: no LoRA named "oil" .*Diffusion 1\.5: ink\.'):
        diffusion.request(**JOB, loras=[{"path": "oil"}])
    with pytest.raises(JobError, match=r'^loras\.0\.path: "edges" is a ControlNet and no LoRA'):
        diffusion.request(**JOB, loras=[{"path": "edges"}])
    control = {"image": "content.png", "kind": "canny"}
    with pytest.raises(UnavailableError, match=r'^control\.model: no ControlNet named "lines" .*: edges\.'):
        diffusion.request(control=control | {"model": "lines"})
    with pytest.raises(JobError, match=r'^control\.model: "ink" is a LoRA and no ControlNet'):
        diffusion.request(control=control | {"model": "ink"})
    with pytest.raises(JobError, match=r'^model: "edges" is a ControlNet'):
        diffusion.request(model="edges")
    ink.unlink()
    with pytest.raises(UnavailableError, match=r'^loras\.0\.path: "ink" is offline'):
        diffusion.request(**JOB, loras=[{"path": "ink"}])


def test_the_controlnet_stays_in_memory_until_it_changes_or_memory_is_short(
    diffusion: DiffusionStudio, edges: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    own = load_control

    def counted(control: Any, **place: Any) -> Any:
        reads.append(control.name)
        return own(control, **place)

    monkeypatch.setattr(loaded, "load_control", counted)
    fields: dict[str, Any] = {"num_inference_steps": 2, "iterations": 1}
    fields["control"] = {"image": "content.png", "kind": "canny", "model": "edges"}
    first = diffusion.run(**fields)
    assert np.array_equal(diffusion.run(**fields).picture, first.picture)
    assert reads == ["edges"]
    change(edges / "diffusion_pytorch_model.safetensors")
    assert not np.array_equal(diffusion.run(**fields).picture, first.picture)
    assert len(reads) == 2
    diffusion.engine._diffusion_engine()._keeper.free()
    diffusion.run(**fields)
    assert len(reads) == 3


def test_controlnets_are_found_in_folders_and_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = tiny_control(tiny_model(Family.SDXL).parts["unet"])
    folder = write_control(theirs, tmp_path / "drive" / "depth")
    file = tmp_path / "drive" / "lines.safetensors"
    save_file({name: tensor.contiguous().clone() for name, tensor in theirs.state_dict().items()}, file)
    file.with_suffix(".json").write_text((folder / "config.json").read_text())
    added = add_to_library(tmp_path / "drive")
    assert sorted((one.name, one.kind, one.family) for one in added) == [
        ("depth", Kind.CONTROL, Family.SDXL),
        ("lines", Kind.CONTROL, Family.SDXL),
    ]
    assert all(one.control is not None and one.control.name == one.name for one in added)
    assert main(["models", "list"]) == 0
    assert "depth: ControlNet for Stable Diffusion XL, " in capsys.readouterr().out
    assert main(["models", "inspect", "lines"]) == 0
    assert f"{file}: ControlNet for Stable Diffusion XL" in capsys.readouterr().out


def test_a_list_written_before_there_were_kinds_is_read(ink: Path) -> None:
    written = json.loads(library_path().read_text())
    for one in written["models"]:
        one["is_lora"] = one.pop("kind") == "lora"
    library_path().write_text(json.dumps(written))
    (entry,) = load_library().entries
    assert (entry.name, entry.kind) == ("ink", Kind.LORA)


def test_a_damaged_file_that_is_no_controlnet_any_more_says_so(edges: Path) -> None:
    torch.save({}, edges / "diffusion_pytorch_model.safetensors")
    (entry,) = load_library().entries
    assert entry.kind is Kind.CONTROL and entry.control is None
    assert "edges" in entry.problem

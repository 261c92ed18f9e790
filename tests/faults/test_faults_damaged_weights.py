"""Faults 17 and 21: weights that are no numbers, or whose answers are none; the message names the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from adstudio.engine.backbones.base import Guidance
from adstudio.engine.backbones.loading import load_parts
from adstudio.engine.diffusion.loaded import Loaded
from adstudio.engine.diffusion.not_finite import reason_of
from adstudio.engine.runner import StudioEngine
from adstudio.errors import EngineError
from adstudio.jobs.spec import Job
from adstudio.models.families import Family
from adstudio.models.inspect import inspect_model
from tests.engine.diffusion_studio import DiffusionStudio
from tests.engine.test_control import HINT, tiny_control, write_control
from tests.engine.tiny_models import tiny_model, write_folder

UNET = "unet/diffusion_pytorch_model.safetensors"
VAE = "vae/diffusion_pytorch_model.safetensors"
NAME = "conv_in.weight"


@pytest.fixture
def diffusion(tmp_path: Path) -> DiffusionStudio:
    return DiffusionStudio(tmp_path, tmp_path / "models", StudioEngine(threads=1))


def spoil(file: Path, name: str, factor: float) -> None:
    tensors = load_file(file)
    tensors[name] = tensors[name] * factor
    save_file(tensors, file)


@pytest.mark.parametrize(
    ("file", "name", "factor", "words"),
    [
        (UNET, NAME, float("nan"), "weights of its network are none"),
        (VAE, "encoder.conv_in.weight", float("nan"), "weights of its VAE are none"),
        (VAE, "decoder.conv_in.weight", float("inf"), "weights of its VAE are none"),
        (UNET, NAME, 1e38, "from the first step on"),
    ],
)
@pytest.mark.parametrize("method", ["optimize", "sample"])
def test_fault_21_a_model_of_no_numbers_is_named_as_damaged(
    tmp_path: Path, diffusion: DiffusionStudio, file: str, name: str, factor: float, words: str, method: str
) -> None:
    model = write_folder(tiny_model(Family.SD15), tmp_path / "broken")
    spoil(model / file, name, factor)
    with pytest.raises(EngineError) as found:
        diffusion.run(model=str(model), task="texture", method=method, width=64, height=64)
    assert words in str(found.value)
    assert f"the file of {model} is damaged" in str(found.value)
    assert "learning_rate" not in str(found.value)


def test_fault_21_a_controlnet_of_no_numbers_is_named_as_damaged(tmp_path: Path, diffusion: DiffusionStudio) -> None:
    control = write_control(tiny_control(tiny_model(Family.SD15).parts["unet"], hint=HINT), tmp_path / "control")
    spoil(control / "diffusion_pytorch_model.safetensors", NAME, float("nan"))
    fields: dict[str, Any] = {"image": "content.png", "kind": "canny", "model": str(control)}
    with pytest.raises(EngineError, match=r"weights of the ControlNet .*control are none; the file is damaged"):
        diffusion.run(control=fields)


@pytest.mark.parametrize(
    ("dtype", "words"),
    [(torch.float16, "left the range of 16 bit numbers with painter"), (torch.float32, "a lower learning_rate")],
)
def test_sound_weights_lead_to_precision_or_learning_rate(tmp_path: Path, dtype: torch.dtype, words: str) -> None:
    model = inspect_model(write_folder(tiny_model(Family.SD15), tmp_path / "painter"))
    parts = load_parts(model, device=torch.device("cpu"), dtype=dtype)
    job = Job.model_validate({"task": "texture", "model": "painter", "styles": [{"image": "a.png"}]})
    loaded, guidance = Loaded(key="", parts=parts), Guidance(positive=parts.empty_prompt)
    said = reason_of(job, loaded, guidance, where="computing step 7", from_the_start=False)
    assert said.startswith("computing step 7 gave values that are no numbers")
    assert words in said and "damaged" not in said

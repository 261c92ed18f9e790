"""LoRA files named in a job: merged into the model for that job alone, and refused by field where they do not fit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from adstudio.engine.runner import StudioEngine
from adstudio.errors import JobError
from adstudio.jobs.files import apply_settings, parse_job
from adstudio.models.digest import whole_digest
from adstudio.models.families import Family
from tests.engine.diffusion_studio import DiffusionStudio
from tests.engine.studio import Outcome

NAME = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
ENCODER = "text_model.encoder.layers.0.self_attn.q_proj"
JOB: dict[str, Any] = {"task": "texture", "width": 48, "height": 48}


@pytest.fixture
def diffusion(tmp_path: Path, engine: StudioEngine) -> DiffusionStudio:
    return DiffusionStudio(tmp_path, tmp_path / "models", engine)


def write_lora(path: Path, module: str, weights: Path) -> None:
    """A LoRA of rank 2 for one module (kohya's name) whose weight has the shape of that in a file."""
    weight = load_file(weights)[f"{NAME if 'unet' in module else ENCODER}.weight"]
    random = torch.Generator().manual_seed(1)
    down = torch.randn((2, weight.shape[1]), generator=random)
    up = torch.randn((weight.shape[0], 2), generator=random)
    save_file({f"{module}.lora_down.weight": down, f"{module}.lora_up.weight": up}, path)


def test_a_run_with_a_lora_is_one_of_the_merged_model_and_leaves_no_trace(diffusion: DiffusionStudio) -> None:
    folder = diffusion.folder
    model = Path(diffusion.model(Family.SD15))
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    write_lora(folder / "ink.safetensors", f"lora_unet_{NAME.replace('.', '_')}", weights)
    merged = Path(shutil.copytree(model, folder / "merged"))
    changed, ink = load_file(weights), load_file(folder / "ink.safetensors")
    product = next(t for n, t in ink.items() if "up" in n.split(".")[1]) @ next(
        t for n, t in ink.items() if "down" in n.split(".")[1]
    )
    changed[f"{NAME}.weight"] += 0.5 * product
    save_file(changed, merged / weights.relative_to(model))

    def run(**fields: Any) -> Outcome:
        return diffusion.run(**{**JOB, **fields})

    before = run()
    with_ink = run(loras=[{"path": "ink.safetensors", "weight": 0.5}])
    more = run(loras=[{"path": "ink.safetensors"}])
    assert not np.array_equal(before.picture, with_ink.picture)
    assert not np.array_equal(more.picture, with_ink.picture)
    np.testing.assert_allclose(run(model=str(merged)).picture, with_ink.picture, atol=1)
    assert np.array_equal(before.picture, run().picture)
    written = json.loads((with_ink.request.folder / "job.json").read_text())
    ink_file = folder / "ink.safetensors"
    assert written["loras"] == [{"path": ink_file.as_posix(), "weight": 0.5, "digest": whole_digest(ink_file)}]


def test_a_lora_changes_what_words_mean(diffusion: DiffusionStudio) -> None:
    encoder = Path(diffusion.model(Family.SD15)) / "text_encoder" / "model.safetensors"
    write_lora(diffusion.folder / "words.safetensors", f"lora_te_{ENCODER.replace('.', '_')}", encoder)
    job = {**JOB, "task": "text_to_image", "prompt": "a b c", "guidance_scale": 8}
    plain = diffusion.run(**job)
    changed = diffusion.run(**job, loras=[{"path": "words.safetensors", "weight": 4}])
    assert not np.array_equal(plain.picture, changed.picture)


def test_loras_that_do_not_fit_are_refused_by_field(diffusion: DiffusionStudio) -> None:
    folder = diffusion.folder
    with pytest.raises(JobError, match=r"^loras: the patch model has no such setting"):
        diffusion.request(**JOB, model="patch", loras=[{"path": "ink.safetensors"}])
    with pytest.raises(JobError, match=r"^loras\.0\.path: .*gone\.safetensors"):
        diffusion.request(**JOB, loras=[{"path": "gone.safetensors"}])
    (folder / "torn.safetensors").write_bytes(b"no header")
    with pytest.raises(JobError, match=r"^loras\.0\.path: .*torn\.safetensors"):
        diffusion.request(**JOB, loras=[{"path": "torn.safetensors"}])
    weights = {"lora_unet_x_attn2_to_k.lora_down.weight": torch.zeros(4, 2048)}
    save_file(weights, folder / "xl.safetensors")
    with pytest.raises(JobError, match=r"^loras\.0\.path: .*xl\.safetensors is for .*XL"):
        diffusion.request(**JOB, loras=[{"path": "xl.safetensors"}])


def test_loras_are_checked_and_set_as_other_fields(tmp_path: Path) -> None:
    job = {"task": "texture", "styles": [{"image": "a.png"}], "model": "painter"}
    set_to = parse_job(apply_settings(job, ["loras.0.path=ink.safetensors", "loras.0.weight=-0.5"]), tmp_path)
    assert (set_to.loras[0].path, set_to.loras[0].weight) == (tmp_path / "ink.safetensors", -0.5)
    for wrong, message in (
        ([{"path": "a", "weight": 5}], r"^loras\.0\.weight: must be at least -4"),
        ([{"weight": 1}], r"^loras\.0\.path: must be given"),
        ([{"path": "a", "wieght": 1}], r"^loras\.0\.wieght: unknown field; did you mean weight"),
        ([{"path": "a"}] * 9, r"^loras: must be a list of at most 8"),
    ):
        with pytest.raises(JobError, match=message):
            parse_job({**job, "loras": wrong}, tmp_path)

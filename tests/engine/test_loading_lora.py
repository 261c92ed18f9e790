"""LoRA files under all the names in use change exactly the weights they mean, by weight · alpha / rank · up · down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from adstudio.engine.backbones.loading import load_parts
from adstudio.errors import ModelError
from adstudio.models.description import ModelDescription
from adstudio.models.families import Family, Role
from adstudio.models.inspect import inspect_model
from adstudio.models.lora import Lora
from tests.engine.original_layout import flux_tensors
from tests.engine.tiny_models import tiny_model, write_folder

CPU = torch.device("cpu")
ATTENTION = "down_blocks.1.attentions.0.transformer_blocks.1.attn1.to_q"
SD_ATTENTION = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
CONVOLUTION = "down_blocks.0.resnets.0.conv1"


def random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def loaded(model: ModelDescription, path: Path, weight: float = 0.5) -> dict[str, Tensor]:
    denoiser: Any = load_parts(model, device=CPU, dtype=torch.float32, loras=[Lora(path=path, weight=weight)]).denoiser
    weights: dict[str, Tensor] = denoiser.state_dict()
    return weights


def kohya(name: str) -> str:
    return f"lora_unet_{name.replace('.', '_')}"


SPELLINGS: dict[str, tuple[Family, str, Callable[[Tensor, Tensor], dict[str, Tensor]]]] = {
    "kohya": (
        Family.SD15,
        SD_ATTENTION,
        lambda down, up: {
            f"{kohya(SD_ATTENTION)}.lora_down.weight": down,
            f"{kohya(SD_ATTENTION)}.lora_up.weight": up,
            f"{kohya(SD_ATTENTION)}.alpha": torch.tensor(4.0),
        },
    ),
    "peft": (
        Family.SD15,
        SD_ATTENTION,
        lambda down, up: {
            f"unet.{SD_ATTENTION}.lora_A.weight": 2 * down,
            f"unet.{SD_ATTENTION}.lora_B.weight": up,
        },
    ),
    "early diffusers": (
        Family.SD15,
        SD_ATTENTION,
        lambda down, up: {
            f"unet.{SD_ATTENTION.replace('to_q', 'processor.to_q_lora')}.down.weight": 2 * down,
            f"unet.{SD_ATTENTION.replace('to_q', 'processor.to_q_lora')}.up.weight": up,
        },
    ),
    "first publishers' numbers": (
        Family.SDXL,
        ATTENTION,
        lambda down, up: {
            "lora_unet_input_blocks_4_1_transformer_blocks_1_attn1_to_q.lora_down.weight": 2 * down,
            "lora_unet_input_blocks_4_1_transformer_blocks_1_attn1_to_q.lora_up.weight": up,
        },
    ),
}


@pytest.mark.parametrize("spelling", list(SPELLINGS))
def test_one_weight_changes_and_no_other(spelling: str, tmp_path: Path) -> None:
    family, name, spell = SPELLINGS[spelling]
    tiny = tiny_model(family)
    model = inspect_model(write_folder(tiny, tmp_path / "model"))
    before = tiny.parts["unet"].state_dict()
    weight = before[f"{name}.weight"]
    down, up = random(2, weight.shape[1]), random(weight.shape[0], 2)
    save_file(spell(down, up), tmp_path / "change.safetensors")
    after = loaded(model, tmp_path / "change.safetensors")
    expected = weight + 0.5 * (4.0 / 2) * (up @ down)
    torch.testing.assert_close(after[f"{name}.weight"], expected)
    assert all(torch.equal(after[other], before[other]) for other in before if other != f"{name}.weight")


def test_convolutions_change_too(tmp_path: Path) -> None:
    tiny = tiny_model(Family.SD15)
    model = inspect_model(write_folder(tiny, tmp_path / "model"))
    weight = tiny.parts["unet"].state_dict()[f"{CONVOLUTION}.weight"]
    down, up = random(3, *weight.shape[1:]), random(weight.shape[0], 3, 1, 1)
    path = tmp_path / "change.safetensors"
    save_file({f"{kohya(CONVOLUTION)}.lora_down.weight": down, f"{kohya(CONVOLUTION)}.lora_up.weight": up}, path)
    expected = weight + torch.einsum("or,rikl->oikl", up[:, :, 0, 0], down)
    torch.testing.assert_close(loaded(model, path, weight=1.0)[f"{CONVOLUTION}.weight"], expected)


def test_fused_projections_of_flux_go_to_the_right_rows(tmp_path: Path) -> None:
    tiny = tiny_model(Family.FLUX)
    model = inspect_model(write_folder(tiny, tmp_path / "model"))
    original = flux_tensors(tiny.tensors("transformer"))
    changes, expected = {}, dict(original)
    for module in ("double_blocks.1.txt_attn.qkv", "single_blocks.2.linear1", "double_blocks.0.img_mlp.2"):
        weight = original[f"{module}.weight"]
        down, up = random(2, weight.shape[1]), random(weight.shape[0], 2)
        changes[f"{kohya(module)}.lora_down.weight"], changes[f"{kohya(module)}.lora_up.weight"] = down, up
        expected[f"{module}.weight"] = weight + up @ down
    save_file(changes, tmp_path / "change.safetensors")
    after = flux_tensors(loaded(model, tmp_path / "change.safetensors", weight=1.0))
    assert set(after) == set(expected)
    for name, tensor in expected.items():
        torch.testing.assert_close(after[name], tensor)


def test_a_changed_text_encoder_has_an_empty_prompt_of_its_own(tmp_path: Path) -> None:
    tiny = tiny_model(Family.SDXL)
    model = inspect_model(write_folder(tiny, tmp_path / "model"))
    down, up = random(2, 16), random(16, 2)
    path = tmp_path / "change.safetensors"
    save_file(
        {
            "lora_te2_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight": down,
            "lora_te2_text_model_encoder_layers_0_self_attn_q_proj.lora_up.weight": up,
            "lora_te1_text_model_encoder_layers_1_mlp_fc1.lora_down.weight": down.clone(),
            "lora_te1_text_model_encoder_layers_1_mlp_fc1.lora_up.weight": random(24, 2),
        },
        path,
    )
    plain = load_parts(model, device=CPU, dtype=torch.float32).empty_prompt
    changed = load_parts(model, device=CPU, dtype=torch.float32, loras=[Lora(path=path)]).empty_prompt
    again = load_parts(model, device=CPU, dtype=torch.float32, loras=[Lora(path=path)]).empty_prompt
    # The first encoder's second and last layer is not part of what SDXL reads.
    assert torch.equal(plain.tokens[..., :16], changed.tokens[..., :16])
    assert not torch.equal(plain.tokens[..., 16:], changed.tokens[..., 16:])
    assert torch.equal(changed.tokens, again.tokens)
    none = load_parts(model, device=CPU, dtype=torch.float32, loras=[Lora(path=path, weight=0)]).empty_prompt
    assert torch.equal(plain.tokens, none.tokens)


def test_a_lora_of_another_family_is_refused(tmp_path: Path) -> None:
    model = inspect_model(write_folder(tiny_model(Family.SD15), tmp_path / "model"))
    path = tmp_path / "change.safetensors"
    name = kohya("down_blocks.7.attentions.0.transformer_blocks.0.attn1.to_q")
    save_file({f"{name}.lora_down.weight": random(2, 8), f"{name}.lora_up.weight": random(8, 2)}, path)
    with pytest.raises(ModelError, match=r"change\.safetensors: changes 1 parts that this model does not have"):
        loaded(model, path)
    name = kohya(SD_ATTENTION)
    save_file({f"{name}.lora_down.weight": random(2, 99), f"{name}.lora_up.weight": random(8, 2)}, path)
    with pytest.raises(ModelError, match=r"change\.safetensors: changes .* for another family"):
        loaded(model, path)
    with pytest.raises(ModelError, match="is not a LoRA"):
        loaded(model, tmp_path / "model" / Role.UNET.value / "diffusion_pytorch_model.safetensors")

"""Tiny models with random weights in the real file formats, made by the tests that need them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel

from adstudio.models.families import Family
from tests.engine.original_layout import clip_names, flux_tensors, open_clip_tensors, unet_tensors, vae_tensors

VOCABULARY = 40
DDIM = {
    "_class_name": "DDIMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
FLOW = {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 3.0}
PIPELINES = {
    Family.SD15: "StableDiffusionPipeline",
    Family.SD2: "StableDiffusionPipeline",
    Family.SDXL: "StableDiffusionXLPipeline",
    Family.FLUX: "FluxPipeline",
}
Tensors = dict[str, Tensor]
_DIFFUSERS: Any = diffusers  # without types of its own


@dataclass
class TinyModel:
    """The parts of one tiny model by role, with their configs as they stand in the files."""

    family: Family
    parts: dict[str, nn.Module]
    configs: dict[str, dict[str, Any]]
    scheduler: dict[str, Any] = field(default_factory=dict)

    def tensors(self, role: str) -> Tensors:
        """Weights of a part with today's names, but the T5 embedding only once, as it is stored."""
        return {
            name: tensor.clone()
            for name, tensor in self.parts[role].state_dict().items()
            if name != "encoder.embed_tokens.weight"
        }


@cache
def tiny_model(family: Family) -> TinyModel:
    """The one tiny model of a family; its weights depend on nothing but the family."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(len(family) + ord(family[-1]))
        parts = _parts(family)
        for part in parts.values():
            part.requires_grad_(False).eval()
            for parameter in part.parameters():
                if parameter.ndim < 2:  # nothing is zero or one by accident
                    parameter.add_(0.1 * torch.randn_like(parameter))
    configs = {role: _config(part) for role, part in parts.items()}
    return TinyModel(family, parts, configs, dict(FLOW if family is Family.FLUX else DDIM))


def _config(part: nn.Module) -> dict[str, Any]:
    config: Any = part.config
    mapping: dict[str, Any] = json.loads(config.to_json_string()) if hasattr(config, "to_json_string") else dict(config)
    mapping = {name: value for name, value in mapping.items() if not name.startswith("_name")}
    if not hasattr(config, "to_json_string"):
        mapping = {"_class_name": type(part).__name__, **mapping}
    mapping.setdefault("architectures", [type(part).__name__])
    return json.loads(json.dumps(mapping))  # type: ignore[no-any-return]


def _parts(family: Family) -> dict[str, nn.Module]:
    if family is Family.FLUX:
        return {
            "transformer": _DIFFUSERS.FluxTransformer2DModel(
                in_channels=64,
                num_layers=2,
                num_single_layers=3,
                attention_head_dim=8,
                num_attention_heads=2,
                joint_attention_dim=12,
                pooled_projection_dim=16,
                guidance_embeds=True,
                axes_dims_rope=(2, 2, 4),
            ),
            "vae": _vae(16, quant=False),
            "text_encoder": _clip("quick_gelu", layers=2),
            "text_encoder_2": T5EncoderModel(
                T5Config(
                    vocab_size=VOCABULARY,
                    d_model=12,
                    d_kv=6,
                    d_ff=24,
                    num_layers=2,
                    num_heads=2,
                    feed_forward_proj="gated-gelu",
                )
            ),
        }
    sdxl, sd2 = family is Family.SDXL, family is Family.SD2
    first = {"text_encoder": _clip("gelu" if sd2 else "quick_gelu", layers=3 if sd2 else 2)}
    second = {"text_encoder_2": _clip("gelu", layers=3, projected=True)} if sdxl else {}
    return {"unet": _unet(family), "vae": _vae(4, quant=True), **first, **second}


def _unet(family: Family) -> Any:
    shared: dict[str, Any] = {
        "layers_per_block": 2,
        "norm_num_groups": 4,
        "sample_size": 8,
        "in_channels": 4,
        "out_channels": 4,
    }
    if family is Family.SDXL:
        return _DIFFUSERS.UNet2DConditionModel(
            block_out_channels=(8, 16),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2),
            attention_head_dim=(2, 4),
            cross_attention_dim=32,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=4,
            projection_class_embeddings_input_dim=40,
            **shared,
        )
    sd2 = family is Family.SD2
    return _DIFFUSERS.UNet2DConditionModel(
        block_out_channels=(8, 16),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=(2, 4) if sd2 else 2,
        cross_attention_dim=16,
        use_linear_projection=sd2,
        **shared,
    )


def _vae(latent_channels: int, *, quant: bool) -> Any:
    return _DIFFUSERS.AutoencoderKL(
        block_out_channels=(8, 8, 16),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=latent_channels,
        use_quant_conv=quant,
        use_post_quant_conv=quant,
    )


def _clip(activation: str, *, layers: int, projected: bool = False) -> nn.Module:
    config = CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=layers,
        num_attention_heads=2,
        projection_dim=16,
        hidden_act=activation,
        bos_token_id=VOCABULARY - 2,
        eos_token_id=VOCABULARY - 1,
    )
    return CLIPTextModelWithProjection(config) if projected else CLIPTextModel(config)


def write_json(path: Path, mapping: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(mapping, indent=2))


def write_configs(model: TinyModel, folder: Path) -> None:
    """Configs without weights: what a single file of this model needs beside it."""
    for role, config in model.configs.items():
        write_json(folder / role / "config.json", config)
    write_json(folder / "scheduler" / "scheduler_config.json", model.scheduler)


def write_folder(
    model: TinyModel, folder: Path, *, variant: str = "", dtype: torch.dtype = torch.float32, shards: int = 1
) -> Path:
    """A diffusers folder, its text encoders with the names of published files."""
    write_configs(model, folder)
    index: dict[str, Any] = {"_class_name": PIPELINES[model.family], "_diffusers_version": "0.30.0"}
    for role, part in model.parts.items():
        text = role.startswith("text_encoder")
        index[role] = ["transformers" if text else "diffusers", type(part).__name__]
        tensors = {name: tensor.to(dtype).contiguous() for name, tensor in model.tensors(role).items()}
        if type(part) is CLIPTextModel:
            tensors = {f"text_model.{name}": tensor for name, tensor in tensors.items()}
        _write_weights(folder / role, "model" if text else "diffusion_pytorch_model", tensors, variant, shards)
    write_json(folder / "model_index.json", index)
    return folder


def _write_weights(folder: Path, stem: str, tensors: Tensors, variant: str, shards: int) -> None:
    dotted = f".{variant}" if variant else ""
    if shards == 1:
        save_file(tensors, folder / f"{stem}{dotted}.safetensors")
        return
    names = sorted(tensors)
    weight_map: dict[str, str] = {}
    for number in range(shards):
        file = f"{stem}{dotted}-{number + 1:05d}-of-{shards:05d}.safetensors"
        chosen = names[number::shards]
        save_file({name: tensors[name] for name in chosen}, folder / file)
        weight_map |= dict.fromkeys(chosen, file)
    write_json(folder / f"{stem}.safetensors.index{dotted}.json", {"metadata": {}, "weight_map": weight_map})


def write_single_file(
    model: TinyModel, path: Path, *, configs: bool = True, bare: bool = False, dtype: torch.dtype = torch.float32
) -> Path:
    """One file in the first publishers' layout. bare: the denoiser alone and without prefix, as FLUX is published."""
    tensors = original_tensors(model)
    start = "model.diffusion_model."
    if bare:
        tensors = {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
    save_file({name: tensor.to(dtype).contiguous().clone() for name, tensor in tensors.items()}, path)
    if configs:
        write_configs(model, path.with_suffix(".config"))
    return path


def original_tensors(model: TinyModel) -> Tensors:
    """All weights of a model with the names of its first publishers."""
    found: Tensors = {}

    def put(prefix: str, tensors: Mapping[str, Tensor]) -> None:
        found.update({prefix + name: tensor for name, tensor in tensors.items()})

    if model.family is Family.FLUX:
        put("model.diffusion_model.", flux_tensors(model.tensors("transformer")))
        put("vae.", vae_tensors(model.tensors("vae"), levels=3))
        put("text_encoders.clip_l.transformer.", clip_names(model.tensors("text_encoder")))
        put("text_encoders.t5xxl.transformer.", model.tensors("text_encoder_2"))
        return found
    put("model.diffusion_model.", unet_tensors(model.tensors("unet"), levels=2, layers=2))
    put("first_stage_model.", vae_tensors(model.tensors("vae"), levels=3))
    match model.family:
        case Family.SD15:
            put("cond_stage_model.transformer.", clip_names(model.tensors("text_encoder")))
        case Family.SD2:
            put("cond_stage_model.model.", open_clip_tensors(clip_names(model.tensors("text_encoder")), extra_layer=3))
        case Family.SDXL:
            put("conditioner.embedders.0.transformer.", clip_names(model.tensors("text_encoder")))
            put("conditioner.embedders.1.model.", open_clip_tensors(model.tensors("text_encoder_2")))
    return found

"""Tiny models with random weights, made here, as the engine takes them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel, UNet2DConditionModel
from torch import Tensor, nn

from adstudio.engine.backbones.base import Backbone
from adstudio.engine.backbones.flux import Flux
from adstudio.engine.backbones.parts import ModelParts, PromptEmbeddings
from adstudio.engine.backbones.sdxl import StableDiffusionXL
from adstudio.engine.backbones.stable_diffusion import StableDiffusion
from adstudio.models.families import Family

_DDIM = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon",
}
_FLOW = {"shift": 3.0, "use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15}


def backbone(family: Family, **keywords: Any) -> Backbone:
    """A new backbone on a fresh copy of the family's tiny model."""
    parts = tiny_parts(family)
    if family is Family.FLUX:
        return Flux(parts, **keywords)
    return (StableDiffusionXL if family is Family.SDXL else StableDiffusion)(parts, **keywords)


def tiny_parts(family: Family, *, dtype: torch.dtype = torch.float32) -> ModelParts:
    """Networks of a family with a few channels; every call gives new ones with the same weights."""
    torch.manual_seed(7)
    flux = family is Family.FLUX
    denoiser: Any = _flux() if flux else _unet(family)
    vae: Any = _vae(16 if flux else 4)
    for network in (denoiser, vae):
        _sharpen(network)
        network.eval().requires_grad_(False)
        if dtype != torch.float32:
            network.to(dtype)
    tokens = torch.randn(1, 5, 16)
    pooled = None if family in {Family.SD15, Family.SD2} else torch.randn(1, 8)
    return ModelParts(
        family=family,
        denoiser=denoiser,
        vae=vae,
        scheduler_config=_FLOW if flux else _DDIM,
        empty_prompt=PromptEmbeddings(tokens=tokens, pooled=pooled),
    )


def _sharpen(network: nn.Module) -> None:
    """Freshly made attention is nearly uniform; larger queries and keys give the losses something to do."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("to_q.weight", "to_k.weight")):
                parameter.mul_(3)


def _unet(family: Family) -> object:
    made: Any = UNet2DConditionModel
    shared: dict[str, Any] = {
        "sample_size": 8,
        "layers_per_block": 1,
        "cross_attention_dim": 16,
        "norm_num_groups": 4,
        "attention_head_dim": 2,
    }
    if family is Family.SDXL:
        return made(
            block_out_channels=(8, 16, 16),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 1, 2),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=4,
            projection_class_embeddings_input_dim=32,
            **shared,
        )
    return made(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        **shared,
    )


def _flux() -> object:
    made: Any = FluxTransformer2DModel
    return made(
        in_channels=64,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=8,
        guidance_embeds=True,
        axes_dims_rope=(2, 2, 4),
    )


def _vae(channels: int) -> object:
    made: Any = AutoencoderKL
    return made(
        block_out_channels=(4, 4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=channels,
        norm_num_groups=2,
        layers_per_block=1,
        scaling_factor=0.5,
    )


@functools.cache
def picture(height: int, width: int, seed: int = 0) -> Tensor:
    """A picture [1, 3, height, width] in 0 … 1 with coarse and fine structure."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, height // 8, width // 8, generator=generator)
    fine = torch.rand(1, 3, height, width, generator=generator)
    return nn.functional.interpolate(coarse, (height, width), mode="bilinear") * 0.8 + fine * 0.2


def traces(model: Backbone) -> Mapping[str, object]:
    """Everything a run may change in a model and must not: processors, methods, hooks, flags and weights."""
    found: dict[str, object] = {}
    for number, network in enumerate(model.networks):
        for name, module in network.named_modules():
            place = f"{number} {name}"
            found[f"{place} processor"] = getattr(module, "processor", None)
            found[f"{place} methods"] = sorted(key for key in module.__dict__ if key in {"forward", "_conv_forward"})
            found[f"{place} padding"] = getattr(module, "padding_mode", None), getattr(module, "padding", None)
            found[f"{place} hooks"] = len(module._forward_hooks) + len(module._forward_pre_hooks)
            found[f"{place} training"] = module.training
        for name, parameter in network.named_parameters():
            found[f"{number} {name} weight"] = float(parameter.double().sum()), parameter.requires_grad
            found[f"{number} {name} gradient"] = parameter.grad
    return found

"""Models to measure with: one from the disk, or one of random weights at a family's full size."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel, UNet2DConditionModel
from torch import nn

from adstudio.engine.backbones.base import Backbone
from adstudio.engine.backbones.flux import Flux
from adstudio.engine.backbones.flux_attention import Positions
from adstudio.engine.backbones.loading import load_parts
from adstudio.engine.backbones.parts import ModelParts, PromptEmbeddings
from adstudio.engine.backbones.sdxl import StableDiffusionXL
from adstudio.engine.backbones.stable_diffusion import StableDiffusion
from adstudio.models.families import FACTS, Family, Role
from adstudio.models.find import find_model
from adstudio.models.shipped import shipped_config, shipped_scheduler

RANDOM: Mapping[str, tuple[Family, str]] = MappingProxyType(
    {
        "random-sd15": (Family.SD15, "sd15"),
        "random-sdxl": (Family.SDXL, "sdxl"),
        "random-flux": (Family.FLUX, "flux_dev"),
    }
)
_BLOCK = 1 << 22
_TEXT_TOKENS = {Family.FLUX: 512}
_POOLED = {Family.SDXL: 1280, Family.FLUX: 768}


def bench_parts(model: str, device: torch.device, dtype: torch.dtype) -> ModelParts:
    """The parts of a model given by name, path or as one of RANDOM. Raises as `find_model` and `load_parts` do."""
    if model not in RANDOM:
        return load_parts(find_model(model), device=device, dtype=dtype)
    family, kind = RANDOM[model]
    return random_parts(
        family,
        shipped_config(kind, FACTS[family].denoiser),
        shipped_config(kind, Role.VAE),
        shipped_scheduler(kind),
        device=device,
        dtype=dtype,
    )


def random_parts(
    family: Family,
    denoiser: Mapping[str, Any],
    vae: Mapping[str, Any],
    scheduler: Mapping[str, Any],
    *,
    device: torch.device,
    dtype: torch.dtype,
) -> ModelParts:
    """Networks from checked configs with random weights, and a random embedding in place of the empty prompt's."""
    generator = torch.Generator().manual_seed(0)
    made: Any = FluxTransformer2DModel if family is Family.FLUX else UNet2DConditionModel
    network = _random(made, denoiser, generator, device, dtype)
    coder: Any = AutoencoderKL
    codec = _random(coder, vae, generator, device, dtype)
    width = int(denoiser["joint_attention_dim" if family is Family.FLUX else "cross_attention_dim"])
    tokens = torch.randn(1, _TEXT_TOKENS.get(family, 77), width, generator=generator)
    pooled = torch.randn(1, _POOLED[family], generator=generator) if family in _POOLED else None
    return ModelParts(
        family=family,
        denoiser=cast("UNet2DConditionModel | FluxTransformer2DModel", network),
        vae=cast("AutoencoderKL", codec),
        scheduler_config=dict(scheduler),
        empty_prompt=PromptEmbeddings(
            tokens=tokens.to(device=device, dtype=dtype),
            pooled=None if pooled is None else pooled.to(device=device, dtype=dtype),
        ),
    )


def bench_backbone(parts: ModelParts) -> Backbone:
    """A backbone that computes as the plain path does: FLUX's reference keys keep their positions."""
    if parts.family is Family.FLUX:
        return Flux(parts, positions=Positions.PLAIN)
    return StableDiffusionXL(parts) if parts.family is Family.SDXL else StableDiffusion(parts)


def bench_layers(backbone: Backbone) -> tuple[int, ...]:
    """The layers to distil: the family's, or the later half in a model of unusual build."""
    count = len(backbone.layer_names)
    return backbone.default_layers or tuple(range(count // 2, count))


def _random(
    made: Any, config: Mapping[str, Any], generator: torch.Generator, device: torch.device, dtype: torch.dtype
) -> nn.Module:
    """A network whose every weight keeps the size of what passes through it; quickly filled by repeating one block."""
    plain = {name: value for name, value in config.items() if name != "_class_name"}
    with torch.device("meta"):
        network: nn.Module = made.from_config(plain)
    nn.Module.to(network, dtype=dtype)  # the library's own would warn of nothing
    network.to_empty(device=device)
    block = torch.randn(_BLOCK, generator=generator).to(device=device, dtype=dtype)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim < 2:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
                continue
            fan_in = parameter[0].numel()
            flat = parameter.view(-1)
            for start in range(0, flat.numel(), _BLOCK):
                part = flat[start : start + _BLOCK]
                torch.mul(block[: part.numel()], fan_in**-0.5, out=part)
    return network.requires_grad_(False).eval()

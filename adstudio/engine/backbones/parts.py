"""What a loaded diffusion model consists of: the seam between loading it and computing with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diffusers import AutoencoderKL, FluxTransformer2DModel, UNet2DConditionModel
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from adstudio.models.families import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptEmbeddings:
    """What the text encoders make of one prompt.

    tokens: [1, tokens, channels], for cross-attention (FLUX: of T5).
    pooled: [1, channels], or None for SD 1.5 and SD 2.x, which have none.
    """

    tokens: Tensor
    pooled: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextParts:
    """Text encoders and their tokenizers, in the order of the family's own pipeline (SDXL and FLUX have two)."""

    encoders: tuple[nn.Module, ...]
    tokenizers: tuple[PreTrainedTokenizerBase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParts:
    """A model in memory, frozen and in evaluation mode.

    scheduler_config: of the model's own scheduler_config.json, or the family's.
    empty_prompt: always there, also without text encoders; every feature pass uses it.
    text: None unless a prompt is to be read.
    """

    family: Family
    denoiser: UNet2DConditionModel | FluxTransformer2DModel
    vae: AutoencoderKL
    scheduler_config: Mapping[str, Any]
    empty_prompt: PromptEmbeddings
    text: TextParts | None = None

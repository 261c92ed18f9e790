"""From a description of a model to the model in memory; nothing here ever asks the network for anything."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from adstudio.engine.backbones.build import build, build_unet_or_transformer, build_vae
from adstudio.engine.backbones.parts import ModelParts, PromptEmbeddings
from adstudio.engine.backbones.text import encode_ids
from adstudio.models.description import ModelDescription
from adstudio.models.families import FACTS


def load_parts(
    model: ModelDescription, *, device: torch.device, dtype: torch.dtype, prompts: bool = False
) -> ModelParts:
    """Load a model for computing on a device in a precision.

    prompts: whether prompts will be encoded. Without, no text encoder stays in memory.
    Raises ModelError or UnavailableError in words for the user, StorageError where a file is gone.
    """
    del prompts
    family = model.family
    denoiser = build_unet_or_transformer(model.denoiser, dtype=dtype, device=device, adjust=None)
    facts = FACTS[family]
    vae = build_vae(model.components[facts.roles[1]], dtype=dtype, device=device)
    parts = [model.components[role] for role in facts.text_roles]
    encoders = [build(part, dtype=dtype, device=device) for part in parts]
    empty = encode_ids(encoders, family, [part.token_ids.empty_prompt() for part in parts if part.token_ids])
    return ModelParts(family=family, denoiser=denoiser, vae=vae, scheduler_config=model.scheduler, empty_prompt=empty)


__all__: Sequence[str] = ("PromptEmbeddings", "load_parts")

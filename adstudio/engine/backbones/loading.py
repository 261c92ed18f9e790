"""From a description of a model to the model in memory; nothing here ever asks the network for anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from adstudio.engine.backbones.build import build, build_denoiser, build_vae
from adstudio.engine.backbones.empty_prompt import embedding_of
from adstudio.engine.backbones.lora import MergedLoras
from adstudio.engine.backbones.parts import ModelParts, PromptEmbeddings, TextParts
from adstudio.engine.backbones.text import encode_ids
from adstudio.engine.backbones.vocabulary import load_tokenizers
from adstudio.models.completing import require_complete
from adstudio.models.description import Component, ModelDescription
from adstudio.models.families import FACTS, Role
from adstudio.models.lora import Lora


def load_parts(
    model: ModelDescription,
    *,
    device: torch.device,
    dtype: torch.dtype,
    prompts: bool = False,
    loras: Sequence[Lora] = (),
    stop: Callable[[], bool] = lambda: False,
) -> ModelParts:
    """Load a model for computing on a device in a precision.

    prompts: whether prompts will be encoded; without, no text encoder stays in memory, and none is even read where the
    empty prompt's embedding is in the cache. loras: merged into the weights, in this order.
    stop: asked all the time; Interrupted is raised once it says yes.
    Raises ModelError where files are damaged or do not belong together, UnavailableError where the machine lacks a part
    or a vocabulary, StorageError where a file is gone; each names the file.
    """
    require_complete(model)
    tokenizers = load_tokenizers(model) if prompts else ()
    merged = MergedLoras(model, loras)
    text = [model.components[role] for role in FACTS[model.family].text_roles]
    encoders: list[nn.Module] = []

    def loaded() -> list[nn.Module]:
        if not encoders:
            encoders.extend(_encoder(part, merged, device, dtype, stop) for part in text)
        return encoders

    def empty_prompt() -> PromptEmbeddings:
        return encode_ids(loaded(), model.family, [part.token_ids.empty_prompt() for part in text if part.token_ids])

    empty = embedding_of(text, dtype, merged.text_mark, empty_prompt)
    kept = TextParts(encoders=tuple(loaded()), tokenizers=tokenizers) if prompts else None
    encoders.clear()  # the largest parts of some models: gone before the next one is read
    denoiser = build_denoiser(
        model.denoiser, dtype=dtype, device=device, adjust=merged.adjust(FACTS[model.family].denoiser), stop=stop
    )
    vae = build_vae(model.components[Role.VAE], dtype=dtype, device=device, stop=stop)
    return ModelParts(
        family=model.family,
        denoiser=denoiser,
        vae=vae,
        scheduler_config=dict(model.scheduler),
        empty_prompt=PromptEmbeddings(
            tokens=empty.tokens.to(device=device, dtype=dtype),
            pooled=None if empty.pooled is None else empty.pooled.to(device=device, dtype=dtype),
        ),
        text=kept,
    )


def load_text(
    model: ModelDescription,
    *,
    device: torch.device,
    dtype: torch.dtype,
    loras: Sequence[Lora] = (),
    stop: Callable[[], bool] = lambda: False,
) -> TextParts:
    """The text encoders and tokenizers of a model alone; arguments and errors as those of `load_parts`."""
    tokenizers = load_tokenizers(model)
    merged = MergedLoras(model, loras)
    text = [model.components[role] for role in FACTS[model.family].text_roles]
    return TextParts(
        encoders=tuple(_encoder(part, merged, device, dtype, stop) for part in text), tokenizers=tokenizers
    )


def _encoder(
    part: Component, merged: MergedLoras, device: torch.device, dtype: torch.dtype, stop: Callable[[], bool]
) -> nn.Module:
    """A text encoder; T5 leaves the range of float16 and so is computed in bfloat16 in its place."""
    narrow = part.config["_class_name"] == "T5EncoderModel" and dtype is torch.float16
    return build(
        part, dtype=torch.bfloat16 if narrow else dtype, device=device, adjust=merged.adjust(part.role), stop=stop
    )

"""From words, or from the ids of the empty prompt, to what a denoiser reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from adstudio.engine.backbones.parts import PromptEmbeddings, TextParts
from adstudio.models.families import Family


def encode_prompt(text: TextParts, family: Family, prompt: str) -> PromptEmbeddings:
    """What the text encoders make of a prompt, cut or padded to the length of the family's own pipeline."""
    return encode_ids(text.encoders, family, [token_ids_of(tokenizer, prompt) for tokenizer in text.tokenizers])


def token_ids_of(tokenizer: object, prompt: str) -> tuple[int, ...]:
    """The ids of a prompt, cut or padded to the tokenizer's `model_max_length`."""
    from transformers import PreTrainedTokenizerBase

    assert isinstance(tokenizer, PreTrainedTokenizerBase)
    ids = tokenizer(prompt, padding="max_length", max_length=tokenizer.model_max_length, truncation=True)["input_ids"]
    return tuple(int(one) for one in ids)


@torch.no_grad()
def encode_ids(encoders: Sequence[nn.Module], family: Family, ids: Sequence[Sequence[int]]) -> PromptEmbeddings:
    """What the text encoders make of token ids, one sequence for each encoder.

    SD 1.5 and SD 2.x: the last hidden state, normalised (for SD 2.x the last layer is already left out of the network).
    SDXL: the hidden states before the last layer of both, side by side, and the second one's projected end token.
    FLUX: the last hidden state of T5, and the end token of CLIP. No attention mask anywhere.
    Source: the pipelines of diffusers for these families.
    """
    if len(ids) != len(encoders):
        raise ValueError(f"{len(encoders)} text encoders need as many sequences of ids, got {len(ids)}")
    inputs = [_as_tensor(one, encoder) for one, encoder in zip(ids, encoders, strict=True)]
    if family in (Family.SD15, Family.SD2):
        return PromptEmbeddings(tokens=encoders[0](inputs[0]).last_hidden_state)
    if family is Family.SDXL:
        outputs = [encoder(one, output_hidden_states=True) for encoder, one in zip(encoders, inputs, strict=True)]
        tokens = torch.cat([output.hidden_states[-2] for output in outputs], dim=-1)
        return PromptEmbeddings(tokens=tokens, pooled=outputs[1].text_embeds)
    pooled = encoders[0](inputs[0]).pooler_output
    return PromptEmbeddings(tokens=encoders[1](inputs[1]).last_hidden_state, pooled=pooled)


def _as_tensor(ids: Sequence[int], encoder: nn.Module) -> Tensor:
    return torch.tensor([list(ids)], device=next(encoder.parameters()).device)

"""FLUX's attention written out, with rotary positions that reference keys can be given anew."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor, nn

from adstudio.engine.attention import Recorder

Rotary = tuple[Tensor, Tensor]
"""Cosine and sine [tokens, head_dim]; pairs of neighbouring channels turn together."""

_COARSE_TOKENS = 16.0


class Positions(StrEnum):
    """What the keys of a reference know of their place, so that its content is not copied to the same place.

    PLAIN: the same places as the picture's, as in the authors' code. SHIFTED: beside it, to the right (as AlignedGen
    does). DAMPED: the same places, seen blurred: channels that turn fast with the position count less.
    """

    PLAIN = "plain"
    SHIFTED = "shifted"
    DAMPED = "damped"


class FluxSelfAttention:
    """Joint attention of FLUX's double blocks and self-attention of its single ones, recording on the way.

    Queries, keys, values and outputs count the text tokens first; keys are recorded as they are turned.
    reference_rotary: how keys to be recorded are turned, asked for at each pass; None as for the attention itself.
    """

    def __init__(self, recorder: Recorder, index: int | None, reference_rotary: Callable[[], Rotary | None]) -> None:
        self._recorder, self._index, self._reference_rotary = recorder, index, reference_rotary

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,  # noqa: ARG002 - part of diffusers' signature
        image_rotary_emb: Rotary | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """hidden_states: [batch, tokens, channels]; text tokens apart in double blocks, in front in single ones."""
        width = attn.head_dim
        query = attn.norm_q(_heads(attn.to_q(hidden_states), width))
        key = attn.norm_k(_heads(attn.to_k(hidden_states), width))
        value = _heads(attn.to_v(hidden_states), width)
        text_tokens = 0
        if encoder_hidden_states is not None:
            text_tokens = encoder_hidden_states.shape[1]
            text_query = attn.norm_added_q(_heads(attn.add_q_proj(encoder_hidden_states), width))
            text_key = attn.norm_added_k(_heads(attn.add_k_proj(encoder_hidden_states), width))
            query, key = torch.cat([text_query, query], dim=2), torch.cat([text_key, key], dim=2)
            value = torch.cat([_heads(attn.add_v_proj(encoder_hidden_states), width), value], dim=2)
        other = self._reference_rotary()
        stored_key = None if other is None else turned(key, other)
        if image_rotary_emb is not None:
            query, key = turned(query, image_rotary_emb), turned(key, image_rotary_emb)
        output = self._recorder.attention(self._index, query, key, value, key if stored_key is None else stored_key)
        joined = output.transpose(1, 2).flatten(2)
        if encoder_hidden_states is None:
            return joined
        text, image = joined[:, :text_tokens], joined[:, text_tokens:]
        return attn.to_out[1](attn.to_out[0](image.contiguous())), attn.to_add_out(text.contiguous())


def turned(x: Tensor, rotary: Rotary) -> Tensor:
    """Channels turned by positions. x: [batch, heads, tokens, head_dim]; computed in float32 at least."""
    cosine, sine = rotary
    pairs = x.view(*x.shape[:-1], -1, 2)
    across = torch.stack([-pairs[..., 1], pairs[..., 0]], dim=-1).flatten(-2)
    if x.dtype == torch.float64:
        return x * cosine + across * sine
    return (x.float() * cosine + across.float() * sine).to(x.dtype)


def rotary_of(transformer: nn.Module, positions: Tensor) -> Rotary:
    """The transformer's own turning for positions [tokens, 3]."""
    embed: Any = transformer.get_submodule("pos_embed")
    cosine, sine = embed(positions)
    return cosine, sine


def damped(rotary: Rotary, unit: Rotary, text_tokens: int) -> Rotary:
    """Turning that counts less the faster it is, for the image tokens.

    unit: the turning at position (1, 1, 1), from which the speed of each channel is read.
    Own choice: channels slower than one turn in 16 tokens stay, faster ones fade with their speed, so that keys still
    tell the left from the right but not one token from the next.
    """
    cosine, sine = rotary
    speed = torch.atan2(unit[1][0], unit[0][0]).abs()
    weight = (2 * torch.pi / _COARSE_TOKENS / speed.clamp(min=1e-6)).clamp(max=1.0)
    faded = torch.ones_like(cosine)
    faded[text_tokens:] = weight
    return cosine * faded, sine * faded


def _heads(projected: Tensor, width: int) -> Tensor:
    return projected.view(*projected.shape[:-1], -1, width).transpose(1, 2)

"""Attention over a few queries at a time, with a backward pass that computes them again: little memory at any size.

For devices without a fused backward (MPS), and where the square of the tokens does not fit. Exact: each query's
softmax is computed whole, in float32 for 16-bit inputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from adstudio.engine.losses import AttentionFunction

_LOGIT_BYTES = 256 * 2**20


def chunked(logit_bytes: int = _LOGIT_BYTES) -> AttentionFunction:
    """An attention function whose logits never take more than about so many bytes, > 0.

    Of its arguments query, key, value [batch, heads, tokens, head_dim] have gradients, the bias has none; the bias
    broadcasts to [batch, heads, 1, keys]. It can be differentiated once.
    """

    def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
        rows = max(1, logit_bytes // (4 * query.shape[0] * query.shape[1] * key.shape[2]))
        result: Tensor = _ChunkedAttention.apply(query, key, value, bias, rows)  # type: ignore[no-untyped-call]
        return result

    return attend


class _ChunkedAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, rows: int) -> Tensor:
        context: Any = ctx
        context.save_for_backward(query, key, value, bias)
        context.rows = rows
        output = torch.empty(*query.shape[:-1], value.shape[-1], dtype=value.dtype, device=value.device)
        for start in range(0, query.shape[2], rows):
            part = slice(start, start + rows)
            output[:, :, part] = _weights(query[:, :, part], key, bias).to(value.dtype) @ value
        return output

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        context: Any = ctx
        query, key, value, bias = context.saved_tensors
        (d_output,) = gradients
        scale = query.shape[-1] ** -0.5
        precise = torch.promote_types(query.dtype, torch.float32)
        d_query = torch.empty_like(query)
        d_key, d_value = torch.zeros_like(key, dtype=precise), torch.zeros_like(value, dtype=precise)
        for start in range(0, query.shape[2], context.rows):
            part = slice(start, start + context.rows)
            weights = _weights(query[:, :, part], key, bias)
            d_part = d_output[:, :, part].to(precise)
            d_value += weights.transpose(-1, -2) @ d_part
            d_weights = d_part @ value.to(precise).transpose(-1, -2)
            # through softmax: each row's gradient less its mean under the weights
            d_logits = weights * (d_weights - (d_weights * weights).sum(-1, keepdim=True)) * scale
            d_query[:, :, part] = (d_logits @ key.to(precise)).to(query.dtype)
            d_key += d_logits.transpose(-1, -2) @ query[:, :, part].to(precise)
        return d_query, d_key.to(key.dtype), d_value.to(value.dtype), None, None


def _weights(query: Tensor, key: Tensor, bias: Tensor | None) -> Tensor:
    """Softmax over the keys, [batch, heads, rows, keys], at least float32."""
    precise = torch.promote_types(query.dtype, torch.float32)
    logits: Tensor = (query.to(precise) * query.shape[-1] ** -0.5) @ key.to(precise).transpose(-1, -2)
    if bias is not None:
        logits += bias.to(precise)
    return logits.softmax(-1)

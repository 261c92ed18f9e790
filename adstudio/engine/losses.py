"""The losses of attention distillation, as functions of attention features.

Queries, keys, values and outputs are [batch, heads, tokens, head_dim] per layer, outputs before the output projection.
Every loss is computed in float32 (float64 stays) and comes as one number per layer; the method's loss is their sum.
Source: Zhou, Gao, Chen, Huang, Attention Distillation, arXiv 2502.20235.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from adstudio.engine.regions import LabelGroup

AttentionFunction = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
"""(query, key, value, bias) -> output; bias is added to the logits and broadcasts to [batch, heads, queries, keys]."""


def sdpa(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Softmax attention by torch's fused kernels; see AttentionFunction."""
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceLayer:
    """What the references offer to one layer: their keys and values, one after the other along the tokens.

    key, value: [1, heads, tokens, head_dim].
    bias: [tokens], added to the logits of each key (log of its reference's weight), or None where all are equal.
    groups: which queries may see which keys, or None for all; queries of no group get the output 0.
    """

    key: Tensor
    value: Tensor
    bias: Tensor | None = None
    groups: tuple[LabelGroup, ...] | None = None


def weight_bias(token_counts: Sequence[int], weights: Sequence[float], like: Tensor) -> Tensor | None:
    """Logit bias [sum of token_counts] that gives references their weights, > 0; None where all are equal.

    Own choice: log w on the logits, so that weight 2 acts as the same reference given twice.
    """
    if len(token_counts) != len(weights):
        raise ValueError(f"{len(token_counts)} references, but {len(weights)} weights")
    if all(weight == weights[0] for weight in weights):
        return None
    logs = torch.tensor(weights, dtype=torch.float64).log()
    bias = torch.repeat_interleave(logs, torch.tensor(list(token_counts)))
    return bias.to(device=like.device, dtype=like.dtype)


@torch.no_grad()
def ideal_output(
    query: Tensor, reference: ReferenceLayer, scale: float = 1.0, attend: AttentionFunction = sdpa
) -> Tensor:
    """What the layer would give if its queries attended to the references: SA(scale · Q, K_ref, V_ref).

    query: [batch, heads, tokens, head_dim]; the result has the same shape and no graph. scale: > 0, 1 as published.
    """
    query = query.detach() if scale == 1 else query.detach() * scale
    batch = query.shape[0]
    key, value = reference.key.expand(batch, -1, -1, -1), reference.value.expand(batch, -1, -1, -1)
    bias = reference.bias
    if reference.groups is None:
        return attend(query, key, value, bias if bias is None else bias[None, None, None])
    output = torch.zeros(*query.shape[:-1], value.shape[-1], dtype=value.dtype, device=value.device)
    for group in reference.groups:
        seen = group.keys
        part = None if bias is None else bias[seen][None, None, None]
        output[:, :, group.queries] = attend(query[:, :, group.queries], key[:, :, seen], value[:, :, seen], part)
    return output


def attention_distillation_losses(outputs: Sequence[Tensor], targets: Sequence[Tensor]) -> list[Tensor]:
    """Per layer mean |O − O*|; the targets are constants. Raises ValueError when the numbers of layers differ."""
    return [_mean_distance(output, target) for output, target in zip(outputs, targets, strict=True)]


def query_content_losses(queries: Sequence[Tensor], targets: Sequence[Tensor]) -> list[Tensor]:
    """Per layer mean |Q − Q_content|; targets are constants [1 or batch, heads, tokens, head_dim].

    Raises ValueError when the numbers of layers differ, or queries and targets do not fit.
    """
    return [_mean_distance(query, target) for query, target in zip(queries, targets, strict=True)]


def attention_map_losses(
    queries: Sequence[Tensor], keys: Sequence[Tensor], target_queries: Sequence[Tensor], target_keys: Sequence[Tensor]
) -> list[Tensor]:
    """Per layer mean |A − A_content| of attention maps A = softmax(Q Kᵀ/√d); gradient to queries and keys.

    The content loss's variant on maps. Memory grows with the square of the tokens.
    """
    return [
        _mean_distance(_map(query, key), _map(target_query.detach(), target_key.detach()))
        for query, key, target_query, target_key in zip(queries, keys, target_queries, target_keys, strict=True)
    ]


def attention_output_losses(
    queries: Sequence[Tensor],
    keys: Sequence[Tensor],
    target_values: Sequence[Tensor],
    target_outputs: Sequence[Tensor],
    attend: AttentionFunction = sdpa,
) -> list[Tensor]:
    """Per layer mean |SA(Q, K, V_content) − O_content|; gradient to queries and keys.

    The content loss's variant on outputs: the layer's own attention carries the content's values.
    """
    losses = []
    for query, key, value, output in zip(queries, keys, target_values, target_outputs, strict=True):
        carried = attend(query, key, value.detach().expand(query.shape[0], -1, -1, -1), None)
        losses.append(_mean_distance(carried, output))
    return losses


def _map(query: Tensor, key: Tensor) -> Tensor:
    logits: Tensor = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    return logits.softmax(-1)


def _mean_distance(current: Tensor, target: Tensor) -> Tensor:
    current, target = _precise(current), _precise(target.detach())
    if current.shape[1:] != target.shape[1:] or target.shape[0] not in {1, current.shape[0]}:
        raise ValueError(f"features {tuple(current.shape)} cannot be compared with {tuple(target.shape)}")
    return (current - target).abs().mean()


def _precise(features: Tensor) -> Tensor:
    return features if features.dtype == torch.float64 else features.float()

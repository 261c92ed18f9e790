"""Latents take over the mean and spread of others, channel by channel."""

from __future__ import annotations

import torch
from torch import Tensor

_EPSILON = 1e-6


def adain(latents: Tensor, reference: Tensor) -> Tensor:
    """Latents with the channel statistics of a reference.

    latents: [batch, channels, height, width]; each image has its own statistics over space.
    reference: [references, channels, any height, any width]; statistics over references and space together.
    The spread is the unbiased one; 1e-6 keeps flat channels finite. FLUX's packed latents come as [batch, 64, h, w].
    Raises ValueError when the numbers of channels differ.
    Source: adaptive instance normalisation (arXiv 1703.06868) on latents, Attention Distillation (arXiv 2502.20235).
    """
    if latents.shape[1] != reference.shape[1]:
        raise ValueError(f"latents have {latents.shape[1]} channels, the reference {reference.shape[1]}")
    mean, deviation = latents.mean((2, 3), keepdim=True), latents.std((2, 3), keepdim=True)
    wanted_mean, wanted_deviation = reference.mean((0, 2, 3), keepdim=True), reference.std((0, 2, 3), keepdim=True)
    return (latents - mean) / (deviation + _EPSILON) * wanted_deviation + wanted_mean


def joint_statistics(references: list[Tensor]) -> Tensor:
    """References of different sizes as one tensor [1, channels, 1, pixels] with the same statistics, for `adain`."""
    flat = [reference.transpose(0, 1).flatten(1) for reference in references]
    return torch.cat(flat, dim=1)[None, :, None]

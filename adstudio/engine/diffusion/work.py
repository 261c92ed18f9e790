"""Counts the work of a network while it computes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from adstudio.models.families import Family
from adstudio.models.forecast import UPDATE_SHARE, tflop


class Work:
    """tflop: of all passes so far, a pass with a gradient counted with its way back."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self.tflop = 0.0

    @contextlib.contextmanager
    def counting(self, network: nn.Module) -> Iterator[None]:
        """While inside, every pass of the network counts; passes within its own backward pass do not."""
        handle = network.register_forward_pre_hook(self._count, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()

    def _count(self, _network: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        seen = arguments[0] if arguments else keywords.get("hidden_states", keywords.get("sample"))
        if not isinstance(seen, Tensor):
            return
        latents = seen.shape[2] * seen.shape[3] if seen.ndim == 4 else seen.shape[1]  # FLUX sees a row of tokens
        learns = torch.is_grad_enabled() and seen.requires_grad
        self.tflop += seen.shape[0] * tflop(self._family, latents) * (UPDATE_SHARE if learns else 1.0)

"""Stopping a computation from inside the networks, so that a large model on a CPU stops within two seconds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import Tensor, nn

_BLOCKS = {"ResnetBlock2D", "BasicTransformerBlock", "FluxTransformerBlock", "FluxSingleTransformerBlock"}


class Interrupted(Exception):  # noqa: N818 - a way out, no error
    """Somebody asked to stop; loops end with their last sound state."""


@contextlib.contextmanager
def interruptible(networks: Sequence[nn.Module], stop: Callable[[], bool]) -> Iterator[None]:
    """Ask `stop` before every module that computes, forward and backward; raise Interrupted when it says yes.

    On a CPU every convolution and linear layer asks, elsewhere every block, as there launching costs more than running.
    On leaving, also by an exception, the networks have no hooks of this kind any more.
    """

    def poll(*_: Any) -> None:
        if stop():
            raise Interrupted

    def watch(_module: nn.Module, _inputs: Any, output: Any) -> None:
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, Tensor) and first.requires_grad:
            hooked: Any = first
            hooked.register_hook(poll)

    handles = []
    try:
        for network in networks:
            on_cpu = next(network.parameters()).device.type == "cpu"
            for module in network.modules():
                asks = isinstance(module, nn.Conv2d | nn.Linear) if on_cpu else type(module).__name__ in _BLOCKS
                if asks:
                    handles += [module.register_forward_pre_hook(poll), module.register_forward_hook(watch)]
        yield
    finally:
        for handle in handles:
            handle.remove()

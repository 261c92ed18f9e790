"""Pictures that tile: convolutions that wrap around, as long as a context lasts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from adstudio.jobs.choices import Seamless


@contextlib.contextmanager
def seamless(networks: Sequence[nn.Module], axes: Seamless, *, explicit_padding: bool = True) -> Iterator[None]:
    """Wrap every padded convolution of networks around along x, y or both; the other axis keeps its own padding.

    explicit_padding: also where a module pads by itself before a stride-2 convolution (VAE encoders, right and bottom).
    On leaving, also by an exception, the modules are as they were.
    """
    patched: list[tuple[nn.Module, str]] = []
    try:
        for network in networks if axes is not Seamless.NONE else ():
            for module in network.modules():
                if isinstance(module, nn.Conv2d) and any(_padding(module)):
                    _replace(module, "_conv_forward", _wrapping_convolution(module, axes), patched)
                elif explicit_padding and _pads_by_itself(module):
                    _replace(module, "forward", _wrapping_downsample(module, axes), patched)
        yield
    finally:
        for module, name in patched:
            del module.__dict__[name]


def _replace(
    module: nn.Module, name: str, function: Callable[..., Tensor], patched: list[tuple[nn.Module, str]]
) -> None:
    if name not in module.__dict__:  # a module may be reached twice
        module.__dict__[name] = function
        patched.append((module, name))


def _padding(convolution: nn.Conv2d) -> tuple[int, int]:
    if isinstance(convolution.padding, str):
        return (0, 0)  # "same" and "valid" do not occur in these networks
    vertical, horizontal = convolution.padding
    return vertical, horizontal


def _wrap(x: Tensor, left: int, right: int, top: int, bottom: int, axes: Seamless) -> Tensor:
    horizontal = "circular" if axes in {Seamless.X, Seamless.BOTH} else "constant"
    vertical = "circular" if axes in {Seamless.Y, Seamless.BOTH} else "constant"
    x = F.pad(x, (left, right, 0, 0), mode=horizontal)
    return F.pad(x, (0, 0, top, bottom), mode=vertical)


def _wrapping_convolution(convolution: nn.Conv2d, axes: Seamless) -> Callable[..., Tensor]:
    vertical, horizontal = _padding(convolution)

    def forward(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padded = _wrap(x, horizontal, horizontal, vertical, vertical, axes)
        return F.conv2d(padded, weight, bias, convolution.stride, 0, convolution.dilation, convolution.groups)

    return forward


def _pads_by_itself(module: nn.Module) -> bool:
    downsample: Any = module
    return type(module).__name__ == "Downsample2D" and bool(downsample.use_conv) and downsample.padding == 0


def _wrapping_downsample(module: nn.Module, axes: Seamless) -> Callable[..., Tensor]:
    downsample: Any = module

    def forward(hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
        if downsample.norm is not None:
            hidden_states = downsample.norm(hidden_states.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        result: Tensor = downsample.conv(_wrap(hidden_states, 0, 1, 0, 1, axes))
        return result

    return forward

"""Decoding of very large latents: the whole decoder window by window, so that memory grows with the picture alone."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from adstudio.engine.memory import fixed_statistics
from adstudio.engine.windows import Window, hill, windows
from adstudio.jobs.choices import Seamless

_WINDOW = 96
_STRIDE = 64
_RAMP = 24
_SAMPLED = 64


@contextlib.contextmanager
def wide_decoding(vae: nn.Module, wraps: Seamless) -> Iterator[None]:
    """Let a VAE decode in overlapping windows that are blended where they meet, across the edges along wrapped axes.

    Source: own choice. Group normalisations share the statistics of crops from all over the picture, so that windows
    have the same colours; attention sees a window, and what it makes differently fades over the overlap.
    """
    whole: Any = vae

    def decode(latents: Tensor, return_dict: bool = True, **_: Any) -> Any:
        image = torch.cat([_decoded(whole, each, wraps) for each in torch.split(latents, 1)])
        if not return_dict:
            return (image,)
        from diffusers.models.autoencoders.vae import DecoderOutput

        return DecoderOutput(sample=image)

    vae.__dict__["decode"] = decode
    try:
        yield
    finally:
        del vae.__dict__["decode"]


def _decoded(vae: Any, latents: Tensor, wraps: Seamless) -> Tensor:
    """Latents [1, channels, height, width] as an image, -1 … 1."""
    height, width = latents.shape[-2:]
    parts = windows(height, width, _WINDOW, _STRIDE, wraps=wraps)
    decoder: Any = vae.decoder
    scale: int = 2 ** (len(vae.config.block_out_channels) - 1)
    attending = {inner for module in decoder.modules() if hasattr(module, "to_q") for inner in module.modules()}
    norms = [module for module in decoder.modules() if isinstance(module, nn.GroupNorm) and module not in attending]

    def run(part: Tensor) -> Tensor:
        ready = part if vae.post_quant_conv is None else vae.post_quant_conv(part)
        result: Tensor = decoder(ready)
        return result

    down = _weights({(part.top, part.height) for part in parts}, height, scale)
    across = _weights({(part.left, part.width) for part in parts}, width, scale)
    image = latents.new_zeros(1, decoder.conv_out.out_channels, height * scale, width * scale)
    with fixed_statistics(norms, latents, _SAMPLED, run):
        for part in parts:
            piece = run(part.of(latents))
            piece *= (down[part.top][:, None] * across[part.left]).to(piece)
            place = Window(part.top * scale, part.left * scale, part.height * scale, part.width * scale)
            place.add(image, piece)
    return image


def _weights(spans: Collection[tuple[int, int]], side: int, scale: int) -> dict[int, Tensor]:
    """By their starts, what the pixels of spans of latents count; everywhere they add up to 1."""
    total = torch.zeros(side * scale)
    hills = {start: hill(length * scale, _RAMP * scale) for start, length in sorted(spans)}
    places = {start: (torch.arange(len(each)) + start * scale) % len(total) for start, each in hills.items()}
    for start, each in hills.items():
        total[places[start]] += each
    return {start: each / total[places[start]] for start, each in hills.items()}

"""Fine-tuning the VAE's decoder on a reference, so that decoded pictures keep its finest texture.

Source: Attention Distillation (arXiv 2502.20235), improved VAE decoding: about 75 Adam steps, rate 1e-4, L1.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn

from adstudio.engine.distillation import Stop, never
from adstudio.engine.interruption import Interrupted, interruptible


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningSettings:
    """How the decoder is tuned. steps: ≥ 1, each over all references. learning_rate: > 0."""

    steps: int = 75
    learning_rate: float = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TuningState:
    """steps: how many were made. loss: before the last of them, 0-dimensional.

    weights: of the tuned decoder, by name; they change with the next step, so copy what is to be kept.
    """

    steps: int
    loss: Tensor
    weights: Mapping[str, Tensor]


def tune_decoder(
    vae: AutoencoderKL, images: Sequence[Tensor], settings: TuningSettings, stop: Stop = never
) -> Iterator[TuningState]:
    """Tune a copy of a VAE's decoder, yielding after every step; the VAE itself is not touched.

    images: references [1, 3, height, width] in 0 … 1, sides multiples of the VAE's. Only the decoder learns; the
    convolution before it stays. Deterministic, so that a run that was broken off can be done again.
    """
    model = cast("Any", vae)
    device = next(cast("nn.Module", vae).parameters()).device
    decoder: nn.Module = (
        copy.deepcopy(model.decoder).float() if model.dtype != torch.float64 else copy.deepcopy(model.decoder)
    )
    decoder.train(mode=False).requires_grad_(True)
    precise = next(decoder.parameters()).dtype
    targets = [image.to(device=device, dtype=precise) * 2 - 1 for image in images]
    with torch.no_grad():
        inputs = [_before_decoder(model, target).to(precise) for target in targets]
    optimizer = torch.optim.Adam(decoder.parameters(), lr=settings.learning_rate)
    try:
        for step in range(settings.steps):
            if stop():
                return
            for entering, target in zip(inputs, targets, strict=True):
                with interruptible((decoder,), stop), torch.enable_grad():
                    optimizer.zero_grad(set_to_none=True)
                    loss = (decoder(entering) - target).abs().mean()
                    loss.backward()
                    optimizer.step()
            yield TuningState(steps=step + 1, loss=loss.detach(), weights=decoder.state_dict())
    except Interrupted:
        return


@contextlib.contextmanager
def tuned(vae: AutoencoderKL, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Decode with tuned weights; on leaving, also by an exception, the decoder has its own back.

    Raises ValueError when the weights are not of such a decoder.
    """
    decoder: nn.Module = cast("Any", vae).decoder
    own = {name: parameter.detach().clone() for name, parameter in decoder.state_dict().items()}
    if own.keys() != weights.keys() or any(own[name].shape != weights[name].shape for name in own):
        raise ValueError("these weights belong to another decoder")
    try:
        decoder.load_state_dict(dict(weights))
        yield
    finally:
        decoder.load_state_dict(own)


def _before_decoder(model: Any, target: Tensor) -> Tensor:
    """What enters the decoder for a picture in -1 … 1: the mean of its latents, unscaled."""
    latents = model.encode(target.to(model.dtype)).latent_dist.mean
    result: Tensor = latents if model.post_quant_conv is None else model.post_quant_conv(latents)
    return result

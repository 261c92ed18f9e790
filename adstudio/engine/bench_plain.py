"""The method with no care for time: what a straight reading of the paper computes, to measure against.

Every step reads the features of reference and content anew, each pass runs to the network's end, and the targets are
built with a graph.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from adstudio.engine.adam import adam_update, no_moments
from adstudio.engine.attention import AttentionLayer, LayerFeatures, Recorder, UNetSelfAttention, recording
from adstudio.engine.backbones.base import Backbone
from adstudio.engine.backbones.flux import Flux
from adstudio.engine.backbones.flux_attention import FluxSelfAttention
from adstudio.engine.backbones.stable_diffusion import StableDiffusion
from adstudio.engine.losses import sdpa
from adstudio.errors import EngineError


class _Listener(Recorder):
    """Records the chosen layers and lets the pass go on."""

    def __init__(self, count: int) -> None:
        super().__init__(count, sdpa)
        self.heard: dict[int, LayerFeatures] = {}

    def attention(self, index: int | None, query: Tensor, key: Tensor, value: Tensor, stored_key: Tensor) -> Tensor:
        output = sdpa(query, key, value)
        if index is not None:
            self.heard[index] = LayerFeatures(query, stored_key, value, output)
        return output


def whole_pass(backbone: Backbone, latents: Tensor, timestep: float) -> Tensor:
    """The network's answer to the empty prompt, all the way through."""
    if isinstance(backbone, StableDiffusion):
        size = latents.shape[-2], latents.shape[-1]
        return backbone.network(latents, timestep, backbone.empty_prompt, size)
    if isinstance(backbone, Flux):
        return backbone.network(latents, timestep, backbone.empty_prompt)
    raise EngineError("this model has no plain path to measure against")


@contextlib.contextmanager
def _listening(backbone: Backbone, layers: Sequence[int]) -> Iterator[Callable[[Tensor, float], list[LayerFeatures]]]:
    names = [backbone.layer_names[layer] for layer in sorted(layers)]
    listener = _Listener(len(names))

    def processor(_: Recorder, index: int | None) -> AttentionLayer:
        if isinstance(backbone, Flux):
            return FluxSelfAttention(listener, index, lambda: None)
        return UNetSelfAttention(listener, index)

    def heard(latents: Tensor, timestep: float) -> list[LayerFeatures]:
        listener.heard.clear()
        whole_pass(backbone, latents, timestep)
        return [listener.heard[index] for index in sorted(listener.heard)]

    denoiser: nn.Module = backbone.networks[0]
    with recording(denoiser, names, processor):
        yield heard


def plain_steps(
    backbone: Backbone,
    layers: Sequence[int],
    timesteps: Sequence[float],
    reference: Tensor,
    content: Tensor,
    *,
    content_weight: float,
    learning_rate: float,
) -> Iterator[Tensor]:
    """Latents after each step, one at every timestep, from the content's.

    reference, content: clean latents [1, channels, height, width].
    """
    latents, moments = content, no_moments(content)
    skipped = backbone.empty_prompt.tokens.shape[1] if isinstance(backbone, Flux) else 0
    for timestep in timesteps:
        with _listening(backbone, layers) as heard:
            with torch.no_grad():
                of_reference, of_content = heard(reference, timestep), heard(content, timestep)
            current = latents.detach().requires_grad_(True)
            loss = torch.zeros((), device=latents.device)
            for now, ref, kept in zip(heard(current, timestep), of_reference, of_content, strict=True):
                assert now.output is not None
                query, output = now.query[:, :, skipped:], now.output[:, :, skipped:]
                target = sdpa(query, ref.key, ref.value).detach()
                loss = loss + (output.float() - target.float()).abs().mean()
                difference = query.float() - kept.query[:, :, skipped:].float()
                loss = loss + content_weight * difference.abs().mean()
            (gradient,) = torch.autograd.grad(loss, current)
        latents, moments = adam_update(latents, gradient, moments, learning_rate)
        yield latents

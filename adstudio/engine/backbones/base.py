"""What the method's loops ask of a model. The loops know no model; the models know no loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn

from adstudio.engine.attention import LayerFeatures, Need
from adstudio.engine.backbones.parts import PromptEmbeddings
from adstudio.engine.noise import Draw, Noise
from adstudio.engine.regions import Grid
from adstudio.engine.schedules import Level, Schedule
from adstudio.jobs.choices import Seamless
from adstudio.models.families import Family

Timestep = float | Sequence[float]
"""What a network is told of its latents: one for all, or one for each of the batch."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """Attention features of one pass, per chosen layer in execution order; what was not asked for is empty.

    queries, keys, values, outputs: each [batch, heads, tokens, head_dim], outputs before the output projection.
    grids: rows and columns of each layer's image tokens. size: height and width of the latents.
    text_tokens: how many tokens stand before the image's.
    """

    queries: tuple[Tensor, ...] = ()
    keys: tuple[Tensor, ...] = ()
    values: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    grids: tuple[Grid, ...]
    size: tuple[int, int]
    text_tokens: int = 0

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Features:
        """The same with every tensor changed."""
        return replace(
            self,
            queries=tuple(change(each) for each in self.queries),
            keys=tuple(change(each) for each in self.keys),
            values=tuple(change(each) for each in self.values),
            outputs=tuple(change(each) for each in self.outputs),
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(each.nbytes for part in (self.queries, self.keys, self.values, self.outputs) for each in part)


def features_of(
    layers: Sequence[LayerFeatures], need: Need, grids: tuple[Grid, ...], size: tuple[int, int], text_tokens: int = 0
) -> Features:
    """What was asked for of recorded layers."""
    everything = need is Need.ALL
    return Features(
        queries=tuple(layer.query for layer in layers) if need is not Need.KEYS_VALUES else (),
        keys=tuple(layer.key for layer in layers) if need is not Need.QUERIES else (),
        values=tuple(layer.value for layer in layers) if need is not Need.QUERIES else (),
        outputs=tuple(layer.output for layer in layers if layer.output is not None) if everything else (),
        grids=grids,
        size=size,
        text_tokens=text_tokens,
    )


def told_timesteps(timestep: Timestep, batch: int) -> list[float]:
    """One for each of the batch. Raises ValueError for another number of them."""
    listed = [timestep] * batch if isinstance(timestep, int | float) else list(timestep)
    if len(listed) != batch:
        raise ValueError(f"{len(listed)} timesteps for a batch of {batch}")
    return listed


class FeatureReader(Protocol):
    """Reads features while the model is prepared for it; every pass is told the empty prompt."""

    def __call__(
        self, latents: Tensor, timestep: Timestep, need: Need = Need.ALL, beside: tuple[int, int] | None = None
    ) -> Features:
        """Features of latents as the network sees them at a timestep, or at one for each of the batch.

        latents: [batch, channels, height, width]; a graph is built only where they require a gradient.
        beside: height and width of the latents being made, when these are a reference for them.
        """
        ...


class Control(Protocol):
    """A network beside the denoiser that steers it (ControlNet)."""

    def residuals(
        self, latents: Tensor, timestep: Tensor, tokens: Tensor, added: dict[str, Tensor] | None
    ) -> tuple[Sequence[Tensor], Tensor]:
        """What to add to the denoiser's down and mid blocks, for the same inputs as the denoiser gets."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guidance:
    """What a denoising step is told.

    positive, negative: embeddings of the prompts, [1 or batch, tokens, channels]; negative None is the empty prompt.
    scale: classifier-free guidance, 1 for none (FLUX: its guidance embedding).
    control: steers the step; None for none.
    """

    positive: PromptEmbeddings
    negative: PromptEmbeddings | None = None
    scale: float = 1.0
    control: Control | None = None


class Backbone(Protocol):
    """A latent diffusion model of one family.

    layer_names: self-attention modules in execution order; layers are numbered by their place here.
    default_layers: the layers that the paper's authors distil.
    latent_px: pixels of one latent's side; sizes of pictures are multiples of it.
    target_matters: whether a reference's features depend on the size of the picture being made.
    variant: everything beside weights, picture and timestep that features depend on, for keeping them.
    networks: the denoiser and the VAE.
    """

    @property
    def family(self) -> Family: ...
    @property
    def layer_names(self) -> tuple[str, ...]: ...
    @property
    def default_layers(self) -> tuple[int, ...]: ...
    @property
    def latent_px(self) -> int: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def dtype(self) -> torch.dtype: ...
    @property
    def target_matters(self) -> bool: ...
    @property
    def variant(self) -> str: ...
    @property
    def networks(self) -> tuple[nn.Module, ...]: ...
    @property
    def empty_prompt(self) -> PromptEmbeddings: ...

    def encode(self, images: Tensor, noise: Noise | None = None) -> Tensor:
        """Latents [batch, channels, height, width] of images [batch, 3, height, width] in 0 … 1, float32 or float64."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """Images [batch, 3, height, width] in 0 … 1 of latents."""
        ...

    def start_noise(self, noise: Noise, batch: int, height_px: int, width_px: int) -> Tensor:
        """Latents of pure noise."""
        ...

    def noise_like(self, noise: Noise, latents: Tensor, draw: Draw) -> Tensor:
        """Noise of the shape of latents, on their device."""
        ...

    def reading(self, layers: Sequence[int]) -> AbstractContextManager[FeatureReader]:
        """Prepare the model for reading features of numbered layers; stay inside until the gradient is taken."""
        ...

    def predict(self, latents: Tensor, level: Level, guidance: Guidance) -> Tensor:
        """What the sampler's step needs at a noise level, of the shape of the latents: noise, v, or FLUX's velocity."""
        ...

    def schedule(self, num_inference_steps: int, scheduler: str | None, height_px: int, width_px: int) -> Schedule:
        """Noise levels and steps. scheduler: one of the family's names, None for its default. Raises JobError."""
        ...

    def seamless(self, axes: Seamless) -> AbstractContextManager[None]:
        """Make the network and the decoder wrap around at the borders. Raises JobError where the family cannot."""
        ...

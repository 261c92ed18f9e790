"""ControlNet: a copy of a UNet's first half that sees a control picture and steers guided sampling.

Source: Zhang, Rao, Agrawala, "Adding Conditional Control to Text-to-Image Diffusion Models" (arXiv 2302.05543); with
attention distillation as shown in arXiv 2502.20235.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from diffusers import ControlNetModel
from torch import Tensor, nn

from adstudio.engine.backbones.build import build
from adstudio.errors import EngineError, ModelError
from adstudio.models.control import ControlDescription


def load_control(control: ControlDescription, *, device: torch.device, dtype: torch.dtype) -> ControlNetModel:
    """A ControlNet in memory, frozen. Raises ModelError where its files are damaged, StorageError where one is gone."""
    network = build(control.component, dtype=dtype, device=device)
    if not isinstance(network, ControlNetModel):
        raise ModelError(f"{control.path}: is no ControlNet")
    return network


class ControlNet:
    """A ControlNet with its picture; see `adstudio.engine.backbones.base.Control`.

    picture: [1, 3, height, width] in 0 … 1, of exactly the size that is made. scale: of its influence, ≥ 0.
    """

    def __init__(self, network: ControlNetModel, picture: Tensor, scale: float = 1.0) -> None:
        self._network = cast("nn.Module", network)
        first = next(self._network.parameters())
        self._picture = picture.to(device=first.device, dtype=first.dtype)
        self._scale = scale
        channels = cast("Any", network).config.conditioning_embedding_out_channels
        self._latent_px = 2 ** (len(channels) - 1)

    @property
    def network(self) -> nn.Module:
        """For moving it to another device and for making it interruptible."""
        return self._network

    @torch.no_grad()
    def residuals(
        self, latents: Tensor, timestep: Tensor, tokens: Tensor, added: dict[str, Tensor] | None
    ) -> tuple[Sequence[Tensor], Tensor]:
        """What to add to the UNet's down and mid blocks, for the same inputs as the UNet gets.

        Raises EngineError for latents of another size than the picture's, such as those of a window.
        """
        shown_px = self._picture.shape[-2], self._picture.shape[-1]
        wanted_px = latents.shape[-2] * self._latent_px, latents.shape[-1] * self._latent_px
        if shown_px != wanted_px:
            raise EngineError(
                f"the control picture has {shown_px[1]} × {shown_px[0]} pixels, but the network works on "
                f"{wanted_px[1]} × {wanted_px[0]}; use the method sample for control pictures"
            )
        network = cast("Any", self._network)
        down, mid = network(
            latents,
            timestep,
            encoder_hidden_states=tokens,
            controlnet_cond=self._picture.expand(latents.shape[0], -1, -1, -1),
            conditioning_scale=self._scale,
            added_cond_kwargs=added,
            return_dict=False,
        )
        return down, mid

"""Pictures to latents and back, the same for every family."""

from __future__ import annotations

from typing import Any, cast

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn

from adstudio.engine.noise import Draw, Noise


class LatentCodec:
    """A frozen VAE with its family's scaling.

    Source: latents are (mean − shift) · scale of the VAE's distribution, as the families were trained.
    """

    def __init__(self, vae: AutoencoderKL) -> None:
        self.vae = cast("nn.Module", vae)
        self._vae = cast("Any", vae)
        config: Any = self._vae.config
        self._scale = float(config.scaling_factor)
        self._shift = float(config.shift_factor or 0.0)
        self.latent_px: int = 2 ** (len(config.block_out_channels) - 1)

    @torch.no_grad()
    def encode(self, images: Tensor, noise: Noise | None = None) -> Tensor:
        """Latents [batch, channels, height / 8, width / 8] of images [batch, 3, height, width] in 0 … 1.

        noise: draw from the VAE's distribution instead of taking its mean. Raises ValueError for other sizes than
        multiples of `latent_px`.
        """
        if images.shape[-1] % self.latent_px or images.shape[-2] % self.latent_px:
            raise ValueError(f"pictures of {images.shape[-1]} × {images.shape[-2]} are no multiple of {self.latent_px}")
        parameter = next(self.vae.parameters())
        results = []
        for image in torch.split(
            images, 1
        ):  # one by one: less memory, and a picture's latents do not depend on its company
            shown = (image.to(parameter.device) * 2 - 1).to(parameter.dtype)
            distribution = self._vae.encode(shown).latent_dist
            latents = distribution.mean
            if noise is not None:
                drawn = noise.normal(latents.shape, Draw.ENCODING).to(latents)
                latents = latents + distribution.std * drawn
            results.append((_precise(latents) - self._shift) * self._scale)
        return torch.cat(results)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Images [batch, 3, height, width] in 0 … 1, float32 (float64 stays), of latents."""
        parameter = next(self.vae.parameters())
        results = []
        for each in torch.split(latents, 1):
            shown = (each / self._scale + self._shift).to(device=parameter.device, dtype=parameter.dtype)
            image = self._vae.decode(shown, return_dict=False)[0]
            results.append(_precise(image).div_(2).add_(0.5).clamp_(0, 1))  # in place: it may be very large
        return results[0] if len(results) == 1 else torch.cat(results)


def _precise(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()

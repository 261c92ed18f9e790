"""SDXL as a backbone: SD's UNet that is also told the pooled prompt and the picture's size."""

from __future__ import annotations

import torch
from torch import Tensor

from adstudio.engine.backbones.parts import PromptEmbeddings
from adstudio.engine.backbones.stable_diffusion import StableDiffusion
from adstudio.errors import EngineError


class StableDiffusionXL(StableDiffusion):
    """SDXL; see `Backbone`. Default layers: self-attention of up_blocks.1.

    Every pass is told the size of the picture it sees, reference passes that of the reference.
    """

    _distilled = ("up_blocks.1.",)

    @property
    def target_matters(self) -> bool:
        return self._quirks.told_output_size

    def _added(self, prompt: PromptEmbeddings, told_size: tuple[int, int]) -> dict[str, Tensor]:
        if prompt.pooled is None:
            raise EngineError("SDXL needs the pooled embedding of its prompt, and got none")
        height, width = (side * self.latent_px for side in told_size)
        ids = torch.tensor([[height, width, 0, 0, height, width]], dtype=self.dtype)
        time_ids = ids.to(self.device, non_blocking=True).expand(prompt.tokens.shape[0], 6)
        return {"text_embeds": prompt.pooled, "time_ids": time_ids}

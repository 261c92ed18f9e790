"""Stable Diffusion 1.5 and 2.x as backbones, and what SDXL shares with them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from adstudio.engine.attention import (
    Need,
    Recorder,
    UNetSelfAttention,
    chosen_names,
    default_layers,
    recording,
    unet_self_attention_names,
)
from adstudio.engine.backbones.base import Features, Guidance, Timestep, features_of, told_timesteps
from adstudio.engine.backbones.latent_codec import LatentCodec
from adstudio.engine.backbones.parts import ModelParts, PromptEmbeddings
from adstudio.engine.losses import AttentionFunction, sdpa
from adstudio.engine.noise import Draw, Noise
from adstudio.engine.quirks import NO_QUIRKS, ReferenceQuirks
from adstudio.engine.regions import token_grid
from adstudio.engine.schedules import DEFAULT_SCHEDULER, DiffusionSchedule, Level
from adstudio.engine.seamless import seamless
from adstudio.jobs.choices import Seamless
from adstudio.models.families import Family


class StableDiffusion:
    """SD 1.5 or 2.x; see `Backbone`. Default layers: self-attention of up_blocks.2 and up_blocks.3.

    attend: attention function of the self-attention layers; another than the default replaces it in all of them.
    """

    _distilled: tuple[str, ...] = ("up_blocks.2.", "up_blocks.3.")

    def __init__(
        self, parts: ModelParts, quirks: ReferenceQuirks = NO_QUIRKS, attend: AttentionFunction = sdpa
    ) -> None:
        self._parts, self._quirks, self._attend = parts, quirks, attend
        self._unet = cast("nn.Module", parts.denoiser)
        self._codec = LatentCodec(parts.vae)
        self._names = unet_self_attention_names(self._unet)
        first = next(self._unet.parameters())
        self._device, self._dtype = first.device, first.dtype
        self._axes = Seamless.NONE

    @property
    def family(self) -> Family:
        return self._parts.family

    @property
    def layer_names(self) -> tuple[str, ...]:
        return self._names

    @property
    def default_layers(self) -> tuple[int, ...]:
        return default_layers(self._names, self._distilled)

    @property
    def latent_px(self) -> int:
        return self._codec.latent_px

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def dtype(self) -> torch.dtype:
        return self._dtype

    @property
    def target_matters(self) -> bool:
        return False

    @property
    def variant(self) -> str:
        return f"{self.family} {self._dtype} {self._axes}"

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        return self._unet, self._codec.vae

    @property
    def empty_prompt(self) -> PromptEmbeddings:
        return self._parts.empty_prompt

    def encode(self, images: Tensor, noise: Noise | None = None) -> Tensor:  # noqa: ARG002 - the mean is taken
        return self._codec.encode(images).to(self._device)

    def decode(self, latents: Tensor) -> Tensor:
        return self._codec.decode(latents)

    def start_noise(self, noise: Noise, batch: int, height_px: int, width_px: int) -> Tensor:
        channels = cast("Any", self._unet).config.in_channels
        shape = batch, channels, height_px // self.latent_px, width_px // self.latent_px
        return self._placed(noise.normal(shape, Draw.START))

    def noise_like(self, noise: Noise, latents: Tensor, draw: Draw) -> Tensor:
        return noise.normal(latents.shape, draw).to(latents)

    @contextlib.contextmanager
    def reading(self, layers: Sequence[int]) -> Iterator[_Reader]:
        names = chosen_names(self._names, layers)
        others = [] if self._attend is sdpa else [name for name in self._names if name not in names]
        with recording(self._unet, names, UNetSelfAttention, self._attend, others) as recorder:
            yield _Reader(self, recorder)

    @torch.no_grad()
    def predict(self, latents: Tensor, level: Level, guidance: Guidance) -> Tensor:
        batch = latents.shape[0]
        prompts = [guidance.positive]
        if guidance.scale > 1:
            prompts.insert(0, guidance.negative or self.empty_prompt)
        shown = latents.repeat(len(prompts), 1, 1, 1)
        told = [self._expanded(prompt, batch) for prompt in prompts]
        prompt = PromptEmbeddings(
            tokens=torch.cat([each.tokens for each in told]),
            pooled=None if told[0].pooled is None else torch.cat([p.pooled for p in told if p.pooled is not None]),
        )
        size = latents.shape[-2], latents.shape[-1]
        with self._all_attending():
            prediction = self.network(shown, level.timestep, prompt, size, guidance)
        if len(prompts) == 1:
            return prediction
        unconditional, conditional = prediction.chunk(2)
        return unconditional + guidance.scale * (conditional - unconditional)

    def schedule(
        self,
        num_inference_steps: int,
        scheduler: str | None,
        height_px: int,  # noqa: ARG002 - see Backbone
        width_px: int,  # noqa: ARG002
    ) -> DiffusionSchedule:
        return DiffusionSchedule(self._parts.scheduler_config, num_inference_steps, scheduler or DEFAULT_SCHEDULER)

    @contextlib.contextmanager
    def seamless(self, axes: Seamless) -> Iterator[None]:
        vae: Any = self._codec.vae
        parts = [self._unet, vae if self._quirks.seamless_encoder else vae.decoder]
        before = self._axes
        self._axes = axes
        try:
            with seamless(parts, axes, explicit_padding=not self._quirks.seamless_encoder):
                yield
        finally:
            self._axes = before

    def network(
        self,
        latents: Tensor,
        timestep: Timestep,
        prompt: PromptEmbeddings,
        told_size: tuple[int, int],
        guidance: Guidance | None = None,
    ) -> Tensor:
        """The UNet's answer for latents [batch, 4, h, w], in their precision (at least float32).

        prompt: [1 or batch, tokens, channels]. told_size: height and width in latents that SDXL is told.
        """
        batch = latents.shape[0]
        shown = latents.to(device=self._device, dtype=self._dtype)
        listed = told_timesteps(timestep, batch)
        number = torch.int64 if all(isinstance(each, int) for each in listed) else torch.float32
        when = torch.tensor(listed, dtype=number).to(self._device, non_blocking=True)
        told = self._expanded(prompt, batch)
        added = self._added(told, told_size)
        keywords: dict[str, Any] = {} if added is None else {"added_cond_kwargs": added}
        if guidance is not None and guidance.control is not None:
            down, mid = guidance.control.residuals(shown, when, told.tokens, added)
            keywords |= {"down_block_additional_residuals": tuple(down), "mid_block_additional_residual": mid}
        answer = self._unet(shown, when, told.tokens, return_dict=False, **keywords)[0]
        return answer if answer.dtype == torch.float64 else answer.float()  # type: ignore[no-any-return]

    def told_size(self, size: tuple[int, int], beside: tuple[int, int] | None) -> tuple[int, int]:
        """Height and width in latents that the network is told of a picture, which may be a reference."""
        return beside if beside is not None and self._quirks.told_output_size else size

    def _added(self, prompt: PromptEmbeddings, told_size: tuple[int, int]) -> dict[str, Tensor] | None:  # noqa: ARG002 - SDXL's
        return None

    def _expanded(self, prompt: PromptEmbeddings, batch: int) -> PromptEmbeddings:
        pooled = None if prompt.pooled is None else self._fitted(prompt.pooled, batch)
        return PromptEmbeddings(tokens=self._fitted(prompt.tokens, batch), pooled=pooled)

    def _fitted(self, embedding: Tensor, batch: int) -> Tensor:
        placed = embedding.to(device=self._device, dtype=self._dtype)
        return placed if placed.shape[0] == batch else placed.expand(batch, *placed.shape[1:])

    def _placed(self, drawn: Tensor) -> Tensor:
        precise = torch.float64 if self._dtype == torch.float64 else torch.float32
        return drawn.to(device=self._device, dtype=precise)

    @contextlib.contextmanager
    def _all_attending(self) -> Iterator[None]:
        if self._attend is sdpa:
            yield
            return
        with recording(self._unet, (), UNetSelfAttention, self._attend, self._names):
            yield


class _Reader:
    """See `FeatureReader`."""

    def __init__(self, model: StableDiffusion, recorder: Recorder) -> None:
        self._model, self._recorder = model, recorder

    def __call__(
        self, latents: Tensor, timestep: Timestep, need: Need = Need.ALL, beside: tuple[int, int] | None = None
    ) -> Features:
        model = self._model
        size = latents.shape[-2], latents.shape[-1]
        told = model.told_size(size, beside)
        with torch.set_grad_enabled(latents.requires_grad and torch.is_grad_enabled()):
            layers = self._recorder.run(lambda: model.network(latents, timestep, model.empty_prompt, told), need)
        grids = tuple(token_grid(layer.query.shape[2], *size) for layer in layers)
        return features_of(layers, need, grids, size)

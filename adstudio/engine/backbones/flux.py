"""FLUX.1 as a backbone: a transformer whose keys know where they are, on latents packed two by two."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from adstudio.engine.attention import Need, Recorder, chosen_names, recording
from adstudio.engine.backbones.base import Features, Guidance, Timestep, features_of, told_timesteps
from adstudio.engine.backbones.flux_attention import FluxSelfAttention, Positions, Rotary, damped, rotary_of
from adstudio.engine.backbones.latent_codec import LatentCodec
from adstudio.engine.backbones.parts import ModelParts, PromptEmbeddings
from adstudio.engine.losses import AttentionFunction, sdpa
from adstudio.engine.noise import Draw, Noise
from adstudio.engine.quirks import NO_QUIRKS, ReferenceQuirks
from adstudio.engine.schedules import FLOW_SCHEDULER, FlowSchedule, Level
from adstudio.engine.seamless import seamless
from adstudio.errors import EngineError, JobError
from adstudio.jobs.choices import Seamless
from adstudio.models.families import Family

_LAST_BLOCKS = 7


class Flux:
    """FLUX.1 dev or schnell; see `Backbone`. Default layers: the last seven single blocks.

    Latents are packed: [batch, 64, height / 16, width / 16], channel order (c, dy, dx), so that space stays space.
    positions: what reference keys know of their place; see `Positions`.
    """

    def __init__(
        self,
        parts: ModelParts,
        quirks: ReferenceQuirks = NO_QUIRKS,
        attend: AttentionFunction = sdpa,
        positions: Positions = Positions.SHIFTED,
    ) -> None:
        self._parts, self._quirks, self._attend = parts, quirks, attend
        self._positions = Positions.PLAIN if quirks.plain_reference_positions else positions
        self._transformer = cast("nn.Module", parts.denoiser)
        self._config: Any = cast("Any", parts.denoiser).config
        self._codec = LatentCodec(parts.vae)
        doubles, singles = self._config.num_layers, self._config.num_single_layers
        self._names = tuple(f"transformer_blocks.{index}.attn" for index in range(doubles)) + tuple(
            f"single_transformer_blocks.{index}.attn" for index in range(singles)
        )
        first = next(self._transformer.parameters())
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
        count = len(self._names)
        return tuple(range(count - min(_LAST_BLOCKS, self._config.num_single_layers), count))

    @property
    def latent_px(self) -> int:
        return 2 * self._codec.latent_px

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def dtype(self) -> torch.dtype:
        return self._dtype

    @property
    def target_matters(self) -> bool:
        return self._positions is Positions.SHIFTED

    @property
    def variant(self) -> str:
        return f"{self.family} {self._dtype} {self._positions} {self._axes}"

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        return self._transformer, self._codec.vae

    @property
    def empty_prompt(self) -> PromptEmbeddings:
        return self._parts.empty_prompt

    def encode(self, images: Tensor, noise: Noise | None = None) -> Tensor:
        sampled = noise if self._quirks.sampled_reference_latents else None
        return packed(self._codec.encode(images, sampled)).to(self._device)

    def decode(self, latents: Tensor) -> Tensor:
        return self._codec.decode(unpacked(latents))

    def start_noise(self, noise: Noise, batch: int, height_px: int, width_px: int) -> Tensor:
        side = self._codec.latent_px
        shape = batch, self._config.in_channels // 4, height_px // side, width_px // side
        precise = torch.float64 if self._dtype == torch.float64 else torch.float32
        return packed(noise.normal(shape, Draw.START).to(device=self._device, dtype=precise))

    def noise_like(self, noise: Noise, latents: Tensor, draw: Draw) -> Tensor:
        """Drawn as the tokens [batch, tokens, 64] that the transformer sees."""
        batch, channels, rows, columns = latents.shape
        drawn = noise.normal((batch, rows * columns, channels), draw).to(latents)
        return drawn.transpose(1, 2).reshape(batch, channels, rows, columns)

    @contextlib.contextmanager
    def reading(self, layers: Sequence[int]) -> Iterator[_Reader]:
        names = chosen_names(self._names, layers)
        others = [] if self._attend is sdpa else [name for name in self._names if name not in names]
        rotaries: list[Rotary | None] = [None]

        def processor(recorder: Recorder, index: int | None) -> FluxSelfAttention:
            return FluxSelfAttention(recorder, index, lambda: rotaries[0])

        with recording(self._transformer, names, processor, self._attend, others) as recorder:
            yield _Reader(self, recorder, rotaries)

    @torch.no_grad()
    def predict(self, latents: Tensor, level: Level, guidance: Guidance) -> Tensor:
        """The velocity; guidance is an input of the network, so there is no negative prompt.

        Raises JobError for a negative prompt or a control, which FLUX does not have.
        """
        if guidance.negative is not None:
            raise JobError("FLUX has no negative prompt; leave it empty", field="negative_prompt")
        if guidance.control is not None:
            raise JobError("FLUX is used without a control picture; leave it out", field="control")
        listed = torch.tensor(level.timestep, dtype=torch.float32).item()  # as the library's scheduler lists it
        with contextlib.ExitStack() as stack:
            if self._attend is not sdpa:
                stack.enter_context(recording(self._transformer, (), _plain, self._attend, self._names))
            return self.network(latents, listed, guidance.positive, guidance.scale)

    def schedule(self, num_inference_steps: int, scheduler: str | None, height_px: int, width_px: int) -> FlowSchedule:
        if scheduler not in {None, FLOW_SCHEDULER}:
            raise JobError(f"no scheduler {scheduler!r} for FLUX; there is {FLOW_SCHEDULER}", field="scheduler")
        tokens = (height_px // self.latent_px) * (width_px // self.latent_px)
        return FlowSchedule(self._parts.scheduler_config, num_inference_steps, tokens)

    @contextlib.contextmanager
    def seamless(self, axes: Seamless) -> Iterator[None]:
        """Only none: the transformer knows where the borders are. Raises JobError for others."""
        if axes is not Seamless.NONE:
            raise JobError("FLUX cannot make seamless pictures; use SD 1.5, SD 2 or SDXL for that", field="seamless")
        with seamless((), axes):
            yield

    def network(
        self, latents: Tensor, timestep: Timestep, prompt: PromptEmbeddings, guidance_scale: float = 1.0
    ) -> Tensor:
        """The transformer's velocity for packed latents [batch, 64, h, w], in their precision (at least float32)."""
        batch, channels, rows, columns = latents.shape
        if prompt.pooled is None:
            raise EngineError("FLUX needs the pooled embedding of its prompt, and got none")
        tokens = latents.to(device=self._device, dtype=self._dtype).flatten(2).transpose(1, 2)
        shares = [each / 1000 for each in told_timesteps(timestep, batch)]
        when = torch.tensor(shares, dtype=self._dtype).to(self._device, non_blocking=True)
        scale = None
        if self._config.guidance_embeds:
            scale = torch.full((1,), guidance_scale, dtype=self._dtype, device=self._device).expand(batch)
        answer = self._transformer(
            hidden_states=tokens,
            timestep=when,
            guidance=scale,
            pooled_projections=self._fitted(prompt.pooled, batch),
            encoder_hidden_states=self._fitted(prompt.tokens, batch),
            txt_ids=torch.zeros(prompt.tokens.shape[1], 3, device=self._device, dtype=self._dtype),
            img_ids=image_positions(rows, columns).to(device=self._device, dtype=self._dtype),
            return_dict=False,
        )[0]
        result: Tensor = answer.transpose(1, 2).reshape(batch, channels, rows, columns)
        return result if result.dtype == torch.float64 else result.float()

    def reference_rotary(self, rows: int, columns: int, beside: tuple[int, int]) -> Rotary | None:
        """What the keys of a reference of rows × columns tokens are turned by; None as they are."""
        if self._positions is Positions.PLAIN:
            return None
        positions = image_positions(rows, columns)
        if self._positions is Positions.SHIFTED:
            positions[:, 2] += beside[1]
        text = torch.zeros(self.empty_prompt.tokens.shape[1], 3)
        rotary = rotary_of(self._transformer, torch.cat([text, positions]).to(self._device))
        if self._positions is Positions.SHIFTED:
            return rotary
        unit = rotary_of(self._transformer, torch.ones(1, 3, device=self._device))
        return damped(rotary, unit, text.shape[0])

    def _fitted(self, embedding: Tensor, batch: int) -> Tensor:
        placed = embedding.to(device=self._device, dtype=self._dtype)
        return placed if placed.shape[0] == batch else placed.expand(batch, *placed.shape[1:])


class _Reader:
    """See `FeatureReader`."""

    def __init__(self, model: Flux, recorder: Recorder, rotaries: list[Rotary | None]) -> None:
        self._model, self._recorder, self._rotaries = model, recorder, rotaries

    def __call__(
        self, latents: Tensor, timestep: Timestep, need: Need = Need.ALL, beside: tuple[int, int] | None = None
    ) -> Features:
        model = self._model
        size = latents.shape[-2], latents.shape[-1]
        self._rotaries[0] = None if beside is None else model.reference_rotary(*size, beside)
        with torch.set_grad_enabled(latents.requires_grad and torch.is_grad_enabled()):
            layers = self._recorder.run(lambda: model.network(latents, timestep, model.empty_prompt), need)
        text = model.empty_prompt.tokens.shape[1]
        return features_of(layers, need, (size,) * len(layers), size, text)


def _plain(recorder: Recorder, index: int | None) -> FluxSelfAttention:
    return FluxSelfAttention(recorder, index, lambda: None)


def image_positions(rows: int, columns: int) -> Tensor:
    """Positions (0, row, column) of image tokens, float32 [rows · columns, 3], row by row."""
    down, across = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack([torch.zeros_like(down), down, across], dim=-1).flatten(0, 1).float()


def packed(latents: Tensor) -> Tensor:
    """Latents [batch, c, h, w] as [batch, 4 c, h / 2, w / 2], channel order (c, dy, dx). Raises ValueError if odd."""
    if latents.shape[-1] % 2 or latents.shape[-2] % 2:
        raise ValueError(f"latents of {latents.shape[-2]} × {latents.shape[-1]} cannot be packed two by two")
    return nn.functional.pixel_unshuffle(latents, 2)


def unpacked(latents: Tensor) -> Tensor:
    """The inverse of `packed`."""
    return nn.functional.pixel_shuffle(latents, 2)

"""A model at work on one job: its latents, its decoder, and how it saves memory. Afterwards it is as it was."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from adstudio.engine.backbones.base import Backbone, Guidance
from adstudio.engine.backbones.flux import unpacked
from adstudio.engine.chunked_attention import chunked
from adstudio.engine.control import ControlNet
from adstudio.engine.decoder_tuning import TuningSettings, tune_decoder, tuned
from adstudio.engine.diffusion.loaded import Loaded, ModelKeeper
from adstudio.engine.diffusion.methods import Material
from adstudio.engine.diffusion.not_finite import reason_of
from adstudio.engine.diffusion.pictures import Pictures
from adstudio.engine.diffusion.preview_map import PreviewMap
from adstudio.engine.distillation import Stop
from adstudio.engine.interruption import Interrupted, interruptible
from adstudio.engine.losses import AttentionFunction, sdpa
from adstudio.engine.memory import checkpointing, tiled_decoding
from adstudio.engine.wide_decoding import wide_decoding
from adstudio.errors import EngineError
from adstudio.jobs.choices import Method, Seamless
from adstudio.jobs.spec import Job
from adstudio.models.families import Family
from adstudio.models.forecast import Means

_TILED_FROM_PX = 1.5 * 2**20
_WIDE_FROM_PX = 6 * 2**20
"""From here on also the decoder's lowest level, whose attention grows with the square, sees windows."""


class ModelInUse:
    """A loaded model with what a job needs of it.

    means: how memory is saved now; `save_memory` changes it.
    """

    def __init__(
        self,
        loaded: Loaded,
        job: Job,
        pictures: Pictures,
        guidance: Guidance,
        keeper: ModelKeeper,
        native_side_px: int,
        means: Means,
    ) -> None:
        self._loaded, self._job, self._pictures = loaded, job, pictures
        self._guidance, self._keeper, self._native_side_px = guidance, keeper, native_side_px
        self._references: tuple[Tensor, ...] = ()
        self._content: Tensor | None = None
        self._start: Tensor | None = None
        self._decoder: Mapping[str, Tensor] | None = None
        self._preview: PreviewMap | None = None
        self.means = means
        self.backbone: Backbone = loaded.backbone()
        self._prepare()

    @property
    def tuning_steps(self) -> int:
        """How many steps of tuning the decoder stand before the pictures."""
        return TuningSettings().steps if self._job.tune_decoder else 0

    def save_memory(self, means: Means) -> None:
        """Go on with other means; nobody computes with the model at this moment."""
        self.means = means
        self._keeper.free()
        self._prepare()

    def _prepare(self) -> None:
        self.backbone = self._loaded.backbone(self._attend())
        if self.means.vae_on_cpu:
            self._vae.to(device="cpu", dtype=torch.float32)

    @contextlib.contextmanager
    def watched(self, stop: Stop) -> Iterator[None]:
        """Let the networks ask `stop` before every module; they raise Interrupted when it says yes."""
        control = self._guidance.control
        beside = (control.network,) if isinstance(control, ControlNet) else ()
        with contextlib.ExitStack() as stack:
            if self.means.checkpointing:
                stack.enter_context(checkpointing(self.backbone.networks[0]))
            stack.enter_context(interruptible((*self.backbone.networks, *beside), stop))
            yield

    def wrapping(self, axes: Seamless) -> contextlib.AbstractContextManager[None]:
        """Make the model wrap around along axes."""
        return self.backbone.seamless(axes)

    def encode(self) -> None:
        """Turn the job's pictures into latents, once."""
        if self._references:
            return
        pictures = self._pictures
        with self._tiling(max(image.shape[2] * image.shape[3] for image in self._images())):
            if pictures.content is not None and self._content is None:
                self._content = self._encoded(pictures.content)
            if pictures.start is not None and self._start is None:
                self._start = self._encoded(pictures.start)
            references = tuple(self._encoded(image) for image in pictures.references)
        known = [*references] if self._content is None else [self._content, *references]
        begun = [] if self._start is None else [self._start]
        if not all(bool(torch.isfinite(latents).all()) for latents in (*known, *begun)):
            raise EngineError(self.why_not_finite("encoding the pictures", from_the_start=True))
        self._preview = PreviewMap(self._images(), [self._plain(latents) for latents in known])
        self._references = references

    def _encoded(self, image: Tensor) -> Tensor:
        vae: Any = self._vae
        how = f"{self._loaded.key} {vae.device} {vae.dtype} {'tiles' if vae.use_tiling else 'whole'}"
        return self._keeper.findings.latents(how, image, self.backbone.encode).to(self.backbone.device)

    def material(self) -> Material:
        """What the pictures are made from; before `encode` only good for counting steps."""
        job, frame = self._job, self._pictures.frame
        cache = None
        if job.method is Method.OPTIMIZE and not self.means.freed:
            key = f"{self._loaded.key} {'parts' if self.means.chunked else 'whole'}"
            cache = self._keeper.features(self.backbone.device).for_model(key)
        return Material(
            job=job,
            backbone=self.backbone,
            references=self._references,
            content=self._content,
            has_content=self._pictures.content is not None,
            start=self._start,
            weights=self._pictures.weights,
            regions=self._pictures.regions,
            guidance=self._guidance,
            size_px=(frame.work_height, frame.work_width),
            window_px=self._native_side_px,
            cache=cache,
            attend=self._attend(),
        )

    def tune(self, stop: Stop) -> Iterator[int]:
        """Tune the decoder on the references, yielding the number of steps done; once, and kept for the next job.

        Raises Interrupted where it was stopped.
        """
        if not self._job.tune_decoder or self._decoder is not None:
            return
        kept = self._keeper.findings.tuned(self._loaded.key, self._pictures.references)
        if kept is not None:
            self._decoder = kept
            return
        settings = TuningSettings()
        began = time.monotonic()
        for state in tune_decoder(cast("Any", self._vae), self._pictures.references, settings, stop):
            if state.steps == settings.steps:
                own = next(self._vae.parameters())
                self._decoder = {name: each.detach().to(own).clone() for name, each in state.weights.items()}
            yield state.steps
        if self._decoder is None:
            raise Interrupted
        spent_s = time.monotonic() - began
        self._keeper.findings.keep_tuned(self._loaded.key, self._pictures.references, self._decoder, spent_s)

    def decode(self, latents: Tensor) -> NDArray[np.float32]:
        """The picture of latents at the size asked for, [height, width, 3] in 0 … 1. Raises EngineError for NaN."""
        frame = self._pictures.frame
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._tiling(frame.work_width * frame.work_height))
            if self._decoder is not None:
                stack.enter_context(tuned(cast("Any", self._vae), self._decoder))
            image = frame.cut(self.backbone.decode(latents).float())
        if not bool(torch.isfinite(image).all()):
            raise EngineError(self.why_not_finite("decoding the picture", from_the_start=True))
        pixels: NDArray[np.float32] = image[0].permute(1, 2, 0).cpu().numpy()
        return np.ascontiguousarray(pixels)

    def why_not_finite(self, where: str, *, from_the_start: bool) -> str:
        """A sentence for values that are no numbers; see `reason_of`."""
        return reason_of(self._job, self._loaded, self._guidance, where=where, from_the_start=from_the_start)

    def preview(self, latents: Tensor, signal: float) -> NDArray[np.uint8]:
        """A small picture of latents without the decoder; see `PreviewMap.preview`."""
        assert self._preview is not None
        frame = self._pictures.frame
        shown = frame.height / frame.work_height, frame.width / frame.work_width
        return self._preview.preview(self._plain(latents), signal, shown)

    @property
    def _vae(self) -> nn.Module:
        return self.backbone.networks[1]

    def _attend(self) -> AttentionFunction:
        return chunked() if self.means.chunked or self.backbone.device.type == "mps" else sdpa

    def _images(self) -> list[Tensor]:
        content = self._pictures.content
        return [*([] if content is None else [content]), *self._pictures.references]

    def _plain(self, latents: Tensor) -> Tensor:
        return unpacked(latents) if self.backbone.family is Family.FLUX else latents

    @contextlib.contextmanager
    def _tiling(self, pixels: int) -> Iterator[None]:
        """Let the VAE work in tiles where the picture is large or memory is short."""
        vae: Any = self._vae
        if vae.use_tiling or not (self.means.tiled or pixels > _TILED_FROM_PX):
            yield
            return
        axes = self._job.seamless
        vae.enable_tiling()  # for encoding; decoding has tiles of our own, which keep the picture's statistics
        try:
            whole = pixels <= _WIDE_FROM_PX and axes is Seamless.NONE
            with tiled_decoding(vae) if whole else wide_decoding(vae, axes):
                yield
        finally:
            vae.disable_tiling()

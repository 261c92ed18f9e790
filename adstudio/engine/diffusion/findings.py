"""What was made of pictures with a model, for jobs to come: their latents, and decoders tuned on them."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from adstudio.engine.tensor_files import TensorFiles
from adstudio.paths import cache_dir

_MOST_LATENTS = 32
_LATENTS_ON_DISK_BYTES = 64 << 20
_DECODERS_ON_DISK_BYTES = 1 << 30


class Findings:
    """In memory and, where computing takes longer than reading, on disk. Keys name the model and how it computes."""

    def __init__(self) -> None:
        self._latents: OrderedDict[str, Tensor] = OrderedDict()
        self._tuned: tuple[str, Mapping[str, Tensor]] | None = None
        self._latent_files = TensorFiles(cache_dir() / "latents", _LATENTS_ON_DISK_BYTES)
        self._decoder_files = TensorFiles(cache_dir() / "decoders", _DECODERS_ON_DISK_BYTES)

    def begin(self) -> None:
        """A run begins: files of earlier ones may go."""
        self._latent_files.begin()
        self._decoder_files.begin()

    def latents(self, model: str, image: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        """The latents of a picture [1, 3, height, width]."""
        key = _digest(model, [image])
        if key not in self._latents:
            kept = self._latent_files.get(key)
            if kept is not None and "latents" in kept.tensors:
                self._latents[key] = kept.tensors["latents"]
            else:
                began = time.monotonic()
                found = self._latents[key] = compute(image)
                if self._latent_files.is_worth(found.nbytes, time.monotonic() - began):
                    self._latent_files.put(key, {"latents": found}, {})
            while len(self._latents) > _MOST_LATENTS:
                self._latents.popitem(last=False)
        self._latents.move_to_end(key)
        return self._latents[key]

    def tuned(self, model: str, references: Sequence[Tensor]) -> Mapping[str, Tensor] | None:
        """The weights of the decoder that was tuned on these references; None where none was."""
        key = _digest(model, references)
        if self._tuned is None or self._tuned[0] != key:
            kept = self._decoder_files.get(key)
            if kept is None:
                return None
            self._tuned = key, kept.tensors
        return self._tuned[1]

    def keep_tuned(
        self, model: str, references: Sequence[Tensor], weights: Mapping[str, Tensor], cost_s: float
    ) -> None:
        """Keep a tuned decoder, in memory in place of the one before. cost_s: what tuning it took."""
        key = _digest(model, references)
        self._tuned = key, weights
        if self._decoder_files.is_worth(sum(each.nbytes for each in weights.values()), cost_s):
            self._decoder_files.put(key, weights, {})

    def forget(self) -> None:
        """Let go of what is in memory."""
        self._latents.clear()
        self._tuned = None


def _digest(model: str, images: Sequence[Tensor]) -> str:
    digest = hashlib.sha256(f"{torch.__version__} {model}".encode())
    for image in images:
        digest.update(str(tuple(image.shape)).encode())
        digest.update(image.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()

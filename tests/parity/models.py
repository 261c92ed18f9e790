"""The recorded cases' models, read plainly with diffusers from their folders."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import diffusers
import torch

from adstudio.engine.backbones.base import Backbone
from adstudio.engine.backbones.flux import Flux
from adstudio.engine.backbones.parts import ModelParts, PromptEmbeddings, TextParts
from adstudio.engine.backbones.sdxl import StableDiffusionXL
from adstudio.engine.backbones.stable_diffusion import StableDiffusion
from adstudio.engine.backbones.text import encode_prompt
from adstudio.engine.quirks import OFFICIAL_QUIRKS
from adstudio.models.families import Family
from tests.parity.recorded import BadCaseError, Case


class Models:
    """Models below a folder, each read once for each precision. images: folder of the recorded pictures."""

    def __init__(self, folder: Path, images: Path) -> None:
        self._folder, self.images = folder, images
        self._read: dict[tuple[str, torch.dtype], ModelParts] = {}
        self._texts: dict[tuple[str, torch.dtype], TextParts] = {}

    def folder(self, name: str) -> Path:
        path = self._folder / name
        if not (path / "model_index.json").is_file():
            raise BadCaseError(f"there is no model folder {path}")
        return path

    def parts(self, name: str, dtype: torch.dtype = torch.float32) -> ModelParts:
        """The networks of a model, without text encoders; its empty prompt is a placeholder."""
        if (name, dtype) not in self._read:
            self._read[name, dtype] = _read(self.folder(name), dtype)
        return self._read[name, dtype]

    def text(self, name: str, dtype: torch.dtype = torch.float32) -> TextParts:
        """Text encoders and tokenizers of a model."""
        if (name, dtype) not in self._texts:
            self._texts[name, dtype] = _read_text(self.folder(name), dtype)
        return self._texts[name, dtype]

    def backbone(self, case: Case, dtype: torch.dtype = torch.float32) -> Backbone:
        """The model of a case with its embedding of the empty prompt, and all the official code's habits."""
        parts = self.parts(case.model, dtype)
        empty = self.prompt(case, "null_embeds", "null_pooled_embeds", "", dtype)
        return backbone_of(with_empty(parts, empty))

    def prompt(self, case: Case, tokens: str, pooled: str, prompt: str, dtype: torch.dtype) -> PromptEmbeddings:
        """Embeddings of a prompt: the recorded ones, and for float64, which is not recorded, computed ones."""
        recorded = embeddings(case, tokens, pooled, dtype)
        if dtype == torch.float32 and recorded is not None:
            return recorded
        if recorded is not None and not recorded.tokens.any():
            return recorded  # an omitted negative prompt of SDXL
        parts = self.parts(case.model, dtype)
        return encode_prompt(self.text(case.model, dtype), parts.family, prompt)


def with_empty(parts: ModelParts, empty: PromptEmbeddings) -> ModelParts:
    return ModelParts(
        family=parts.family,
        denoiser=parts.denoiser,
        vae=parts.vae,
        scheduler_config=parts.scheduler_config,
        empty_prompt=empty,
    )


def backbone_of(parts: ModelParts) -> Backbone:
    match parts.family:
        case Family.FLUX:
            return Flux(parts, OFFICIAL_QUIRKS)
        case Family.SDXL:
            return StableDiffusionXL(parts, OFFICIAL_QUIRKS)
        case _:
            return StableDiffusion(parts, OFFICIAL_QUIRKS)


def embeddings(case: Case, tokens: str, pooled: str, dtype: torch.dtype) -> PromptEmbeddings | None:
    """Recorded embeddings of a prompt."""
    found, whole = case.maybe(tokens), case.maybe(pooled)
    if found is None:
        return None
    return PromptEmbeddings(tokens=found.to(dtype), pooled=whole if whole is None else whole.to(dtype))


def _read(folder: Path, dtype: torch.dtype) -> ModelParts:
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    families = {
        "StableDiffusionPipeline": Family.SD15,
        "StableDiffusionXLPipeline": Family.SDXL,
        "FluxPipeline": Family.FLUX,
    }
    if index["_class_name"] not in families:
        raise BadCaseError(f"{folder.name} is a {index['_class_name']}, which is no known family")
    family = families[index["_class_name"]]
    plain: dict[str, Any] = {
        "use_safetensors": True,
        "local_files_only": True,
        "torch_dtype": dtype,
        "low_cpu_mem_usage": False,
    }
    networks: list[Any] = []
    for role in ("transformer" if family is Family.FLUX else "unet", "vae"):
        network_class: Any = getattr(diffusers, index[role][1])
        networks.append(network_class.from_pretrained(folder / role, **plain))
    denoiser, vae = networks
    for network in (denoiser, vae):
        network.eval().requires_grad_(False)
    scheduler = json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8"))
    nothing = PromptEmbeddings(tokens=torch.zeros(1, 1, 1))
    return ModelParts(
        family=family, denoiser=denoiser, vae=vae, scheduler_config=copy.deepcopy(scheduler), empty_prompt=nothing
    )


def _read_text(folder: Path, dtype: torch.dtype) -> TextParts:
    import transformers

    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    encoders, tokenizers = [], []
    for suffix in ("", "_2"):
        if f"text_encoder{suffix}" not in index:
            continue
        encoder_class: Any = getattr(transformers, index[f"text_encoder{suffix}"][1])
        place = folder / f"text_encoder{suffix}"
        encoder = encoder_class.from_pretrained(place, use_safetensors=True, local_files_only=True, dtype=dtype)
        encoders.append(encoder.eval().requires_grad_(False))
        tokenizer_class: Any = getattr(transformers, index[f"tokenizer{suffix}"][1])
        tokenizers.append(tokenizer_class.from_pretrained(folder / f"tokenizer{suffix}", local_files_only=True))
    return TextParts(encoders=tuple(encoders), tokenizers=tuple(tokenizers))

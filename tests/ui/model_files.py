"""Model files as they lie on an artist's disk: real headers, with a hole where the weights would be."""

from __future__ import annotations

import json
from pathlib import Path

from adstudio.models.families import Family
from tests.unit.test_models_inspect import LDM, flux, unet, write_shapes

CLIP_WORDS = 49408
_GB = 1 << 30


def write_model(path: Path, family: Family = Family.SD15, *, size_gb: float = 0.01, whole: bool = True) -> Path:
    """A single file of a family. whole: with VAE and text encoders; size_gb: of the file, nearly all of it a hole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if family is Family.FLUX:
        return write_shapes(path, flux(guidance=False))
    shapes = {**unet(family), f"{LDM}out.filler": (round(size_gb * _GB / 2),)}
    if whole:
        shapes["first_stage_model.decoder.conv_in.weight"] = (1,)
        shapes |= _text_encoders(family)
    return write_shapes(path, shapes)


def _text_encoders(family: Family) -> dict[str, tuple[int, ...]]:
    if family is Family.SDXL:
        return {"conditioner.embedders.0.transformer.x": (1,), "conditioner.embedders.1.model.x": (1,)}
    prefix = "cond_stage_model.model" if family is Family.SD2 else "cond_stage_model.transformer"
    return {f"{prefix}.x": (1,)}


def write_words(model: Path) -> Path:
    """A vocabulary for a single file, in the config folder beside it."""
    for role in ("tokenizer", "tokenizer_2"):
        folder = model.with_suffix(".config") / role
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "vocab.json").write_text(json.dumps({f"w{number}": number for number in range(CLIP_WORDS)}))
        (folder / "merges.txt").write_text("#version: 0.2\n")
    return model


def write_lora(path: Path, family: Family = Family.SD15) -> Path:
    """A LoRA file for a family."""
    width = {Family.SD15: 768, Family.SD2: 1024, Family.SDXL: 2048, Family.FLUX: 3072}[family]
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_shapes(path, {"lora_unet_x_attn2_to_k.lora_down.weight": (4, width), "filler": (9_000_000,)})


def write_damaged(path: Path) -> Path:
    """A file whose download ended early."""
    whole = write_model(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path

"""LoRA files: changes to a model, added to it with a weight."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adstudio.errors import ModelError
from adstudio.models.families import FACTS, Family
from adstudio.models.header import Header, read_header
from adstudio.models.recognise import is_lora

_CROSS_ATTENTION = "attn2"
_NOT_READ = (".hada_w1_a", ".lokr_w1", ".lora_mid.weight", ".dora_scale", ".diff", ".diff_b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """A LoRA file to be added to a model. weight: how much of it, usually 0 to 1; negative takes it away."""

    path: Path
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraDescription:
    """A LoRA file that was looked at. family: None where its sizes are those of no published model."""

    name: str
    path: Path
    family: Family | None
    size_bytes: int


def inspect_lora(path: Path) -> LoraDescription:
    """Look at a LoRA file. Raises ModelError where it is none, or of a kind that is not read."""
    path = path.absolute()
    header = read_header(path)
    if not is_lora(header):
        raise ModelError(f"{path}: is not a LoRA file")
    for name in header.tensors:
        if name.endswith(_NOT_READ):
            raise ModelError(
                f"{path}: is a kind of LoRA that is not read here ({name.rpartition('.')[2]}); "
                "plain LoRA files with lora_down and lora_up, or lora_A and lora_B, can be used"
            )
    return LoraDescription(name=path.stem, path=path, family=_family(header), size_bytes=header.size_bytes)


def _family(header: Header) -> Family | None:
    names = header.tensors
    if any("single_blocks" in name or "single_transformer_blocks" in name for name in names):
        return Family.FLUX
    for name, info in names.items():
        is_down = "lora_down" in name or "lora_A" in name or ".down." in name
        if is_down and _CROSS_ATTENTION in name and "to_k" in name and len(info.shape) >= 2:
            for family in (Family.SD15, Family.SD2, Family.SDXL):
                if info.shape[1] == FACTS[family].cross_attention_dim:
                    return family
    return None

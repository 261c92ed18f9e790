"""ControlNets of Stable Diffusion 1.5, 2.x and XL: a diffusers folder, or one .safetensors file of either naming.

A single file may bring its config as `NAME.config/config.json` or `NAME.json` beside it; otherwise the config is the
family's UNet's, with what the file's own shapes say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adstudio.errors import ModelError, StorageError
from adstudio.models.config_check import checked_config, read_json
from adstudio.models.description import Component, Naming, Weights
from adstudio.models.families import FACTS, Family, Role
from adstudio.models.folder import precision_of
from adstudio.models.header import Header, read_header
from adstudio.models.shipped import shipped_config

_EMBEDDING = "controlnet_cond_embedding."
_PREFIX = "control_model."
_HINT = "input_hint_block.0.weight"
_SHIPPED = {Family.SD15: "sd15", Family.SD2: "sd2", Family.SDXL: "sdxl"}
_UNION = ("control_add_embedding.", "task_embedding", "transformer_layes.")
_SHARED_FIELDS = (
    "act_fn",
    "addition_embed_type",
    "addition_time_embed_dim",
    "attention_head_dim",
    "block_out_channels",
    "cross_attention_dim",
    "down_block_types",
    "downsample_padding",
    "flip_sin_to_cos",
    "freq_shift",
    "in_channels",
    "layers_per_block",
    "mid_block_scale_factor",
    "norm_eps",
    "norm_num_groups",
    "projection_class_embeddings_input_dim",
    "transformer_layers_per_block",
    "use_linear_projection",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlDescription:
    """A ControlNet that was looked at and found sound, as far as that is seen without loading it."""

    name: str
    path: Path
    family: Family
    component: Component

    @property
    def size_bytes(self) -> int:
        """Of its smallest set of weights."""
        return min(one.size_bytes for one in self.component.weights)


def is_control(path: Path) -> bool:
    """Whether a folder or file is a ControlNet, as far as a look at its config or header tells. Raises nothing."""
    try:
        if path.is_dir():
            return read_json(path / "config.json").get("_class_name") == "ControlNetModel"
        return path.suffix.lower() == ".safetensors" and _is_control_file(read_header(path))
    except (ModelError, StorageError, OSError):
        return False


def inspect_control(path: Path) -> ControlDescription:
    """The ControlNet in a diffusers folder (config.json with weights) or a .safetensors file.

    Raises ModelError where it is none that can be used here, StorageError where it cannot be read.
    """
    path = path.absolute()
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file or folder; check the path, and that its drive is plugged in")
    if path.suffix.lower() != ".safetensors":
        raise ModelError(
            f"{path}: is no .safetensors file; get the ControlNet as .safetensors or as a diffusers folder"
        )
    return _file(path)


def _folder(folder: Path) -> ControlDescription:
    path = folder / "config.json"
    if not path.is_file():
        raise ModelError(f"{folder}: has no config.json and so is no ControlNet; give the folder that holds it")
    config = checked_config(Role.CONTROLNET, read_json(path), path)
    found = []
    for file in sorted(folder.glob("diffusion_pytorch_model*.safetensors")):
        if "-of-" not in file.name:
            header = read_header(file)
            found.append(Weights(files=(file,), precision=precision_of(header), size_bytes=header.size_bytes))
    if not found:
        raise ModelError(f"{folder}: holds no diffusion_pytorch_model.safetensors; download the ControlNet again")
    return _described(folder.name, folder, config, tuple(found))


def _file(path: Path) -> ControlDescription:
    header = read_header(path)
    if not _is_control_file(header):
        raise ModelError(f"{path}: is no ControlNet of Stable Diffusion 1.5, 2.x or XL")
    if any(name.startswith(_UNION) for name in header.tensors):
        raise ModelError(f"{path}: is a union of several ControlNets, which is not used here; take one for one purpose")
    original = not any(name.startswith(_EMBEDDING) for name in header.tensors)
    prefix = _PREFIX if original and _PREFIX + _HINT in header.tensors else ""
    own = _own_config(path)
    if own is not None:
        config: Mapping[str, Any] = checked_config(Role.CONTROLNET, read_json(own), own)
    else:
        config = _read_off(header, prefix, original=original)
    weights = Weights(files=(path,), precision=precision_of(header, prefix), size_bytes=header.size_bytes)
    naming = Naming.ORIGINAL if original else Naming.DIFFUSERS
    return _described(path.stem, path, config, (weights,), naming, prefix)


def _described(
    name: str,
    path: Path,
    config: Mapping[str, Any],
    weights: tuple[Weights, ...],
    naming: Naming = Naming.DIFFUSERS,
    prefix: str = "",
) -> ControlDescription:
    if config.get("addition_embed_type") == "text_time":
        family = Family.SDXL
    else:
        wide = config["cross_attention_dim"] == FACTS[Family.SD2].cross_attention_dim
        family = Family.SD2 if wide or config.get("use_linear_projection") else Family.SD15
    part = Component(role=Role.CONTROLNET, config=config, weights=weights, naming=naming, prefix=prefix)
    return ControlDescription(name=name, path=path, family=family, component=part)


def _is_control_file(header: Header) -> bool:
    return any(name.startswith(_EMBEDDING) or name in (_HINT, _PREFIX + _HINT) for name in header.tensors)


def _own_config(path: Path) -> Path | None:
    for candidate in (path.with_suffix(".config") / "config.json", path.with_suffix(".json")):
        if candidate.is_file():
            return candidate
    return None


def _read_off(header: Header, prefix: str, *, original: bool) -> dict[str, Any]:
    """A config from the family's own UNet and the shapes in the file."""
    names = header.tensors
    text = [
        info.shape[1] for name, info in names.items() if name.endswith(".attn2.to_k.weight") and len(info.shape) == 2
    ]
    if original and any(name.startswith(f"{prefix}label_emb.") for name in names):
        raise ModelError(f"{header.path}: is a ControlNet for SDXL in an old layout; get it in that of diffusers")
    if "add_embedding.linear_1.weight" in names:
        family = Family.SDXL
    else:
        family = Family.SD2 if text and text[0] == FACTS[Family.SD2].cross_attention_dim else Family.SD15
    config = {
        name: value
        for name, value in shipped_config(_SHIPPED[family], Role.UNET).items()
        if name in _SHARED_FIELDS and value is not None
    }
    if family is Family.SDXL:
        config |= _depths(header, len(config["block_out_channels"]))
    checked = checked_config(Role.CONTROLNET, {"_class_name": "ControlNetModel", **config}, header.path)
    if text and text[0] != checked["cross_attention_dim"]:
        raise ModelError(
            f"{header.path}: its sizes are not those of {FACTS[family].title}; put its config beside it as "
            f"{header.path.stem}.json"
        )
    return checked


def _depths(header: Header, levels: int) -> dict[str, Any]:
    """How many transformer blocks each level has: the smaller ControlNets of SDXL have fewer, or none."""
    pattern = re.compile(r"(?:down_blocks\.(\d)|(mid)_block)\.attentions\.0\.transformer_blocks\.(\d+)\.")
    depths = dict.fromkeys([*map(str, range(levels)), "mid"], 0)
    for name in header.tensors:
        if found := pattern.match(name):
            place = found[1] or found[2]
            depths[place] = max(depths.get(place, 0), int(found[3]) + 1)
    attended = [depths[str(level)] for level in range(levels)]
    plain_mid = not any(name.startswith("mid_block.attentions.") for name in header.tensors)
    return {
        "down_block_types": ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in attended],
        "transformer_layers_per_block": [max(1, depth) for depth in attended],
    } | ({"mid_block_type": "UNetMidBlock2D"} if plain_mid else {})

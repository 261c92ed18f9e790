"""From the names of tensors in files to the names that the networks of diffusers and transformers have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers.loaders import single_file_utils
from torch import Tensor

from adstudio.engine.backbones.flux_naming import flux_pieces
from adstudio.engine.backbones.weights import TensorReader
from adstudio.errors import ModelError
from adstudio.models.description import Component, Naming
from adstudio.models.families import Role
from adstudio.models.recognise import DENOISER_PREFIX

# Names of the VAE's attention before diffusers 0.17, which most published SD 1.5 folders still have.
_OLD_ATTENTION = ((".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0."))
_CONVERT: Any = single_file_utils  # without types of its own
_OPEN_CLIP_START = "transformer.resblocks."


@dataclass(frozen=True, slots=True)
class Source:
    """One weight of a network that is yet to be read. shape: as the network wants it."""

    name: str
    path: Path
    shape: tuple[int, ...]
    read: Callable[[torch.dtype], Tensor]


def sources_for(component: Component, reader: TensorReader) -> Iterator[Source]:
    """Every weight of a part, under the name the network has for it.

    Raises ModelError for a file whose names cannot be brought together with the network's.
    """
    if component.naming is Naming.DIFFUSERS:
        yield from _renamed(component, reader)
    elif component.role is Role.UNET:
        yield from _unet(component, reader)
    elif component.role is Role.TRANSFORMER:
        yield from _flux(component, reader)
    elif component.role is Role.CONTROLNET:
        yield from _converted(
            reader, component, lambda tensors: _CONVERT.convert_controlnet_checkpoint(tensors, component.config)
        )
    elif component.role is Role.VAE:
        yield from _converted(
            reader, component, lambda tensors: _CONVERT.convert_ldm_vae_checkpoint(tensors, component.config)
        )
    elif any(name.startswith(component.prefix + _OPEN_CLIP_START) for name in reader.names):
        yield from _open_clip(component, reader)
    else:
        yield from _renamed(component, reader)


def diffusers_name(component: Component, name: str) -> str | None:
    """Today's name of a weight in a diffusers folder; None for what no network needs any more."""
    class_name = component.config["_class_name"]
    if component.role is Role.VAE and ".attentions." in name:
        for old, new in _OLD_ATTENTION:
            name = name.replace(old, new)
    elif class_name == "T5EncoderModel":
        return None if name.startswith(("decoder.", "lm_head.")) else name
    elif component.role.is_text:
        return _clip_name(class_name, name)
    return name


def unet_names(component: Component, names: tuple[str, ...]) -> dict[str, str]:
    """From the names of a UNet in the first publishers' layout, without prefix, to those of diffusers.

    The converter only moves values from name to name, so names can stand in for tensors.
    """
    stand_ins = {DENOISER_PREFIX + name: name for name in names}
    converted = _CONVERT.convert_ldm_unet_checkpoint(stand_ins, dict(component.config))
    return {name: target for target, name in converted.items()}


def _clip_name(class_name: str, name: str) -> str | None:
    """Transformers 5 has the layers of a CLIPTextModel at the top, published files below `text_model.`."""
    bare = name.removeprefix("text_model.")
    if bare.endswith("position_ids") or bare == "logit_scale":
        return None
    if class_name == "CLIPTextModel":
        return None if bare.startswith("text_projection") else bare
    return bare if bare.startswith("text_projection.") else f"text_model.{bare}"


def _own_names(component: Component, reader: TensorReader) -> tuple[str, ...]:
    """The names of one part in a file of several, without the part's prefix."""
    start = len(component.prefix)
    return tuple(name[start:] for name in reader.names if name.startswith(component.prefix))


def _plain(reader: TensorReader, name: str, target: str) -> Source:
    return Source(target, reader.path_of(name), reader.shape(name), lambda dtype: reader.read(name, dtype))


def _renamed(component: Component, reader: TensorReader) -> Iterator[Source]:
    for name in _own_names(component, reader):
        target = diffusers_name(component, name)
        if target is not None:
            yield _plain(reader, component.prefix + name, target)


def _unet(component: Component, reader: TensorReader) -> Iterator[Source]:
    names = _own_names(component, reader)
    targets = unet_names(component, names)
    for name in names:
        if name not in targets:
            raise ModelError(
                f"{reader.path}: holds {component.prefix}{name}, which no UNet of its config has; "
                "the file is of another model"
            )
        yield _plain(reader, component.prefix + name, targets[name])


def _flux(component: Component, reader: TensorReader) -> Iterator[Source]:
    width = component.config["attention_head_dim"] * component.config["num_attention_heads"]
    for name in _own_names(component, reader):
        full_name = component.prefix + name
        shape = reader.shape(full_name)
        for target, rows in flux_pieces(name, width, shape):
            piece = (sum(end - start for start, end in rows), *shape[1:])
            yield Source(target, reader.path, piece, _rows_of(reader, full_name, rows))


def _rows_of(reader: TensorReader, name: str, rows: tuple[tuple[int, int], ...]) -> Callable[[torch.dtype], Tensor]:
    def read(dtype: torch.dtype) -> Tensor:
        pieces = [reader.read(name, dtype, rows=one) for one in rows]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    return read


def _open_clip(component: Component, reader: TensorReader) -> Iterator[Source]:
    text_model = SimpleNamespace(config=SimpleNamespace(hidden_size=component.config["hidden_size"]))

    def convert(tensors: dict[str, Tensor]) -> dict[str, Any]:
        converted: dict[str, Any] = _CONVERT.convert_open_clip_checkpoint(text_model, tensors, prefix=component.prefix)
        named = ((diffusers_name(component, name), tensor) for name, tensor in converted.items())
        return {name: tensor for name, tensor in named if name is not None and not _is_left_out(component, name)}

    yield from _converted(reader, component, convert)


def _is_left_out(component: Component, name: str) -> bool:
    """SD 2.x reads the layer before the last, so that its config has one layer less than the file."""
    _, found, rest = name.partition("encoder.layers.")
    return bool(found) and int(rest.split(".")[0]) >= component.config["num_hidden_layers"]


def _converted(
    reader: TensorReader, component: Component, convert: Callable[[dict[str, Tensor]], dict[str, Any]]
) -> Iterator[Source]:
    """A part that diffusers' own converter turns over as a whole; only the smaller parts are."""
    tensors = {name: reader.read(name) for name in reader.names if name.startswith(component.prefix)}
    try:
        converted = convert(tensors)
    except (KeyError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        raise ModelError(
            f"{reader.path}: its {component.role.label} is not laid out as its family's is ({error}); "
            "download it again, or get the model as a diffusers folder"
        ) from error
    for name, tensor in converted.items():
        if isinstance(tensor, Tensor):
            yield _ready(reader.path, name, tensor)


def _ready(path: Path, name: str, tensor: Tensor) -> Source:
    return Source(name, path, tuple(tensor.shape), lambda dtype: tensor.to(dtype))

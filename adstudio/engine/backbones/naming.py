"""From the names of tensors in files to the names that the networks of diffusers and transformers have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from adstudio.engine.backbones.weights import TensorReader
from adstudio.models.description import Component, Naming
from adstudio.models.families import Role

# Names of the VAE's attention before diffusers 0.17, which most published SD 1.5 folders still have.
_OLD_ATTENTION = ((".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0."))


@dataclass(frozen=True, slots=True)
class Source:
    """One weight of a network that is yet to be read. shape: as the network wants it."""

    name: str
    path: Path
    shape: tuple[int, ...]
    read: Callable[[torch.dtype], Tensor]


def sources_for(component: Component, reader: TensorReader) -> Iterator[Source]:
    """Every weight of a part, under the name the network has for it."""
    if component.naming is Naming.ORIGINAL:
        raise NotImplementedError
    for name in reader.names:
        target = diffusers_name(component, name)
        if target is not None:
            yield plain(reader, name, target)


def plain(reader: TensorReader, name: str, target: str) -> Source:
    """A tensor of the file as it is, under another name."""
    return Source(target, reader.path_of(name), reader.shape(name), lambda dtype: reader.read(name, dtype))


def diffusers_name(component: Component, name: str) -> str | None:
    """Today's name of a weight in a diffusers folder; None for what no network needs any more."""
    class_name = component.config["_class_name"]
    if component.role is Role.VAE and ".attentions." in name:
        for old, new in _OLD_ATTENTION:
            name = name.replace(old, new)
    elif class_name == "T5EncoderModel":
        return None if name.startswith(("decoder.", "lm_head.")) else name
    elif component.role.is_text:
        if name.endswith(".position_ids"):
            return None
        bare = name.removeprefix("text_model.")
        return bare if class_name == "CLIPTextModel" or bare.startswith("text_projection.") else f"text_model.{bare}"
    return name

"""One part of a model, built from its checked config and filled from its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import AutoencoderKL, ControlNetModel, FluxTransformer2DModel, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel

from adstudio.engine.backbones.naming import Source, sources_for
from adstudio.engine.backbones.weights import TensorReader, open_weights
from adstudio.engine.interruption import Interrupted
from adstudio.errors import ModelError
from adstudio.models.description import Component

# Turns the weight of one name, as read, into what the model gets: where LoRA files are merged in.
Adjust = Callable[[str, Tensor], Tensor]

_POSITION_IDS = "embeddings.position_ids"
_SHARED = "shared.weight"
_EMBED_TOKENS = "encoder.embed_tokens.weight"
_NAMED_IN_A_MESSAGE = 3


def build(
    component: Component,
    *,
    dtype: torch.dtype,
    device: torch.device,
    adjust: Adjust | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> nn.Module:
    """A part in memory, frozen and in evaluation mode; its weights are read one after the other into dtype.

    adjust: applied to every weight before it is converted. stop: asked before every weight; Interrupted is raised once
    it says yes.
    Raises ModelError where config and weights do not belong together, StorageError where a file cannot be read.
    """
    weights = component.weights_for(half=dtype in (torch.float16, torch.bfloat16))
    module = empty_module(component)
    expected = module.state_dict()
    filled: dict[str, Tensor] = {}
    with open_weights(weights.files) as reader:
        for source in sources_for(component, reader):
            if stop():
                raise Interrupted
            wanted = expected.get(source.name)
            if wanted is None:
                raise _foreign(component, reader, source)
            if tuple(wanted.shape) != source.shape:
                raise ModelError(
                    f"{source.path}: {source.name} has the shape {list(source.shape)} where the {component.role.label} "
                    f"of its config has {list(wanted.shape)}; the config and the weights are of different models"
                )
            tensor = source.read(dtype if adjust is None else torch.float32)
            if adjust is not None:
                tensor = adjust(source.name, tensor)
            filled[source.name] = tensor.to(device=device, dtype=dtype)
        _share_embedding(module, filled)
        missing = [name for name in expected if name not in filled]
        if missing:
            raise ModelError(
                f"{reader.path}: lacks {_some(missing)} of the {component.role.label}; "
                "the file is incomplete or of another model"
            )
    module.load_state_dict(filled, strict=True, assign=True)
    _fill_buffers(module, device)
    if isinstance(module, T5EncoderModel):
        module.encoder.embed_tokens = module.shared
    return module.requires_grad_(False).eval()


def weight_names(component: Component) -> tuple[str, ...]:
    """The names of a part's matrices and convolutions, in the order of the network."""
    return tuple(name for name, shape in empty_module(component).state_dict().items() if shape.ndim >= 2)


def build_denoiser(
    component: Component,
    *,
    dtype: torch.dtype,
    device: torch.device,
    adjust: Adjust | None,
    stop: Callable[[], bool] = lambda: False,
) -> UNet2DConditionModel | FluxTransformer2DModel:
    """The denoiser."""
    module = build(component, dtype=dtype, device=device, adjust=adjust, stop=stop)
    if not isinstance(module, UNet2DConditionModel | FluxTransformer2DModel):
        raise ModelError(f"{component.weights[0].files[0]}: is no denoiser")
    return module


def build_vae(
    component: Component, *, dtype: torch.dtype, device: torch.device, stop: Callable[[], bool] = lambda: False
) -> AutoencoderKL:
    """The VAE; in 32 bit where its config says that 16 bit floats are too narrow for it and dtype is float16."""
    upcast = component.config.get("force_upcast") is True and dtype is torch.float16
    module = build(component, dtype=torch.float32 if upcast else dtype, device=device, stop=stop)
    if not isinstance(module, AutoencoderKL):
        raise ModelError(f"{component.weights[0].files[0]}: is no VAE")
    return module


def empty_module(component: Component) -> nn.Module:
    """The part with its shapes but without memory for its weights."""
    config = {name: value for name, value in component.config.items() if name != "_class_name"}
    try:
        with torch.device("meta"), _no_initialisation():
            return _CLASSES[component.config["_class_name"]](config)
    except (ValueError, TypeError, RuntimeError, ZeroDivisionError, IndexError, KeyError) as error:
        raise ModelError(
            f"{component.weights[0].files[0]}: no {component.role.label} can be built from its config "
            f"({' '.join(str(error).split())[:200]}); download the model again"
        ) from error


def _from_diffusers(cls: Any) -> Callable[[dict[str, Any]], nn.Module]:
    def make(config: dict[str, Any]) -> nn.Module:
        module = cls.from_config(config)
        assert isinstance(module, nn.Module)
        return module

    return make


_CLASSES: Mapping[str, Callable[[dict[str, Any]], nn.Module]] = {
    "UNet2DConditionModel": _from_diffusers(UNet2DConditionModel),
    "FluxTransformer2DModel": _from_diffusers(FluxTransformer2DModel),
    "AutoencoderKL": _from_diffusers(AutoencoderKL),
    "ControlNetModel": _from_diffusers(ControlNetModel),
    "CLIPTextModel": lambda config: CLIPTextModel(CLIPTextConfig(**config)),
    "CLIPTextModelWithProjection": lambda config: CLIPTextModelWithProjection(CLIPTextConfig(**config)),
    "T5EncoderModel": lambda config: T5EncoderModel(T5Config(**config)),
}


@contextmanager
def _no_initialisation() -> Iterator[None]:
    """Tensors without memory need no random start; drawing it would only move the global generator on."""
    with torch.random.fork_rng(devices=[]):
        yield


def _foreign(component: Component, reader: TensorReader, source: Source) -> ModelError:
    return ModelError(
        f"{source.path}: holds {source.name}, which the {component.role.label} of its config does not have; "
        f"the config and the weights ({len(reader.names)} tensors) are of different models"
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED_IN_A_MESSAGE])
    more = len(names) - _NAMED_IN_A_MESSAGE
    return f"{shown} and {more} more" if more > 0 else shown


def _share_embedding(module: nn.Module, filled: dict[str, Tensor]) -> None:
    """T5 has one embedding under two names, of which a file need hold only one."""
    if isinstance(module, T5EncoderModel):
        for here, there in ((_SHARED, _EMBED_TOKENS), (_EMBED_TOKENS, _SHARED)):
            if here in filled:
                filled.setdefault(there, filled[here])


def _fill_buffers(module: nn.Module, device: torch.device) -> None:
    """Buffers that are never stored still lie nowhere: CLIP counts its positions in one."""
    for name, buffer in module.named_buffers():
        if not buffer.is_meta:
            continue
        if not name.endswith(_POSITION_IDS):
            raise ModelError(f"{name}: a buffer of this network is unknown to this version of AD Studio")
        owner = module.get_submodule(name.rpartition(".")[0])
        owner.register_buffer("position_ids", torch.arange(buffer.shape[-1], device=device)[None], persistent=False)

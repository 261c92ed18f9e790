"""The many names under which LoRA files mean a weight of a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adstudio.engine.backbones.build import weight_names
from adstudio.engine.backbones.flux_naming import flux_modules
from adstudio.models.description import Component, ModelDescription
from adstudio.models.families import FACTS, Role

_TEXT_STARTS = {
    Role.TEXT_ENCODER: ("lora_te_", "lora_te1_", "text_encoder."),
    Role.TEXT_ENCODER_2: ("lora_te2_", "text_encoder_2."),
}
_DENOISER_STARTS = (
    "lora_unet_",
    "lora_transformer_",
    "unet.",
    "transformer.",
    "diffusion_model.",
    "model.diffusion_model.",
    "base_model.model.",
    "",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A weight that a LoRA changes. rows: the part of the LoRA's rows that goes there, None for all of them."""

    role: Role
    name: str
    rows: tuple[int, int] | None = None


class NameBook:
    """Looks up the weights of one model by a LoRA's name for them."""

    def __init__(self, model: ModelDescription) -> None:
        """Take note of every weight of the denoiser and the text encoders, under all the names in use."""
        self._denoiser = dict(_denoiser_names(model.denoiser))
        self._text = {
            role: dict(_text_names(model.components[role]))
            for role in FACTS[model.family].text_roles
            if role in model.components
        }

    def find(self, module: str) -> tuple[Place, ...]:
        """Where a module of a LoRA file belongs; nothing where the model has no such weight."""
        for role, starts in _TEXT_STARTS.items():
            for start in starts:
                if module.startswith(start):
                    return self._text.get(role, {}).get(_plain(module.removeprefix(start)), ())
        for start in _DENOISER_STARTS:
            found = self._denoiser.get(_plain(module.removeprefix(start))) if module.startswith(start) else None
            if found:
                return found
        return ()


def _plain(name: str) -> str:
    """A name with one kind of separator, and without what early files put between a layer and its projection."""
    name = name.replace(".processor.", ".").replace("to_out_lora", "to_out.0").removesuffix("_lora")
    name = name.removesuffix(".to_out") + ".to_out.0" if name.endswith(".to_out") else name
    return name.replace(".", "_")


def _text_names(component: Component) -> Iterator[tuple[str, tuple[Place, ...]]]:
    for name in weight_names(component):
        published = name if name.startswith(("text_model.", "encoder.", "shared.")) else f"text_model.{name}"
        if component.config["_class_name"] == "CLIPTextModel":
            published = f"text_model.{name}"
        yield _plain(published.removesuffix(".weight")), (Place(component.role, name),)


def _denoiser_names(component: Component) -> Iterator[tuple[str, tuple[Place, ...]]]:
    role = component.role
    blocks = dict(_original_blocks(component)) if role is Role.UNET else {}
    for name in weight_names(component):
        module = name.removesuffix(".weight")
        place = (Place(role, name),)
        yield _plain(module), place
        for ours, original in blocks.items():
            if module.startswith(f"{ours}."):
                yield _plain(f"{original}.{module.removeprefix(f'{ours}.')}"), place
    if role is Role.TRANSFORMER:
        for original, pieces in flux_modules(component.config):
            yield _plain(original), tuple(Place(role, f"{module}.weight", rows) for module, rows in pieces)


def _original_blocks(component: Component) -> Iterator[tuple[str, str]]:
    """Attention blocks of a UNet with the place they have in the first publishers' numbering, which SDXL files use."""
    layers = component.config.get("layers_per_block", 2)
    levels = len(component.config["block_out_channels"])
    yield "mid_block.attentions.0", "middle_block.1"
    for level in range(levels):
        for layer in range(layers):
            yield f"down_blocks.{level}.attentions.{layer}", f"input_blocks.{1 + level * (layers + 1) + layer}.1"
        for layer in range(layers + 1):
            yield f"up_blocks.{level}.attentions.{layer}", f"output_blocks.{level * (layers + 1) + layer}.1"

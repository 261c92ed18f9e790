"""The configs that come with the application build the published networks: their sizes are public facts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from adstudio.engine.backbones.build import empty_module
from adstudio.engine.backbones.naming import sources_for
from adstudio.engine.backbones.weights import TensorReader
from adstudio.models.description import Component, Naming
from adstudio.models.families import FACTS, Family, Prediction, Role
from adstudio.models.shipped import shipped_config, shipped_name, shipped_scheduler, token_ids
from tests.engine.original_layout import clip_names, flux_tensors, open_clip_tensors, unet_tensors, vae_tensors

CLIP_L, T5_XXL = 123_060_480, 4_762_310_656
PARAMETERS = {
    "sd15": {Role.UNET: 859_520_964, Role.VAE: 83_653_863, Role.TEXT_ENCODER: CLIP_L},
    "sd2": {Role.UNET: 865_910_724, Role.VAE: 83_653_863, Role.TEXT_ENCODER: 340_387_840},
    "sd2_base": {Role.UNET: 865_910_724, Role.VAE: 83_653_863, Role.TEXT_ENCODER: 340_387_840},
    "sdxl": {
        Role.UNET: 2_567_463_684,
        Role.VAE: 83_653_863,
        Role.TEXT_ENCODER: CLIP_L,
        Role.TEXT_ENCODER_2: 694_659_840,
    },
    "flux_dev": {
        Role.TRANSFORMER: 11_901_408_320,
        Role.VAE: 83_819_683,
        Role.TEXT_ENCODER: CLIP_L,
        Role.TEXT_ENCODER_2: T5_XXL,
    },
    "flux_schnell": {
        Role.TRANSFORMER: 11_891_178_560,
        Role.VAE: 83_819_683,
        Role.TEXT_ENCODER: CLIP_L,
        Role.TEXT_ENCODER_2: T5_XXL,
    },
}


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_the_networks_have_the_published_number_of_weights(name: str) -> None:
    for role, expected in PARAMETERS[name].items():
        module = empty_module(Component(role=role, config=shipped_config(name, role), weights=()))
        assert sum(parameter.numel() for parameter in module.parameters()) == expected, role


def test_every_family_and_prediction_has_its_configs() -> None:
    for family in Family:
        for prediction in Prediction:
            for guidance in (True, False):
                name = shipped_name(family, prediction, guidance=guidance)
                assert set(PARAMETERS[name]) == set(FACTS[family].roles)
                assert shipped_scheduler(name)["num_train_timesteps"] == 1000


def test_the_published_ids_of_the_empty_prompt() -> None:
    def ids(name: str, role: Role) -> tuple[int, ...]:
        return token_ids(name, role, shipped_config(name, role)).empty_prompt()

    start, end = 49406, 49407
    assert ids("sd15", Role.TEXT_ENCODER) == (start, *[end] * 76)
    assert ids("sd2", Role.TEXT_ENCODER) == (start, end, *[0] * 75)
    assert ids("sdxl", Role.TEXT_ENCODER) == (start, *[end] * 76)
    assert ids("sdxl", Role.TEXT_ENCODER_2) == (start, end, *[0] * 75)
    assert ids("flux_dev", Role.TEXT_ENCODER_2) == (1, *[0] * 511)
    assert ids("flux_schnell", Role.TEXT_ENCODER_2) == (1, *[0] * 255)


def described(name: str, role: Role, prefix: str) -> Component:
    return Component(role=role, config=shipped_config(name, role), weights=(), naming=Naming.ORIGINAL, prefix=prefix)


def as_file(tensors: dict[str, Tensor], prefix: str) -> TensorReader:
    """A reader of tensors that have shapes and no bytes."""

    class Shapes(TensorReader):
        def __init__(self) -> None:
            self.path = Path("model.safetensors")
            self._tensors = {prefix + name: tensor for name, tensor in tensors.items()}

        @property
        def names(self) -> tuple[str, ...]:
            return tuple(self._tensors)

        def shape(self, name: str) -> tuple[int, ...]:
            return tuple(self._tensors[name].shape)

        def path_of(self, name: str) -> Path:
            return self.path

        def read(self, name: str, dtype: torch.dtype | None = None, *, rows: tuple[int, int] | None = None) -> Tensor:
            return self._tensors[name]

    return Shapes()


ORIGINAL: list[tuple[str, Role, str, Callable[[dict[str, Tensor]], dict[str, Tensor]]]] = [
    ("sd15", Role.UNET, "model.diffusion_model.", lambda all_of: unet_tensors(all_of, levels=4, layers=2)),
    ("sd2", Role.UNET, "model.diffusion_model.", lambda all_of: unet_tensors(all_of, levels=4, layers=2)),
    ("sdxl", Role.UNET, "model.diffusion_model.", lambda all_of: unet_tensors(all_of, levels=3, layers=2)),
    ("flux_dev", Role.TRANSFORMER, "", flux_tensors),
    ("flux_schnell", Role.TRANSFORMER, "model.diffusion_model.", flux_tensors),
    ("sd15", Role.VAE, "first_stage_model.", lambda all_of: vae_tensors(all_of, levels=4)),
    ("flux_dev", Role.VAE, "vae.", lambda all_of: vae_tensors(all_of, levels=4)),
    ("sd15", Role.TEXT_ENCODER, "cond_stage_model.transformer.", clip_names),
    (
        "sd2",
        Role.TEXT_ENCODER,
        "cond_stage_model.model.",
        lambda all_of: open_clip_tensors(clip_names(all_of), extra_layer=23),
    ),
    ("sdxl", Role.TEXT_ENCODER_2, "conditioner.embedders.1.model.", open_clip_tensors),
]


@pytest.mark.parametrize(("name", "role", "prefix", "rename"), ORIGINAL)
def test_full_size_files_in_the_publishers_layout_fill_every_weight(
    name: str, role: Role, prefix: str, rename: Callable[[dict[str, Tensor]], dict[str, Tensor]]
) -> None:
    component = described(name, role, prefix)
    expected = {name: tuple(tensor.shape) for name, tensor in empty_module(component).state_dict().items()}
    with torch.device("meta"):
        file = as_file(rename(empty_module(component).state_dict()), prefix)
        sources = {source.name: source.shape for source in sources_for(component, file)}
    assert sources == expected

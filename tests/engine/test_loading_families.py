"""The configs that come with the application build the published networks: their sizes are public facts."""

from __future__ import annotations

import pytest

from adstudio.engine.backbones.build import empty_module
from adstudio.models.description import Component
from adstudio.models.families import FACTS, Family, Prediction, Role
from adstudio.models.shipped import shipped_config, shipped_name, shipped_scheduler, token_ids

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

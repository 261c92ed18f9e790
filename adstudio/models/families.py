"""The model families that attention distillation knows, and the facts that hold for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

# The tasks of a job by their names there; a diffusion model does all of them.
TASKS = ("style_transfer", "appearance_transfer", "text_to_image", "texture")


class Family(StrEnum):
    """A line of models with one architecture; fine-tuned checkpoints belong to the family they came from."""

    SD15 = "sd15"
    SD2 = "sd2"
    SDXL = "sdxl"
    FLUX = "flux"


class Role(StrEnum):
    """What a part is for; the value is its folder in a diffusers model. A ControlNet is no part, but goes with one."""

    UNET = "unet"
    TRANSFORMER = "transformer"
    VAE = "vae"
    TEXT_ENCODER = "text_encoder"
    TEXT_ENCODER_2 = "text_encoder_2"
    CONTROLNET = "controlnet"

    @property
    def is_text(self) -> bool:
        """Whether this part reads prompts."""
        return self in (Role.TEXT_ENCODER, Role.TEXT_ENCODER_2)

    @property
    def label(self) -> str:
        """As a message calls it."""
        return _ROLE_LABELS[self]


_ROLE_LABELS = MappingProxyType(
    {
        Role.UNET: "UNet",
        Role.TRANSFORMER: "transformer",
        Role.VAE: "VAE",
        Role.TEXT_ENCODER: "first text encoder (CLIP)",
        Role.TEXT_ENCODER_2: "second text encoder",
        Role.CONTROLNET: "ControlNet",
    }
)


class Prediction(StrEnum):
    """What the denoiser's output means; the values are diffusers' own."""

    EPSILON = "epsilon"
    V = "v_prediction"
    FLOW = "flow"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyFacts:
    """What is the same for every model of a family.

    native_side_px: side of a square picture as the model was trained on. size_multiple_px: sides are whole multiples.
    latent_channels: of the VAE. roles: every part, the denoiser first. cross_attention_dim: channels of the text that
    the published denoiser reads. tasks: names of `Task`.
    """

    title: str
    native_side_px: int
    size_multiple_px: int
    latent_channels: int
    prediction: Prediction
    roles: tuple[Role, ...]
    cross_attention_dim: int
    tasks: tuple[str, ...] = TASKS

    @property
    def denoiser(self) -> Role:
        """UNet or transformer."""
        return self.roles[0]

    @property
    def text_roles(self) -> tuple[Role, ...]:
        """The text encoders, in the order of the family's own pipeline."""
        return tuple(role for role in self.roles if role.is_text)


FACTS: Mapping[Family, FamilyFacts] = MappingProxyType(
    {
        Family.SD15: FamilyFacts(
            title="Stable Diffusion 1.5",
            native_side_px=512,
            size_multiple_px=8,
            latent_channels=4,
            prediction=Prediction.EPSILON,
            roles=(Role.UNET, Role.VAE, Role.TEXT_ENCODER),
            cross_attention_dim=768,
        ),
        Family.SD2: FamilyFacts(
            title="Stable Diffusion 2.x",
            native_side_px=768,
            size_multiple_px=8,
            latent_channels=4,
            prediction=Prediction.V,
            roles=(Role.UNET, Role.VAE, Role.TEXT_ENCODER),
            cross_attention_dim=1024,
        ),
        Family.SDXL: FamilyFacts(
            title="Stable Diffusion XL",
            native_side_px=1024,
            size_multiple_px=8,
            latent_channels=4,
            prediction=Prediction.EPSILON,
            roles=(Role.UNET, Role.VAE, Role.TEXT_ENCODER, Role.TEXT_ENCODER_2),
            cross_attention_dim=2048,
        ),
        Family.FLUX: FamilyFacts(
            title="FLUX.1",
            native_side_px=1024,
            size_multiple_px=16,
            latent_channels=16,
            prediction=Prediction.FLOW,
            roles=(Role.TRANSFORMER, Role.VAE, Role.TEXT_ENCODER, Role.TEXT_ENCODER_2),
            cross_attention_dim=4096,
        ),
    }
)

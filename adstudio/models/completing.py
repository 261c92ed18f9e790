"""Parts that a file lacks, taken from another installed model of the family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from adstudio.errors import UnavailableError
from adstudio.models.description import Component, ModelDescription
from adstudio.models.families import FACTS, Family, Role
from adstudio.models.vocabulary import find_vocabulary


def completed(model: ModelDescription, others: Sequence[ModelDescription]) -> ModelDescription:
    """The model with what it lacks taken from others, as far as something there fits; each loan is noted.

    The VAE and the text encoders of a family are the same in nearly all its models, which is why files often leave
    them out. Vocabularies also come from models of other families and from the hub's cache on this disk.
    """
    components = dict(model.components)
    notes = list(model.notes)
    for role in model.missing:
        for other in others:
            part = other.components.get(role)
            if other.family is model.family and part is not None and _fits(model, components, part):
                components[role] = part
                notes.append(f"the {role.label} comes from {other.name}")
                break
    folders = [folder for other in others for folder in other.tokenizer_dirs.values()]
    return replace(
        model,
        components=components,
        tokenizer_dirs=_vocabularies(model, components, folders),
        notes=tuple(notes),
    )


def require_complete(model: ModelDescription) -> None:
    """Raise UnavailableError that names the parts a model lacks."""
    if model.missing:
        named = " and ".join(role.label for role in model.missing)
        raise UnavailableError(
            f"model: {model.path} has no {named}, and no other installed model of {FACTS[model.family].title} has one "
            "that fits; add a diffusers folder of this family, or a file with all parts"
        )


def _vocabularies(
    model: ModelDescription, components: Mapping[Role, Component], folders: Sequence[Path]
) -> dict[Role, Path]:
    found = {}
    for role in FACTS[model.family].text_roles:
        own = model.tokenizer_dirs.get(role)
        if role in components:
            folder = find_vocabulary(components[role], [own, *folders] if own is not None else folders)
            if folder is not None:
                found[role] = folder
    return found


def _fits(model: ModelDescription, components: Mapping[Role, Component], part: Component) -> bool:
    """Whether a part has the sizes that the denoiser expects."""
    denoiser = model.denoiser.config
    if part.role is Role.VAE:
        return bool(part.config["latent_channels"] == FACTS[model.family].latent_channels)
    if model.family is Family.FLUX:
        if part.role is Role.TEXT_ENCODER_2:
            return bool(part.config.get("d_model") == denoiser["joint_attention_dim"])
        return bool(part.config["hidden_size"] == denoiser["pooled_projection_dim"])
    width = part.config["hidden_size"]
    if model.family is Family.SDXL:
        other = Role.TEXT_ENCODER if part.role is Role.TEXT_ENCODER_2 else Role.TEXT_ENCODER_2
        known = components.get(other)
        if known is None:
            return bool(width < denoiser["cross_attention_dim"])
        width += known.config["hidden_size"]
    return bool(width == denoiser["cross_attention_dim"])

"""What is known of a model without loading it: plain values that the engine builds from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from adstudio.models.families import FACTS, Family, Prediction, Role


class Layout(StrEnum):
    """How a model lies on the disk."""

    FOLDER = "folder"
    SINGLE_FILE = "single_file"


class Naming(StrEnum):
    """Whose names the tensors carry."""

    DIFFUSERS = "diffusers"
    ORIGINAL = "original"


class Precision(StrEnum):
    """The widest number type among a part's weights."""

    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"
    FP8 = "fp8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One complete set of a part's weights: one file, or several shards."""

    files: tuple[Path, ...]
    precision: Precision
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of a model: its checked config and where its weights are.

    weights: the same weights in one or more precisions. naming, prefix: how its tensors are called in the files; a
    single file holds several parts, each behind a prefix of its own.
    token_ids: for a text encoder, how the empty prompt is written.
    """

    role: Role
    config: Mapping[str, Any]
    weights: tuple[Weights, ...]
    naming: Naming = Naming.DIFFUSERS
    prefix: str = ""
    token_ids: TokenIds | None = None

    def weights_for(self, *, half: bool) -> Weights:
        """The set that fits a computing precision best: the smallest for 16 bit, otherwise the widest."""
        ordered = sorted(self.weights, key=lambda one: one.size_bytes)
        return ordered[0] if half else ordered[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIds:
    """Ids with which a text is framed, so that the empty prompt needs no vocabulary.

    start: None where the family writes none (T5). length: tokens of a whole prompt.
    """

    start: int | None
    end: int
    padding: int
    length: int

    def empty_prompt(self) -> tuple[int, ...]:
        """The ids of the empty prompt, `length` of them."""
        framed = (() if self.start is None else (self.start,)) + (self.end,)
        return framed + (self.padding,) * (self.length - len(framed))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """A model that was looked at and found sound, as far as that is seen without loading it.

    components: by role, those that are there. scheduler: the checked scheduler config. tokenizer_dirs: folders with the
    vocabulary of a text encoder. notes: sentences for the user about what could only be guessed.
    """

    name: str
    path: Path
    family: Family
    layout: Layout
    prediction: Prediction
    components: Mapping[Role, Component]
    scheduler: Mapping[str, Any]
    tokenizer_dirs: Mapping[Role, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[Role, ...]:
        """The parts of the family that this model lacks."""
        return tuple(role for role in FACTS[self.family].roles if role not in self.components)

    @property
    def denoiser(self) -> Component:
        """The UNet or transformer; a model without one is refused when it is looked at."""
        return self.components[FACTS[self.family].denoiser]

    @property
    def precision(self) -> Precision:
        """Of the denoiser's weights."""
        return self.denoiser.weights_for(half=False).precision

    @property
    def size_bytes(self) -> int:
        """Of all files the model is read from, each counted once."""
        sizes = {one.files: one.size_bytes for part in self.components.values() for one in part.weights}
        return sum(sizes.values())

    @property
    def native_side_px(self) -> int:
        """Side of the square picture the model was made for."""
        side = self.denoiser.config.get("sample_size")
        return side * 8 if isinstance(side, int) else FACTS[self.family].native_side_px

    @property
    def is_guidance_distilled(self) -> bool:
        """Whether the denoiser takes the guidance scale as an input (FLUX.1 dev)."""
        return bool(self.denoiser.config.get("guidance_embeds", False))

    def renamed(self, name: str) -> ModelDescription:
        """The same under another name."""
        return replace(self, name=name)

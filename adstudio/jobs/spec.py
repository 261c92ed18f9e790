"""What is to be done: one frozen, picklable, tensor-free value that decides a picture down to its seed.

The same JSON serves command line, window, history, picture metadata and re-run (resources/docs/job.md).
A field that is None takes the default of its task and model (`adstudio.jobs.defaults`).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

MAX_SIDE_PX = 8192
MAX_SEED = 2**63 - 1

FilePath = Annotated[Path, PlainSerializer(lambda path: path.as_posix(), return_type=str)]


class Task(StrEnum):
    STYLE_TRANSFER = "style_transfer"
    APPEARANCE_TRANSFER = "appearance_transfer"
    TEXT_TO_IMAGE = "text_to_image"
    TEXTURE = "texture"


class Method(StrEnum):
    OPTIMIZE = "optimize"
    SAMPLE = "sample"
    MULTIDIFFUSION = "multidiffusion"


class Seamless(StrEnum):
    NONE = "none"
    X = "x"
    Y = "y"
    BOTH = "both"


class Device(StrEnum):
    AUTO = "auto"
    CUDA = "cuda"
    MPS = "mps"
    CPU = "cpu"


class Precision(StrEnum):
    AUTO = "auto"
    BF16 = "bf16"
    FP16 = "fp16"
    FP32 = "fp32"


class ControlKind(StrEnum):
    CANNY = "canny"
    LINE_ART = "line_art"
    LUMINANCE = "luminance"
    DEPTH = "depth"
    POSE = "pose"


def _shown(
    label: str,
    hint: str,
    *,
    slider: tuple[float, float] | None = None,
    step: float | None = None,
    unit: str = "",
    advanced: bool = False,
    group: str = "parameters",
) -> dict[str, Any]:
    """What a parameter panel needs beyond types and ranges; `slider` is the usual part of the allowed range."""
    shown: dict[str, Any] = {"label": label, "hint": hint, "unit": unit, "advanced": advanced, "group": group}
    if slider is not None:
        shown["slider"] = list(slider)
    if step is not None:
        shown["step"] = step
    return {"ui": shown}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_enum_values=False)


class Reference(_Value):
    """A picture whose look is taken.

    weight: > 0, a bias of log(weight) on the attention logits of this reference's keys.
    mask: label image of the size of the upright, uncropped picture.
    crop: (left, top, width, height) in pixels of the upright picture, or None for all of it.
    """

    image: FilePath
    weight: float = Field(default=1.0, gt=0, le=100)
    mask: FilePath | None = None
    crop: tuple[int, int, int, int] | None = None


class Control(_Value):
    """A ControlNet for guided sampling (diffusion models only)."""

    image: FilePath
    kind: ControlKind
    model: str | None = None
    scale: float = Field(default=1.0, ge=0, le=4)


class Job(_Value):
    """One job. Paths are absolute once loaded with `adstudio.jobs.files.load_job`."""

    task: Task
    model: str = Field(default="patch", min_length=1)
    content: FilePath | None = None
    styles: tuple[Reference, ...] = Field(min_length=1, max_length=16)
    content_mask: FilePath | None = None
    protect_mask: FilePath | None = None
    prompt: str = Field(default="", max_length=4000)
    negative_prompt: str = Field(default="", max_length=4000)
    control: Control | None = None
    width: int | None = Field(
        default=None, ge=1, le=MAX_SIDE_PX, json_schema_extra=_shown("Width", "Of the result.", unit="px", group="size")
    )
    height: int | None = Field(
        default=None, ge=1, le=MAX_SIDE_PX, json_schema_extra=_shown("Height", "Of the result.", unit="px", group="size")
    )
    content_weight: float | None = Field(
        default=None,
        ge=0,
        le=10,
        json_schema_extra=_shown(
            "Keep the content", "Lower lets the reference repaint more freely.", slider=(0, 1), step=0.01
        ),
    )
    stroke_scale: float = Field(
        default=1.0,
        ge=0.1,
        le=4,
        json_schema_extra=_shown(
            "Stroke size", "Size of the reference's marks in the result.", slider=(0.25, 2), step=0.05, unit="×"
        ),
    )
    coverage: float = Field(
        default=0.8,
        ge=0,
        le=1,
        json_schema_extra=_shown(
            "Use of the whole reference", "Higher brings rare colours and marks of the reference alive.", step=0.05
        ),
    )
    attention_scale: float = Field(
        default=1.0,
        gt=0,
        le=10,
        json_schema_extra=_shown(
            "Attention scale", "Higher copies marks more crisply, lower blends them.", slider=(0.25, 3), step=0.05
        ),
    )
    num_inference_steps: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        json_schema_extra=_shown("Steps", "More steps settle further and take longer.", slider=(4, 100), advanced=True),
    )
    seamless: Seamless = Field(
        default=Seamless.NONE,
        json_schema_extra=_shown("Seamless", "The result tiles without a seam in these directions."),
    )
    seed: int = Field(
        default=0, ge=0, le=MAX_SEED, json_schema_extra=_shown("Seed", "The same seed gives the same picture.")
    )
    images: int = Field(
        default=1, ge=1, le=64, json_schema_extra=_shown("Pictures", "How many to make, each from its own seed.", slider=(1, 8))
    )
    variation: float | None = Field(
        default=None,
        ge=0,
        le=1,
        json_schema_extra=_shown("Variation", "How far pictures of different seeds differ.", step=0.05, advanced=True),
    )
    method: Method | None = None
    iterations: int | None = Field(default=None, ge=1, le=100)
    learning_rate: float | None = Field(default=None, gt=0, le=1)
    guidance_scale: float | None = Field(default=None, ge=0, le=50)
    adain: bool | None = None
    layers: str | None = Field(default=None, pattern=r"^\d+(-\d+)?(,\d+(-\d+)?)*$")
    scheduler: str | None = Field(default=None, max_length=64)
    start_time: int | None = Field(default=None, ge=1, le=1000)
    tune_decoder: bool = False
    color: float = Field(
        default=1.0,
        ge=0,
        le=1,
        json_schema_extra=_shown("Colours: content … reference", "0 keeps the content's colours.", step=0.01, group="after"),
    )
    strength: float = Field(
        default=1.0,
        ge=0,
        le=1,
        json_schema_extra=_shown("Strength over the content", "0 is the content itself.", step=0.01, group="after"),
    )
    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO
    digests: dict[str, str] = Field(default_factory=dict)

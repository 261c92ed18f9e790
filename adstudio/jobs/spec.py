"""What is to be done: one frozen, picklable, tensor-free value that decides a picture down to its seed.

The same JSON serves command line, window, history, picture metadata and re-run (resources/docs/job.md).
A field that is None takes the default of its task and model (`adstudio.jobs.defaults`).
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from adstudio.jobs.choices import ControlKind, Device, Method, Precision, Preset, Seamless, Start, Task
from adstudio.jobs.fields import CropField, FilePath, Flag, Number, Whole, shown

__all__ = [
    "MAX_SEED",
    "MAX_SIDE_PX",
    "Control",
    "ControlKind",
    "Device",
    "FilePath",
    "Job",
    "LoraUse",
    "Method",
    "Precision",
    "Preset",
    "Reference",
    "Seamless",
    "Start",
    "Task",
]

MAX_SIDE_PX = 8192
MAX_SEED = 2**63 - 1
_SIDE_WORDS = (
    "Of the result, in pixels. The patch model makes up to 4096; up to 8192 is for diffusion models. "
    "Left out, it follows the content's aspect, or the first reference's where there is no content."
)

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Reference(_Value):
    """A picture whose look is taken.

    weight: > 0, a bias of log(weight) on the attention logits of this reference's keys.
    mask: label image of the size of the upright, uncropped picture.
    crop: (left, top, width, height) in pixels of the upright picture, or None for all of it.
    """

    image: FilePath
    weight: Number = Field(default=1.0, gt=0, le=100)
    mask: FilePath | None = None
    crop: CropField = None


class Control(_Value):
    """A ControlNet for guided sampling (diffusion models only).

    model: its name in the library, or a path to its folder or file. model_digest: written when the job is run.
    """

    image: FilePath
    kind: ControlKind
    model: str | None = Field(default=None, min_length=1, max_length=4096)
    scale: Number = Field(default=1.0, ge=0, le=4)
    model_digest: Digest | None = None


class LoraUse(_Value):
    """A LoRA file, merged into the model's weights (diffusion models only).

    path: of the file, or its name in the library. weight: how much of it; < 0 takes away. digest: SHA-256 of the file,
    written when the job is run.
    """

    path: FilePath
    weight: Number = Field(default=1.0, ge=-4, le=4)
    digest: Digest | None = None


class Job(_Value):
    """One job. Paths are absolute once loaded with `adstudio.jobs.files.load_job`.

    Raises pydantic's ValidationError where a field is wrong; `adstudio.jobs.files.parse_job` says the same in one line.
    """

    task: Task
    model: str = Field(default="patch", min_length=1, max_length=4096)
    content: FilePath | None = None
    styles: tuple[Reference, ...] = Field(min_length=1, max_length=16)
    content_mask: FilePath | None = None
    protect_mask: FilePath | None = None
    start_image: FilePath | None = Field(
        default=None,
        description="What the result begins with, such as an earlier result: instead of the content, or of noise. "
        "How much of it is made anew says denoising_strength (patch model: on how many of its sizes).",
    )
    prompt: str = Field(
        default="", max_length=4000, json_schema_extra=shown("Prompt", "What the picture shows, in words.")
    )
    negative_prompt: str = Field(
        default="", max_length=4000, json_schema_extra=shown("Without", "What the picture shall not show.")
    )
    control: Control | None = None
    loras: tuple[LoraUse, ...] = Field(default=(), max_length=8)
    width: Whole | None = Field(
        default=None,
        ge=1,
        le=MAX_SIDE_PX,
        description=_SIDE_WORDS,
        json_schema_extra=shown("Width", "Of the result.", slider=(64, 4096), unit="px", group="size"),
    )
    height: Whole | None = Field(
        default=None,
        ge=1,
        le=MAX_SIDE_PX,
        description=_SIDE_WORDS,
        json_schema_extra=shown("Height", "Of the result.", slider=(64, 4096), unit="px", group="size"),
    )
    content_weight: Number | None = Field(
        default=None,
        ge=0,
        le=10,
        json_schema_extra=shown(
            "Keep the content", "Lower lets the reference repaint more freely.", slider=(0, 1), step=0.01
        ),
    )
    stroke_scale: Number = Field(
        default=1.0,
        ge=0.1,
        le=4,
        json_schema_extra=shown(
            "Stroke size", "Size of the reference's marks in the result.", slider=(0.25, 2), step=0.05, unit="×"
        ),
    )
    coverage: Number = Field(
        default=0.8,
        ge=0,
        le=1,
        json_schema_extra=shown(
            "Use of the whole reference", "Higher brings rare colours and marks of the reference alive.", step=0.05
        ),
    )
    attention_scale: Number = Field(
        default=1.0,
        gt=0,
        le=10,
        json_schema_extra=shown(
            "Attention scale", "Higher copies marks more crisply, lower blends them.", slider=(0.25, 3), step=0.05
        ),
    )
    num_inference_steps: Whole | None = Field(
        default=None,
        ge=1,
        le=1000,
        json_schema_extra=shown("Steps", "More steps settle further and take longer.", slider=(4, 100), advanced=True),
    )
    seamless: Seamless = Field(
        default=Seamless.NONE,
        json_schema_extra=shown("Seamless", "The result tiles without a seam in these directions."),
    )
    seed: Whole = Field(
        default=0, ge=0, le=MAX_SEED, json_schema_extra=shown("Seed", "The same seed gives the same picture.")
    )
    images: Whole = Field(
        default=1,
        ge=1,
        le=64,
        json_schema_extra=shown("Pictures", "How many to make, each from its own seed.", slider=(1, 8)),
    )
    variation: Number | None = Field(
        default=None,
        ge=0,
        le=1,
        json_schema_extra=shown("Variation", "How far pictures of different seeds differ.", step=0.05, advanced=True),
    )
    method: Method | None = Field(
        default=None,
        json_schema_extra=shown(
            "Method",
            "Direct keeps the content best, guided sampling is freer; in windows, for larger pictures.",
            advanced=True,
        ),
    )
    preset: Preset = Field(
        default=Preset.EXACT,
        description=(
            "Of the method optimize. fast makes 0.3 of the updates at fewer noise levels, with a rate that falls, in "
            "16 bit on processors that compute with it: another picture. Only its time was measured, on random weights."
        ),
        json_schema_extra=shown(
            "Speed", "Fast makes a third of the updates: another picture, not yet judged by eye.", advanced=True
        ),
    )
    iterations: Whole | None = Field(
        default=None,
        ge=1,
        le=100,
        json_schema_extra=shown(
            "Updates a step", "How often each step pulls towards the reference.", slider=(1, 10), advanced=True
        ),
    )
    learning_rate: Number | None = Field(
        default=None,
        gt=0,
        le=1,
        json_schema_extra=shown(
            "Strength of an update", "Higher changes more at once.", slider=(0.005, 0.1), step=0.005, advanced=True
        ),
    )
    guidance_scale: Number | None = Field(
        default=None,
        ge=0,
        le=50,
        json_schema_extra=shown(
            "Weight of the words", "Higher follows the prompt more closely.", slider=(1, 15), step=0.5
        ),
    )
    start: Start | None = Field(
        default=None,
        json_schema_extra=shown(
            "Begin with", "Noise is the freer beginning, the content the closer one.", advanced=True
        ),
    )
    denoising_strength: Number | None = Field(
        default=None,
        gt=0,
        le=1,
        json_schema_extra=shown(
            "Start from",
            "1 starts from noise alone, lower from the content under less noise.",
            slider=(0.1, 1),
            step=0.05,
        ),
    )
    adain: Flag | None = Field(
        default=None,
        json_schema_extra=shown("Take over colours early", "Each step takes the reference's tones.", advanced=True),
    )
    layers: str | None = Field(
        default=None,
        pattern=r"^\d+(-\d+)?(,\d+(-\d+)?)*$",
        max_length=400,
        json_schema_extra=shown("Attention layers", "Numbers and ranges, such as 10-15.", advanced=True),
    )
    scheduler: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        json_schema_extra=shown("Scheduler", "The list of noise levels and the kind of step.", advanced=True),
    )
    start_time: Whole | None = Field(
        default=None,
        ge=1,
        le=1000,
        json_schema_extra=shown(
            "Follow the reference below", "Noisier steps are left to the words; 1000 guides all.", advanced=True
        ),
    )
    tune_decoder: Flag = Field(
        default=False,
        json_schema_extra=shown(
            "Sharpen the finest texture", "Tunes the decoder on the reference first.", advanced=True
        ),
    )
    color: Number = Field(
        default=1.0,
        ge=0,
        le=1,
        json_schema_extra=shown(
            "Colours: content … reference", "0 keeps the content's colours.", step=0.01, group="after"
        ),
    )
    strength: Number = Field(
        default=1.0,
        ge=0,
        le=1,
        json_schema_extra=shown("Strength over the content", "0 is the content itself.", step=0.01, group="after"),
    )
    device: Device = Field(
        default=Device.AUTO,
        json_schema_extra=shown("Computed on", "A graphics card is faster; the processor always works.", advanced=True),
    )
    precision: Precision = Field(
        default=Precision.AUTO,
        json_schema_extra=shown("Numbers", "16 bit is faster on graphics cards.", advanced=True),
    )
    model_digest: Digest | None = None
    digests: dict[str, Digest] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        needs_content = self.task in (Task.STYLE_TRANSFER, Task.APPEARANCE_TRANSFER)
        if needs_content and self.content is None:
            raise _wrong("content", f"must be given for {self.task}: the picture that gives the structure")
        if self.task is Task.TEXTURE and self.content is not None:
            raise _wrong("content", "must be left out for texture, which is made from the references alone")
        if self.task is not Task.TEXT_TO_IMAGE:
            for name in ("prompt", "negative_prompt"):
                if getattr(self, name):
                    raise _wrong(name, f"must be left out for {self.task}: only text_to_image reads a prompt")
        if self.content is None:
            if self.protect_mask is not None:
                raise _wrong("protect_mask", "must be left out without content: there are no pixels to keep")
            if self.content_weight is not None:
                raise _wrong("content_weight", "must be left out without content: there is nothing to keep")
            for name in ("color", "strength"):
                if getattr(self, name) != 1:
                    raise _wrong(name, "must be 1 without content: there is nothing to blend with")
        masked = [index for index, style in enumerate(self.styles) if style.mask is not None]
        if masked and self.content_mask is None:
            raise _wrong("content_mask", f"must be given because styles.{masked[0]}.mask pairs regions with it")
        if self.content_mask is not None and not masked:
            raise _wrong("styles.0.mask", "must be given because content_mask pairs regions with it")
        if self.seed + self.images - 1 > MAX_SEED:
            raise _wrong("seed", f"must be at most {MAX_SEED - self.images + 1} for {self.images} pictures")
        return self

    @model_validator(mode="after")
    def _beginnings_agree(self) -> Self:
        if self.start_image is not None and self.start is not None:
            raise _wrong("start", "must be left out with start_image, which is what the result begins with")
        if self.start is Start.CONTENT and self.content is None:
            raise _wrong("start", "must not be content where there is none")
        if self.denoising_strength is not None and self.content is None and self.start_image is None:
            raise _wrong("denoising_strength", "must be left out without content or start_image to begin with")
        return self


def _wrong(field: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("job_rule", "{field}: {message}", {"field": field, "message": message})

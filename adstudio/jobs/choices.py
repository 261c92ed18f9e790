"""The closed choices of a job, as they are spelt in its JSON."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    """What kind of picture is made."""

    STYLE_TRANSFER = "style_transfer"
    APPEARANCE_TRANSFER = "appearance_transfer"
    TEXT_TO_IMAGE = "text_to_image"
    TEXTURE = "texture"


class Method(StrEnum):
    """How a diffusion model makes it."""

    OPTIMIZE = "optimize"
    SAMPLE = "sample"
    MULTIDIFFUSION = "multidiffusion"


class Start(StrEnum):
    """What latents that are optimised begin with."""

    CONTENT = "content"
    NOISE = "noise"


class Preset(StrEnum):
    """How exactly the method is followed. FAST: a shorter way to another, similar picture."""

    EXACT = "exact"
    FAST = "fast"


class Seamless(StrEnum):
    """In which directions the result tiles."""

    NONE = "none"
    X = "x"
    Y = "y"
    BOTH = "both"


class Device(StrEnum):
    """Where it is computed."""

    AUTO = "auto"
    CUDA = "cuda"
    MPS = "mps"
    CPU = "cpu"


class Precision(StrEnum):
    """With which numbers it is computed."""

    AUTO = "auto"
    BF16 = "bf16"
    FP16 = "fp16"
    FP32 = "fp32"


class ControlKind(StrEnum):
    """What a control picture holds."""

    CANNY = "canny"
    LINE_ART = "line_art"
    LUMINANCE = "luminance"
    DEPTH = "depth"
    POSE = "pose"

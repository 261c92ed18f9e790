"""The closed choices of a job, as they are spelt in its JSON."""

from __future__ import annotations

from enum import StrEnum


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

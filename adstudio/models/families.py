"""The model families that attention distillation knows."""

from __future__ import annotations

from enum import StrEnum


class Family(StrEnum):
    """A line of models with one architecture; fine-tuned checkpoints belong to the family they came from."""

    SD15 = "sd15"
    SD2 = "sd2"
    SDXL = "sdxl"
    FLUX = "flux"

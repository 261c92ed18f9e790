"""Numbers of a model's self-attention layers, from its config alone: down, mid and up, as they are run through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adstudio.errors import JobError
from adstudio.models.description import ModelDescription
from adstudio.models.families import Family

_FLUX_LAST = 7
_UP_BLOCKS_DISTILLED: Mapping[Family, tuple[int, ...]] = {Family.SDXL: (1,)}
_UP_BLOCKS_OF_OTHERS = (2, 3)


def layer_numbers(text: str) -> tuple[int, ...]:
    """The numbers in a text like "10-15" or "3,5-7", ascending, each once. Raises JobError where a range runs down."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if high < low or high > 9999:
            raise JobError(f"layers: must be numbers and ascending ranges such as 10-15, got {text}", field="layers")
        found.update(range(low, high + 1))
    return tuple(sorted(found))


def layer_count(model: ModelDescription) -> int:
    """How many self-attention layers a model has."""
    return sum(_counts(model))


def default_layers(model: ModelDescription) -> str:
    """The layers that the paper's authors distil: SD's up_blocks 2 and 3, SDXL's up_blocks 1, FLUX's last 7 blocks.

    A UNet of another build, without attention in these blocks, has its last block with attention taken.
    """
    counts = _counts(model)
    total = sum(counts)
    if model.family is Family.FLUX:
        return _range(total - min(_FLUX_LAST, counts[-1]), total)
    ups = counts[len(model.denoiser.config["down_block_types"]) + 1 :]
    before = total - sum(ups)
    starts = [before + sum(ups[:index]) for index in range(len(ups) + 1)]
    wanted = _UP_BLOCKS_DISTILLED.get(model.family, _UP_BLOCKS_OF_OTHERS)
    there = [index for index in wanted if index < len(ups) and ups[index]]
    if not there:
        there = [index for index, count in enumerate(ups) if count][-1:] or [0]
    return _range(starts[there[0]], starts[there[-1] + 1])


def check_layers(text: str, model: ModelDescription) -> None:
    """Raise JobError where a job names layers that its model does not have."""
    last = layer_count(model) - 1
    wrong = [number for number in layer_numbers(text) if number > last]
    if wrong:
        raise JobError(f"layers: must be from 0 to {last} with {model.name}, got {wrong[0]}", field="layers")


def _range(start: int, end: int) -> str:
    return str(start) if end - start == 1 else f"{start}-{end - 1}"


def _counts(model: ModelDescription) -> list[int]:
    """Self-attention layers of each block, in the order of execution."""
    config: Mapping[str, Any] = model.denoiser.config
    if model.family is Family.FLUX:
        return [int(config["num_layers"]), int(config["num_single_layers"])]
    downs: Sequence[str] = config["down_block_types"]
    ups: Sequence[str] = config["up_block_types"]
    depth = _for_each(config.get("transformer_layers_per_block", 1), len(downs))
    layers = _for_each(config.get("layers_per_block", 2), len(downs))
    down = [
        layers[index] * depth[index] if "CrossAttn" in name or name.startswith("Attn") else 0
        for index, name in enumerate(downs)
    ]
    middle = depth[-1] if config.get("mid_block_type", "UNetMidBlock2DCrossAttn") == "UNetMidBlock2DCrossAttn" else 0
    up = [
        (layers[::-1][index] + 1) * depth[::-1][index] if "CrossAttn" in name or name.startswith("Attn") else 0
        for index, name in enumerate(ups)
    ]
    return [*down, middle, *up]


def _for_each(value: int | Sequence[int], count: int) -> list[int]:
    return [value] * count if isinstance(value, int) else [int(each) for each in value]

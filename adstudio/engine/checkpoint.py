"""States of a run of the patch model on disk, to go on from; see `checkpoint_files`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from adstudio.engine.checkpoint_files import (
    FOLDER_NAME,
    UNREADABLE,
    checkpoint_paths,
    clear_checkpoints,
    opened_arrays,
    write_arrays,
)
from adstudio.engine.patch.field import Layout
from adstudio.engine.patch.synthesis import State, Synthesis

__all__ = ["FOLDER_NAME", "Checkpoint", "clear_checkpoints", "fits", "save_checkpoint", "sound_checkpoints"]

_FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """image_index: 0-based picture of the job; state: of its synthesis, on the CPU."""

    image_index: int
    state: State


def save_checkpoint(folder: Path, image_index: int, state: State) -> Path:
    """Write a checkpoint into the run folder; older ones beyond the two newest go. Raises StorageError."""
    return write_arrays(
        folder,
        {
            "header": np.array([_FORMAT, image_index, state.level, state.rounds_done], np.int64),
            "picture": state.picture.cpu().numpy(),
            "field": state.field.cpu().numpy(),
            "bias": state.bias.cpu().numpy(),
            "hold": np.array(state.hold, np.float64),
            "layout": np.array([state.layout.offsets, state.layout.heights, state.layout.widths], np.int64),
        },
    )


def sound_checkpoints(folder: Path) -> Iterator[Checkpoint]:
    """The checkpoints of a run folder that can be read whole, newest first."""
    for path in checkpoint_paths(folder):
        try:
            with opened_arrays(path) as arrays:
                version, image_index, level, rounds_done = (int(v) for v in arrays["header"])
                if version != _FORMAT:
                    continue
                offsets, heights, widths = (tuple(int(v) for v in row) for row in arrays["layout"])
                state = State(
                    level=level,
                    rounds_done=rounds_done,
                    picture=torch.from_numpy(arrays["picture"]),
                    field=torch.from_numpy(arrays["field"]),
                    bias=torch.from_numpy(arrays["bias"]),
                    layout=Layout(offsets, heights, widths),
                    hold=float(arrays["hold"]),
                )
        except UNREADABLE:
            continue
        yield Checkpoint(image_index=image_index, state=state)


def fits(state: State, synthesis: Synthesis) -> bool:
    """Whether a synthesis can go on from a state; one of another version of AD Studio may not fit."""
    if not 0 <= state.level < len(synthesis.levels):
        return False
    size, _ = synthesis.levels[state.level]
    if state.picture.shape != (3, *size) or state.field.shape != (2, *size) or state.bias.dim() != 2:
        return False
    rows, columns = state.field
    inside = rows.min() >= 0 and rows.max() < state.bias.shape[0]
    inside = inside and columns.min() >= 0 and columns.max() < state.bias.shape[1]
    return bool(inside) and bool(torch.isfinite(state.picture).all())

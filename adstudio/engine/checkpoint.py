"""States of a run on disk, to go on from: written whole, checked on reading, the two newest kept."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from adstudio.engine.patch.field import Layout
from adstudio.engine.patch.synthesis import State
from adstudio.images import atomic_write_bytes

FOLDER_NAME = "checkpoints"
_FORMAT = 1
_KEPT = 2
_NAME = re.compile(r"^(\d{6})\.npz$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """image_index: 0-based picture of the job; state: of its synthesis, on the CPU."""

    image_index: int
    state: State


def save_checkpoint(folder: Path, image_index: int, state: State) -> Path:
    """Write a checkpoint into the run folder; older ones beyond the two newest go. Raises StorageError."""
    directory = folder / FOLDER_NAME
    directory.mkdir(exist_ok=True)
    existing = _numbered(directory)
    path = directory / f"{(existing[-1][0] + 1 if existing else 1):06d}.npz"
    buffer = io.BytesIO()
    np.savez(
        buffer,
        header=np.array([_FORMAT, image_index, state.level, state.rounds_done], np.int64),
        picture=state.picture.cpu().numpy(),
        field=state.field.cpu().numpy(),
        bias=state.bias.cpu().numpy(),
        layout=np.array([state.layout.offsets, state.layout.heights, state.layout.widths], np.int64),
    )
    atomic_write_bytes(path, buffer.getvalue())
    for _, old in _numbered(directory)[:-_KEPT]:
        old.unlink(missing_ok=True)
    return path


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest checkpoint of a run folder that can be read whole; None when there is none."""
    for _, path in reversed(_numbered(folder / FOLDER_NAME)):
        try:
            with np.load(path, allow_pickle=False) as arrays:
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
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            continue
        return Checkpoint(image_index=image_index, state=state)
    return None


def clear_checkpoints(folder: Path) -> None:
    """Remove all checkpoints of a run that is over."""
    for _, path in _numbered(folder / FOLDER_NAME):
        path.unlink(missing_ok=True)


def _numbered(directory: Path) -> list[tuple[int, Path]]:
    if not directory.is_dir():
        return []
    found = [(int(match[1]), path) for path in directory.iterdir() if (match := _NAME.match(path.name))]
    return sorted(found)

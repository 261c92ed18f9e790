"""States of a run on disk, to go on from: written whole, checked on reading, the two newest kept."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from adstudio.engine.patch.field import Layout
from adstudio.engine.patch.synthesis import State, Synthesis
from adstudio.images import atomic_write_bytes

FOLDER_NAME = "checkpoints"
_FORMAT = 2
_KEPT = 2
_NAME = re.compile(r"^(\d{6})\.npz$")
_UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    RuntimeError,  # a flipped bit that says "encrypted" or "compressed in an unknown way"
    MemoryError,  # or that asks for an endless array
    zipfile.BadZipFile,
    zlib.error,
)
_LEFT_OVER = re.compile(r"^\.\d{6}\.npz\..*\.part$")


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
        hold=np.float64(state.hold),
        layout=np.array([state.layout.offsets, state.layout.heights, state.layout.widths], np.int64),
    )
    atomic_write_bytes(path, buffer.getvalue())
    for _, old in _numbered(directory)[:-_KEPT]:
        old.unlink(missing_ok=True)
    return path


def sound_checkpoints(folder: Path) -> Iterator[Checkpoint]:
    """The checkpoints of a run folder that can be read whole, newest first."""
    for _, path in reversed(_numbered(folder / FOLDER_NAME)):
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
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
        except _UNREADABLE:
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


def clear_checkpoints(folder: Path) -> None:
    """Remove all checkpoints of a run that is over, and what a crash left of half-written ones."""
    directory = folder / FOLDER_NAME
    for path in directory.iterdir() if directory.is_dir() else ():
        if _NAME.match(path.name) or _LEFT_OVER.match(path.name):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not there, or somebody keeps something of theirs in it
        directory.rmdir()


def _numbered(directory: Path) -> list[tuple[int, Path]]:
    if not directory.is_dir():
        return []
    found = [(int(match[1]), path) for path in directory.iterdir() if (match := _NAME.match(path.name))]
    return sorted(found)

"""One recorded case: its parameters, its arrays, and its noise as the engine's noise protocol wants it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from adstudio.engine.noise import Draw

_ROLES = {
    "init_latents": Draw.START,
    "init_from_style_noise": Draw.REFERENCE_START,
    "vae_posterior_noise": Draw.ENCODING,
    "adain_noise": Draw.ADAIN,
    "style_noise": Draw.REFERENCE,
    "content_noise": Draw.CONTENT,
}


class BadCaseError(Exception):
    """A case that cannot be replayed: not of a known kind, or a part of it is missing."""


@dataclass(frozen=True)
class Case:
    """A case of goldens/README.md. facts: its JSON. arrays: its .npz, empty where it has none."""

    name: str
    facts: dict[str, Any]
    arrays: dict[str, np.ndarray[Any, Any]] = field(repr=False)

    @classmethod
    def read(cls, folder: Path, name: str) -> Case:
        facts = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        path = folder / f"{name}.npz"
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        if path.is_file():
            with np.load(path, allow_pickle=False) as stored:
                arrays = {key: stored[key] for key in stored.files}
        return cls(name, facts, arrays)

    @property
    def parameters(self) -> dict[str, Any]:
        return self.facts["parameters"]  # type: ignore[no-any-return]

    @property
    def model(self) -> str:
        """Folder name of the model."""
        return Path(self.facts["model"]).name

    def has(self, name: str) -> bool:
        return name in self.arrays or f"{name}_000" in self.arrays

    def tensor(self, name: str) -> Tensor:
        """An array as recorded. Raises BadCaseError where it is missing."""
        if name not in self.arrays:
            raise BadCaseError(f"the array {name} is missing")
        return torch.from_numpy(self.arrays[name])

    def maybe(self, name: str) -> Tensor | None:
        return self.tensor(name) if name in self.arrays else None

    def rows(self, name: str) -> list[Tensor]:
        """A record with one entry a step, whether stored as one array or, with varying batches, as many."""
        if name in self.arrays:
            return list(self.tensor(name))
        return list(self._numbered(name))

    def _numbered(self, name: str) -> Iterator[Tensor]:
        index = 0
        while f"{name}_{index:03d}" in self.arrays:
            yield self.tensor(f"{name}_{index:03d}")
            index += 1

    def deviation(self, name: str) -> float:
        """How far the official code itself strays between kernels and precisions, at most."""
        worst = 0.0
        for compared in self.facts.get("deviation", {}).values():
            figures = compared.get(name, {})
            worst = max(worst, figures.get("max_abs", 0.0), *figures.get("max_abs_per_step", [0.0]))
        return worst


class RecordedNoise:
    """Hands out a case's recorded draws, each purpose in its own order."""

    def __init__(self, case: Case) -> None:
        self._left: dict[Draw, list[tuple[Tensor, str]]] = {draw: [] for draw in Draw}
        for entry in case.facts.get("draws", []):
            if entry["role"] not in _ROLES:
                raise BadCaseError(f"a draw for {entry['role']!r} is not known")
            self._left[_ROLES[entry["role"]]].append((case.tensor(entry["array"]), entry["array"]))

    @property
    def generator(self) -> None:
        """There is none: these numbers were drawn long ago."""

    def normal(self, shape: Sequence[int], draw: Draw) -> Tensor:
        if not self._left[draw]:
            raise BadCaseError(f"the run draws more {draw} noise than was recorded")
        drawn, name = self._left[draw].pop(0)
        if tuple(drawn.shape) != tuple(shape):
            raise BadCaseError(f"{name} was drawn as {tuple(drawn.shape)}, the run wants {tuple(shape)}")
        return drawn

    def unused(self) -> list[str]:
        return [name for left in self._left.values() for _, name in left]

    def state(self) -> Tensor:
        return torch.empty(0, dtype=torch.uint8)

    def restore(self, state: Tensor) -> None:
        raise BadCaseError("recorded noise is read once")

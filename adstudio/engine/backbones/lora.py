"""LoRA files, merged into the weights while a model is loaded: W + weight · alpha / rank · up · down.

Merged once instead of computed beside the network in every pass: no cost at run time, and nothing to take out again,
since the weights are read anew for each model that is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from adstudio.engine.backbones.build import Adjust
from adstudio.engine.backbones.empty_prompt import fingerprint
from adstudio.engine.backbones.lora_naming import NameBook, Place
from adstudio.engine.backbones.weights import TensorReader, open_weights
from adstudio.errors import ModelError
from adstudio.models.description import ModelDescription
from adstudio.models.families import Role
from adstudio.models.lora import Lora, inspect_lora

_ENDS = (
    (".lora_down.weight", ".lora_up.weight"),
    (".lora_A.weight", ".lora_B.weight"),
    (".lora.down.weight", ".lora.up.weight"),
    (".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"),
    ("_lora.down.weight", "_lora.up.weight"),
)


@dataclass(frozen=True, slots=True)
class _Change:
    """One low-rank change. down: [rank, in, …], up: [out, rank, …]; rows: of `up` that belong to this weight."""

    path: Path
    down: Tensor
    up: Tensor
    factor: float
    rows: tuple[int, int] | None

    def apply(self, name: str, weight: Tensor) -> Tensor:
        up = self.up if self.rows is None else self.up[self.rows[0] : self.rows[1]]
        fits = up.shape[0] == weight.shape[0] and self.down[0].numel() == weight[0].numel()
        if not fits or up[0].numel() != self.down.shape[0]:
            raise ModelError(
                f"{self.path}: changes {name} by {up.shape[0]} x {self.down[0].numel()} numbers, and the model has "
                f"{list(weight.shape)} there; the LoRA is for another family of models"
            )
        product = up.float().flatten(1) @ self.down.float().flatten(1)
        return weight + (self.factor * product).reshape(weight.shape).to(weight.dtype)


class MergedLoras:
    """The changes of several LoRA files to one model, by part and weight."""

    def __init__(self, model: ModelDescription, loras: Sequence[Lora]) -> None:
        """Read the files. Raises ModelError where one is no LoRA or changes what this model does not have."""
        self._changes: dict[tuple[Role, str], list[_Change]] = {}
        marks = []
        book = NameBook(model) if loras else None
        for lora in loras:
            if book is None or lora.weight == 0:
                continue
            inspect_lora(lora.path)
            marks.append(f"{fingerprint((lora.path,))} {lora.weight!r}")
            with open_weights((lora.path,)) as reader:
                for place, change in _changes(lora, reader, book):
                    self._changes.setdefault((place.role, place.name), []).append(change)
        touches_text = any(role.is_text for role, _ in self._changes)
        self.text_mark = " ".join(marks) if touches_text else ""

    def adjust(self, role: Role) -> Adjust | None:
        """What to apply to the weights of a part while they are read; None where nothing changes."""
        own = {name: changes for (changed, name), changes in self._changes.items() if changed is role}
        if not own:
            return None

        def apply(name: str, weight: Tensor) -> Tensor:
            for change in own.get(name, ()):
                weight = change.apply(name, weight)
            return weight

        return apply


def _changes(lora: Lora, reader: TensorReader, book: NameBook) -> Iterator[tuple[Place, _Change]]:
    unknown = []
    for module, down_name, up_name in _modules(reader):
        places = book.find(module)
        if not places:
            unknown.append(module)
            continue
        if up_name not in reader:
            raise ModelError(f"{lora.path}: has {down_name} without its other half; download it again")
        down, up = reader.read(down_name, torch.float32), reader.read(up_name, torch.float32)
        if down.ndim < 2 or up.ndim < 2 or 0 in down.shape or 0 in up.shape:
            raise ModelError(f"{lora.path}: {down_name} has the shape {list(down.shape)}; the file is damaged")
        alpha_name = f"{module}.alpha"
        alpha = float(reader.read(alpha_name).float().sum()) if alpha_name in reader else float(down.shape[0])
        for place in places:
            yield place, _Change(lora.path, down, up, lora.weight * alpha / down.shape[0], place.rows)
    if unknown:
        raise ModelError(
            f"{lora.path}: changes {len(unknown)} parts that this model does not have ({unknown[0]}); "
            "the LoRA is for another family of models"
        )


def _modules(reader: TensorReader) -> Iterator[tuple[str, str, str]]:
    """Module, name of its down and of its up weight."""
    for name in reader.names:
        for down, up in _ENDS:
            if name.endswith(down):
                start = name.removesuffix(down)
                yield start, name, start + up
                break

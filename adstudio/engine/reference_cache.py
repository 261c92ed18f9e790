"""Features of references kept for the next run: on the device first, then in the machine's memory, then on disk."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Protocol

import torch

from adstudio.engine.backbones.base import Features
from adstudio.engine.tensor_files import Kept, TensorFiles

_PARTS = ("queries", "keys", "values", "outputs")


class FeatureCache(Protocol):
    """Keeps features by a key that says everything they depend on."""

    def get(self, key: str, device: torch.device) -> Features | None:
        """Features kept under a key, on a device, or None."""
        ...

    def put(self, key: str, features: Features, cost_s: float) -> None:
        """Keep features where there is room. cost_s: what computing them took."""
        ...


class ReferenceCache:
    """Features within budgets; those unused for longest move from the device to memory.

    device_bytes, host_bytes: how much may be kept on the device and in memory; on a CPU both are memory.
    files: where they are kept for later starts of the program too, if reading them again is worth it.
    """

    def __init__(self, *, device_bytes: int, host_bytes: int, files: TensorFiles | None = None) -> None:
        self._tiers = (_Tier(device_bytes), _Tier(host_bytes))
        self._files = files

    def for_model(self, model: str) -> FeatureCache:
        """The part of this cache that belongs to one set of weights, LoRAs included."""
        return _ModelCache(self, model)

    def begin(self, *, device_bytes: int, host_bytes: int) -> None:
        """A run begins, with these budgets; what is beyond them leaves."""
        pushed_out = self._tiers[0].begin(device_bytes)
        self._tiers[1].begin(host_bytes)
        self._push(pushed_out)
        if self._files is not None:
            self._files.begin()

    @property
    def held_bytes(self) -> tuple[int, int]:
        """Bytes held on the device and in memory."""
        return self._tiers[0].held, self._tiers[1].held

    def get(self, key: str, device: torch.device) -> Features | None:
        """See FeatureCache."""
        for tier in self._tiers:
            if (features := tier.get(key)) is not None:
                return _moved(features, device)
        kept = self._files.get(key) if self._files is not None else None
        found = _features_of(kept) if kept is not None else None
        if found is None:
            return None
        features = _moved(found, device)
        self._push(self._tiers[0].put(key, features))
        return features

    def put(self, key: str, features: Features, cost_s: float) -> None:
        """See FeatureCache."""
        self._push(self._tiers[0].put(key, features))
        if self._files is not None and self._files.is_worth(features.nbytes, cost_s):
            tensors = {f"{part}.{i}": each for part in _PARTS for i, each in enumerate(getattr(features, part))}
            note = {"grids": features.grids, "size": features.size, "text_tokens": features.text_tokens}
            self._files.put(key, tensors, note)

    def clear(self) -> None:
        """Let go of everything in memory."""
        for tier in self._tiers:
            tier.clear()

    def _push(self, pushed_out: list[tuple[str, Features]]) -> None:
        for key, features in pushed_out:
            self._tiers[1].put(key, _moved(features, torch.device("cpu")))


class _ModelCache:
    def __init__(self, cache: ReferenceCache, model: str) -> None:
        self._cache, self._model = cache, model

    def get(self, key: str, device: torch.device) -> Features | None:
        return self._cache.get(self._whole(key), device)

    def put(self, key: str, features: Features, cost_s: float) -> None:
        self._cache.put(self._whole(key), features, cost_s)

    def _whole(self, key: str) -> str:
        return hashlib.sha256(f"{torch.__version__} {self._model} {key}".encode()).hexdigest()


class _Tier:
    """Features in the order of their last use, within a budget.

    What the present run used stays: a run that needs more than the budget goes through its features in order, so each
    would be pushed out just before it is asked for again.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: OrderedDict[str, Features] = OrderedDict()
        self._used: set[str] = set()
        self.held = 0

    def begin(self, budget: int) -> list[tuple[str, Features]]:
        """Another run with another budget; gives back what had to leave for it."""
        self._used.clear()
        self._budget = budget
        return self._shrunk(0)

    def get(self, key: str) -> Features | None:
        features = self._kept.get(key)
        if features is not None:
            self._kept.move_to_end(key)
            self._used.add(key)
        return features

    def put(self, key: str, features: Features) -> list[tuple[str, Features]]:
        """Keep features; gives back what had to leave for them, or they themselves where there is no room."""
        if (before := self._kept.pop(key, None)) is not None:
            self.held -= before.nbytes
        left = self._shrunk(features.nbytes)
        if self.held + features.nbytes > self._budget:
            return [*left, (key, features)]
        self._kept[key] = features
        self._used.add(key)
        self.held += features.nbytes
        return left

    def _shrunk(self, room: int) -> list[tuple[str, Features]]:
        left = []
        for key in [key for key in self._kept if key not in self._used]:
            if self.held + room <= self._budget:
                break
            features = self._kept.pop(key)
            self.held -= features.nbytes
            left.append((key, features))
        return left

    def clear(self) -> None:
        self._kept.clear()
        self._used.clear()
        self.held = 0


def _features_of(kept: Kept) -> Features | None:
    """What a file holds; None where it is of another kind."""
    try:
        counts = {part: sum(name.startswith(f"{part}.") for name in kept.tensors) for part in _PARTS}
        parts = {part: tuple(kept.tensors[f"{part}.{i}"] for i in range(counts[part])) for part in _PARTS}
        rows, columns = kept.note["size"]
        return Features(
            **parts,
            grids=tuple((int(high), int(wide)) for high, wide in kept.note["grids"]),
            size=(int(rows), int(columns)),
            text_tokens=int(kept.note["text_tokens"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _moved(features: Features, device: torch.device) -> Features:
    return features.mapped(lambda each: each.to(device))

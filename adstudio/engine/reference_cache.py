"""Features of references kept for the next run: on the device first, then in the machine's memory, then on disk."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Protocol

import torch

from adstudio.engine.backbones.base import Features


class FeatureCache(Protocol):
    """Keeps features by a key that says everything they depend on."""

    def get(self, key: str, device: torch.device) -> Features | None:
        """Features kept under a key, on a device, or None."""
        ...

    def put(self, key: str, features: Features) -> None:
        """Keep features, and drop those unused for longest where the budget is spent."""
        ...


class ReferenceCache:
    """Features within budgets; those unused for longest move from the device to memory, then are dropped.

    device_bytes, host_bytes: how much may be kept on the device and in memory; on a CPU both are memory.
    model: says which weights the features come from, and is part of every key.
    """

    def __init__(self, *, device_bytes: int, host_bytes: int) -> None:
        self._tiers = (_Tier(device_bytes), _Tier(host_bytes))

    def for_model(self, model: str) -> FeatureCache:
        """The part of this cache that belongs to one set of weights, LoRAs included."""
        return _ModelCache(self, model)

    def limit(self, *, device_bytes: int, host_bytes: int) -> None:
        """Other budgets from now on; what is beyond them leaves."""
        pushed_out = self._tiers[0].limit(device_bytes)
        self._tiers[1].limit(host_bytes)
        for key, features in pushed_out:
            self._tiers[1].put(key, _moved(features, torch.device("cpu")))

    @property
    def held_bytes(self) -> tuple[int, int]:
        """Bytes held on the device and in memory."""
        return self._tiers[0].held, self._tiers[1].held

    def get(self, key: str, device: torch.device) -> Features | None:
        """See FeatureCache."""
        for tier in self._tiers:
            if (features := tier.get(key)) is not None:
                return _moved(features, device)
        return None

    def put(self, key: str, features: Features) -> None:
        """See FeatureCache."""
        pushed_out = self._tiers[0].put(key, features)
        for old_key, old in pushed_out:
            self._tiers[1].put(old_key, _moved(old, torch.device("cpu")))

    def clear(self) -> None:
        """Let go of everything."""
        for tier in self._tiers:
            tier.clear()


class _ModelCache:
    def __init__(self, cache: ReferenceCache, model: str) -> None:
        self._cache, self._model = cache, model

    def get(self, key: str, device: torch.device) -> Features | None:
        return self._cache.get(self._whole(key), device)

    def put(self, key: str, features: Features) -> None:
        self._cache.put(self._whole(key), features)

    def _whole(self, key: str) -> str:
        return hashlib.sha256(f"{self._model} {key}".encode()).hexdigest()


class _Tier:
    """Features in the order of their last use, within a budget."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: OrderedDict[str, Features] = OrderedDict()
        self.held = 0

    def get(self, key: str) -> Features | None:
        features = self._kept.get(key)
        if features is not None:
            self._kept.move_to_end(key)
        return features

    def put(self, key: str, features: Features) -> list[tuple[str, Features]]:
        """Keep features; gives back what had to leave for them, or they themselves where they are too large."""
        if features.nbytes > self._budget:
            return [(key, features)]
        if (before := self._kept.pop(key, None)) is not None:
            self.held -= before.nbytes
        self._kept[key] = features
        self.held += features.nbytes
        return self._shrunk()

    def limit(self, budget: int) -> list[tuple[str, Features]]:
        """Another budget; gives back what had to leave for it."""
        self._budget = budget
        return self._shrunk()

    def _shrunk(self) -> list[tuple[str, Features]]:
        left = []
        while self.held > self._budget:
            old_key, old = self._kept.popitem(last=False)
            self.held -= old.nbytes
            left.append((old_key, old))
        return left

    def clear(self) -> None:
        self._kept.clear()
        self.held = 0


def _moved(features: Features, device: torch.device) -> Features:
    return features.mapped(lambda each: each.to(device))

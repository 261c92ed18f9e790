"""The configs that come with the application, for files that bring none of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from adstudio.errors import StorageError
from adstudio.models.config_check import checked_config, checked_scheduler, read_json
from adstudio.models.description import TokenIds
from adstudio.models.families import Family, Prediction, Role
from adstudio.paths import resources_dir


def shipped_name(family: Family, prediction: Prediction, *, guidance: bool) -> str:
    """Which set of configs belongs to a model: SD 2.x has two predictions, FLUX comes with and without guidance."""
    match family:
        case Family.SD2:
            return "sd2" if prediction is Prediction.V else "sd2_base"
        case Family.FLUX:
            return "flux_dev" if guidance else "flux_schnell"
    return family.value


def shipped_dir(name: str) -> Path:
    """The folder of a set, laid out as a diffusers folder is."""
    folder = resources_dir() / "models" / name
    if not folder.is_dir():
        raise StorageError(f"{folder}: the configs of the model families are missing; install AD Studio again")
    return folder


@cache
def shipped_config(name: str, role: Role) -> Mapping[str, Any]:
    """A part's config of a set."""
    path = shipped_dir(name) / role.value / "config.json"
    return checked_config(role, read_json(path), path)


@cache
def shipped_scheduler(name: str) -> Mapping[str, Any]:
    """The scheduler of a set."""
    path = shipped_dir(name) / "scheduler" / "scheduler_config.json"
    return checked_scheduler(read_json(path), path)


def token_ids(name: str, role: Role, config: Mapping[str, Any]) -> TokenIds:
    """How the empty prompt is written for a text encoder of a set's kind.

    A CLIP vocabulary ends with the start and the end token, which makes the ids of one with another size known, too.
    The ids inside its config are not used: the most widespread ones are wrong there.
    """
    known = read_json(shipped_dir(name) / "token_ids.json")[role.value]
    start, end, padding, length = known["start"], known["end"], known["padding"], known["length"]
    if start is not None:
        last = config["vocab_size"] - 1
        padding = last if padding == end else padding
        start, end = last - 1, last
        length = config.get("max_position_embeddings", length)
    return TokenIds(start=start, end=end, padding=padding, length=length)

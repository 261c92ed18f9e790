"""What this machine has shown: how quick it is with which model, kept in the cache folder."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from adstudio.images import atomic_write_bytes
from adstudio.models.families import Family
from adstudio.paths import cache_dir

_log = logging.getLogger(__name__)
_FILE = "calibration.json"
_MAX_ENTRIES = 64
_MAX_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What one run or bench has shown on this machine.

    parameters: numbers of network and VAE. device: cpu, cuda or mps. memory_bytes: of the device. threads: of the CPU.
    latents, pixels: of the picture or window. reading_s: one forward pass. update_s: forward and backward pass with
    everything around. decode_s: of the picture.
    """

    family: Family
    parameters: int
    device: str
    memory_bytes: int
    precision: str
    threads: int
    latents: int
    pixels: int
    reading_s: float
    update_s: float
    decode_s: float


def calibrations(folder: Path | None = None) -> tuple[Calibration, ...]:
    """What this machine has shown so far, oldest first. A file that is gone or damaged is no error."""
    try:
        with ((folder or cache_dir()) / _FILE).open("rb") as stream:
            entries = json.loads(stream.read(_MAX_BYTES))
        return tuple(_checked(entry) for entry in entries[-_MAX_ENTRIES:])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        _log.debug("no calibration (%s)", error)
        return ()


def keep_calibration(new: Calibration, folder: Path | None = None) -> None:
    """Remember what was shown, in place of the same measured before. A folder that cannot be written is no error."""
    folder = folder or cache_dir()
    others = [one for one in calibrations(folder) if _place(one) != _place(new)]
    entries = [asdict(one) for one in [*others, new][-_MAX_ENTRIES:]]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(folder / _FILE, json.dumps(entries, indent=1).encode())
    except OSError as error:
        _log.info("%s: the calibration was not kept (%s)", folder / _FILE, error)


def _checked(entry: dict[str, Any]) -> Calibration:
    """An entry of the file. Raises ValueError, TypeError or KeyError for one that is none."""
    found = Calibration(**{**entry, "family": Family(entry["family"])})
    for field in fields(found):
        value: Any = getattr(found, field.name)
        if field.type not in ("int", "float"):
            if not isinstance(value, str):
                raise TypeError(f"{field.name} is {value!r}")
        elif isinstance(value, bool | str) or not (math.isfinite(value) and value > 0):
            raise ValueError(f"{field.name} is {value!r}")
    return found


def _place(one: Calibration) -> tuple[object, ...]:
    return one.family, one.parameters, one.device, one.precision, one.threads, one.latents

"""Forecasts: how long a run will take and how much memory it needs, and which ways of saving memory it should take.

Without torch. Work is counted per family, speed is what this machine has shown; see `Calibration`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

from adstudio.images import atomic_write_bytes
from adstudio.models.families import Family
from adstudio.paths import cache_dir

_log = logging.getLogger(__name__)
_FILE = "calibration.json"
_MAX_ENTRIES = 64
_GB = 1 << 30
_TILED_FROM_PX = 1 << 20
_BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}


@dataclass(frozen=True, slots=True)
class _Work:
    """A family's network and VAE.

    native: latents (FLUX: packed ones) of the native size. linear, square: TFLOP of a forward pass there, growing with
    the latents and with their square. parameters: of network and VAE, in millions.
    kept_bytes, kept_checkpointed_bytes: what an update keeps for its backward pass, per latent and byte of a number.
    decoded_bytes: of decoding, per pixel and per byte of a number.
    """

    native: int
    linear: float
    square: float
    parameters: float
    kept_bytes: int
    kept_checkpointed_bytes: int
    decoded_bytes: int = 1300


# TFLOP counted from the layers' sizes (SD 1.5: 0.80 at 512 × 512). What is kept: SD 1.5 measured on a CPU in float32;
# SDXL and FLUX estimated from their layers' sizes and not yet seen on a card.
_WORK: Mapping[Family, _Work] = MappingProxyType(
    {
        Family.SD15: _Work(4096, 0.68, 0.12, 944, 125_000, 45_000),
        Family.SD2: _Work(9216, 1.55, 0.62, 950, 125_000, 45_000),
        Family.SDXL: _Work(16384, 5.2, 0.75, 2651, 180_000, 45_000),
        Family.FLUX: _Work(4096, 110.0, 14.9, 11985, 6_000_000, 700_000),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What one run or bench has shown on this machine.

    device: name of the card, or cpu or mps. threads: of the CPU. latents: of the picture.
    reading_s: one forward pass. update_s: forward and backward pass with everything around. decode_s: of the picture.
    """

    family: Family
    device: str
    precision: str
    threads: int
    latents: int
    reading_s: float
    update_s: float
    decode_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run to be forecast.

    latents: of the picture, at the model's own grid (FLUX: packed). pixels: of the picture. device, precision, threads:
    see Calibration. levels: timesteps. iterations: updates at each. references: how many, content included.
    """

    family: Family
    latents: int
    pixels: int
    device: str
    precision: str
    threads: int
    levels: int
    iterations: int
    references: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to expect and how to go about it.

    seconds: None where this machine has shown nothing yet. peak_bytes: of the model and the run. fits: whether that is
    there. checkpointing, tiled_decode, chunked_attention: ways of saving memory to take.
    warning: a sentence for the user, or "".
    """

    seconds: float | None
    peak_bytes: int
    fits: bool
    checkpointing: bool
    tiled_decode: bool
    chunked_attention: bool
    warning: str = ""


def plan(run: Run, available_bytes: int, calibrations: Sequence[Calibration] = ()) -> Plan:
    """Forecast a run on a device with so much free memory, and choose the first way that fits.

    The order: as it is, then with gradient checkpointing (about a third more time per update).
    """
    tiled = run.pixels > _TILED_FROM_PX
    chunked = run.device == "mps"
    plain, saving = (memory_bytes(run, checkpointing=way, tiled_decode=tiled) for way in (False, True))
    checkpointing = plain > available_bytes and saving < plain
    peak = saving if checkpointing else plain
    fits = peak <= available_bytes
    warning = ""
    if not fits:
        warning = (
            f"This needs about {peak / _GB:.1f} GB, and {available_bytes / _GB:.1f} GB are free; "
            "make the picture smaller, take 16-bit precision, or close other programs"
        )
    return Plan(
        seconds=seconds(run, calibrations, checkpointing=checkpointing),
        peak_bytes=peak,
        fits=fits,
        checkpointing=checkpointing,
        tiled_decode=tiled,
        chunked_attention=chunked,
        warning=warning,
    )


def memory_bytes(run: Run, *, checkpointing: bool, tiled_decode: bool) -> int:
    """The peak of a run: weights, and the larger of an update and of decoding."""
    work, size = _WORK[run.family], _BYTES[run.precision]
    kept = work.kept_checkpointed_bytes if checkpointing else work.kept_bytes
    decoded_px = min(run.pixels, 512 * 512) if tiled_decode else run.pixels
    running = max(kept * run.latents, work.decoded_bytes * decoded_px)
    return int(size * (work.parameters * 1e6 + running))


def seconds(run: Run, calibrations: Sequence[Calibration], *, checkpointing: bool = False) -> float | None:
    """How long a run takes, scaled from what was shown; None where nothing was, or only for other families.

    The nearest size of the same device and precision counts; fewer or more threads are taken to help in proportion.
    """
    shown = [
        one
        for one in calibrations
        if (one.family, one.device, one.precision) == (run.family, run.device, run.precision)
    ]
    if not shown:
        return None
    nearest = min(shown, key=lambda one: (one.threads != run.threads, abs(one.latents - run.latents)))
    grown = tflop(run.family, run.latents) / tflop(run.family, nearest.latents)
    if run.device == "cpu":
        grown *= nearest.threads / run.threads
    update_s = nearest.update_s * (4 / 3 if checkpointing else 1)
    whole = run.levels * (run.references * nearest.reading_s + run.iterations * update_s)
    return whole * grown + nearest.decode_s * run.latents / nearest.latents


def tflop(family: Family, latents: int) -> float:
    """TFLOP of one forward pass of the network."""
    work = _WORK[family]
    share = latents / work.native
    return work.linear * share + work.square * share**2


def calibrations(folder: Path | None = None) -> tuple[Calibration, ...]:
    """What this machine has shown so far. A file that is gone or damaged is no error."""
    try:
        entries = json.loads(((folder or cache_dir()) / _FILE).read_bytes())
        return tuple(Calibration(**{**entry, "family": Family(entry["family"])}) for entry in entries)
    except (OSError, ValueError, TypeError, KeyError) as error:
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


def _place(one: Calibration) -> tuple[object, ...]:
    return one.family, one.device, one.precision, one.threads, one.latents

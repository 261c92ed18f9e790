"""Forecasts: how long a run will take and how much memory it needs, and which ways of saving memory it should take.

Without torch. Work is counted per family, speed is what this machine has shown; see `adstudio.models.calibration`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from adstudio.models.calibration import Calibration
from adstudio.models.description import ModelDescription, Precision
from adstudio.models.families import FACTS, Family, Role

UPDATE_SHARE = 2.2
"""A forward and backward pass in forward passes (SD 1.5 on a CPU)."""

_GB = 1 << 30
_TILED_FROM_PX = 1.5 * 2**20
_TILE_PX = 640 * 640
_CHECKPOINTED_TIME = 4 / 3
_ENCODING_SHARE = 0.45
_READ_TOGETHER = 8192
_BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}
_STORED_BYTES = {Precision.FP32: 4, Precision.FP16: 2, Precision.BF16: 2, Precision.FP8: 1}
_OF_TEXT = {Family.SD15: 123, Family.SD2: 340, Family.SDXL: 817, Family.FLUX: 4886}
_OF_VAE = 84


@dataclass(frozen=True, slots=True)
class _Work:
    """A family's network and VAE.

    native: latents (FLUX: packed ones) of the native size. linear, square: TFLOP of a forward pass there, growing with
    the latents and with their square. parameters: of network and VAE, in millions.
    kept, kept_checkpointed: numbers that an update keeps for its backward pass, per latent. features: numbers of a
    picture's keys, values and queries, per latent. decoded: numbers of decoding, per pixel.
    """

    native: int
    linear: float
    square: float
    parameters: float
    kept: int
    kept_checkpointed: int
    features: int = 4400
    decoded: int = 1300


# TFLOP counted from the layers' sizes (SD 1.5: 0.80 at 512 × 512). What is kept: SD 1.5 measured on a CPU in float32;
# SDXL and FLUX estimated from their layers' sizes and not yet seen on a card.
_WORK: Mapping[Family, _Work] = MappingProxyType(
    {
        Family.SD15: _Work(4096, 0.68, 0.12, 944, 125_000, 45_000),
        Family.SD2: _Work(9216, 1.55, 0.62, 950, 125_000, 45_000),
        Family.SDXL: _Work(16384, 5.2, 0.75, 2651, 180_000, 45_000),
        Family.FLUX: _Work(4096, 110.0, 14.9, 11985, 6_000_000, 700_000, 65_000),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How memory is saved.

    freed: features kept of earlier runs were let go of, and none are kept. checkpointing: the backward pass computes
    again what the forward pass does not keep. tiled: the VAE sees the picture in tiles. chunked: attention over a few
    queries at a time. vae_on_cpu: the VAE computes on the CPU.
    """

    freed: bool = False
    checkpointing: bool = False
    tiled: bool = False
    chunked: bool = False
    vae_on_cpu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A run to be forecast.

    parameters: numbers of network and VAE. device, precision, threads: see Calibration. pixels: of the picture.
    latents: that the network sees at a time, at the model's own grid (FLUX: packed): of the picture or of a window.
    windows: how many there are. batch: windows in one pass. read: latents of each picture whose features are read at
    every level, content included. levels: timesteps. iterations: updates at each. predictions: passes of denoising
    there. images: pictures to make.
    """

    family: Family
    parameters: int
    device: str
    precision: str
    threads: int
    pixels: int
    latents: int
    windows: int = 1
    batch: int = 1
    read: tuple[int, ...]
    levels: int
    iterations: int
    predictions: int = 0
    images: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to expect and how to go about it.

    seconds: None where this machine has shown nothing yet. peak_bytes: of the model and the run. available_bytes: what
    it may take. means: ways of saving memory to take.
    """

    seconds: float | None
    peak_bytes: int
    available_bytes: int
    means: Means

    @property
    def fits(self) -> bool:
        return self.peak_bytes <= self.available_bytes


def plan(load: Workload, available_bytes: int, calibrations: Sequence[Calibration] = ()) -> Plan:
    """Forecast a run on a device with so much memory for it, and choose the first ways of saving memory that fit.

    The order: as it is, gradient checkpointing (about a third more time for an update), tiles, the VAE on the CPU.
    """
    means = Means(tiled=load.pixels > _TILED_FROM_PX, chunked=load.device == "mps")
    ways = ["checkpointing", "tiled", *(["vae_on_cpu"] if load.device != "cpu" else [])]
    while (peak := memory_bytes(load, means)) > available_bytes:
        further = [replace(means, **{way: True}) for way in ways if not getattr(means, way)]
        better = next((one for one in further if memory_bytes(load, one) < peak), None)
        if better is None:
            break
        means = better
    return Plan(
        seconds=seconds(load, calibrations, means),
        peak_bytes=peak,
        available_bytes=available_bytes,
        means=means,
    )


def memory_bytes(load: Workload, means: Means) -> int:
    """The peak of a run on its device: weights, and the larger of an update and of decoding."""
    work = _WORK[load.family]
    width = (load.parameters / (work.parameters * 1e6)) ** 0.5  # channels; weights grow with their square
    kept = work.kept_checkpointed if means.checkpointing else work.kept
    together = max(sum(load.read), min(_READ_TOGETHER, 4 * sum(load.read)))
    update = kept * load.latents * load.batch + work.features * together
    decoded = work.decoded * (min(load.pixels, _TILE_PX) if means.tiled else load.pixels)
    weights = load.parameters
    if means.vae_on_cpu:
        decoded, weights = 0, weights - round(_OF_VAE * 1e6 * width**2)
    return int(_BYTES[load.precision] * (weights + width * max(update, decoded)))


def seconds(load: Workload, calibrations: Sequence[Calibration], means: Means | None = None) -> float | None:
    """How long a run takes, scaled from what was shown; None where nothing was, or only for other models.

    The nearest size of the same device and precision counts; fewer or more threads are taken to help in proportion.
    """
    shown = [one for one in calibrations if _is_like(one, load)]
    if not shown:
        return None
    nearest = min(shown, key=lambda one: (one.threads != load.threads, abs(one.latents - load.latents)))
    reading_s = nearest.reading_s / tflop(load.family, nearest.latents)  # of a TFLOP
    update_s = nearest.update_s / tflop(load.family, nearest.latents)
    if means is not None and means.checkpointing:
        update_s *= _CHECKPOINTED_TIME
    once = tflop(load.family, load.latents) * load.windows
    level_s = reading_s * (sum(tflop(load.family, latents) for latents in load.read) + load.predictions * once)
    level_s += update_s * load.iterations * once
    coded = load.images + _ENCODING_SHARE * len(load.read)
    coding_s = coded * nearest.decode_s * load.pixels / max(1, nearest.pixels)
    slower = nearest.threads / load.threads if load.device == "cpu" else 1.0
    return slower * (load.images * load.levels * level_s + coding_s)


def tflop(family: Family, latents: int) -> float:
    """TFLOP of one forward pass of the family's published network."""
    work = _WORK[family]
    share = latents / work.native
    return work.linear * share + work.square * share**2


def parameters_of(model: ModelDescription) -> int:
    """Numbers of a model's network and VAE, from the sizes of its files.

    Of a file that holds text encoders too, the share that the published model's network and VAE have.
    """
    facts = FACTS[model.family]
    found = 0.0
    for files in {part.weights_for(half=False).files for part in model.components.values()}:
        parts = [part for part in model.components.values() if part.weights_for(half=False).files == files]
        sizes = {part.role: _published(model.family, part.role) for part in parts}
        computing = sum(size for role, size in sizes.items() if role in (facts.denoiser, Role.VAE))
        weights = parts[0].weights_for(half=False)
        widest = max(_STORED_BYTES[part.weights_for(half=False).precision] for part in parts)
        found += weights.size_bytes / widest * computing / sum(sizes.values())
    return max(1, round(found))


def _published(family: Family, role: Role) -> float:
    """Numbers of a family's part, in millions; the two text encoders share theirs."""
    facts = FACTS[family]
    if role.is_text:
        return _OF_TEXT[family] / len(facts.text_roles)
    return _OF_VAE if role is Role.VAE else _WORK[family].parameters - _OF_VAE


def _is_like(one: Calibration, load: Workload) -> bool:
    """Whether what was shown tells of a run: the same kind of model on the same device."""
    same = (one.family, one.device, one.precision) == (load.family, load.device, load.precision)
    return same and 0.9 < one.parameters / load.parameters < 1.1


def gigabytes(size_bytes: int) -> str:
    """As a message says it."""
    return f"{size_bytes / _GB:.1f} GB"

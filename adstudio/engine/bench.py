"""Measures one model in one run: the bare network, the plain path, ours, ours again, and the fast preset.

The paths take turns, a few steps each, so that they compare even where the machine is not equally quick all the time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from adstudio.engine.backbones.parts import ModelParts
from adstudio.engine.bench_clock import Peak, now, timed
from adstudio.engine.bench_models import RANDOM, bench_backbone, bench_layers, bench_parts
from adstudio.engine.bench_plain import plain_steps, whole_pass
from adstudio.engine.devices import choose_device, choose_dtype, device_memory
from adstudio.engine.distillation import Distillation, Distiller
from adstudio.engine.feature_source import levels_at_once
from adstudio.engine.optimize import OptimizeSettings, optimize, start_state
from adstudio.engine.reference_cache import FeatureCache, ReferenceCache
from adstudio.errors import JobError
from adstudio.jobs.choices import Device, Precision, Preset
from adstudio.jobs.presets import FAST, Course
from adstudio.models.calibration import Calibration, keep_calibration

_CONTENT_WEIGHT = 0.25
_CACHE_BYTES = 4 << 30
_DTYPES = {Precision.FP32: torch.float32, Precision.FP16: torch.float16, Precision.BF16: torch.bfloat16}


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRequest:
    """What to measure. size_px: side of the square picture. steps: of the exact path, one update at each."""

    model: str
    size_px: int
    steps: int
    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRow:
    """One path. step_s: median seconds of a step. total_s: of all its steps.

    faster: how many times as quick as the plain path: the median over turns, each against the plain path's own turn
    beside it; for the fast preset all of its updates against all plain steps.
    cpu_s: what all cores spent on it, which other programs on the machine disturb less; on a GPU of little meaning.
    updates: how many steps it took. coding_s: of encoding and decoding, as far as the path does that.
    peak_bytes: of the process, on a GPU of what torch took there.
    """

    name: str
    step_s: float
    total_s: float
    cpu_s: float
    faster: float
    updates: int
    coding_s: float
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchReport:
    """What was measured.

    forward_s, backward_s: median of the bare network on one picture. encode_s: of content and reference together.
    precision, fast_precision: the numbers computed with, and those of the fast preset.
    difference, relative_difference: of the final latents of plain and ours, largest and by L2.
    """

    model: str
    is_random: bool
    size_px: int
    steps: int
    device: str
    precision: str
    fast_precision: str
    threads: int
    forward_s: float
    backward_s: float
    encode_s: float
    decode_s: float
    rows: tuple[BenchRow, ...]
    difference: float
    relative_difference: float


@dataclass(slots=True)
class _Path:
    """One way of making the steps, under measurement."""

    name: str
    steps: Iterator[Tensor]
    times_s: list[float] = field(default_factory=list)
    done: int = 0
    total_s: float = 0.0
    cpu_s: float = 0.0
    coding_s: float = 0.0
    peak_bytes: int = 0
    latents: Tensor | None = None

    def advance(self, count: int, device: torch.device) -> None:
        """Make a few steps and take note of time and memory."""
        with Peak(device) as peak:
            begun_s, begun_cpu_s = now(device), time.process_time()
            made = 0
            for latents in self.steps:
                self.latents = latents
                made += 1
                if made == count:
                    break
            spent_s = now(device) - begun_s
            self.cpu_s += time.process_time() - begun_cpu_s
        self.done += made
        self.total_s += spent_s
        self.times_s.append(spent_s / max(1, made))
        if self.name != "plain" or len(self.times_s) == 1:  # later on the others' kept features stand beside it
            self.peak_bytes = max(self.peak_bytes, peak.bytes)

    def row(self, plain: _Path) -> BenchRow:
        """What came of it."""
        turns = [theirs / mine for theirs, mine in zip(plain.times_s, self.times_s, strict=False)]
        return BenchRow(
            name=self.name,
            step_s=statistics.median(self.times_s),
            total_s=self.total_s,
            cpu_s=self.cpu_s,
            faster=plain.total_s / self.total_s if self.name == Preset.FAST else statistics.median(turns),
            updates=self.done,
            coding_s=self.coding_s,
            peak_bytes=self.peak_bytes,
        )


def measure(request: BenchRequest, tell: Callable[[str], None] = lambda _: None) -> BenchReport:
    """Load the model and measure; tell: hears what is going on.

    Raises as loading the model does, UnavailableError for a device that is not there, JobError for other sizes.
    """
    device = choose_device(request.device)
    precision = request.precision
    if precision is Precision.AUTO:
        precision = Precision.FP32 if device.type == "cpu" else Precision.BF16
    tell(f"Making ready {request.model} …")
    parts = bench_parts(request.model, device, _DTYPES[precision])
    backbone = bench_backbone(parts)
    if request.size_px < 64 or request.size_px % 64 or request.steps < 1:
        raise JobError("--size: must be a multiple of 64; --steps: at least 1")
    fast_dtype = backbone.dtype
    if request.precision is Precision.AUTO and device.type == "cpu":
        fast_dtype = choose_dtype(Precision.AUTO, device, backbone.family, Preset.FAST)
    bench = _Bench(parts, request.size_px, request.steps, fast_dtype)
    rows, difference, relative = bench.run(tell)
    report = BenchReport(
        model=request.model,
        is_random=request.model in RANDOM,
        size_px=request.size_px,
        steps=request.steps,
        device=torch.cuda.get_device_name(0) if device.type == "cuda" else device.type,
        precision=precision.value,
        fast_precision=next(name.value for name, dtype in _DTYPES.items() if dtype is fast_dtype),
        threads=torch.get_num_threads(),
        forward_s=bench.forward_s,
        backward_s=bench.backward_s,
        encode_s=bench.encode_s,
        decode_s=bench.decode_s,
        rows=rows,
        difference=difference,
        relative_difference=relative,
    )
    latents = (request.size_px // backbone.latent_px) ** 2
    again = next(row for row in rows if row.name == "again")
    keep_calibration(
        Calibration(
            family=backbone.family,
            parameters=sum(each.numel() for network in backbone.networks for each in network.parameters()),
            device=device.type,
            memory_bytes=device_memory(device)[1],
            precision=report.precision,
            threads=report.threads,
            latents=latents,
            pixels=request.size_px**2,
            reading_s=bench.forward_s,
            update_s=again.step_s,
            decode_s=bench.decode_s,
        )
    )
    return report


class _Bench:
    """One model and one pair of pictures."""

    def __init__(self, parts: ModelParts, size_px: int, steps: int, fast_dtype: torch.dtype) -> None:
        self._parts, self._steps, self._size_px, self._fast_dtype = parts, steps, size_px, fast_dtype
        self._backbone = bench_backbone(parts)
        self._device = self._backbone.device
        self.encode_s = self._encode()
        self.forward_s = self.backward_s = self.decode_s = 0.0

    def run(self, tell: Callable[[str], None]) -> tuple[tuple[BenchRow, ...], float, float]:
        """All rows, and how far ours is from plain: largest difference and relative L2."""
        group = levels_at_once(self._backbone, [self._content, self._reference])
        cache = ReferenceCache(device_bytes=_CACHE_BYTES, host_bytes=_CACHE_BYTES).for_model("bench")
        timesteps = [level.timestep for level in self._schedule(self._steps).levels[:-1]]
        plain = plain_steps(
            self._backbone,
            bench_layers(self._backbone),
            timesteps,
            self._reference,
            self._content,
            content_weight=_CONTENT_WEIGHT,
            learning_rate=OptimizeSettings().learning_rate,
        )
        paths = [
            _Path("plain", plain),
            _Path("first", self._ours(self._steps, OptimizeSettings(), cache)),
            _Path("again", self._ours(self._steps, OptimizeSettings(), cache)),
        ]
        forward, backward = [], []
        while paths[0].done < self._steps:
            count = min(group, self._steps - paths[0].done)
            bare = self._bare()
            forward.append(bare[0])
            backward.append(bare[1])
            for path in paths:
                path.advance(count, self._device)
            tell(f"step {paths[0].done} of {self._steps}: {', '.join(f'{p.name} {p.total_s:.1f} s' for p in paths)}")
        self.forward_s, self.backward_s = statistics.median(forward), statistics.median(backward)
        self.decode_s = self._decode()
        for path in paths:
            path.coding_s = self.decode_s + (0.0 if path.name == "again" else self.encode_s)
        final = [path.latents for path in paths[:2] if path.latents is not None]
        difference, relative = _apart(*final)
        fast = self._fast()
        return tuple(path.row(paths[0]) for path in (*paths, fast)), difference, relative

    def _fast(self) -> _Path:
        """The fast preset, in its own precision; afterwards the networks stay in that."""
        if self._fast_dtype is not self._backbone.dtype:
            for network in self._backbone.networks:
                nn.Module.to(network, dtype=self._fast_dtype)  # the library's own would warn of nothing
            self._backbone = bench_backbone(self._parts)
        encode_s = self._encode()
        default = OptimizeSettings()
        course = FAST.applied(
            Course(num_inference_steps=self._steps, iterations=default.iterations, learning_rate=default.learning_rate)
        )
        settings = OptimizeSettings(
            iterations=course.iterations, learning_rate=course.learning_rate, final_rate=course.final_rate
        )
        fast = _Path(Preset.FAST.value, self._ours(course.num_inference_steps, settings, None))
        fast.advance(course.num_inference_steps * course.iterations, self._device)
        fast.coding_s = encode_s + self._decode()
        return fast

    def _encode(self) -> float:
        """Encode both pictures; the seconds."""
        spent_s, (self._content, self._reference) = timed(
            self._device, lambda: [self._backbone.encode(_picture(self._size_px, seed)) for seed in (1, 2)]
        )
        return spent_s

    def _decode(self) -> float:
        return timed(self._device, lambda: self._backbone.decode(self._content))[0]

    def _ours(self, steps: int, settings: OptimizeSettings, cache: FeatureCache | None) -> Iterator[Tensor]:
        backbone = self._backbone
        distiller = Distiller(
            backbone, Distillation(layers=bench_layers(backbone), content_weight=_CONTENT_WEIGHT), cache
        )
        run = optimize(
            distiller, self._schedule(steps), [self._reference], self._content, settings, start_state(self._content)
        )
        return (state.latents for state in run)

    def _schedule(self, steps: int) -> Any:
        return self._backbone.schedule(steps, None, self._size_px, self._size_px)

    def _bare(self) -> tuple[float, float]:
        """Seconds of the untouched network's forward and backward pass."""
        latents = self._content.detach().requires_grad_(True)
        forward_s, answer = timed(self._device, lambda: whole_pass(self._backbone, latents, 500))
        backward_s, _ = timed(self._device, lambda: torch.autograd.grad(answer.abs().mean(), latents))
        return forward_s, backward_s


def _picture(size_px: int, seed: int) -> Tensor:
    """A smooth random picture [1, 3, size, size] in 0 … 1."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 8, 8, generator=generator)
    return nn.functional.interpolate(coarse, (size_px, size_px), mode="bilinear")


def _apart(one: Tensor, other: Tensor) -> tuple[float, float]:
    difference = (one - other).double()
    return float(difference.abs().max()), float(difference.norm() / one.double().norm())

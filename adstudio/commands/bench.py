"""`adstudio bench`: measured speed and memory of a diffusion model on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from adstudio.commands.console import say, tell
from adstudio.jobs.choices import Device, Precision

if TYPE_CHECKING:
    from adstudio.engine.bench import BenchReport

_HEAD = f"{'':29} {'updates':>7} {'s/step':>7} {'total s':>8} {'CPU s':>7} {'faster':>7} {'with VAE':>8} {'peak GB':>7}"
RANDOM_NOTE = "random weights: only the time can be judged here"
_NAMES = {
    "plain": "plain path",
    "first": "exact, first run",
    "again": "exact, same pictures again",
    "fast": "fast preset, another picture",
}


def bench_command(model: str, *, size_px: int, steps: int, device: str, precision: str, as_json: bool) -> int:
    """Measure a model and print the table. Raises AdStudioError where model or device are not there."""
    from adstudio.engine.bench import BenchRequest, measure

    request = BenchRequest(
        model=model, size_px=size_px, steps=steps, device=Device(device), precision=Precision(precision)
    )
    report = measure(request, tell)
    if as_json:
        say(json.dumps(asdict(report), ensure_ascii=False, indent=2))
        return 0
    for line in bench_lines(report):
        say(line)
    return 0


def bench_lines(report: BenchReport) -> list[str]:
    """The report as a table for people."""
    threads = f", {report.threads} thread{'' if report.threads == 1 else 's'}" if report.device == "cpu" else ""
    lines = [f"{report.model}, {report.size_px} × {report.size_px}, {report.device}{threads}, {report.precision}"]
    if report.is_random:
        lines.append(RANDOM_NOTE)
    lines += [
        f"bare network of diffusers: forward {report.forward_s:.2f} s, backward {report.backward_s:.2f} s",
        f"VAE: two pictures encoded {report.encode_s:.2f} s, one decoded {report.decode_s:.2f} s",
        "",
        _HEAD,
    ]
    plain = report.rows[0]
    for row in report.rows:
        whole = (plain.total_s + plain.coding_s) / (row.total_s + row.coding_s)
        name = _NAMES.get(row.name, row.name)
        lines.append(
            f"{name:29} {row.updates:7} {row.step_s:7.2f} {row.total_s:8.1f} {row.cpu_s:7.1f} {row.faster:6.2f}x"
            f" {whole:7.2f}x {row.peak_bytes / (1 << 30):7.2f}"
        )
    lines += [
        "",
        f"plain and exact: latents {report.difference:.1e} apart at most, relative L2 {report.relative_difference:.1e}",
        "with VAE: and what a path encodes and decodes; the same pictures again are not encoded again",
        *([f"fast preset: computed in {report.fast_precision}"] if report.fast_precision != report.precision else []),
        "faster: median over turns of a few steps, the plain path's beside each; fast preset: all against all",
    ]
    return lines

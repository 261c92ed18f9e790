"""Replays unit goldens: losses, AdaIN, schedules, windows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from adstudio.engine.adain import adain
from adstudio.engine.losses import (
    ReferenceLayer,
    attention_distillation_losses,
    attention_map_losses,
    attention_output_losses,
    ideal_output,
    query_content_losses,
)
from adstudio.engine.noise import SeededNoise
from adstudio.engine.quirks import OFFICIAL_QUIRKS
from adstudio.engine.schedules import DiffusionSchedule, FlowSchedule, flow_shift
from adstudio.engine.windows import windows
from tests.parity.models import Models
from tests.parity.optimize_runs import labelled
from tests.parity.recorded import BadCaseError, Case
from tests.parity.report import Report

SINGLE, DOUBLE = 1e-6, 1e-12
_PRECISIONS = (("f32", torch.float32, SINGLE), ("f64", torch.float64, DOUBLE))


def replay_losses(case: Case, models: Models, report: Report) -> None:
    """Each recorded loss, per layer and summed, and its gradients."""
    kinds = sorted({name.split("__")[0] for name in case.arrays if "__loss_" in name})
    for kind, (suffix, dtype, tolerance) in itertools.product(kinds, _PRECISIONS):
        if f"{kind}__loss_{suffix}" not in case.arrays:
            continue
        layers = range(case.tensor(f"{kind}__per_layer_{suffix}").numel())
        names = _inputs(case)
        leaves = {
            name: case.tensor(name).to(dtype).requires_grad_(name.rstrip("0123456789") in {"q", "k", "out"})
            for name in names
        }
        losses = _losses(case, kind, leaves, layers)
        total = torch.stack(losses).sum()
        report.relative(
            f"{kind} {suffix}", total.reshape(1), case.tensor(f"{kind}__loss_{suffix}").reshape(1), tolerance
        )
        per_layer = torch.stack([loss.detach() for loss in losses]).double()
        report.relative(f"{kind} {suffix}", per_layer, case.tensor(f"{kind}__per_layer_{suffix}"), tolerance)
        recorded = [name for name in case.arrays if name.startswith(f"{kind}__d_") and name.endswith(suffix)]
        wanted = [name.removeprefix(f"{kind}__d_").removesuffix(f"_{suffix}") for name in recorded]
        gradients: tuple[Tensor | None, ...] = torch.autograd.grad(
            total, [leaves[name] for name in wanted], allow_unused=True
        )
        for name, record, gradient in zip(wanted, recorded, gradients, strict=True):
            found = torch.zeros_like(leaves[name]) if gradient is None else gradient
            report.relative(f"{kind} d_{name[:-1]} {suffix}", found, case.tensor(record), tolerance)


def _inputs(case: Case) -> list[str]:
    return [name for name in case.arrays if "__" not in name and "mask" not in name]


def _losses(case: Case, kind: str, leaves: dict[str, Tensor], layers: range) -> list[Tensor]:
    def each(name: str) -> list[Tensor]:
        return [leaves[f"{name}{layer}"] for layer in layers]

    match kind:
        case "q":
            return query_content_losses(each("q"), each("qc"))
        case "qk":
            return attention_map_losses(each("q"), each("k"), each("qc"), each("kc"))
        case "qkv":
            return attention_output_losses(each("q"), each("k"), each("vc"), each("cout"))
    variant = kind.removeprefix("ad").removeprefix("_")
    known = {"", "one_style", "other_tokens", "masks", "masks_one_style", "masks_uncovered", "only_source_mask_given"}
    scale = 1.0
    if "scale" in variant:
        before, _, number = variant.rpartition("scale")
        scale, variant = float(number.replace("p", ".")), before.strip("_")
    if not kind.startswith("ad") or variant not in known:
        raise BadCaseError(f"the loss {kind!r} is not known")
    suffix = "_other" if variant == "other_tokens" else ""
    targets = []
    for layer in layers:
        key, value = leaves[f"ks{suffix}{layer}"], leaves[f"vs{suffix}{layer}"]
        if variant.endswith("one_style"):
            key, value = key[:1], value[:1]
        targets.append(_target(case, variant, leaves[f"q{layer}"], key, value, scale))
    return attention_distillation_losses(each("out"), targets)


def _target(case: Case, variant: str, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    side = round(query.shape[2] ** 0.5)
    groups = None
    if variant.startswith("masks"):
        source = case.tensor("source_mask_1" if variant.endswith("one_style") else "source_mask")
        names = {"masks_one_style": "target_mask_1", "masks_uncovered": "target_mask_uncovered"}
        target = case.tensor(names.get(variant, "target_mask"))
        regions = labelled(source, target)
        groups = regions.groups((side, side), ((side, side),) * len(source), 0, 0, query.device)
    flat_key, flat_value = (part.transpose(0, 1).flatten(1, 2)[None] for part in (key, value))
    return ideal_output(query, ReferenceLayer(key=flat_key, value=flat_value, groups=groups), scale)


def replay_adain(case: Case, models: Models, report: Report) -> None:
    """Every recorded pair of source and target; FLUX's come as tokens [batch, tokens, channels]."""
    for name in [name.removesuffix("_source") for name in case.arrays if name.endswith("_source")]:
        for suffix, dtype, tolerance in _PRECISIONS:
            source, target = case.tensor(f"{name}_source").to(dtype), case.tensor(f"{name}_target").to(dtype)
            tokens = source.dim() == 3
            if tokens:
                source, target = (part.transpose(1, 2)[..., None] for part in (source, target))
            found = adain(source, target)
            found = found[..., 0].transpose(1, 2) if tokens else found
            report.relative(f"{name} {suffix}", found, case.tensor(f"{name}_out_{suffix}"), tolerance)


def replay_schedule(case: Case, models: Models, report: Report) -> None:
    """Timesteps, the level after each step, added noise and DDIM steps."""
    config = models.parts("tiny-sd15").scheduler_config
    x, noise = case.tensor("x"), case.tensor("noise")
    anything = DiffusionSchedule(config, 10)
    cumulative = [anything.level_at(t).signal ** 2 for t in range(case.tensor("alphas_cumprod").numel())]
    report.relative("alphas_cumprod", torch.tensor(cumulative), case.tensor("alphas_cumprod"), SINGLE)
    final = torch.tensor([anything.levels[-1].signal ** 2])
    report.relative("final_alpha_cumprod", final, case.tensor("final_alpha_cumprod").reshape(1), SINGLE)
    for name, numbers in _named(case, "timesteps_"):
        schedule = DiffusionSchedule(config, int(numbers[0]))
        times = [level.timestep for level in schedule.levels]
        report.equal("timesteps", times[:-1], case.tensor(name).tolist())
        if f"ad_{name}" in case.arrays:
            report.equal("ad_timesteps", times[1:], case.tensor(f"ad_{name}").tolist())
    for name, numbers in _named(case, "add_noise_t"):
        report.relative("add_noise", anything.level_at(int(numbers[0])).add_noise(x, noise), case.tensor(name), SINGLE)
    for name, numbers in _named(case, "ddim_step_n"):
        schedule = DiffusionSchedule(config, int(numbers[0]))
        times = [level.timestep for level in schedule.levels]
        index = times.index(int(numbers[1].removeprefix("t")))
        moved = schedule.step(index, case.tensor("eps"), x, SeededNoise(0))
        report.relative("ddim_step", moved, case.tensor(name), SINGLE)


def replay_flow_schedule(case: Case, models: Models, report: Report) -> None:
    """Shifts, sigmas and timesteps of FLUX."""
    config = models.parts("tiny-flux").scheduler_config
    for name, numbers in _named(case, "mu_seq"):
        mu = torch.tensor([flow_shift(config, int(numbers[0]))], dtype=torch.float64)
        report.relative("mu", mu, case.tensor(name).reshape(1), DOUBLE)
    for name, numbers in _named(case, "sigmas_n"):
        schedule = FlowSchedule(config, int(numbers[0]), int(numbers[1].removeprefix("seq")))
        report.relative("sigmas", torch.tensor(schedule.sigmas), case.tensor(name), SINGLE)
        times = torch.tensor([level.timestep for level in schedule.levels[:-1]])
        report.relative("timesteps", times, case.tensor(name.replace("sigmas", "timesteps")), SINGLE)


def _named(case: Case, prefix: str) -> Iterator[tuple[str, list[str]]]:
    for name in case.arrays:
        if name.startswith(prefix):
            yield name, name.removeprefix(prefix).split("_")


def replay_views(case: Case, models: Models, report: Report) -> None:
    """Windows as the official code uses them: what a slice with its negative starts really takes."""
    for entry in case.facts["views"]:
        height, width = entry["height_px"] // 8, entry["width_px"] // 8
        found = windows(height, width, entry["window"], entry["stride"], OFFICIAL_QUIRKS)
        taken = [_slice(view, height, width) for view in entry["views"]]
        report.equal("views", [(part.top, part.height, part.left, part.width) for part in found], taken)
        _check_cover(height, width, entry, report)


def _slice(view: list[int], height: int, width: int) -> tuple[int, ...]:
    result: list[int] = []
    for start, end, side in ((*view[:2], height), (*view[2:], width)):
        first, last, _ = slice(start, end).indices(side)
        result += [first, last - first]
    return tuple(result)


def _check_cover(height: int, width: int, entry: dict[str, Any], report: Report) -> None:
    """Without the official code's habit every row and column is painted."""
    painted = torch.zeros(1, 1, height, width)
    for part in windows(height, width, entry["window"], entry["stride"]):
        part.of(painted).add_(1)
    report.equal("every latent painted", bool((painted > 0).all()), True)

"""Replays recorded runs of MultiDiffusion."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor

from adstudio.engine.multidiffusion import CanvasState, WindowedSampler, multidiffusion
from adstudio.engine.quirks import OFFICIAL_QUIRKS
from adstudio.engine.windows import windows
from tests.parity.models import Models
from tests.parity.optimize_runs import FREE, STEP, STRAYING, WHOLE
from tests.parity.recorded import Case
from tests.parity.report import Report, largest, relative_l2
from tests.parity.sample_runs import Run, Tracker

WINDOW = 64


def replay_panorama(case: Case, models: Models, report: Report) -> None:
    """Teacher-forced in float32, then freely in float64."""
    with contextlib.closing(Run(case, models, torch.float32)) as run:
        run.check_start(report)
        _check_teacher_forced(run, report)
    if case.has("f64_final_latents"):
        with contextlib.closing(Run(case, models, torch.float64)) as free:
            _check_free(free, report)


def _sampler(run: Run) -> WindowedSampler:
    parameters = run.case.parameters
    side = run.backbone.latent_px
    stride = int(parameters["stride"])
    parts = windows(run.height_px // side, run.width_px // side, WINDOW, stride, OFFICIAL_QUIRKS)
    return WindowedSampler(run.sampler, run.schedule, parts, batch=int(parameters["view_batch_size"]))


def _check_teacher_forced(run: Run, report: Report) -> None:
    """Each batch of windows from the recorded latents that entered it; the canvas from the recorded windows."""
    sampler = _sampler(run)
    canvas = run.start()
    sampler.begin(CanvasState(latents=canvas))
    tracker = Tracker(run.case, run, report)
    inputs, outputs = run.recorded("scheduler_in"), run.recorded("scheduler_out")
    predictions, refined = run.recorded("noise_pred"), run.recorded("ad_out")
    errors: dict[str, list[float]] = {"scheduler_in": [], "noise_pred": [], "scheduler_out": []}
    index = row = 0
    for step, level in enumerate(sampler.levels[:-1]):
        pieces: list[tuple[int, Tensor]] = []
        for numbers in sampler.batches():
            entering = sampler.crop(canvas, numbers)
            if inputs:
                errors["scheduler_in"].append(largest(entering, inputs[index]))
                entering = inputs[index]
            prediction, moved = sampler.denoised(numbers, entering, step)
            if predictions:
                errors["noise_pred"].append(relative_l2(prediction, predictions[index]))
            errors["scheduler_out"].append(relative_l2(moved, outputs[index]))
            leaving = outputs[index]
            if run.sampler.settings.guides(level):
                tracker.refinement(run.sampler, row, leaving, sampler.levels[step + 1])
                leaving = refined[row]
                row += 1
            pieces += zip(numbers, torch.split(leaving, 1), strict=True)
            index += 1
        canvas = sampler.mean(sampler.added(torch.zeros_like(canvas), pieces))
    for name, found in errors.items():
        if found:
            report.steps(name, found, STEP, STEP)
    tracker.finish()
    report.relative("final_latents (averaged)", canvas, run.case.tensor("final_latents"), WHOLE)


def _check_free(run: Run, report: Report) -> None:
    case = run.case
    sampler = _sampler(run)
    states = list(multidiffusion(sampler, CanvasState(latents=run.start())))
    strays = case.deviation("final_latents")
    tolerance = 10 * strays if strays > STRAYING else FREE
    report.absolute("f64_final_latents", states[-1].latents, case.tensor("f64_final_latents"), tolerance)
    losses = [state.evaluation.loss for state in states if state.evaluation is not None]
    each = len(case.tensor("f64_loss")) // len(losses)
    report.absolute("f64_loss", torch.stack(losses), case.tensor("f64_loss")[each - 1 :: each], tolerance)

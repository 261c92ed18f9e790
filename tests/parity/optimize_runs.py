"""Replays recorded runs of latent optimisation."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from adstudio.engine.adam import Moments, adam_update, no_moments
from adstudio.engine.backbones.base import Backbone
from adstudio.engine.backbones.flux import packed
from adstudio.engine.distillation import Distillation, Distiller
from adstudio.engine.optimize import OptimizeSettings, OptimizeState, optimize, start_state
from adstudio.engine.quirks import OFFICIAL_QUIRKS
from adstudio.engine.regions import Regions
from adstudio.engine.schedules import Schedule
from adstudio.models.families import Family
from tests.parity.models import Models
from tests.parity.recorded import BadCaseError, Case, RecordedNoise
from tests.parity.report import Report, largest, relative_l2

WHOLE = 1e-5
LOSS = 2e-5
STEP = 1e-4
FLIPPED = 1e-2
ADAM = 1e-6
FREE = 1e-6
STRAYING = 1e-3


def replay_optimize(case: Case, models: Models, report: Report) -> None:
    """Teacher-forced in float32, then freely in float64."""
    run = Run(case, models, torch.float32)
    run.check_start(report)
    run.check_teacher_forced(report)
    if case.has("f64_final_latents"):
        Run(case, models, torch.float64).check_free(report)


class Run:
    """A recorded run, set up for the engine in a precision."""

    def __init__(self, case: Case, models: Models, dtype: torch.dtype) -> None:
        parameters = case.parameters
        self.case, self.dtype = case, dtype
        self.backbone: Backbone = models.backbone(case, dtype)
        self.height_px, self.width_px = int(parameters["height"]), int(parameters["width"])
        self.settings = OptimizeSettings(iterations=int(parameters["iters"]), learning_rate=float(parameters["lr"]))
        self.batch = int(parameters.get("batch_size", 1))
        self.references = list(torch.split(latents_of(case, self.backbone, "style", dtype), 1))
        self.content = latents_of(case, self.backbone, "content", dtype) if case.has("content_latent") else None
        self.distiller = Distiller(self.backbone, distillation(case))
        self.schedule: Schedule = self.backbone.schedule(
            int(parameters["num_inference_steps"]), None, self.height_px, self.width_px
        )

    def start(self) -> Tensor:
        if self.content is not None:
            return self.content.repeat(self.batch, 1, 1, 1)
        return self.backbone.start_noise(RecordedNoise(self.case), self.batch, self.height_px, self.width_px)

    def steps(self, state: OptimizeState, count: int) -> list[OptimizeState]:
        run = optimize(self.distiller, self.schedule, self.references, self.content, self.settings, state)
        return [following for following, _ in zip(run, range(count), strict=False)]

    def check_start(self, report: Report) -> None:
        case = self.case
        check_encoding(case, self.backbone, report)
        wanted = case.tensor("timesteps")
        report.equal("timesteps", [level.timestep for level in self.schedule.levels[:-1]], wanted.tolist())
        if case.has("image"):
            decoded = self.backbone.decode(case.tensor("final_latents"))
            report.relative("image", decoded, case.tensor("image"), WHOLE)

    def check_teacher_forced(self, report: Report) -> None:
        case = self.case
        after, gradients = case.rows("latents_after"), case.rows("grad")
        before = [self.start(), *after[:-1]]
        losses: dict[str, list[float]] = {"loss": [], "style_loss": [], "content_loss": []}
        gradient_errors, adam_errors = [], []
        moments = no_moments(before[0])
        rounding = self.rounding_start()
        for index, latents in enumerate(before):
            (state,) = self.steps(OptimizeState(latents=latents, moments=at(moments, index)), 1)
            evaluation = state.evaluation
            if evaluation is None:
                raise BadCaseError("the engine did not evaluate")
            for name, value in losses.items():
                if case.has(name):
                    value.append(abs(float(getattr(evaluation, name)) - float(case.tensor(name)[index])))
            if not (rounding and index == 0):
                gradient_errors.append(relative_l2(evaluation.gradient, gradients[index]))
            forced, moments = adam_update(latents, gradients[index], moments, self.settings.learning_rate)
            adam_errors.append(largest(forced, after[index]))
        for name, errors in losses.items():
            if errors:
                report.steps(name, errors, LOSS, LOSS, "max abs")
        report.steps("grad", gradient_errors, STEP, FLIPPED)
        report.steps("latents_after (Adam)", adam_errors, ADAM, ADAM, "max abs")

    def rounding_start(self) -> bool:
        """Whether the first recorded gradient is of rounding noise: several copies of the content's latents."""
        return self.content is not None and self.batch > 1 and float(self.case.parameters.get("weight", 0)) > 0

    def check_free(self, report: Report) -> None:
        case = self.case
        total = len(case.tensor("f64_loss"))
        if self.rounding_start():
            (state,) = self.steps(start_state(self.start()), 1)
            self._check_first_loss(state, report)
            return
        states = self.steps(start_state(self.start()), total)
        losses = torch.stack([s.evaluation.loss for s in states if s.evaluation is not None])
        straying = case.deviation("final_latents") > STRAYING
        tolerance = 10 * case.deviation("final_latents") if straying else FREE
        note = "the record itself strays" if straying else ""
        report.absolute("f64_loss", losses, case.tensor("f64_loss"), max(FREE, tolerance), note)
        final = states[-1].latents
        report.absolute("f64_final_latents", final, case.tensor("f64_final_latents"), tolerance, note)
        if case.has("f64_latents_after"):
            stacked = torch.stack([state.latents for state in states])
            report.absolute("f64_latents_after", stacked, case.tensor("f64_latents_after"), tolerance, note)

    def _check_first_loss(self, state: OptimizeState, report: Report) -> None:
        if state.evaluation is not None:
            first = state.evaluation.loss.reshape(1).double()
            report.absolute("f64_loss (first)", first, self.case.tensor("f64_loss")[:1], LOSS)


def at(moments: Moments, count: int) -> Moments:
    return Moments(mean=moments.mean, square=moments.square, count=count)


def distillation(case: Case) -> Distillation:
    """What a case distils."""
    parameters = case.parameters
    return Distillation(
        layers=tuple(int(layer) for layer in case.facts["self_layers"]),
        content_weight=float(parameters.get("weight", 0.0)),
        attention_scale=float(parameters.get("attn_scale", 1.0)),
        regions=regions(case),
        quirks=OFFICIAL_QUIRKS,
    )


def regions(case: Case) -> Regions | None:
    """Labels of a case; grey values count as labels. One mask alone is ignored, as in the official code."""
    source, target = case.maybe("source_mask"), case.maybe("target_mask")
    if source is None or target is None:
        return None
    return labelled(source, target)


def labelled(source: Tensor, target: Tensor) -> Regions:
    """Regions from float masks [references, 1, height, width] and [1, 1, height, width]; equal floats are one label."""
    values = np.unique(np.concatenate([source.numpy().ravel(), target.numpy().ravel()]))
    numbers = [torch.from_numpy(np.searchsorted(values, mask.numpy())) for mask in (source, target)]
    return Regions(numbers[1][0, 0], tuple(mask[0] for mask in numbers[0]), OFFICIAL_QUIRKS)


def check_encoding(case: Case, backbone: Backbone, report: Report) -> None:
    """Latents of the recorded pictures."""
    for kind in ("style", "content"):
        image, latent = case.maybe(f"{kind}_image"), case.maybe(f"{kind}_latent")
        if image is not None and latent is not None:
            wanted = packed(latent) if backbone.family is Family.FLUX else latent
            report.relative(f"{kind}_latent", backbone.encode(image, RecordedNoise(case)), wanted, WHOLE)


def latents_of(case: Case, backbone: Backbone, kind: str, dtype: torch.dtype) -> Tensor:
    """Recorded latents; in float64, where no record is, those of the recorded picture."""
    image = case.maybe(f"{kind}_image")
    if dtype == torch.float64 and image is not None:
        return backbone.encode(image.to(dtype), RecordedNoise(case))
    recorded = case.tensor(f"{kind}_latent").to(dtype)
    return packed(recorded) if backbone.family is Family.FLUX else recorded

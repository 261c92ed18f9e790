"""Replays recorded runs of guided sampling, of all families."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

from adstudio.engine.adam import adam_update, no_moments
from adstudio.engine.backbones.base import Guidance
from adstudio.engine.distillation import Distiller
from adstudio.engine.sample import Sampler, SampleSettings, SampleState, reference_start, sample
from adstudio.engine.schedules import DiffusionSchedule, Level
from adstudio.jobs.choices import Seamless
from adstudio.models.families import Family
from tests.parity.models import Models
from tests.parity.optimize_runs import (
    ADAM,
    FLIPPED,
    FREE,
    LOSS,
    STEP,
    STRAYING,
    WHOLE,
    check_encoding,
    distillation,
    latents_of,
)
from tests.parity.recorded import Case, RecordedNoise
from tests.parity.report import Report, largest, relative_l2

_SAME = 1e-5
AXES = {False: Seamless.NONE, "enable": Seamless.BOTH, "x_only": Seamless.X, "y_only": Seamless.Y}


def replay_sample(case: Case, models: Models, report: Report) -> None:
    """Teacher-forced in float32, then freely in float64."""
    with contextlib.closing(Run(case, models, torch.float32)) as run:
        run.check_start(report)
        run.check_teacher_forced(report)
    if case.has("f64_final_latents"):
        with wide_casts(), contextlib.closing(Run(case, models, torch.float64)) as free:
            free.check_free(report)


class Run:
    """A recorded run, set up for the engine in a precision."""

    def __init__(self, case: Case, models: Models, dtype: torch.dtype) -> None:
        parameters = case.parameters
        self.case, self.dtype = case, dtype
        self.backbone = models.backbone(case, dtype)
        self.flux = self.backbone.family is Family.FLUX
        self._tiling = contextlib.ExitStack()
        self._tiling.enter_context(self.backbone.seamless(AXES[parameters.get("tiling") or False]))
        self.height_px, self.width_px = int(parameters["height"]), int(parameters["width"])
        self.batch = int(parameters.get("num_images_per_prompt", 1))
        self.noise = RecordedNoise(case)
        self.schedule = self.backbone.schedule(
            int(parameters["num_inference_steps"]), None, self.height_px, self.width_px
        )
        start_time = parameters.get("start_time")
        settings = SampleSettings(
            iterations=int(parameters["iters"]),
            learning_rate=float(parameters["lr"]),
            adain=bool(parameters.get("adain", self.flux)),
            start_time=None if start_time is None else float(start_time),
            shared_noise=self.flux,
        )
        content = latents_of(case, self.backbone, "content", dtype) if case.has("content_latent") else None
        references = list(torch.split(latents_of(case, self.backbone, "style", dtype), 1))
        distiller = Distiller(self.backbone, distillation(case))
        guidance = self._guidance(models)
        self.sampler = Sampler(distiller, references, content, guidance, settings, self.noise)

    def close(self) -> None:
        """Leave the model as it was."""
        self._tiling.close()

    def _guidance(self, models: Models) -> Guidance:
        case, parameters = self.case, self.case.parameters
        prompt = parameters.get("prompt") or ""
        scale = float(parameters.get("guidance_scale", 1.0))
        positive = models.prompt(case, "prompt_embeds", "pooled_prompt_embeds", prompt, self.dtype)
        negative = None
        if not self.flux and scale > 1:
            names = "negative_prompt_embeds", "negative_pooled_prompt_embeds"
            negative = models.prompt(case, *names, parameters.get("negative_prompt") or "", self.dtype)
        return Guidance(positive=positive, negative=negative, scale=scale)

    def start(self) -> Tensor:
        parameters = self.case.parameters
        start = self.backbone.start_noise(self.noise, self.batch, self.height_px, self.width_px)
        if not parameters.get("init_from_style"):
            return start
        assert isinstance(self.schedule, DiffusionSchedule)
        reference = latents_of(self.case, self.backbone, "style", self.dtype)
        level = self.schedule.level_at(999)  # wherever the schedule begins, a habit of the official code
        return reference_start(self.backbone, reference, level, self.batch, self.noise).latents

    def recorded(self, name: str) -> list[Tensor]:
        """Latents of a record, FLUX's tokens [batch, tokens, 64] as [batch, 64, height, width]."""
        rows = self.case.rows(name)
        return [self.spatial(row) for row in rows] if self.flux else rows

    def spatial(self, tokens: Tensor) -> Tensor:
        if tokens.dim() != 3:
            return tokens
        rows, columns = self.height_px // 16, self.width_px // 16
        return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], rows, columns)

    def check_start(self, report: Report) -> None:
        case = self.case
        check_encoding(case, self.backbone, report)
        times = torch.tensor([level.timestep for level in self.schedule.levels[:-1]], dtype=torch.float64)
        report.absolute("timesteps", times, case.tensor("timesteps").double(), 1e-3 if self.flux else 0)
        if case.has("image"):
            decoded = self.backbone.decode(self.spatial(case.tensor("final_latents")))
            report.relative("image", decoded, case.tensor("image"), WHOLE)
        if case.has("init_from_style_noised"):
            report.relative("init_from_style_noised", self.start(), case.tensor("init_from_style_noised"), _SAME)
            self.noise = self.sampler.noise = RecordedNoise(case)

    def check_teacher_forced(self, report: Report) -> None:
        levels, step_errors, prediction_errors = self.schedule.levels, [], []
        inputs, outputs = self.recorded("scheduler_in"), self.recorded("scheduler_out")
        predictions = self.recorded("noise_pred")
        refined = 0
        tracker = Tracker(self.case, self, report)
        for step, level in enumerate(levels[:-1]):
            prediction = self.sampler.predict(inputs[step], level)
            prediction_errors.append(relative_l2(prediction, predictions[step]))
            moved = self.schedule.step(step, predictions[step], inputs[step], self.noise)
            step_errors.append(relative_l2(moved, outputs[step]))
            if self.sampler.settings.guides(level):
                tracker.refinement(self.sampler, refined, outputs[step], levels[step + 1])
                refined += 1
        report.steps("noise_pred", prediction_errors, STEP, FLIPPED)
        report.steps("scheduler_out", step_errors, ADAM, ADAM)
        tracker.finish()

    def check_free(self, report: Report) -> None:
        case = self.case
        state = SampleState(latents=self.start())
        states = list(sample(self.sampler, self.schedule, state))
        tolerance, note = free_tolerance(case)
        wanted = self.spatial(case.tensor("f64_final_latents"))
        report.absolute("f64_final_latents", states[-1].latents, wanted, tolerance, note)
        losses = [float(s.evaluation.loss) for s in states if s.evaluation is not None]
        iterations = self.sampler.settings.iterations
        recorded = case.tensor("f64_loss")[iterations - 1 :: iterations]
        report.absolute("f64_loss", torch.tensor(losses, dtype=torch.float64), recorded, tolerance, note)


@contextlib.contextmanager
def wide_casts() -> Iterator[None]:
    """`Tensor.float()` leaves float64 alone, as it did while the float64 records were made.

    diffusers casts to float32 in rotary embeddings and in the sinusoidal ones of SDXL's sizes and FLUX's times; the
    record has them in float64.
    """
    narrow = Tensor.float

    def wide(values: Tensor) -> Tensor:
        return values if values.dtype == torch.float64 else narrow(values)

    try:
        Tensor.float = wide  # type: ignore[method-assign,assignment]
        yield
    finally:
        Tensor.float = narrow  # type: ignore[method-assign]


def free_tolerance(case: Case) -> tuple[float, str]:
    """How close a free run has to come, and why it may stray."""
    strays = max(case.deviation("final_latents"), 0.0)
    return (10 * strays, "the record itself strays") if strays > STRAYING else (FREE, "")


class Tracker:
    """Collects the errors of all updates of a teacher-forced run."""

    def __init__(self, case: Case, run: Run, report: Report) -> None:
        self._case, self._run, self._report = case, run, report
        self._after, self._gradients = run.recorded("latents_after"), run.recorded("grad")
        self._losses: dict[str, list[float]] = {"loss": [], "style_loss": [], "content_loss": []}
        self._gradient_errors: list[float] = []
        self._adam_errors: list[float] = []
        self._index = 0

    def refinement(self, sampler: Sampler, row: int, latents: Tensor, level: Level) -> None:
        pull = sampler.pull(latents, level)
        self._compare(row, "ad_t", torch.tensor([pull.objective.timestep], dtype=torch.float64))
        self._compare(row, "adain_out", pull.latents)
        for name, found in (
            ("adain_style_noised", pull.statistics),
            ("style_noised", pull.references),
            ("content_noised", [] if pull.content is None else [pull.content]),
        ):
            if found:
                self._compare(row, name, torch.cat(found))
        latents, moments = pull.latents, no_moments(pull.latents)
        for _ in range(sampler.settings.iterations):
            evaluation = sampler.distiller.evaluate(pull.objective, latents)
            for name, errors in self._losses.items():
                if self._case.has(name):
                    wanted = float(self._case.tensor(name)[self._index])
                    errors.append(abs(float(getattr(evaluation, name)) - wanted))
            gradient = self._gradients[self._index]
            self._gradient_errors.append(relative_l2(evaluation.gradient, gradient))
            forced, moments = adam_update(latents, gradient, moments, sampler.settings.learning_rate)
            latents = self._after[self._index]
            self._adam_errors.append(largest(forced, latents))
            self._index += 1

    def _compare(self, row: int, name: str, found: Tensor) -> None:
        recorded = self._run.recorded(name)
        if row < len(recorded):
            wanted = recorded[row] if name != "ad_t" else recorded[row].reshape(1).double()
            self._report.relative(name, found, wanted, _SAME)

    def finish(self) -> None:
        for name, errors in self._losses.items():
            if errors:
                self._report.steps(name, errors, LOSS, LOSS, "max abs")
        self._report.steps("grad", self._gradient_errors, STEP, FLIPPED)
        self._report.steps("latents_after (Adam)", self._adam_errors, ADAM, ADAM, "max abs")
        self._report.equal("updates", self._index, len(self._case.tensor("loss")))

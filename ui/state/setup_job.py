"""Between what is laid out and a job: its size, its parameters, the job itself, and the way back from a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from adstudio.errors import JobError
from adstudio.jobs.defaults import PATCH_NATIVE_SIDE_PX
from adstudio.jobs.described import described_model
from adstudio.jobs.diffusion_defaults import diffusion_size
from adstudio.jobs.parameters import Parameter, parameters_for
from adstudio.jobs.situation import Situation, defaults_in, situation_of, words_of
from adstudio.jobs.spec import Control, Job, LoraUse, Reference, Task
from adstudio.models.description import ModelDescription
from ui.state.beside import READY_MADE, chosen_method, controlled, picture_of, used_control
from ui.state.setup import NEEDS_CONTENT, ControlChoice, LoraChoice, ParameterValue, Setup, SlotPicture


def expected_size(setup: Setup, model: ModelDescription | None) -> tuple[int, int]:
    """Width and height of the result in pixels; (0, 0) while unknown. model: None for the patch model."""
    source = setup.used_content if setup.task is not Task.TEXTURE else next(iter(setup.styles), None)
    width, height = setup.value("width"), setup.value("height")
    if model is not None:
        return _diffusion_size(setup, model, source)
    wanted = (width if isinstance(width, int) else 0, height if isinstance(height, int) else 0)
    if all(wanted):
        return wanted
    if source is None or not source.width_px:
        return (0, 0)
    aspect = source.width_px / source.height_px
    if wanted[0]:
        return wanted[0], max(1, round(wanted[0] / aspect))
    if wanted[1]:
        return max(1, round(wanted[1] * aspect)), wanted[1]
    shrink = min(1.0, PATCH_NATIVE_SIDE_PX / max(source.width_px, source.height_px))
    return max(1, round(source.width_px * shrink)), max(1, round(source.height_px * shrink))


def _diffusion_size(setup: Setup, model: ModelDescription, source: SlotPicture | None) -> tuple[int, int]:
    """Of a diffusion model's result: pictures from words alone are square."""
    if setup.task is not Task.TEXT_TO_IMAGE and (source is None or not source.width_px):
        return (0, 0)
    aspect = (source.width_px, source.height_px) if source is not None and source.width_px else None
    try:
        asked = Job.model_construct(width=setup.value("width"), height=setup.value("height"))
        return diffusion_size(asked, model, aspect)
    except JobError:
        return (0, 0)  # a side too long is said when the run is prepared


def situation_in(setup: Setup, model: ModelDescription | None) -> Situation:
    """What the settings depend on, as it is laid out. model: None for the patch model."""
    images = setup.value("images")
    size = expected_size(setup, model)
    return Situation(
        method=chosen_method(setup),
        images=images if isinstance(images, int) else 1,
        has_content=setup.used_content is not None,
        has_control=controlled(setup, model),
        has_start=setup.start is not None,
        size=size if all(size) else None,
    )


def parameters_of(setup: Setup, model: str) -> tuple[Parameter, ...]:
    """What can be set for what is laid out. model: the setup's, or the patch model while that is not here."""
    situation = situation_in(setup, described_model(model))
    if setup.task in NEEDS_CONTENT:
        situation = replace(situation, has_content=True)  # it will have one
    return parameters_for(setup.task, model, situation)


def job_of(setup: Setup, model: ModelDescription | None, loras: tuple[LoraChoice, ...]) -> Job:
    """The setup as a job with absolute paths; what does not belong to its task, model or method stays behind.

    model: None for the patch model. loras: those that fit it. Raises JobError where fields do not agree.
    """
    content, layout, control = setup.used_content, setup.used_layout, used_control(setup, model)
    known = defaults_in(setup.task, model, situation_in(setup, model))
    values = {name: value for name, value in setup.values if name in known}
    if chosen_method(setup) is None:
        values.pop("method", None)  # of another task
    paired = content is not None or layout is not None
    steering = picture_of(setup)
    target = content.mask if content is not None else layout.path if layout is not None else None
    try:
        return Job(
            task=setup.task,
            model=setup.model,
            content=content.path if content else None,
            content_mask=target,
            protect_mask=content.protect if content else None,
            start_image=setup.start.path if setup.start is not None else None,
            styles=tuple(
                Reference(image=style.path, weight=style.weight, mask=style.mask if paired else None, crop=style.crop)
                for style in setup.styles
            ),
            control=Control(image=steering.path, kind=control.kind, model=control.model, scale=control.scale)
            if control is not None and steering is not None
            else None,
            loras=tuple(LoraUse(path=Path(lora.name), weight=lora.weight) for lora in loras),
            **values,  # type: ignore[arg-type]
        )
    except ValidationError as problem_found:
        first = problem_found.errors()[0]
        field_name = ".".join(str(part) for part in first["loc"])
        raise JobError(f"{field_name}: {first['msg']}.", field=field_name) from problem_found


def setup_of(
    job: Job, names: Mapping[Path, str], present: Setup, *, model: str, is_here: bool, called: Callable[[str], str]
) -> Setup:
    """What was laid out for a job.

    names: what its files were called. present: keeps its content for a task without one. model: what the job's model is
    called here. is_here: whether it can be used now; where not, all of the job's settings wait for it.
    called: the name in the library of a LoRA file or ControlNet that a job gives by path.
    """

    def slot(path: Path) -> SlotPicture:
        return SlotPicture(path=path, name=names.get(path, path.name))

    content, layout = present.content, None
    if job.content is not None:
        content = replace(slot(job.content), mask=job.content_mask, protect=job.protect_mask)
    elif job.content_mask is not None:
        layout = slot(job.content_mask)
    return Setup(
        task=job.task,
        model=model,
        content=content,
        follows_content=job.task is Task.TEXT_TO_IMAGE and job.content is not None,
        styles=tuple(
            replace(slot(style.image), weight=style.weight, mask=style.mask, crop=style.crop) for style in job.styles
        ),
        layout=layout,
        start=slot(job.start_image) if job.start_image is not None else None,
        loras=tuple(LoraChoice(name=called(str(lora.path)), weight=lora.weight) for lora in job.loras),
        control=_control_of(job.control, job, slot, called) if job.control is not None else None,
        values=_values_of(job, model, is_here=is_here),
    )


def _control_of(
    control: Control, job: Job, slot: Callable[[Path], SlotPicture], called: Callable[[str], str]
) -> ControlChoice:
    made = control.kind not in READY_MADE
    of_content = made and job.content is not None and _is_same(job, control.image, job.content)
    return ControlChoice(
        kind=control.kind,
        model=called(control.model) if control.model is not None else "",
        scale=control.scale,
        picture=None if of_content else slot(control.image),
    )


def _is_same(job: Job, one: Path, other: Path) -> bool:
    """Whether two inputs of a job are one picture; in a run folder there are two copies of it."""
    digests = [
        digest for path in (one, other) for name, digest in job.digests.items() if path.as_posix().endswith("/" + name)
    ]
    return one == other or (len(digests) == 2 and digests[0] == digests[1])


def _values_of(job: Job, model: str, *, is_here: bool) -> tuple[tuple[str, ParameterValue], ...]:
    """The settings of a job that differ from what they would be if they were left open."""
    defaults: Mapping[str, object]
    if is_here:
        defaults = defaults_in(job.task, described_model(model), situation_of(job))
    else:
        defaults = {name: field.default for name, field in Job.model_fields.items() if words_of(name)}
    values: list[tuple[str, ParameterValue]] = []
    for name, default in defaults.items():
        value = getattr(job, name)
        if value is not None and value != default:
            values.append((name, value if isinstance(value, (bool, int, float)) else str(value)))
    return tuple(sorted(values))

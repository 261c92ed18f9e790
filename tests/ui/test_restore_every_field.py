"""Whatever a job says comes back when it is laid out again: every field, for every task, model and method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from adstudio.errors import JobError, UnavailableError
from adstudio.jobs.choices import ControlKind, Device, Method, Precision, Preset, Seamless, Start, Task
from adstudio.jobs.defaults import PATCH_MODEL, resolve
from adstudio.jobs.described import described_model
from adstudio.jobs.files import parse_job
from adstudio.jobs.spec import Job
from adstudio.models.families import Family
from adstudio.models.library import add_to_library
from tests.engine.diffusion_studio import write_vocabulary
from tests.engine.test_control import HINT, tiny_control, write_control
from tests.engine.test_job_loras import NAME, write_lora
from tests.engine.tiny_models import tiny_model, write_folder
from ui.state.setup import Setup
from ui.state.setup_job import job_of, setup_of
from ui.state.slot_loading import Loaded, filled

SIZE = (64, 48)
FLOATS: dict[str, tuple[float, float]] = {
    "content_weight": (0, 10),
    "stroke_scale": (0.1, 4),
    "coverage": (0, 1),
    "attention_scale": (0.1, 10),
    "variation": (0, 1),
    "learning_rate": (0.01, 1),
    "guidance_scale": (0, 50),
    "denoising_strength": (0.1, 1),
    "color": (0, 1),
    "strength": (0, 1),
}
WHOLE = {
    "width": (8, 300),
    "height": (8, 300),
    "num_inference_steps": (1, 1000),
    "seed": (0, 2**62),
    "images": (1, 8),
    "iterations": (1, 100),
    "start_time": (1, 1000),
}
NOT_LAID_OUT = {"model_digest", "digests"}  # of what was there when it ran; a new run takes what is there then
LAID_OUT = {"task", "model", "styles", "content", "content_mask", "protect_mask", "start_image", "loras", "control"}
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **{name: st.sampled_from([low, low + (high - low) / 3, high]) for name, (low, high) in FLOATS.items()},
    **{name: st.integers(low, high) for name, (low, high) in WHOLE.items()},
    "prompt": st.sampled_from(["a", "b c"]),
    "negative_prompt": st.sampled_from(["d", "e"]),
    "seamless": st.sampled_from(list(Seamless)),
    "preset": st.sampled_from(list(Preset)),
    "method": st.sampled_from(list(Method)),
    "adain": st.booleans(),
    "layers": st.sampled_from(["0", "0-1", "1,3"]),
    "scheduler": st.sampled_from(["ddim", "ddpm", "euler", "dpmpp_2m", "flow_euler"]),
    "tune_decoder": st.booleans(),
    "start": st.sampled_from(list(Start)),
    "device": st.sampled_from(list(Device)),
    "precision": st.sampled_from(list(Precision)),
}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models, a LoRA file for one of them, and a ControlNet."""
    base = tmp_path_factory.mktemp("models")
    for family, folders in ((Family.SD15, ("tokenizer",)), (Family.SDXL, ("tokenizer", "tokenizer_2"))):
        model = write_folder(tiny_model(family), base / family.value)
        for name in folders:
            write_vocabulary(model / name)
    write_folder(tiny_model(Family.FLUX), base / "flux")
    unet = base / "sd15" / "unet" / "diffusion_pytorch_model.safetensors"
    write_lora(base / "ink.safetensors", f"lora_unet_{NAME.replace('.', '_')}", unet)
    write_control(tiny_control(tiny_model(Family.SD15).parts["unet"], hint=HINT), base / "edges")
    return base


@pytest.fixture
def library(disk: Path) -> Path:
    """All of them on the list, by the names of their folders and files."""
    add_to_library(disk)
    return disk


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    """The JSON of a job, which may ask for what its model cannot do."""
    task = draw(st.sampled_from(list(Task)))
    model = draw(st.sampled_from([PATCH_MODEL, "sd15", "sdxl", "flux"]))
    names = draw(st.sets(st.sampled_from(sorted(FIELDS)), max_size=12))
    fields: dict[str, Any] = {name: draw(FIELDS[name]) for name in sorted(names)}
    if model == PATCH_MODEL:
        fields.pop("precision", None)  # which computes with one kind of numbers, whatever is said
    styles: list[dict[str, Any]] = [{"image": "look.png"}]
    if draw(st.booleans()):
        styles.append({"image": "other.png", "weight": draw(st.sampled_from([0.5, 3])), "crop": [1, 2, 8, 9]})
    with_content = task in (Task.STYLE_TRANSFER, Task.APPEARANCE_TRANSFER) or (
        task is Task.TEXT_TO_IMAGE and draw(st.booleans())
    )
    if with_content:
        fields["content"] = "scene.png"
        fields |= {"protect_mask": "keep.png"} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        fields["content_mask"] = "labels.png"
        styles[0]["mask"] = "look-labels.png"
    if draw(st.booleans()):
        image = draw(st.sampled_from(["lines.png", "scene.png"] if with_content else ["lines.png"]))
        kind = draw(st.sampled_from(list(ControlKind)))
        fields["control"] = {"image": image, "kind": kind, "model": "edges", "scale": draw(st.sampled_from([1, 0.5]))}
    if draw(st.booleans()):
        fields["start_image"] = "earlier.png"
    if draw(st.booleans()):
        fields["loras"] = [{"path": "ink", "weight": draw(st.sampled_from([1, -0.5]))}]
    return {"task": task, "model": model, "styles": styles, **fields}


def allowed(fields: dict[str, Any]) -> Job:
    """The job without what its model cannot do."""
    left = dict(fields)
    while True:
        try:
            job = parse_job(left, Path("/pictures"))
            resolve(job, SIZE if job.content is not None else None, SIZE)
        except (JobError, UnavailableError) as error:
            wrong = str(error).partition(":")[0].partition(".")[0]
            assume(wrong not in ("task", "model", "styles"))
            left.pop(wrong)
        else:
            return job


def laid_out(job: Job) -> Setup:
    setup = setup_of(job, {}, Setup(), model=job.model, is_here=True, called=str)
    for slot in setup.slots:
        setup = filled(setup, slot.path, Loaded(width_px=SIZE[0], height_px=SIZE[1]))
    return setup


def resolved(job: Job) -> dict[str, Any]:
    found = resolve(job, SIZE if job.content is not None else None, SIZE)
    said = found.model_dump(exclude=NOT_LAID_OUT)
    return said | {"adain": said["adain"] or None}  # direct optimisation takes a No, and has no such setting


def test_every_field_is_tried() -> None:
    assert set(FIELDS) | LAID_OUT | NOT_LAID_OUT == set(Job.model_fields)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=jobs())
def test_a_job_that_is_laid_out_again_is_the_same_job(library: Path, fields: dict[str, Any]) -> None:
    job = allowed(fields)
    for written in (job, resolve(job, SIZE if job.content is not None else None, SIZE)):
        setup = laid_out(written)
        again = job_of(setup, described_model(job.model), setup.loras)
        assert resolved(again) == resolved(job)
        assert laid_out(again).values == setup.values

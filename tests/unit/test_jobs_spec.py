"""What a job may say, what becomes of what it leaves open, and what a panel shows of it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from adstudio.errors import AdStudioError, JobError, UnavailableError
from adstudio.jobs.defaults import resolve, resolve_size
from adstudio.jobs.files import parse_job
from adstudio.jobs.parameters import ParameterKind, parameters_for
from adstudio.jobs.spec import MAX_SEED, Job, Task

BASE: dict[str, Any] = {"task": "style_transfer", "content": "a.png", "styles": [{"image": "b.png"}]}
TEXTURE: dict[str, Any] = {"task": "texture", "styles": [{"image": "b.png"}]}


def job(base: dict[str, Any] = BASE, **fields: Any) -> Job:
    return parse_job({**base, **fields}, Path("/pictures"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"styles": [{"image": "b", "weight": -1}]}, "styles.0.weight: must be greater than 0 and at most 100, got -1"),
        ({"seed": True}, "seed: must be a whole number at least 0 and at most 9223372036854775807, got true"),
        ({"seed": "5"}, 'seed: must be a whole number at least 0 and at most 9223372036854775807, got "5"'),
        ({"seed": 5.0}, "seed: must be a whole number at least 0 and at most 9223372036854775807, got 5.0"),
        ({"color": False}, "color: must be a number at least 0 and at most 1, got false"),
        ({"num_inference_steps": 10**9}, "num_inference_steps: must be at least 1 and at most 1000, got 1000000000"),
        ({"tune_decoder": 1}, "tune_decoder: must be true or false, got 1"),
        ({"styles": []}, "styles: must be a list of 1 to 16, got []"),
        ({"styles": "b.png"}, 'styles: must be a list, got "b.png"'),
        (
            {"styles": [{"img": "b.png"}]},
            "styles.0.img: unknown field; did you mean image? (`adstudio schema` lists them all)",
        ),
        ({"sead": 1}, "sead: unknown field; did you mean seed? (`adstudio schema` lists them all)"),
        ({"Pictures": 2}, "Pictures: unknown field; did you mean images? (`adstudio schema` lists them all)"),
        ({"flux": 1}, "flux: unknown field; `adstudio schema` lists them all"),
        ({"content": ""}, 'content: must be a path to a file, not an empty text, got ""'),
        ({"seamless": "z"}, 'seamless: must be one of none, x, y, both, got "z"'),
        ({"content": None}, "content: must be given for style_transfer: the picture that gives the structure"),
        ({"prompt": "a cat"}, "prompt: must be left out for style_transfer: only text_to_image reads a prompt"),
        ({"content_mask": "m.png"}, "styles.0.mask: must be given because content_mask pairs regions with it"),
        ({"seed": MAX_SEED, "images": 2}, f"seed: must be at most {MAX_SEED - 1} for 2 pictures"),
    ],
)
def test_a_wrong_field_is_named_in_one_line(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(JobError) as caught:
        job(**fields)
    assert str(caught.value) == message
    assert caught.value.field == message.split(":", 1)[0]


@pytest.mark.parametrize(
    "crop", [[0, 0, 1], [0, 0, 0, 5], [-1, 0, 5, 5], [0, 0, 5.0, 5], [True, 0, 5, 5], "0,0,5,5", [0, 0, 5, 5, 5]]
)
def test_a_wrong_crop_is_refused(crop: object) -> None:
    with pytest.raises(JobError, match=r"^styles\.0\.crop: must be \[left, top, width, height\]"):
        job(styles=[{"image": "b.png", "crop": crop}])


@pytest.mark.parametrize("name", ["content", "protect_mask", "content_weight", "color", "strength"])
def test_texture_refuses_what_belongs_to_a_content(name: str) -> None:
    value = "a.png" if name in ("content", "protect_mask") else 0.5
    with pytest.raises(JobError, match=f"^{name}: "):
        job(TEXTURE, **{name: value})


def test_whole_numbers_are_numbers() -> None:
    assert job(color=1, content_weight=0).color == 1.0


def test_a_job_survives_pickling_and_cannot_be_changed() -> None:
    one = job(seed=3)
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(ValueError, match="frozen"):
        one.seed = 4


@pytest.mark.parametrize(
    ("fields", "content", "wanted"),
    [
        ({}, (800, 600), (800, 600)),
        ({}, (4000, 3000), (1024, 768)),
        ({}, (1, 8000), (1, 1024)),
        ({"width": 500}, (800, 600), (500, 375)),
        ({"height": 300}, (800, 600), (400, 300)),
        ({"width": 300, "height": 700}, (800, 600), (300, 700)),
        ({"width": 4096, "height": 4096}, (8, 8), (4096, 4096)),
    ],
)
def test_sizes_of_a_transfer(fields: dict[str, Any], content: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert resolve_size(job(**fields), content, (11, 13)) == wanted


def test_sizes_of_a_texture_follow_the_reference_or_its_layout() -> None:
    assert resolve_size(job(TEXTURE), None, (300, 200)) == (300, 200)
    assert resolve_size(job(TEXTURE), None, (3000, 2000)) == (1024, 683)
    assert resolve_size(job(TEXTURE), (640, 480), (300, 200)) == (640, 480)


@pytest.mark.parametrize(
    ("fields", "name"), [({"width": 4097}, "width"), ({"height": 5000}, "height"), ({"width": 4000}, "height")]
)
def test_sizes_beyond_the_patch_model_name_the_side(fields: dict[str, Any], name: str) -> None:
    with pytest.raises(JobError, match=f"^{name}: must be at most 4096") as caught:
        resolve(job(**fields), (100, 200), (1, 1))
    assert caught.value.field == name


def test_open_fields_become_concrete_and_given_ones_stay() -> None:
    plain = resolve(job(), (64, 48), (9, 9))
    assert (plain.width, plain.height, plain.content_weight) == (64, 48, 0.25)
    assert (plain.num_inference_steps, plain.variation) == (16, 0)
    assert resolve(job(images=3), (64, 48), (9, 9)).variation == 0.1
    given = resolve(job(images=3, variation=0, content_weight=0, num_inference_steps=4), (64, 48), (9, 9))
    assert (given.variation, given.content_weight, given.num_inference_steps) == (0, 0, 4)
    assert resolve(given, (1, 1), (1, 1)) == given
    assert resolve(job(TEXTURE), None, (9, 9)).content_weight is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("method", "sample"),
        ("iterations", 2),
        ("learning_rate", 0.1),
        ("guidance_scale", 7.5),
        ("adain", True),
        ("layers", "1-3"),
        ("scheduler", "ddim"),
        ("start_time", 500),
        ("tune_decoder", True),
        ("precision", "fp16"),
        ("control", {"image": "c.png", "kind": "canny"}),
    ],
)
def test_settings_the_patch_model_lacks_are_refused(name: str, value: object) -> None:
    with pytest.raises(JobError, match=f"^{name}: ") as caught:
        resolve(job({**BASE, name: value}), (8, 8), (8, 8))
    assert caught.value.field == name


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("sdxl", UnavailableError),
        ("models/not-there", JobError),
        ("not-there.safetensors", JobError),
        ("old.ckpt", JobError),
        ("folder/old.PTH", JobError),
    ],
)
def test_other_models(model: str, kind: type[AdStudioError]) -> None:
    with pytest.raises(kind, match=r"^model: "):
        resolve(job(model=model), (8, 8), (8, 8))


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(JobError, match=r"^model: .*model\.safetensors"):
        resolve(parse_job({**BASE, "model": "model.safetensors"}, tmp_path), (8, 8), (8, 8))


def test_text_to_image_needs_a_diffusion_model() -> None:
    with pytest.raises(JobError, match=r"text_to_image needs a diffusion model"):
        resolve(job(task="text_to_image", prompt="a cat"), (8, 8), (8, 8))


@pytest.mark.parametrize("task", [Task.STYLE_TRANSFER, Task.APPEARANCE_TRANSFER, Task.TEXTURE])
def test_every_parameter_is_a_field_whose_limits_the_job_accepts(task: Task) -> None:
    base = TEXTURE if task is Task.TEXTURE else {**BASE, "task": task.value}
    parameters = parameters_for(task, "patch")
    assert len({one.name for one in parameters}) == len(parameters) > 8
    for one in parameters:
        assert one.label
        for value in (one.minimum, one.maximum, one.slider_minimum, one.slider_maximum, one.default, *one.choices):
            if value is not None:
                assert getattr(job(base, **{one.name: value}), one.name) == value
        if one.slider_minimum is not None and one.slider_maximum is not None:
            assert one.minimum is not None
            assert one.maximum is not None
            assert one.minimum <= one.slider_minimum < one.slider_maximum <= one.maximum


def test_parameters_know_their_kind_and_task() -> None:
    kinds = {one.name: one.kind for one in parameters_for(Task.STYLE_TRANSFER, "patch")}
    assert kinds["seed"] is ParameterKind.SEED
    assert kinds["width"] is ParameterKind.SIZE
    assert kinds["seamless"] is ParameterKind.CHOICE
    assert kinds["images"] is ParameterKind.INT
    assert kinds["content_weight"] is ParameterKind.FLOAT
    assert not {"content_weight", "color", "strength"} & {one.name for one in parameters_for(Task.TEXTURE, "patch")}

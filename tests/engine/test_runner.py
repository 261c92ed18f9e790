"""Jobs through the real engine: the order of events, and what is on disk at the end."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adstudio.errors import EngineError, ImageError, UnavailableError
from adstudio.images import JOB_KEY, read_metadata
from adstudio.jobs import run_folder
from adstudio.jobs.events import Preview, Progress, Started
from adstudio.jobs.files import parse_job
from adstudio.jobs.host import RunRequest
from tests.engine.studio import Studio, marks

TASKS = ("style_transfer", "appearance_transfer", "texture")


def fields_of(task: str, **others: Any) -> dict[str, Any]:
    own = {} if task == "texture" else {"content": "content.png"}
    return {"task": task, "styles": ["style.png"], **own, **others}


@pytest.mark.parametrize("task", TASKS)
def test_events_come_in_order_and_the_result_is_on_disk(studio: Studio, task: str) -> None:
    outcome = studio.run(**fields_of(task, width=52, height=44))
    kinds = outcome.kinds()
    assert kinds[:2] == ["loading_model", "started"]
    assert kinds[-1] == "finished"
    assert set(kinds[2:-1]) <= {"progress", "checkpointed", "notice"}
    started = outcome.events[1]
    assert isinstance(started, Started) and started.device == "cpu"
    assert started.prepared_s > 0
    steps = [event for event in outcome.events if isinstance(event, Progress)]
    assert len(steps) > 3
    assert all(later.step == earlier.step + 1 for earlier, later in pairwise(steps))
    assert all(later.fraction > earlier.fraction for earlier, later in pairwise(steps))
    assert steps[-1].step == steps[-1].steps == started.steps
    assert steps[-1].fraction == 1
    assert all(step.label for step in steps)
    previews = [event for event in outcome.events if isinstance(event, Preview)]
    assert len(previews) == len(steps)
    assert previews[-1].image.shape == (44, 52, 3)
    assert not previews[-1].image.flags.writeable
    assert outcome.results == (outcome.request.folder / "result.png",)
    assert np.abs(previews[-1].image.astype(int) - outcome.picture).max() <= 1


@pytest.mark.parametrize("task", TASKS)
def test_a_result_is_tagged_srgb_and_holds_the_job_that_makes_it_again(studio: Studio, task: str) -> None:
    first = studio.run(**fields_of(task, width=40, height=33, seed=5, variation=0.5, images=2))
    for path, picture in zip(first.results, first.pictures, strict=True):
        with Image.open(path) as image:
            assert image.mode == "RGB"
            assert "srgb" in image.info
        job = parse_job(json.loads(read_metadata(path)[JOB_KEY]), path.parent)
        assert job.images == 1
        again = run_folder.create(job, studio.folder / f"again-{path.stem}")
        assert np.array_equal(studio.follow(again).picture, picture)
    left = {one.name for one in first.request.folder.iterdir()}
    assert left - {"checkpoints"} == {"inputs", "job.json", "result.png", "result-2.png"}
    assert not list(first.request.folder.glob("checkpoints/*"))


@pytest.mark.parametrize(
    ("width", "height", "style"),
    [
        (16, 16, "style.png"),
        (37, 91, "style.png"),
        (203, 17, "style.png"),
        (1, 1, "style.png"),
        (1, 60, "style.png"),
        (48, 40, "tall.png"),
        (48, 40, "wide.png"),
        (33, 31, "dot.png"),
    ],
)
@pytest.mark.parametrize("task", TASKS)
def test_the_result_has_exactly_the_size_asked_for(
    studio: Studio, task: str, width: int, height: int, style: str
) -> None:
    studio.save("tall.png", marks(3, 2000))
    studio.save("wide.png", marks(8000, 1))
    studio.save("dot.png", marks(1, 1))
    outcome = studio.run(**fields_of(task, width=width, height=height, styles=[style], num_inference_steps=2))
    assert outcome.picture.shape == (height, width, 3)


@pytest.mark.parametrize("task", TASKS)
def test_no_size_given_takes_the_content_or_the_reference(studio: Studio, task: str) -> None:
    outcome = studio.run(**fields_of(task, num_inference_steps=2))
    assert outcome.picture.shape == ((60, 56, 3) if task == "texture" else (48, 64, 3))


def test_inputs_are_never_altered(studio: Studio) -> None:
    files = [studio.folder / name for name in ("content.png", "style.png")]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files]
    request = studio.request(**fields_of("style_transfer", strength=0.5, color=0.5, seamless="both"))
    copies = {path: path.read_bytes() for path in (request.folder / "inputs").iterdir()}
    studio.follow(request)
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in files] == before
    assert {path: path.read_bytes() for path in copies} == copies
    assert {hashlib.sha256(copy).hexdigest() for copy in copies.values()} == set(request.job.digests.values())


def test_several_pictures_differ_and_count_their_seeds(studio: Studio) -> None:
    both = studio.run(**fields_of("style_transfer", seed=3, images=2))
    assert [path.name for path in both.results] == ["result.png", "result-2.png"]
    first, second = both.pictures
    assert different_share(first, second) > 0.2
    alone = studio.run(**fields_of("style_transfer", seed=4, variation=0.1))
    assert np.array_equal(alone.picture, second)
    steps = [event for event in both.events if isinstance(event, Progress)]
    started = both.events[1]
    assert isinstance(started, Started)
    assert started.steps == steps[-1].steps
    assert {step.image_index for step in steps} == {0, 1}
    assert [step.step for step in steps] == list(range(1, steps[-1].steps + 1))


def different_share(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    """Share of pixels of which a channel differs visibly."""
    return float((np.abs(one.astype(int) - other).max(axis=2) > 12).mean())


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_picture_and_another_one_another(studio: Studio, task: str) -> None:
    fields = fields_of(task, variation=0.6)
    first, again, other = (studio.run(**fields, seed=seed).picture for seed in (7, 7, 2**63 - 1))
    assert np.array_equal(first, again)
    assert different_share(first, other) > 0.2


def test_more_variation_moves_further_from_the_plain_picture(studio: Studio) -> None:
    plain, little, much = (studio.run(**fields_of("style_transfer", variation=v)).picture for v in (0.0, 0.05, 1.0))
    assert 0 < different_share(plain, little) < different_share(plain, much)


def test_pictures_that_are_gone_are_named(studio: Studio) -> None:
    request = studio.request(**fields_of("style_transfer"))
    request.job.styles[0].image.unlink()
    with pytest.raises(ImageError, match=r"style-1-style\.png: there is no such file"):
        studio.follow(request)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_said_in_words(studio: Studio, device: str) -> None:
    import torch

    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("this machine has MPS")
    with pytest.raises(UnavailableError, match=r"device: this machine has no .* set device to"):
        studio.run(**fields_of("texture", device=device))


def test_a_job_without_a_size_is_refused(studio: Studio, tmp_path: Path) -> None:
    job = studio.request(**fields_of("texture")).job.model_copy(update={"width": None})
    with pytest.raises(EngineError, match="no size"):
        studio.follow(RunRequest(job=job, folder=tmp_path))

"""A result begins with a picture: an earlier result, or a frame that was kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adstudio.engine.runner import StudioEngine
from adstudio.errors import JobError
from adstudio.images import resize
from adstudio.images.fidelity import structure
from adstudio.jobs.events import Progress, Started
from tests.engine.diffusion_studio import DiffusionStudio
from tests.engine.studio import Outcome, Studio, marks, scene, unit


@pytest.fixture(autouse=True)
def pictures(studio: Studio) -> None:
    studio.save("content.png", scene(96, 72))
    studio.save("style.png", marks(80, 90, tint=(1.0, 0.75, 0.4)))
    turned = np.ascontiguousarray(scene(72, 96).transpose(1, 0, 2))
    studio.save("other.png", turned)


def texture(studio: Studio, **fields: Any) -> Outcome:
    return studio.run(task="texture", styles=["style.png"], **{"width": 96, "height": 72, **fields})


def likeness(one: Outcome, studio: Studio) -> float:
    other = unit(np.ascontiguousarray(scene(72, 96).transpose(1, 0, 2)))
    return structure(resize(unit(one.picture), 256, 256), resize(other, 256, 256))


def test_less_made_anew_keeps_more_of_the_picture_begun_with(studio: Studio) -> None:
    without = likeness(texture(studio), studio)
    little = likeness(texture(studio, start_image="other.png", denoising_strength=0.3), studio)
    much = likeness(texture(studio, start_image="other.png", denoising_strength=1.0), studio)
    assert little > without + 0.1
    assert little > much


def test_the_levels_that_are_kept_are_not_computed(studio: Studio) -> None:
    def steps(outcome: Outcome) -> list[int]:
        told = [event.step for event in outcome.events if isinstance(event, Progress)]
        started = next(event for event in outcome.events if isinstance(event, Started))
        assert told[-1] == started.steps
        return told

    whole = steps(texture(studio))
    part = steps(texture(studio, start_image="other.png"))
    assert 0 < part[-1] < whole[-1]
    assert part == sorted(part)


def test_a_run_begun_with_a_picture_goes_on_with_the_same_pixels(studio: Studio) -> None:
    fields: dict[str, Any] = {
        "task": "style_transfer",
        "content": "content.png",
        "styles": ["style.png"],
        "start_image": "other.png",
    }
    whole = studio.run(**fields).picture
    request = studio.request(**fields)
    studio.stop_at(request, 3)
    assert (studio.resume(request).picture == whole).all()


def test_the_picture_begun_with_is_copied_and_held_to_its_digest(studio: Studio) -> None:
    request = studio.request(task="texture", styles=["style.png"], width=64, height=64, start_image="other.png")
    studio.stop_at(request, 1)
    copy = request.folder / "inputs" / "start-other.png"
    assert request.job.start_image == copy
    copy.write_bytes(copy.read_bytes() + b"x")
    with pytest.raises(JobError, match=r"start_image.*has changed"):
        studio.resume(request)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"start_image": "other.png", "start": "noise"}, "start"),
        ({"start": "content"}, "start"),
        ({"denoising_strength": 0.5}, "denoising_strength"),
        ({"start_image": "nowhere.png"}, "start_image"),
    ],
)
def test_what_does_not_fit_together_is_refused(studio: Studio, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(JobError) as raised:
        studio.request(task="texture", styles=["style.png"], **fields)
    assert raised.value.field == field


def test_the_patch_model_takes_no_strength_without_a_picture_to_begin_with(studio: Studio) -> None:
    with pytest.raises(JobError, match="denoising_strength: needs a start_image"):
        studio.request(task="style_transfer", content="content.png", styles=["style.png"], denoising_strength=0.5)


class TestDiffusion:
    """With a tiny model: the latents begin as the picture, or as it under noise."""

    @pytest.fixture(autouse=True)
    def pictures(self) -> None:
        """The studio of diffusion models brings its own."""

    @pytest.fixture
    def tiny(self, tmp_path: Path, engine: StudioEngine) -> DiffusionStudio:
        return DiffusionStudio(tmp_path, tmp_path / "models", engine)

    @pytest.fixture
    def other(self, tiny: DiffusionStudio) -> str:
        return tiny.save("other.png", marks(64, 48, seed=9))

    def test_optimising_begins_where_it_is_told(self, tiny: DiffusionStudio, other: str) -> None:
        fields = {"learning_rate": 1e-6, "num_inference_steps": 1}
        content = tiny.run(**fields).picture
        same = tiny.run(start="content", **fields).picture
        noise = tiny.run(start="noise", **fields).picture
        begun = tiny.run(start_image=other, **fields).picture
        as_content = tiny.run(content=other, **fields).picture
        assert (content == same).all()
        assert np.abs(content.astype(int) - noise).mean() > 3
        assert np.abs(begun.astype(int) - as_content).mean() < 0.5, "the picture itself, hardly changed yet"
        assert np.abs(begun.astype(int) - content).mean() > 3

    def test_sampling_begins_with_the_picture_under_noise(self, tiny: DiffusionStudio, other: str) -> None:
        fields = {"method": "sample", "learning_rate": 1e-6}
        little = tiny.run(start_image=other, denoising_strength=0.25, **fields).picture
        as_content = tiny.run(content=other, denoising_strength=0.25, **fields).picture
        assert np.abs(little.astype(int) - as_content).mean() < 1
        texture = tiny.run(task="texture", start_image=other, denoising_strength=0.25, **fields, width=72, height=56)
        assert np.abs(texture.picture.astype(int) - little).mean() < 1

    def test_it_goes_on_with_the_same_pixels(self, tiny: DiffusionStudio, other: str) -> None:
        whole = tiny.run(start_image=other).picture
        request = tiny.request(start_image=other)
        tiny.stop_at(request, 2)
        assert (tiny.resume(request).picture == whole).all()

    def test_only_optimising_has_a_start(self, tiny: DiffusionStudio) -> None:
        with pytest.raises(JobError) as raised:
            tiny.request(method="sample", start="noise")
        assert raised.value.field == "start"

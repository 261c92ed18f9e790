"""Several references, their weights, and label masks that pair regions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from adstudio.jobs.events import Notice
from tests.engine.studio import Picture, Studio, labels, marks, scene

RED, BLUE = (1.0, 0.15, 0.1), (0.1, 0.2, 1.0)


@pytest.fixture(autouse=True)
def pictures(studio: Studio) -> None:
    studio.save("content.png", scene(80, 64))
    studio.save("red.png", marks(60, 60, seed=1, tint=RED))
    studio.save("blue.png", marks(60, 60, seed=2, tint=BLUE))


def redness(picture: Picture) -> NDArray[np.int64]:
    """Red minus blue of each pixel: [height, width] in -255 … 255."""
    return picture[..., 0].astype(np.int64) - picture[..., 2]


def fields_of(task: str) -> dict[str, Any]:
    return {"task": task, "width": 80, "height": 64, **({} if task == "texture" else {"content": "content.png"})}


@pytest.mark.parametrize("task", ["style_transfer", "appearance_transfer", "texture"])
def test_a_heavier_reference_moves_the_palette(studio: Studio, task: str) -> None:
    shades = []
    for red, blue in ((10.0, 1.0), (1.0, 1.0), (1.0, 10.0)):
        styles = [{"image": "red.png", "weight": red}, {"image": "blue.png", "weight": blue}]
        shades.append(float(redness(studio.run(**fields_of(task), styles=styles).picture).mean()))
    assert shades[0] > shades[1] > shades[2]
    assert shades[0] - shades[2] > 30


def test_only_the_ratio_of_weights_counts(studio: Studio) -> None:
    ones, tens = (
        studio.run(
            **fields_of("style_transfer"), styles=[{"image": name, "weight": w} for name in ("red.png", "blue.png")]
        )
        for w in (1.0, 10.0)
    )
    assert np.array_equal(ones.picture, tens.picture)


@pytest.mark.parametrize("task", ["style_transfer", "appearance_transfer", "texture"])
@pytest.mark.parametrize("seamless", ["none", "both"])
def test_a_region_shows_its_own_part_of_the_reference_alone(studio: Studio, task: str, seamless: str) -> None:
    style = marks(80, 64, seed=1, tint=RED)
    style[:, 40:] = marks(40, 64, seed=2, tint=BLUE)
    studio.save("both.png", style)
    studio.save("style-mask.png", labels(80, 64, 10, 200, below=False))
    studio.save("target-mask.png", labels(80, 64, 10, 200, below=True))
    picture = studio.run(
        **fields_of(task),
        styles=[{"image": "both.png", "mask": "style-mask.png"}],
        content_mask="target-mask.png",
        seamless=seamless,
    ).picture
    shades = redness(picture)
    assert (shades[:32] > 0).all()
    assert (shades[32:] < 0).all()


def test_regions_may_come_from_several_references_with_and_without_masks(studio: Studio) -> None:
    studio.save("style-mask.png", labels(60, 60, 1, 2, below=True))
    studio.save("target-mask.png", labels(80, 64, 1, 2, below=True))
    both = studio.run(
        **fields_of("style_transfer"),
        styles=[{"image": "red.png", "mask": "style-mask.png"}, "blue.png"],
        content_mask="target-mask.png",
    )
    assert (redness(both.picture) > 40).any()
    assert (redness(both.picture) < -40).any()
    studio.save("only-1.png", np.full((60, 60), 1, np.uint8))
    studio.save("only-2.png", np.full((60, 60), 2, np.uint8))
    apart = studio.run(
        **fields_of("style_transfer"),
        styles=[{"image": "red.png", "mask": "only-1.png"}, {"image": "blue.png", "mask": "only-2.png"}],
        content_mask="target-mask.png",
    )
    shades = redness(apart.picture)  # 0 is black: resizing may make some
    assert (shades[:32] >= 0).all()
    assert (shades[32:] <= 0).all()


def test_a_mask_is_cropped_with_its_picture(studio: Studio) -> None:
    style = marks(120, 60, seed=1, tint=RED)
    style[:, 60:] = marks(60, 60, seed=2, tint=BLUE)
    studio.save("both.png", style)
    studio.save("style-mask.png", labels(120, 60, 0, 255, below=False))
    studio.save("target-mask.png", labels(80, 64, 0, 255, below=False))
    shades = redness(
        studio.run(
            **{**fields_of("style_transfer"), "width": 64},
            styles=[{"image": "both.png", "mask": "style-mask.png", "crop": [40, 10, 50, 40]}],
            content_mask="target-mask.png",
        ).picture
    )
    assert (shades[:, 1:31] > 0).all()
    assert (shades[:, 33:63] < 0).all()


def test_thin_regions_survive_the_coarse_levels(studio: Studio) -> None:
    target = np.zeros((64, 80), np.uint8)
    target[:, 38:42] = 90
    studio.save("target-mask.png", target)
    own = np.zeros((60, 60), np.uint8)
    own[:, 55:] = 90
    studio.save("style-mask.png", own)
    style = marks(60, 60, seed=2, tint=BLUE)
    style[:, 55:] = marks(5, 60, seed=1, tint=RED)
    studio.save("both.png", style)
    shades = redness(
        studio.run(
            **fields_of("style_transfer"),
            styles=[{"image": "both.png", "mask": "style-mask.png"}],
            content_mask="target-mask.png",
        ).picture
    )
    assert (shades[:, 39:41] > 0).all()
    assert (shades[:, :36] <= 0).all()  # 0 is black: resizing may make some


def test_soft_edges_of_a_mask_are_told(studio: Studio) -> None:
    soft = labels(80, 64, 0, 255, below=True)
    soft[31, 10:14] = 120
    studio.save("target-mask.png", soft)
    studio.save("style-mask.png", labels(60, 60, 0, 255, below=True))
    outcome = studio.run(
        **fields_of("style_transfer"),
        styles=[{"image": "red.png", "mask": "style-mask.png"}],
        content_mask="target-mask.png",
    )
    (notice,) = [event for event in outcome.events if isinstance(event, Notice)]
    assert "nearest label" in notice.message

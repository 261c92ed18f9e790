"""Settings at the ends of their ranges, and pictures with next to nothing in them, still make a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engine.studio import Studio, marks, scene

STYLE = "style.png"


@pytest.fixture(autouse=True)
def pictures(studio: Studio) -> None:
    studio.save("content.png", scene(40, 32))
    studio.save(STYLE, marks(36, 44))
    studio.save("flat.png", np.full((30, 30, 3), 77, np.uint8))
    studio.save("pale.png", np.full((32, 40, 3), 200, np.uint8))
    board = np.indices((10, 10)).sum(0) % 2 * 255
    studio.save("board.png", np.kron(board, np.ones((4, 4), int)).astype(np.uint8))


@pytest.mark.parametrize("task", ["style_transfer", "appearance_transfer", "texture"])
@pytest.mark.parametrize(
    "fields",
    [
        {"attention_scale": 5e-324},
        {"attention_scale": 10},
        {"stroke_scale": 0.1},
        {"stroke_scale": 4},
        {"num_inference_steps": 1},
        {"coverage": 0, "variation": 1, "seed": 2**63 - 1},
        {"styles": [{"image": STYLE, "weight": 1e-5}, {"image": "board.png", "weight": 100}]},
        {"styles": [STYLE] * 16},
        {"styles": ["flat.png"]},
        {"styles": ["board.png"], "seamless": "both"},
    ],
    ids=str,
)
def test_extreme_settings(studio: Studio, task: str, fields: dict[str, Any]) -> None:
    content = {} if task == "texture" else {"content": "content.png"}
    job = {"task": task, "styles": [STYLE], "width": 40, "height": 32, "num_inference_steps": 3, **content, **fields}
    assert studio.run(**job).picture.shape == (32, 40, 3)


@pytest.mark.parametrize("task", ["style_transfer", "appearance_transfer"])
@pytest.mark.parametrize(
    "fields",
    [
        {"content_weight": 10},
        {"content_weight": 1e-300},
        {"content": "pale.png"},
        {"content": "pale.png", "styles": ["flat.png"]},
        {"content": "board.png"},
    ],
    ids=str,
)
def test_extreme_contents(studio: Studio, task: str, fields: dict[str, Any]) -> None:
    job = {"task": task, "styles": [STYLE], "content": "content.png", "num_inference_steps": 3, **fields}
    assert studio.run(**job).picture.ndim == 3


@pytest.mark.parametrize("task", ["style_transfer", "texture"])
def test_a_reference_of_one_colour_gives_that_colour(studio: Studio, task: str) -> None:
    content = {} if task == "texture" else {"content": "content.png"}
    picture = studio.run(task=task, styles=["flat.png"], width=40, height=32, **content).picture
    assert np.abs(picture.astype(int) - 77).max() <= 1


def test_a_reference_of_one_pixel_for_a_result_of_one_pixel(studio: Studio) -> None:
    studio.save("dot.png", marks(1, 1))
    assert studio.run(task="texture", styles=["dot.png"], width=1, height=1).picture.shape == (1, 1, 3)


@pytest.mark.parametrize("task", ["style_transfer", "appearance_transfer"])
def test_only_the_ratio_of_weights_counts_however_small_they_are(studio: Studio, task: str) -> None:
    fields = {"task": task, "content": "content.png", "num_inference_steps": 2}
    tiny = studio.run(**fields, styles=[{"image": STYLE, "weight": 1e-300}])
    assert np.array_equal(tiny.picture, studio.run(**fields, styles=[STYLE]).picture)

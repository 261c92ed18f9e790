"""Every setting of the patch model does what the parameter panel says of it, on the finished picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from adstudio.images import resize
from adstudio.images.colour import srgb_to_oklab
from adstudio.images.fidelity import seam, structure
from adstudio.jobs.events import Progress
from adstudio.paths import samples_dir
from tests.engine.studio import Picture, Studio, marks, scene, unit


@pytest.fixture(autouse=True)
def pictures(studio: Studio) -> None:
    studio.save("content.png", scene(96, 72))
    studio.save("style.png", marks(80, 90, tint=(1.0, 0.75, 0.4)))


def sample(name: str) -> Picture:
    """One of the project's own samples, long side 96 px."""
    with Image.open(samples_dir() / name) as image:
        image.draft("RGB", (192, 192))
        image.thumbnail((96, 96))
        return np.array(image.convert("RGB"), np.uint8)


def painted(studio: Studio, **fields: Any) -> Picture:
    return studio.run(task="style_transfer", content="content.png", **{"styles": ["style.png"], **fields}).picture


def woven(studio: Studio, **fields: Any) -> Picture:
    return studio.run(task="texture", **{"styles": ["style.png"], "width": 72, "height": 60, **fields}).picture


@pytest.mark.parametrize("task", ["style_transfer", "appearance_transfer"])
def test_a_higher_content_weight_keeps_more_structure(studio: Studio, task: str) -> None:
    content = sample("content_lighthouse.jpg")
    studio.save("content.png", content)
    studio.save("style.png", sample("painting_oil.jpg"))
    kept = []
    for weight in (0.0, 0.25, 2.0):
        outcome = studio.run(task=task, content="content.png", styles=["style.png"], content_weight=weight)
        kept.append(structure(resize(unit(outcome.picture), 256, 256), resize(unit(content), 256, 256)))
    free, usual, tight = kept
    assert free + 0.03 < min(usual, tight)
    if task == "style_transfer":
        assert usual < tight + 0.02


def test_color_0_keeps_the_contents_colours_and_the_results_marks(studio: Studio) -> None:
    full, half, none = (painted(studio, color=color) for color in (1.0, 0.5, 0.0))
    content = srgb_to_oklab(unit(scene(96, 72)))
    full_lab, half_lab, none_lab = (srgb_to_oklab(unit(picture)) for picture in (full, half, none))
    away = [float(np.abs(lab - content)[..., 1:].mean()) for lab in (full_lab, half_lab, none_lab)]
    assert away[0] > 1.5 * away[1] > 1.5 * away[2]
    assert away[2] < 0.01
    assert np.abs(full_lab - none_lab)[..., 0].mean() < 0.01


def test_strength_0_is_the_content_and_half_lies_between(studio: Studio) -> None:
    content = scene(96, 72)
    full, half, none = (painted(studio, strength=strength).astype(int) for strength in (1.0, 0.5, 0.0))
    assert np.array_equal(none, content)
    away_full, away_half = (float(np.abs(picture - content).mean()) for picture in (full, half))
    assert 0.3 * away_full < away_half < 0.7 * away_full


@pytest.mark.parametrize("fields", [{}, {"color": 0.3, "strength": 0.7}])
def test_a_protect_mask_keeps_the_contents_pixels_exactly(studio: Studio, fields: dict[str, Any]) -> None:
    mask = np.zeros((72, 96), np.uint8)
    mask[20:50, 30:70] = 255
    mask[:, :4] = 128
    studio.save("protect.png", mask)
    content = scene(96, 72).astype(int)
    free = painted(studio, **fields).astype(int)
    kept = painted(studio, **fields, protect_mask="protect.png").astype(int)
    assert np.array_equal(kept[mask == 255], content[mask == 255])
    assert np.array_equal(kept[mask == 0], free[mask == 0])
    halfway = (content + free) / 2
    assert np.abs(kept - halfway)[mask == 128].max() <= 2


def test_a_protect_mask_follows_the_contents_crop(studio: Studio) -> None:
    studio.save("content.png", scene(96, 72))
    mask = np.zeros((72, 96), np.uint8)
    mask[:, 24:48] = 255
    studio.save("protect.png", mask)
    kept = studio.run(
        task="style_transfer",
        content="content.png",
        styles=["style.png"],
        width=72,
        height=72,
        protect_mask="protect.png",
    ).picture
    content = scene(96, 72)[:, 12:84]
    assert np.array_equal(kept[:, 12:36], content[:, 12:36])
    assert not np.array_equal(kept[:, 40:], content[:, 40:])


def seam_along(picture: Picture, axis: int) -> float:
    """Step across the wrap of one axis (0 is up and down) over the largest step between neighbouring lines inside."""
    pixels = unit(picture)
    others = tuple(k for k in range(3) if k != axis)
    inside = np.abs(np.diff(pixels, axis=axis)).mean(axis=others)
    across = np.abs(np.take(pixels, 0, axis) - np.take(pixels, -1, axis)).mean()
    return float(across / np.quantile(inside, 0.98))


@pytest.mark.parametrize("size", [(72, 60), (61, 97)])
def test_textures_tile_in_the_directions_asked_for(studio: Studio, size: tuple[int, int]) -> None:
    studio.save("style.png", marks(96, 96, seed=4))
    seams = {}
    for seamless in ("none", "x", "y", "both"):
        picture = woven(studio, width=size[0], height=size[1], seamless=seamless)
        seams[seamless] = (seam_along(picture, 0), seam_along(picture, 1))
    assert max(seams["both"]) < 1.1
    assert seams["x"][1] < 1.1
    assert seams["y"][0] < 1.1
    assert max(seams["none"]) > max(seams["both"]) + 0.05


def test_a_transfer_may_tile_too(studio: Studio) -> None:
    flat = np.full((72, 96, 3), 128, np.uint8)
    studio.save("content.png", flat)
    assert seam(unit(painted(studio, seamless="both"))) < 1.25


@pytest.mark.parametrize("task", ["style_transfer", "texture"])
def test_attention_scale_changes_the_picture(studio: Studio, task: str) -> None:
    make = painted if task == "style_transfer" else woven
    plain, crisp = (make(studio, attention_scale=scale).astype(int) for scale in (1.0, 8.0))
    assert (np.abs(plain - crisp).max(axis=2) > 12).mean() > 0.02


def grain(picture: Picture) -> float:
    """Size of marks in pixels: how far light stays like itself across."""
    light: NDArray[np.float32] = unit(picture).mean(2)
    light = light - light.mean()
    own = float((light * light).mean())
    return sum(max(0.0, float((light[:, :-lag] * light[:, lag:]).mean()) / own) for lag in range(1, 12))


def test_stroke_scale_sets_the_size_of_the_marks(studio: Studio) -> None:
    studio.save("style.png", marks(160, 160))
    small, plain, large = (woven(studio, width=96, height=96, stroke_scale=scale) for scale in (0.4, 1.0, 2.0))
    assert grain(small) < grain(plain) < grain(large)


def test_steps_are_rounds(studio: Studio) -> None:
    counted = []
    pictures = []
    for steps in (2, 16, 40):
        outcome = studio.run(
            task="style_transfer", content="content.png", styles=["style.png"], num_inference_steps=steps
        )
        counted.append([event for event in outcome.events if isinstance(event, Progress)][-1].steps)
        pictures.append(outcome.picture)
    assert counted[0] < counted[1] < counted[2]
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[1], pictures[2])


def palette_distance(one: Picture, other: Picture) -> float:
    """How far the colours of two pictures lie apart, channel by channel of OKLab, in order."""
    ranks = np.linspace(0, 1, 500)
    first, second = (np.quantile(srgb_to_oklab(unit(p)).reshape(-1, 3), ranks, axis=0) for p in (one, other))
    return float(np.abs(first - second).mean())


def test_coverage_brings_the_references_whole_palette(studio: Studio) -> None:
    style = sample("painting_glass.jpg")
    studio.save("content.png", sample("content_lighthouse.jpg"))
    studio.save("style.png", style)
    some, whole = (palette_distance(painted(studio, coverage=share), style) for share in (0.0, 0.8))
    assert whole < some


def test_a_crop_takes_the_look_of_that_part_alone(studio: Studio) -> None:
    style = marks(120, 60, tint=(1, 0.2, 0.2))
    style[:, 60:] = marks(60, 60, tint=(0.2, 0.2, 1))
    studio.save("both.png", style)
    red = painted(studio, styles=[{"image": "both.png", "crop": [0, 0, 60, 60]}]).astype(int)
    blue = painted(studio, styles=[{"image": "both.png", "crop": [60, 0, 60, 60]}]).astype(int)
    assert np.all(red[..., 0].mean() > red[..., 2].mean() + 40)
    assert np.all(blue[..., 2].mean() > blue[..., 0].mean() + 40)

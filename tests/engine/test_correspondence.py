"""Which part of a reference a part of the content corresponds to, and what stops the work before the first round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from adstudio.engine.patch.bands import Stopped
from adstudio.engine.patch.correspondence import figure_mask, without_islands
from adstudio.engine.patch.preparation import prepare
from adstudio.jobs.choices import Task
from adstudio.jobs.spec import Job, Reference
from tests.engine.studio import Picture, Studio, marks, save_picture, scene

GREY, CREAM, GREEN = (0.6, 0.6, 0.64), (0.95, 0.85, 0.7), (0.2, 0.7, 0.3)

GRAIN = np.random.default_rng(2).integers(0, 256, (96, 96, 3)).astype(np.uint8)


def disc(size: int, ground: tuple[float, ...], figure: tuple[float, ...], *, radius: float = 0.3) -> Picture:
    """A disc before a plain ground, both with a little grain."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    inside = (x**2 + y**2 < radius**2)[..., None]
    grain = np.random.default_rng(5).normal(0, 0.02, (size, size, 3))
    pixels = np.where(inside, figure, ground) + grain
    return (pixels.clip(0, 1) * 255).astype(np.uint8)


def as_tensor(picture: Picture) -> Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1)


def test_a_figure_before_a_plain_ground_is_found() -> None:
    mask = figure_mask(as_tensor(disc(128, GREY, CREAM)))
    assert mask is not None
    y, x = np.mgrid[:128, :128] / 128 - 0.5
    wanted = x**2 + y**2 < 0.3**2
    assert float((mask == wanted).mean()) > 0.97


def test_a_pale_middle_that_an_outline_closes_in_belongs_to_the_figure() -> None:
    picture = disc(128, GREY, CREAM)
    inner = disc(128, GREY, CREAM, radius=0.2) == disc(128, CREAM, CREAM, radius=0.2)
    ring = np.where(inner.all(-1)[..., None], (np.array(GREY) * 255).astype(np.uint8), picture)
    mask = figure_mask(as_tensor(ring))
    assert mask is not None
    assert mask[64, 64]


def test_islands_beside_the_figure_are_ground() -> None:
    picture = disc(128, GREY, CREAM)
    picture[8:16, 100:108] = (np.array(CREAM) * 255).astype(np.uint8)
    mask = figure_mask(as_tensor(picture))
    assert mask is not None
    assert mask[12, 104]
    np.testing.assert_array_equal(without_islands(mask)[20:], mask[20:])
    assert not without_islands(mask)[:20].any()


@pytest.mark.parametrize("picture", [GRAIN, np.full((64, 64, 3), 128, np.uint8)], ids=["grain", "plain"])
def test_no_figure_is_seen_where_there_is_none(picture: Picture) -> None:
    assert figure_mask(as_tensor(picture)) is None


def test_an_appearance_goes_from_figure_to_figure_and_from_ground_to_ground(studio: Studio) -> None:
    studio.save("content.png", disc(96, GREEN, (0.3, 0.2, 0.2)))
    studio.save("style.png", disc(96, GREY, CREAM, radius=0.25))
    picture = studio.run(task="appearance_transfer", content="content.png", styles=["style.png"]).picture
    y, x = np.mgrid[:96, :96] / 96 - 0.5
    distance = np.sqrt(x**2 + y**2)
    warm = picture[..., 0].astype(int) - picture[..., 2]
    assert float((warm[distance < 0.25] > 20).mean()) > 0.98
    assert float((warm[distance > 0.35] < 20).mean()) > 0.98


def test_preparation_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    content, style = tmp_path / "content.png", tmp_path / "style.png"
    save_picture(content, scene(64, 64))
    save_picture(style, marks(64, 64))
    job = Job(task=Task.STYLE_TRANSFER, content=content, styles=(Reference(image=style),), width=64, height=64)
    with pytest.raises(Stopped):
        prepare(job, torch.device("cpu"), lambda: True)

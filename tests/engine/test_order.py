"""The order of textures: lattices are found and fit tiles, courses are seen and laid out anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from adstudio.engine.patch.arrangement import arranged
from adstudio.engine.patch.course import course
from adstudio.engine.patch.lattice import Lattice, find_lattice, fitted_waves, plain_phases
from adstudio.engine.patch.order import CourseGuides, LatticeGuides, Order
from adstudio.engine.patch.preparation import prepare
from adstudio.jobs.spec import Job
from tests.engine.drawn import draws
from tests.engine.studio import Studio, unit

SIDE = 192
WAVES = np.array([[1 / 16, 1 / 96], [0.0, 1 / 24]])


def tiles(waves: np.ndarray, size: tuple[int, int], *, sway_px: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """A picture of lopsided cells with noise, swaying, and the phases it was drawn with."""
    y, x = torch.meshgrid(torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5, indexing="ij")
    y = y + sway_px * torch.sin(2 * math.pi * x / size[1])
    phases = torch.stack([float(a) * y + float(b) * x for a, b in waves])
    cell = phases % 1
    light = torch.where((cell[0] < 0.3) | (cell[1] < 0.2), -0.7, 0.2 + 0.4 * cell[0])
    noise = 0.1 * torch.from_numpy(draws(1, *size))[0]
    return (light + noise)[None].repeat(3, 1, 1).float(), phases


def spread_of(lattice: Lattice, drawn: torch.Tensor) -> float:
    """How far phases found stray from those drawn, in cells, after one common start."""
    size = (drawn.shape[1], drawn.shape[2])
    found = lattice.phases(size, size)
    inverse = np.linalg.inv(lattice.waves)
    same = torch.from_numpy((WAVES @ inverse).round()).float()
    off = 2 * math.pi * (torch.einsum("ij,jhw->ihw", same, found) - drawn)
    mean = torch.polar(torch.ones_like(off), off).mean((1, 2))
    return float((1 - mean.abs()).max())


@pytest.mark.parametrize("size", [(SIDE, SIDE), (160, 230)])
def test_the_lattice_of_a_pattern_is_found(size: tuple[int, int]) -> None:
    picture, drawn = tiles(WAVES, size)
    lattice = find_lattice(picture)
    assert lattice is not None
    turned = WAVES @ np.linalg.inv(lattice.waves)
    np.testing.assert_allclose(turned, turned.round(), atol=0.03)
    assert abs(np.linalg.det(turned.round())) == pytest.approx(1)
    assert spread_of(lattice, drawn) < 0.02


def test_a_swaying_lattice_is_followed() -> None:
    picture, drawn = tiles(WAVES, (SIDE, SIDE), sway_px=4.0)
    lattice = find_lattice(picture)
    assert lattice is not None
    straight = Lattice(waves=lattice.waves, regularity=1.0, bend=torch.zeros_like(lattice.bend))
    assert spread_of(straight, drawn) > 0.3
    assert spread_of(lattice, drawn) < 0.1


def test_a_lattice_of_a_picture_that_is_brought_to_another_size_stays_the_same() -> None:
    picture, _ = tiles(WAVES, (SIDE, SIDE))
    lattice = find_lattice(picture)
    assert lattice is not None
    size = (SIDE, SIDE)
    full, half = lattice.phases(size, size), lattice.phases((SIDE // 2, SIDE // 2), size)
    between = 2 * math.pi * (half - full.unfold(1, 1, 2)[..., 0].unfold(2, 1, 2)[..., 0])
    shift = torch.from_numpy(lattice.waves.sum(1) * math.pi).float().view(2, 1, 1)
    np.testing.assert_allclose(torch.cos(between - shift), 1, atol=0.01)


def test_what_does_not_repeat_has_no_lattice() -> None:
    noise = torch.from_numpy(draws(3, SIDE, SIDE))
    assert find_lattice(noise) is None
    blots = torch.nn.functional.interpolate(noise[None, :, :20, :20], (SIDE, SIDE), mode="bicubic")[0]
    assert find_lattice(blots) is None
    assert find_lattice(torch.zeros(3, SIDE, SIDE)) is None
    assert find_lattice(torch.zeros(3, 8, 8)) is None


@pytest.mark.parametrize(("wrap_y", "wrap_x"), [(True, False), (False, True), (True, True)])
def test_a_whole_number_of_cells_fits_a_tile(wrap_y: bool, wrap_x: bool) -> None:
    size = (203, 187)
    fitted, strain = fitted_waves(WAVES, size, wrap_y=wrap_y, wrap_x=wrap_x)
    passed = fitted * size
    for axis, wraps in enumerate((wrap_y, wrap_x)):
        if wraps:
            np.testing.assert_allclose(passed[:, axis], passed[:, axis].round(), atol=1e-9)
        else:
            np.testing.assert_array_equal(fitted[:, axis], WAVES[:, axis])
    assert 0 < strain < 0.1
    twice = plain_phases(fitted, (406, 374), torch.device("cpu"))
    down, right = (size[0] if wrap_y else 0), (size[1] if wrap_x else 0)
    again = 2 * math.pi * (twice[:, down : down + 20, right : right + 20] - twice[:, :20, :20])
    np.testing.assert_allclose(torch.cos(again), 1, atol=1e-4)


def test_a_lattice_that_a_small_tile_would_strain_is_left_alone() -> None:
    picture, _ = tiles(WAVES, (SIDE, SIDE))
    assert isinstance(Order.of(picture, (SIDE, SIDE), wrap_y=False, wrap_x=False).guides(0), LatticeGuides)
    assert isinstance(Order.of(picture, (24, 36), wrap_y=True, wrap_x=True).guides(0), CourseGuides)


def test_the_course_says_which_way_marks_run_and_how_coarse_they_are() -> None:
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    level, upright = torch.sin(y * 0.8), torch.sin(x * 0.8)
    seen = course(torch.where(x < SIDE // 2, level, upright)[None].repeat(3, 1, 1).float())
    middle, quarter = seen.shape[1] // 2, seen.shape[2] // 4
    assert float(seen[0, middle, quarter]) < -0.9
    assert float(seen[0, middle, 3 * quarter]) > 0.9
    slanting = course(torch.sin((x + y) * 0.5)[None].repeat(3, 1, 1).float())
    assert float(slanting[1].mean()) > 0.9
    coarse = course(
        torch.where(x < SIDE // 2, torch.sin((x + y) * 0.1), torch.sin((x + y) * 1.2))[None].repeat(3, 1, 1)
    )
    assert float(coarse[2, middle, quarter] - coarse[2, middle, 3 * quarter]) > 1


def test_a_new_course_goes_on_without_a_seam_and_differs_by_seed() -> None:
    y, x = torch.meshgrid(torch.linspace(0, 3, 40), torch.linspace(0, 3, 40), indexing="ij")
    fields = torch.stack((torch.sin(y), torch.cos(x + y), x))

    def inner_and_wrap(values: torch.Tensor, axis: int) -> tuple[float, float]:
        steps = values.diff(dim=axis).abs()
        across = (values.select(axis, 0) - values.select(axis, -1)).abs()
        return float(steps.amax()), float(across.amax())

    tiled = arranged(fields, (40, 60), wrap_y=True, wrap_x=True, seed=3)
    assert tiled.shape == (3, 40, 60)
    for axis in (1, 2):
        inner, wrap = inner_and_wrap(tiled, axis)
        assert wrap <= 1.5 * inner
    plain = arranged(fields, (40, 60), wrap_y=False, wrap_x=False, seed=3)
    assert float(plain.min()) >= float(fields.min()) - 1e-5
    assert float(plain.max()) <= float(fields.max()) + 1e-5
    assert not torch.equal(plain, arranged(fields, (40, 60), wrap_y=False, wrap_x=False, seed=4))
    assert torch.equal(plain, arranged(fields, (40, 60), wrap_y=False, wrap_x=False, seed=3))


def test_a_pattern_keeps_its_lattice_in_a_texture(studio: Studio) -> None:
    """What is made repeats after the reference's steps, and is no copy of it."""
    picture, _ = tiles(WAVES, (SIDE, SIDE))
    pixels = ((picture.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    made = studio.run(
        task="texture", styles=[studio.save("tiles.png", pixels)], width=SIDE, height=SIDE, seed=5
    ).picture
    again = find_lattice(torch.from_numpy(unit(made).transpose(2, 0, 1).copy()) * 2 - 1)
    assert again is not None
    turned = WAVES @ np.linalg.inv(again.waves)
    np.testing.assert_allclose(turned, turned.round(), atol=0.1)
    assert not np.array_equal(made, pixels)


@pytest.mark.parametrize("regular", [False, True])
def test_marks_stay_whole_where_no_lattice_would_make_copies_of_them(studio: Studio, regular: bool) -> None:
    picture = tiles(WAVES, (SIDE, SIDE))[0] if regular else torch.from_numpy(draws(3, SIDE, SIDE))
    pixels = ((picture.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    exemplar = studio.folder / studio.save("exemplar.png", pixels)
    fields = {"task": "texture", "styles": [{"image": exemplar}], "width": 96, "height": 96}
    prepared = prepare(Job.model_validate(fields, strict=False), torch.device("cpu"))
    assert (prepared.task.tuning.coherence == 0) == regular

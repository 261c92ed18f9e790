"""What a level is held to: colours, the planned picture, and how tight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from adstudio.engine.patch.guides import Target, ToneAndEdges, colour_matched, tight
from adstudio.engine.patch.marks import Marks
from adstudio.engine.patch.tones import (
    Forms,
    best_plan,
    edge_strength,
    planned_tones,
)
from tests.engine.drawn import RNG_SEED, as_picture, disc_scene, draws, parts_of

NO_COLOUR = torch.zeros(3, 1, 1)


def planned_scene() -> tuple[torch.Tensor, torch.Tensor, Forms]:
    """A content, its planned picture and the forms that both were planned with."""
    light, reference = disc_scene(), disc_scene().flip(2) * 0.6
    plan = best_plan(light, [reference], [1.0])
    planned = as_picture(planned_tones(plan, *parts_of(light), [reference], [1.0]))
    return as_picture(light), planned, Forms.of(as_picture(light), [planned], plan.structure)


def test_the_planned_picture_has_the_planned_structure_and_marks() -> None:
    _, planned, forms = planned_scene()
    kept, coarser = forms.seen_in(planned)
    assert kept == pytest.approx(1.0, abs=0.02)
    assert coarser == pytest.approx(0.0, abs=1e-4)
    twice = torch.nn.functional.interpolate(planned[None], scale_factor=2, mode="nearest")[0]
    np.testing.assert_allclose(forms.seen_in(twice), (kept, 0.0), atol=0.02)


def test_a_free_place_wants_the_picture_s_own_marks_on_the_planned_tone() -> None:
    picture = as_picture(0.2 + 0.1 * torch.from_numpy(draws(1, 40, 40)))
    held = torch.cat((torch.full((1, 40, 40), 0.6), torch.full((1, 40, 40), 0.3)))
    assert torch.equal(Target(channels=held).beside(picture), held)
    free = torch.zeros(1, 40, 40)
    free[:, :, 20:] = 1.0
    beside = Target(channels=held, free=free, tone=2.0, edge=3.0).beside(picture)
    assert torch.equal(beside[:, :, :20], held[:, :, :20])
    np.testing.assert_allclose(beside[1, :, 20:], 3 * edge_strength(picture[:1])[0, :, 20:], atol=1e-5)
    inside = beside[0, 8:-8, 28:-8]
    assert float(inside.mean()) == pytest.approx(0.6, abs=0.03)
    marks = np.corrcoef(inside.flatten(), picture[0, 8:-8, 28:-8].flatten())[0, 1]
    assert marks > 0.95


def test_a_strong_content_holds_tighter_but_leaves_room_for_colours() -> None:
    assert [tight(strength) for strength in (0.0, 0.4, 1.0)] == [0.0, 0.4, 1.0]
    assert 1 < tight(1.2) < tight(4) < tight(40) < 8


def test_plain_places_of_the_content_are_free_and_its_edges_are_not() -> None:
    light = torch.full((1, 128, 128), -0.5)
    light[:, :, 64:] = 0.5
    forms = Forms.of(light, [as_picture(light)], 1.0)
    target, _ = ToneAndEdges(light, light, (as_picture(light),), forms, NO_COLOUR, 1.0).at(
        2, (128, 128), [(128, 128)], 1.0
    )
    assert target is not None
    assert target.free is not None
    assert float(target.free[0, :, 62:66].max()) == 0.0
    assert float(target.free[0, :, 8:40].min()) > 0.9
    coarse, _ = ToneAndEdges(light, light, (as_picture(light),), forms, NO_COLOUR, 1.0).at(0, (32, 32), [(32, 32)], 1.0)
    assert coarse is not None
    assert coarse.free is None


def test_lost_structure_and_coarser_marks_are_seen() -> None:
    _, planned, forms = planned_scene()
    lost, _ = forms.seen_in(planned.flip(1))
    assert lost < 0.8
    blots = torch.nn.functional.interpolate(torch.from_numpy(draws(1, 1, 8, 8)), (96, 96), mode="nearest")[0]
    _, coarser = forms.seen_in(planned + 0.7 * blots)
    assert coarser > 0.1


def test_the_hold_loosens_with_coarser_marks_and_tightens_with_lost_structure() -> None:
    content, planned, forms = planned_scene()

    def hold(*, planned_structure: float = 1.0, finer: float = 0.0) -> float:
        seen = replace(forms, planned=forms.planned * planned_structure, marks=forms.marks - finer)
        return ToneAndEdges(content[:1], content[:1], (planned,), seen, NO_COLOUR, 1.0).hold(planned)

    assert 0.2 < hold() < 3.0
    assert hold(planned_structure=1.2) > hold() > hold(planned_structure=0.9)
    assert hold(finer=0.05) < hold()
    assert hold(finer=-0.05) == pytest.approx(hold())
    assert hold(planned_structure=10.0) == 3.0
    assert hold(finer=3.0) == 0.2
    assert hold(planned_structure=10.0, finer=3.0) == 0.2


def test_coarse_levels_are_held_looser() -> None:
    content, planned, forms = planned_scene()
    guides = ToneAndEdges(content[:1], content[:1], (planned,), forms, NO_COLOUR, 1.0)
    twice = torch.nn.functional.interpolate(planned[None], scale_factor=2, mode="nearest")[0]
    assert guides.hold(twice) > guides.hold(planned)


def test_marks_are_those_of_the_references_at_the_level_s_size_and_colours_are_held_last() -> None:
    content, planned, forms = planned_scene()
    colour = torch.full((3, 1, 1), 0.3)
    guides = ToneAndEdges(content[:1], content[:1], (planned,), forms, colour, 1.0)
    half = torch.nn.functional.avg_pool2d(planned, 2)
    coarse, _ = guides.at(2, (48, 48), [(48, 48)], 1.0)
    fine, _ = guides.at(3, (96, 96), [(96, 96)], 1.0)
    assert coarse is not None
    assert fine is not None
    assert torch.equal(coarse.asked_of(half), Marks.of([half]).asked_of(half))
    assert torch.equal(fine.asked_of(half), Marks.of([planned], colour).asked_of(half))
    assert float(fine.asked_of(half).mean() - coarse.asked_of(half).mean()) > 0.05


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 4.0)])
def test_colour_matched_has_the_references_mean_and_covariance(weights: tuple[float, float]) -> None:
    rng = np.random.default_rng(RNG_SEED)
    content = (0.15 * draws(3, 30, 40)).astype(np.float32)
    mixes = [0.12 * rng.standard_normal((3, 3)) for _ in weights]
    sizes = [(20, 25), (30, 15)]
    references = [
        (np.einsum("ij,jhw->ihw", mix, draws(3, *size, seed=k)) + 0.1 * k).astype(np.float32)
        for k, (mix, size) in enumerate(zip(mixes, sizes, strict=True))
    ]
    out = colour_matched(torch.from_numpy(content), [torch.from_numpy(r) for r in references], weights).numpy()
    flat = np.concatenate([r.reshape(3, -1) for r in references], axis=1).astype(np.float64)
    share = np.concatenate([np.full(r.shape[1] * r.shape[2], w) for r, w in zip(references, weights, strict=True)])
    mean = np.average(flat, axis=1, weights=share)
    covariance = np.cov(flat, aweights=share, bias=True)
    ours = out.reshape(3, -1).astype(np.float64)
    np.testing.assert_allclose(ours.mean(1), mean, atol=0.01)
    np.testing.assert_allclose(np.cov(ours, bias=True), covariance, atol=0.004)


def test_colour_matched_moves_nothing_where_colours_agree_already() -> None:
    content = 0.2 * torch.from_numpy(draws(3, 20, 20))
    assert torch.allclose(colour_matched(content, [content.flip(1)], [1.0]), content, atol=1e-3)

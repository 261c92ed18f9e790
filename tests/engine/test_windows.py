"""Windows over large canvases, and latent optimisation and sampling that go through them one by one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from adstudio.engine.backbones.base import Backbone
from adstudio.engine.backbones.flux import Flux
from adstudio.engine.backbones.stable_diffusion import StableDiffusion
from adstudio.engine.feature_source import levels_at_once
from adstudio.engine.multidiffusion import CanvasState, WindowedSampler, multidiffusion
from adstudio.engine.optimize import OptimizeSettings, clean_level, optimize, start_state
from adstudio.engine.regions import Regions
from adstudio.engine.sample import SampleSettings
from adstudio.engine.tiled_optimize import TiledState, Tiles, tiled_optimize, tiled_start
from adstudio.engine.windows import Window, shares, whole_axes, windows
from adstudio.jobs.choices import Seamless
from adstudio.models.families import Family
from tests.engine.tiny_loops import FAMILIES, distiller, last, sampler
from tests.engine.tiny_parts import backbone, picture, tiny_parts, traces

SETTINGS = OptimizeSettings(iterations=2, learning_rate=0.05)
STEPS = 2


def tiled(
    model: Backbone,
    start: Tensor,
    parts: tuple[Window, ...],
    *,
    content: Tensor | None = None,
    state: TiledState | None = None,
    regions: Regions | None = None,
    weight: float = 0.25,
) -> list[TiledState]:
    """Every state of a run over the canvas that begins with these latents."""
    rows, columns = start.shape[-2:]
    tiles = Tiles(parts, rows, columns, 2, regions)
    return list(
        tiled_optimize(
            distiller(model, content_weight=weight),
            model.schedule(STEPS, None, 64, 64),
            [model.encode(picture(32, 32))],
            content,
            SETTINGS,
            tiles,
            state or tiled_start(start),
        )
    )


@pytest.mark.parametrize("wraps", list(Seamless))
@pytest.mark.parametrize("size", [(64, 64), (64, 72), (33, 80), (63, 20), (100, 129)])
def test_windows_cover_every_place_and_their_shares_add_up_to_one(size: tuple[int, int], wraps: Seamless) -> None:
    parts = windows(*size, 32, 24, wraps=wraps)
    together = torch.zeros(1, 1, *size)
    for part, share in zip(parts, shares(parts, *size, 8), strict=True):
        assert share.min() > 0
        part.add(together, share)
    torch.testing.assert_close(together, torch.ones_like(together))


def test_windows_that_wrap_are_spread_evenly_and_read_and_write_beyond_the_edge() -> None:
    parts = windows(6, 10, 6, 4, wraps=Seamless.X)
    assert [(part.left, part.width) for part in parts] == [(0, 6), (3, 6), (6, 6)]
    canvas = torch.arange(60.0).reshape(1, 1, 6, 10)
    assert torch.equal(parts[2].of(canvas), canvas.roll(-6, 3)[..., :6])
    corner = Window(4, 8, 4, 4)
    assert torch.equal(corner.of(canvas), canvas.roll((-4, -8), (2, 3))[..., :4, :4])
    written = torch.zeros_like(canvas)
    corner.add(written, corner.of(canvas))
    expected = torch.zeros_like(canvas)
    for row in range(4):
        for column in range(4):
            expected[0, 0, (4 + row) % 6, (8 + column) % 10] = canvas[0, 0, (4 + row) % 6, (8 + column) % 10]
    assert torch.equal(written, expected)


def test_the_network_wraps_itself_where_a_window_is_as_long_as_the_side() -> None:
    assert whole_axes(64, 64, 64, Seamless.BOTH) is Seamless.BOTH
    assert whole_axes(64, 65, 64, Seamless.BOTH) is Seamless.Y
    assert whole_axes(65, 64, 64, Seamless.BOTH) is Seamless.X
    assert whole_axes(65, 65, 64, Seamless.BOTH) is Seamless.NONE
    assert whole_axes(64, 64, 64, Seamless.X) is Seamless.X


@pytest.mark.parametrize("family", FAMILIES)
def test_one_window_is_ordinary_optimisation_to_the_bit(family: Family) -> None:
    model = backbone(family)
    content = model.encode(picture(32, 48, 1))
    plain = last(
        optimize(
            distiller(model, content_weight=0.25),
            model.schedule(STEPS, None, 64, 64),
            [model.encode(picture(32, 32))],
            content,
            SETTINGS,
            start_state(content),
        )
    )
    states = tiled(model, content, windows(content.shape[-2], content.shape[-1], 64), content=content)
    assert torch.equal(states[-1].latents, plain.latents)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_update_is_made_of_the_gradients_of_all_windows(family: Family) -> None:
    """Against a plain computation: each place's gradient is the weighted mean of the windows that hold it."""
    model = backbone(family)
    content = model.encode(picture(64, 96, 1))
    start = content + 0.1
    rows, columns = content.shape[-2:]
    side = rows
    parts = windows(rows, columns, side, side // 2)
    assert len(parts) == 2
    references = [model.encode(picture(32, 32))]
    levels = [clean_level(level) for level in model.schedule(STEPS, None, 64, 64).levels[:-1]]
    losses = distiller(model, content_weight=0.25)
    offered = losses.offered(levels[: levels_at_once(model, references)], references, (side, side))[0]
    total, weight = torch.zeros_like(start), torch.zeros(columns)
    hill = torch.tensor([min(place + 0.5, side - place - 0.5, 2.0) for place in range(side)])
    for left in (0, columns - side):
        seen, crop = content[..., left : left + side], start[..., left : left + side]
        objective = losses.window_objective(levels[0], offered, seen, (side, side), None)
        total[..., left : left + side] += hill * losses.evaluate(objective, crop).gradient
        weight[left : left + side] += hill
    mean = total / weight
    states = tiled(model, start, parts, content=content)
    moved = next(state for state in states if state.updates == 1).latents
    expected = start - SETTINGS.learning_rate * mean / (mean.abs() + 1e-8)
    clear = mean.abs() > 1e-5 * mean.abs().max()
    torch.testing.assert_close(moved[clear], expected[clear], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_going_on_between_windows_gives_the_same_bits(family: Family) -> None:
    model = backbone(family)
    before = traces(model)
    content = model.encode(picture(64, 96, 1))
    side = content.shape[-2]
    parts = windows(side, content.shape[-1], side, side // 2)
    states = tiled(model, content, parts, content=content)
    assert len(states) == STEPS * SETTINGS.iterations * len(parts)
    for number in (0, 2, len(states) - 2):
        again = tiled(model, content, parts, content=content, state=states[number])
        assert len(again) == len(states) - number - 1
        assert torch.equal(again[-1].latents, states[-1].latents)
    assert traces(model) == before


def test_the_first_update_of_a_transfer_has_no_content_gradient() -> None:
    model = backbone(Family.SD15)
    content = model.encode(picture(64, 96, 1))
    parts = windows(8, 12, 8, 4)
    kept, free = (tiled(model, content, parts, content=content, weight=weight) for weight in (5.0, 0.0))
    assert torch.equal(kept[1].latents, free[1].latents)
    assert not torch.equal(kept[3].latents, free[3].latents)
    assert kept[1].evaluation is not None and float(kept[1].evaluation.content_loss) == 0


@pytest.mark.parametrize("axes", [Seamless.X, Seamless.Y, Seamless.BOTH])
def test_a_texture_has_no_seam_where_windows_wrap(axes: Seamless) -> None:
    """Rolling the start by the distance of two windows rolls the result, so no place is an edge."""
    model = StableDiffusion(tiny_parts(Family.SD15, dtype=torch.float64))
    start = torch.randn(1, 4, 12, 12, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    parts = windows(12, 12, 8, 6, wraps=axes)
    rolled = {Seamless.X: (0, 6), Seamless.Y: (6, 0), Seamless.BOTH: (6, 6)}[axes]
    straight = tiled(model, start, parts)[-1].latents
    moved = tiled(model, start.roll(rolled, (2, 3)), parts)[-1].latents
    torch.testing.assert_close(straight.roll(rolled, (2, 3)), moved, rtol=0, atol=1e-6)
    parts = windows(12, 12, 8, 6)
    edged = tiled(model, start.roll(rolled, (2, 3)), parts)[-1].latents
    assert not torch.allclose(tiled(model, start, parts)[-1].latents.roll(rolled, (2, 3)), edged, atol=1e-3)


def test_a_sampled_canvas_has_no_seam_where_windows_wrap() -> None:
    model = StableDiffusion(tiny_parts(Family.SD15, dtype=torch.float64))
    start = torch.randn(1, 4, 12, 12, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    found = []
    for canvas in (start, start.roll((6, 6), (2, 3))):
        steps = sampler(model)
        steps.settings = SampleSettings(iterations=0)
        parts = windows(12, 12, 8, 6, wraps=Seamless.BOTH)
        windowed = WindowedSampler(steps, model.schedule(STEPS, None, 96, 96), parts)
        found.append(last(multidiffusion(windowed, CanvasState(latents=canvas))).latents)
    torch.testing.assert_close(found[0].roll((6, 6), (2, 3)), found[1], rtol=0, atol=1e-9)


def test_labels_of_a_window_are_those_where_it_lies() -> None:
    target, offered = (
        torch.arange(4).repeat_interleave(wide // 4).repeat(high, 1) for high, wide in ((64, 96), (32, 32))
    )
    regions = Regions(target, (offered,))
    tiles = Tiles(windows(8, 12, 8, 4, wraps=Seamless.X), 8, 12, 2, regions)
    seen = [tiles.regions(number, 8) for number in range(3)]
    assert [sorted(set(each.target[0].tolist())) for each in seen if each is not None] == [
        [0, 1, 2],
        [1, 2, 3],
        [0, 1, 2, 3],
    ]
    model = backbone(Family.SD15)
    content, parts = model.encode(picture(64, 96, 1)), windows(8, 12, 8, 4)
    free, paired = (tiled(model, content, parts, regions=each)[-1].latents for each in (None, regions))
    assert torch.isfinite(paired).all()
    assert not torch.equal(free, paired)


def test_the_reference_is_read_once_a_level_for_all_windows() -> None:
    model: Any = backbone(Family.FLUX)
    assert isinstance(model, Flux)
    passes: list[int] = []
    handle = model.networks[0].register_forward_pre_hook(lambda *_: passes.append(1))
    start = model.encode(picture(64, 128, 1))
    parts = windows(4, 8, 4, 2)
    states = tiled(model, start, parts, weight=0.0)
    handle.remove()
    assert len(passes) == len(states) + -(-STEPS // levels_at_once(model, [model.encode(picture(32, 32))]))

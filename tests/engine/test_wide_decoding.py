"""Decoding by windows of the whole decoder: near to the plain decoder, and without a seam."""

from __future__ import annotations

import pytest
import torch

from adstudio.engine import wide_decoding as wide
from adstudio.jobs.choices import Seamless
from adstudio.models.families import Family
from tests.engine.tiny_parts import backbone, picture, traces


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, latents in (("_WINDOW", 48), ("_STRIDE", 24), ("_RAMP", 20)):
        monkeypatch.setattr(wide, name, latents)


def test_it_is_near_to_the_plain_decoder_and_leaves_the_vae() -> None:
    model = backbone(Family.SD15)
    before = traces(model)
    latents = model.encode(picture(640, 800, 3))
    plain = model.decode(latents)
    with wide.wide_decoding(model.networks[1], Seamless.NONE):
        found = model.decode(latents)
    assert found.shape == plain.shape
    assert float((found - plain).abs().mean()) < 0.02 * float(plain.std() * 5)
    assert traces(model) == before


@pytest.mark.parametrize("axes", [Seamless.X, Seamless.Y, Seamless.BOTH])
def test_a_picture_that_tiles_has_no_edge(axes: Seamless) -> None:
    """Rolling the latents by the distance of two windows rolls the picture."""
    model = backbone(Family.SD15)
    latents = torch.randn(1, 4, 72, 72, generator=torch.Generator().manual_seed(1))
    rolled = {Seamless.X: (0, 24), Seamless.Y: (24, 0), Seamless.BOTH: (24, 24)}[axes]
    with model.seamless(axes), wide.wide_decoding(model.networks[1], axes):
        straight, moved = model.decode(latents), model.decode(latents.roll(rolled, (2, 3)))
    difference = (straight.roll([8 * by for by in rolled], (2, 3)) - moved).abs()
    assert float(difference.mean()) < 0.01, "only the statistics, taken at other places, differ a little"
    rows = 8 * rolled[0]
    columns = 8 * rolled[1]
    seam = difference[..., max(0, rows - 4) : rows + 4, :] if rows else difference[..., :, columns - 4 : columns + 4]
    assert float(seam.mean()) < 2 * float(difference.mean()) + 1e-4

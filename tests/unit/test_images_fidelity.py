"""Fidelity figures against plain second implementations, and against the notes' own script where that is at hand."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from adstudio.images.colour import srgb_to_oklab
from adstudio.images.fidelity import (
    copy_rate,
    measure,
    seam,
    stroke_distance,
    structure,
    style_distance,
)

Picture = NDArray[np.float32]
Plain = NDArray[np.float64]
SCRIPT = Path(__file__).resolve().parents[2].parent / "shared" / "fidelity.py"


def blobs(seed: int, side: int = 256, softness: int = 4) -> Picture:
    """Coloured noise with structure at several sizes; softness: finest detail in pixels."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side, 3))
    for size in (64, 32, 16, 8, 4, 2, 1):
        if size >= softness:
            noise = rng.random((-(-side // size), -(-side // size), 3))
            total += noise.repeat(size, 0).repeat(size, 1)[:side, :side] * size**0.5
    low, high = float(total.min()), float(total.max())
    return np.asarray((total - low) / (high - low), np.float32)


def strokes(seed: int, side: int = 256) -> Picture:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    bend = np.sin(x / 17 + rng.random() * 6) * 3 + np.cos(y / 29) * 5
    on = ((x + y + bend) // 5) % 2
    first, second = rng.random(3), rng.random(3)
    return np.asarray(on[..., None] * first + (1 - on[..., None]) * second * 0.8, np.float32)


def plain_mean_pool(picture: Plain, factor: int) -> Plain:
    height, width = picture.shape[0] // factor, picture.shape[1] // factor
    out = np.zeros((height, width, picture.shape[2]))
    for y in range(factor):
        for x in range(factor):
            out += picture[y : height * factor : factor, x : width * factor : factor]
    return out / factor**2


def plain_windows(picture: Plain, side: int) -> Plain:
    """Every side × side patch as a row: [places, side² · channels]."""
    height, width = picture.shape[0] - side + 1, picture.shape[1] - side + 1
    columns = [picture[y : y + height, x : x + width].reshape(height * width, -1) for y, x in np.ndindex(side, side)]
    return np.concatenate(columns, axis=1)


def plain_sliced(first: Plain, second: Plain, directions: int) -> float:
    """Sliced 1-Wasserstein distance of two clouds of as many points."""
    rng = np.random.default_rng(99)
    total = 0.0
    for _ in range(directions):
        axis: Plain = rng.standard_normal((first.shape[1],))
        axis /= math.sqrt(float((axis**2).sum()))
        total += float(np.abs(np.sort(first @ axis) - np.sort(second @ axis)).mean())
    return total / directions


def plain_gradient(picture: Plain) -> Plain:
    light = 0.299 * picture[..., 0] + 0.587 * picture[..., 1] + 0.114 * picture[..., 2]
    wide = np.pad(light, 1, mode="reflect")
    out = np.zeros_like(light)
    for y in range(light.shape[0]):
        for x in range(light.shape[1]):
            p = wide[y : y + 3, x : x + 3]
            gx = (p[0, 0] + 2 * p[1, 0] + p[2, 0] - p[0, 2] - 2 * p[1, 2] - p[2, 2]) / 8
            gy = (p[0, 0] + 2 * p[0, 1] + p[0, 2] - p[2, 0] - 2 * p[2, 1] - p[2, 2]) / 8
            out[y, x] = math.sqrt(gx * gx + gy * gy + 1e-8)
    return out


def plain_structure(result: Plain, content: Plain) -> float:
    values = []
    for scale in (2, 4, 8):
        a, b = plain_gradient(plain_mean_pool(result, scale)), plain_gradient(plain_mean_pool(content, scale))
        a = (a - a.mean()) / max(float(a.std(ddof=1)), 1e-5)
        b = (b - b.mean()) / max(float(b.std(ddof=1)), 1e-5)
        local = []
        for y in range(a.shape[0] - 10):
            for x in range(a.shape[1] - 10):
                p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
                covariance = float((p * q).mean() - p.mean() * q.mean())
                local.append((2 * covariance + 1e-4) / (float(p.var() + q.var()) + 1e-4))
        values.append(sum(local) / len(local))
    return sum(values) / 3


def plain_bands(picture: Plain) -> list[Plain]:
    out: list[Plain] = []
    for _ in range(4):
        wide: Plain = np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="reflect")
        height, width = picture.shape[:2]
        low: Plain = np.mean([wide[y : y + height, x : x + width] for y, x in np.ndindex(5, 5)], axis=0)
        out.append(picture - low)
        picture = plain_mean_pool(low, 2)
    return out


def test_structure_against_a_plain_implementation() -> None:
    content = blobs(1, side=96)
    for result in (blobs(2, side=96), np.clip(content * 0.6 + 0.3 * blobs(3, side=96), 0, 1)):
        wanted = plain_structure(result.astype(np.float64), content.astype(np.float64))
        assert structure(result, content) == pytest.approx(wanted, abs=2e-3)


def test_structure_of_the_same_and_of_another_picture() -> None:
    content = blobs(1)
    assert structure(content, content) == pytest.approx(1)
    assert structure(1 - content, content) == pytest.approx(1, abs=1e-3)
    assert structure(blobs(2), content) < 0.3
    blended = [structure(np.float32(1 - t) * content + np.float32(t) * blobs(2), content) for t in (0.2, 0.5, 0.8)]
    assert blended == sorted(blended, reverse=True)


def test_palette_against_a_plain_implementation() -> None:
    result, style = blobs(1), strokes(2)
    first, second = (srgb_to_oklab(p).reshape(-1, 3).astype(np.float64) for p in (result, style))
    assert measure(result, style).palette == pytest.approx(plain_sliced(first, second, 60), rel=0.15)


def test_style_against_a_plain_implementation() -> None:
    result, style = blobs(1, side=96), strokes(2, side=96)
    wanted = []
    for scale in (1, 2, 4, 8):
        first, second = (plain_windows(plain_mean_pool(p.astype(np.float64), scale), 7) for p in (result, style))
        wanted.append(plain_sliced(first, second, 60) / 7)
    assert style_distance(result, style) == pytest.approx(float(np.mean(wanted)), rel=0.15)


def test_stroke_against_a_plain_implementation() -> None:
    result, style = blobs(1, side=96), strokes(2, side=96)
    wanted = []
    for a, b in zip(plain_bands(result.astype(np.float64)), plain_bands(style.astype(np.float64)), strict=True):
        spread = max(float(b.std(ddof=1)), 1e-3)
        wanted.append(plain_sliced(plain_windows(a / spread, 5), plain_windows(b / spread, 5), 60))
    assert stroke_distance(result, style) == pytest.approx(float(np.mean(wanted)), rel=0.15)


def test_distances_are_small_for_the_same_look_and_see_blur() -> None:
    style, other = strokes(1, side=128), blobs(2, side=128)
    turned = style[::-1, ::-1].copy()
    blurred = np.mean([np.roll(style, (y, x), (0, 1)) for y in range(-2, 3) for x in range(-2, 3)], axis=0)
    for distance in (style_distance, stroke_distance):
        far = distance(other, style)
        assert distance(style, style) < 0.02 * far
        assert distance(turned, style) < 0.2 * far
    assert stroke_distance(blurred.astype(np.float32), style) > 5 * stroke_distance(turned, style)


def test_copy_rate_counts_neighbours_that_stay_neighbours() -> None:
    """Left half copied, right half flat: 24 of 56 pairs in a row lie wholly in the copy, 8 more lie across its edge."""
    style = np.random.default_rng(5).random((256, 256, 3), np.float32)
    result = style.copy()
    result[:, 128:] = 0.5
    assert 24 / 56 <= copy_rate(result, style) <= 33 / 56
    assert copy_rate(style, style) == 1


@pytest.mark.parametrize("axis", [0, 1])
def test_seam(axis: int) -> None:
    rng = np.random.default_rng(5)
    steps = rng.choice([-1.0, 1.0], 64)
    steps[-1] -= steps.sum()  # so that the walk ends where it began; its last step leads across the wrap
    walk = np.cumsum(steps).astype(np.float32) * np.float32(0.01) + np.float32(0.5)
    line = np.moveaxis(np.tile(walk, (48, 1))[..., None].repeat(3, 2), 1, axis)
    across = abs(float(walk[0] - walk[-1]))
    inside = float(np.abs(np.diff(walk)).mean())
    assert seam(line) == pytest.approx(across / inside, rel=1e-4)
    other = line.copy()
    torn = np.linspace(0, 0.3, 48, dtype=np.float32)
    other += torn[:, None, None] if axis == 1 else torn[None, :, None]
    assert seam(other) == pytest.approx(47, rel=1e-3)  # the worse of both


def test_measuring_takes_any_size_and_only_what_applies() -> None:
    figures = measure(blobs(1, side=90)[:70], strokes(2, side=300)[:, :200])
    assert (figures.structure, figures.copy_rate, figures.seam) == (None, None, None)
    result, style, content = blobs(1), strokes(2), blobs(3)
    full = measure(result, style, content, seamless=True, copies=True)
    assert full.structure == structure(result, content)
    assert full.copy_rate == copy_rate(result, style)
    assert full.seam == seam(result)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 800, 3), (800, 1, 3)])
def test_measuring_thin_and_flat_pictures(shape: tuple[int, int, int]) -> None:
    flat = np.full(shape, 0.4, np.float32)
    figures = measure(flat, flat, flat, seamless=True)
    assert (figures.style, figures.stroke, figures.palette) == pytest.approx((0, 0, 0), abs=1e-4)
    assert figures.structure == pytest.approx(1)
    assert figures.seam == 1


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    """The script itself, on one thread so that it does not stand in the way of other tests."""
    if not SCRIPT.exists():
        pytest.skip("the notes' fidelity script does not lie beside this checkout")
    spec = importlib.util.spec_from_file_location("notes_fidelity", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    threads = module.torch.get_num_threads()
    module.torch.set_num_threads(1)
    yield module
    module.torch.set_num_threads(threads)


def written(folder: Path, **pictures: Picture) -> list[Path]:
    for name, picture in pictures.items():
        Image.fromarray(np.round(picture * 255).astype(np.uint8)).save(folder / f"{name}.png")
    return [folder / f"{name}.png" for name in pictures]


def test_figures_agree_with_the_notes(script: Any, tmp_path: Path) -> None:
    style, content = strokes(1), blobs(7)
    result = np.clip(style * 0.9 + 0.1 * blobs(2), 0, 1)
    theirs = script.figures(*written(tmp_path, result=result, style=style, content=content))
    ours = measure(result, style, content)
    assert ours.style == pytest.approx(theirs["style_swd"], rel=0.1)
    assert ours.stroke == pytest.approx(theirs["stroke_swd"], rel=0.1)
    assert ours.palette == pytest.approx(theirs["palette_swd"], rel=0.1)
    assert ours.structure == pytest.approx(theirs["structure"], abs=0.01)


def test_figures_of_other_sizes_agree_with_the_notes(script: Any, tmp_path: Path) -> None:
    result, style, content = blobs(3, side=400)[:240], strokes(4, side=330)[:, :300], blobs(7, side=400)[:240]
    paths = written(tmp_path, result=result, style=style, content=content)
    theirs = [script.load(path) for path in paths]
    ours = measure(result, style, content)
    assert ours.palette == pytest.approx(script.sw(script.oklab(theirs[0]), script.oklab(theirs[1]), 64), rel=0.1)
    assert ours.structure == pytest.approx(script.structure(theirs[0], theirs[2]), abs=0.01)


def test_the_copy_rate_agrees_with_the_notes(script: Any, tmp_path: Path) -> None:
    style = blobs(5, softness=2)
    result = style.copy()
    result[60:, 100:] = blobs(6, softness=2)[60:, 100:]
    theirs = script.copy_rate(*(script.load(path) for path in written(tmp_path, result=result, style=style)))
    assert copy_rate(result, style) == pytest.approx(theirs, abs=0.01)

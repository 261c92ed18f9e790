"""Label masks: which values are labels, where soft edges go, and which masks belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from adstudio.errors import ImageError, JobError
from adstudio.images import LabelMask, load_label_mask, load_protect_mask, pair_labels
from adstudio.images.snap import label_counts, snapped
from tests.unit.picture_files import as_stored, exif_of, quarters, saved

Labels = NDArray[np.uint8]


def mask_file(path: Path, labels: Labels, **options: Any) -> Path:
    if path.suffix == ".webp":
        options["lossless"] = True
    Image.fromarray(labels).save(path, **options)
    return path


def three_regions(side: int = 120) -> Labels:
    """0 to the left, 255 to the right, a disc of 128 in the lower left."""
    y, x = np.mgrid[:side, :side]
    labels = np.where(x < side // 2, 0, 255).astype(np.uint8)
    labels[np.hypot(y - 0.7 * side, x - 0.25 * side) < 0.18 * side] = 128
    return labels


def softened(labels: Labels, rounds: int = 1) -> Labels:
    """Edges as a paint program with antialiasing leaves them: averages of 3 × 3."""
    soft = labels.astype(np.float64)
    for _ in range(rounds):
        wide = np.pad(soft, 1, mode="edge")
        height, width = soft.shape
        soft = np.mean([wide[y : y + height, x : x + width] for y, x in np.ndindex(3, 3)], axis=0)
    return np.round(soft).astype(np.uint8)


def mask_of(path: str, *values: int) -> LabelMask:
    return LabelMask(labels=np.array([values], np.uint8), path=Path(path))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp"])
def test_grey_values_are_labels(tmp_path: Path, suffix: str) -> None:
    labels = three_regions()
    found = load_label_mask(mask_file(tmp_path / f"a{suffix}", labels), expected_size=(120, 120))
    assert (found.labels == labels).all()
    assert found.labels.dtype == np.uint8
    assert not found.labels.flags.writeable
    assert found.values == (0, 128, 255)
    assert found.notices == ()


def test_palette_indices_are_labels_whatever_their_colours(tmp_path: Path) -> None:
    labels = (three_regions() // 64).astype(np.uint8)
    for name, transparent in (("a.png", None), ("b.png", 2), ("c.gif", None)):
        indexed = Image.frombytes("P", (120, 120), labels.tobytes())
        indexed.putpalette([9, 9, 9, 255, 0, 0, 9, 9, 10, 0, 0, 255])
        indexed.save(tmp_path / name, optimize=False, transparency=transparent)
        found = load_label_mask(tmp_path / name)
        assert found.values == (0, 2, 3)
        assert (found.labels == labels).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "1"])
def test_grey_in_other_clothes(tmp_path: Path, mode: str) -> None:
    labels = np.where(three_regions() > 0, 255, 0).astype(np.uint8)
    Image.fromarray(labels).convert(mode).save(tmp_path / "a.png")
    assert (load_label_mask(tmp_path / "a.png").labels == labels).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_masks_are_turned_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    labels = three_regions()[:90]
    stored = np.ascontiguousarray(as_stored(labels, orientation))
    path = mask_file(tmp_path / f"a{suffix}", stored, exif=exif_of(orientation))
    assert (load_label_mask(path, expected_size=(120, 90)).labels == labels).all()


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_soft_edges_snap_to_the_labels_beside_them(tmp_path: Path, rounds: int) -> None:
    labels = three_regions()
    found = load_label_mask(mask_file(tmp_path / "a.png", softened(labels, rounds)))
    assert found.values == (0, 128, 255)
    assert (found.labels != labels).mean() < 0.01
    assert "label" in found.notices[0]
    assert "a.png" in found.notices[0]
    edge = found.labels[:40, 50:70]  # between 0 and 255, where 128 is nearest by value but far away
    assert set(np.unique(edge)) == {0, 255}
    assert (edge[:, :8] == 0).all()
    assert (edge[:, 12:] == 255).all()


def test_the_marks_of_jpeg_snap_too(tmp_path: Path) -> None:
    labels = np.where(three_regions(160) == 128, 130, np.where(three_regions(160) == 0, 10, 250)).astype(np.uint8)
    found = load_label_mask(mask_file(tmp_path / "a.jpg", labels, quality=85))
    assert len(found.values) == 3
    assert np.abs(np.array(found.values) - [10, 130, 250]).max() <= 2
    near = np.abs(found.labels.astype(int) - labels)
    assert (near > 2).mean() < 0.02


@pytest.mark.parametrize("filtering", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("values", [(0, 200), (60, 200), (0, 128, 255), (40, 90, 150)])
@pytest.mark.parametrize("factor", [3, 8])
def test_a_mask_that_was_enlarged_smoothly_has_the_labels_it_had(
    tmp_path: Path, filtering: Image.Resampling, values: tuple[int, ...], factor: int
) -> None:
    labels = np.array(values, np.uint8)[np.searchsorted([0, 128, 255][: len(values)], three_regions()) % len(values)]
    size = (120 * factor, 120 * factor)
    large = np.asarray(Image.fromarray(labels).resize(size, filtering))
    found = load_label_mask(mask_file(tmp_path / "large.png", large))
    assert found.values == values
    plain = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST))
    assert (found.labels != plain).mean() < 0.02
    assert found.notices


def test_labels_close_together_stay_apart_where_edges_are_hard() -> None:
    labels = np.full((120, 120), 100, np.uint8)
    labels[60:] = 255
    labels[10:20, 10:20] = 104
    found = snapped(labels)
    assert found is not None
    assert (found[0] == labels).all()


def test_soft_edges_between_two_labels() -> None:
    labels = np.where(three_regions() == 255, 200, 40).astype(np.uint8)
    found = snapped(softened(labels))
    assert found is not None
    assert set(np.unique(found[0])) == {40, 200}
    assert found[1] > 0
    assert (found[0] != labels).mean() < 0.02


def test_hard_masks_stay_as_they_are() -> None:
    labels = three_regions()
    labels[10:13, 10:40] = 128
    labels[60, 60] = 128
    found = snapped(labels)
    assert found is not None
    assert found[1] == 0
    assert found[0] is labels


def test_a_small_spot_is_a_label_when_it_is_compact() -> None:
    labels = np.zeros((1000, 1000), np.uint8)
    labels[:, 500:] = 9
    labels[100:108, 100:108] = 5
    found = snapped(labels)
    assert found is not None
    assert found[1] == 0
    speck = labels.copy()
    speck[100:108, 100:108] = 0
    speck[300:303, 300] = 5
    found = snapped(speck)
    assert found is not None
    assert (found[1], int(found[0][301, 300])) == (3, 0)


@pytest.mark.parametrize("labels", [2, 5, 40])
def test_stripes_of_many_labels(labels: int) -> None:
    stripes = np.repeat(np.arange(labels, dtype=np.uint8) * 6, 4)[None].repeat(30, 0)
    found = snapped(np.ascontiguousarray(stripes))
    assert found is not None
    assert found[1] == 0
    assert (found[0] == stripes).all()


def test_two_values_are_two_labels_however_they_lie() -> None:
    board = (np.indices((16, 16)).sum(0) % 2 * 77).astype(np.uint8)
    found = snapped(board)
    assert found is not None
    assert (found[0] == board).all()


@pytest.mark.parametrize("kind", ["gradient", "slow gradient", "noise", "photo"])
def test_pictures_are_no_masks(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:256, :256]
    grey: dict[str, NDArray[Any]] = {
        "gradient": x,
        "slow gradient": y // 5,
        "noise": rng.integers(0, 256, (256, 256)),
        "photo": 128 + 60 * np.sin(x / 23) * np.cos(y / 31) + rng.normal(0, 4, (256, 256)),
    }
    path = mask_file(tmp_path / "photo.png", grey[kind].clip(0, 255).astype(np.uint8))
    with pytest.raises(ImageError, match=r"photo\.png: .*no clear regions"):
        load_label_mask(path)


@given(st.integers(1, 12), st.integers(1, 12), st.lists(st.integers(0, 255), min_size=1, max_size=6), st.integers())
def test_snapping_only_gives_values_that_were_there(height: int, width: int, values: list[int], seed: int) -> None:
    rng = np.random.default_rng(abs(seed))
    raw = rng.choice(np.array(values, np.uint8), (height, width))
    before = raw.copy()
    found = snapped(raw)
    assert (raw == before).all()
    if found is not None:
        assert found[0].shape == raw.shape
        assert set(np.unique(found[0])) <= set(np.unique(raw))
        assert int((found[0] != raw).sum()) == found[1]


def test_counting() -> None:
    labels = np.arange(6, dtype=np.uint8).repeat(400_000).reshape(3, -1)
    assert label_counts(labels)[:7].tolist() == [400_000] * 6 + [0]


@pytest.mark.parametrize("size", [(119, 120), (120, 121), (60, 60)])
def test_a_mask_of_another_size_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    path = mask_file(tmp_path / "regions.png", three_regions())
    with pytest.raises(ImageError, match=rf"regions\.png: the mask is 120 × 120 .* {size[0]} × {size[1]}"):
        load_label_mask(path, expected_size=size)


def test_what_cannot_be_a_mask(tmp_path: Path) -> None:
    colours = saved(tmp_path / "colours.png", quarters())
    deep = tmp_path / "deep.png"
    Image.fromarray(three_regions().astype(np.uint16)).save(deep)
    hollow = tmp_path / "hollow.png"
    see_through = np.dstack((three_regions(),) * 3 + (three_regions(),))
    Image.fromarray(see_through).save(hollow)
    hollow_grey = tmp_path / "hollow-grey.png"
    Image.fromarray(see_through).convert("LA").save(hollow_grey)
    for path, word in ((colours, "colours"), (deep, "8-bit"), (hollow, "transparent"), (hollow_grey, "transparent")):
        with pytest.raises(ImageError, match=rf"{path.name}: .*{word}"):
            load_label_mask(path)


def test_pairing_gives_the_targets_labels() -> None:
    target = mask_of("content.png", 0, 1, 2)
    assert pair_labels(target, [mask_of("a.png", 0, 1), mask_of("b.png", 2, 7)]) == (0, 1, 2)
    assert pair_labels(target, [mask_of("a.png", 1), None]) == (0, 1, 2)
    assert pair_labels(target, [None]) == (0, 1, 2)
    assert pair_labels(None, [None, None]) == ()
    assert pair_labels(mask_of("content.png", 3), [mask_of("a.png", 3, 4)]) == (3,)
    assert pair_labels(mask_of("content.png", 3, 4), [mask_of("a.png", 3), mask_of("b.png", 4)]) == (3, 4)


@pytest.mark.parametrize(
    ("target", "references", "field", "words"),
    [
        ((0, 1, 9), [(0, 1), (0,)], "content_mask", ["label 9", "content.png", "0.png", "1.png"]),
        ((0, 1), [(0, 1), (7, 8)], "styles.1.mask", ["label 7", "1.png", "content.png"]),
        ((0, 1), [(7,), None], "styles.0.mask", ["label 7", "0.png"]),
        ((0,), [(0,)], "content_mask", ["label 0", "content.png", "0.png", "divide nothing"]),
        ((0,), [(0,), None], "content_mask", ["label 0", "divide nothing"]),
        (None, [None, (3, 4)], "styles.1.mask", ["label 3", "1.png", "content_mask"]),
    ],
)
def test_masks_that_do_not_pair(
    target: tuple[int, ...] | None, references: list[tuple[int, ...] | None], field: str, words: list[str]
) -> None:
    masks = [None if values is None else mask_of(f"{k}.png", *values) for k, values in enumerate(references)]
    with pytest.raises(JobError) as caught:
        pair_labels(None if target is None else mask_of("content.png", *target), masks)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    for word in words:
        assert word in str(caught.value)


def test_protecting_follows_grey_and_the_centre_crop(tmp_path: Path) -> None:
    keep = np.zeros((60, 120), np.uint8)
    keep[:, 30:90] = 255
    keep[:, 60:90] = 128
    path = mask_file(tmp_path / "a.png", keep)
    whole = load_protect_mask(path, (120, 60))
    np.testing.assert_allclose(whole, keep / 255, atol=1e-6)
    assert whole.dtype == np.float32
    centre = load_protect_mask(path, (60, 60))  # as the content is cropped for a square result
    np.testing.assert_allclose(centre, keep[:, 30:90] / 255, atol=1e-6)
    half = load_protect_mask(path, (30, 30))
    np.testing.assert_allclose(half[:, [2, 12, 17, 27]], [[1, 1, 128 / 255, 128 / 255]] * 30, atol=0.01)


def test_what_is_transparent_is_not_protected(tmp_path: Path) -> None:
    painted = np.full((8, 8, 4), 255, np.uint8)
    painted[:, :4, 3] = 0
    saved(tmp_path / "a.png", painted)
    assert load_protect_mask(tmp_path / "a.png", (8, 8)).tolist() == [[0.0] * 4 + [1.0] * 4] * 8

"""The sample pictures: the index is complete, every file decodes, and the scripts draw the same picture again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "samples"
ROLES = {"content": 3, "style": 6, "appearance": 1, "texture": 4}
"""Roles and the fewest samples of each."""
INDEX: dict[str, Any] = json.loads((FOLDER / "samples.json").read_text("utf-8"))
SAMPLES: list[dict[str, str]] = INDEX["samples"]
MOST_BYTES, MOST_BYTES_TOGETHER = 350_000, 4_000_000


def test_every_picture_is_listed_once_and_every_entry_has_its_picture() -> None:
    pictures = {path.name for path in FOLDER.iterdir() if path.suffix in {".jpg", ".png"}}
    files = [sample["file"] for sample in SAMPLES]
    assert sorted(files) == sorted(pictures)
    assert len({sample["name"] for sample in SAMPLES}) == len(SAMPLES)


def test_every_role_has_enough_samples() -> None:
    roles = [sample["role"] for sample in SAMPLES]
    assert set(roles) == set(ROLES)
    for role, fewest in ROLES.items():
        assert roles.count(role) >= fewest, role


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample["name"]))
def test_sample(sample: dict[str, str]) -> None:
    assert set(sample) == {"name", "file", "role", "title", "description", "licence", "script"}
    assert sample["licence"] == "CC0-1.0"
    assert sample["title"]
    assert sample["description"].endswith(".")
    assert (FOLDER / sample["script"]).is_file()
    path = FOLDER / sample["file"]
    assert path.stat().st_size <= MOST_BYTES
    with Image.open(path) as image:
        image.load()
        assert image.mode == "RGB"
        longer = max(image.size)
        level = np.asarray(image.convert("L"), np.float32) / 255
    assert longer == 512 if sample["role"] == "texture" else 768 <= longer <= 1024
    dark, light = np.percentile(level, [2, 98])
    assert light - dark > 0.35, "hardly any tonal range"


def test_all_samples_together_stay_small() -> None:
    assert sum((FOLDER / sample["file"]).stat().st_size for sample in SAMPLES) <= MOST_BYTES_TOGETHER


@pytest.mark.parametrize("task", ["style_transfer", "appearance_transfer", "texture"])
def test_the_demo_names_samples_of_the_right_role(task: str) -> None:
    roles = {sample["name"]: sample["role"] for sample in SAMPLES}
    pair = INDEX["demo"][task]
    wanted = {"style_transfer": "style", "appearance_transfer": "appearance", "texture": "texture"}[task]
    assert roles[pair["style"]] == wanted
    if task != "texture":
        assert roles[pair["content"]] == "content"


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s["role"] == "texture"], ids=lambda s: str(s["name"]))
def test_textures_meet_at_their_edges(sample: dict[str, str]) -> None:
    with Image.open(FOLDER / sample["file"]) as image:
        level = np.asarray(image.convert("L"), np.float32)
    for picture in (level, level.T):
        seam = np.abs(picture[0] - picture[-1]).mean()
        inner = np.abs(np.diff(picture, axis=0)).mean(1)
        assert seam <= 1.3 * inner.max()


def _build(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(FOLDER / "build.py"), *arguments], capture_output=True, text=True, timeout=240, check=False
    )


@pytest.mark.timeout(500)
def test_a_script_draws_the_same_picture_again(tmp_path: Path) -> None:
    name = "painting_linocut"
    pixels = []
    for folder in ("first", "second"):
        done = _build(name, "--long-side", "96", "--out", str(tmp_path / folder))
        assert done.returncode == 0, done.stderr
        with Image.open(tmp_path / folder / f"{name}.jpg") as image:
            assert max(image.size) == 96
            pixels.append(np.asarray(image.convert("RGB")))
    assert np.array_equal(pixels[0], pixels[1])
    assert pixels[0].std() > 30


def test_an_unknown_name_is_refused_in_words(tmp_path: Path) -> None:
    done = _build("no_such_picture", "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "not in samples.json: no_such_picture" in done.stderr
    assert not (tmp_path / "out").exists()

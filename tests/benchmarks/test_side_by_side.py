"""The benchmarks at a tiny size, against a peer that hands the content back: so that their code cannot rot."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from adstudio.images import fidelity
from adstudio.images.fidelity import FidelityFigures
from adstudio.jobs.choices import Device
from tests.benchmarks.cases import Case, find_cases
from tests.benchmarks.contestants import Gmic, Made, Script
from tests.benchmarks.scaling import cost_of
from tests.benchmarks.scores import Entry, Score, table
from tests.benchmarks.side_by_side import compare
from tests.engine.studio import marks, save_picture, scene

_PEER = """
import shutil, sys
arguments = sys.argv[1:]
if arguments == ["-h"]:
    print("Version 1.2.3")
else:
    assert arguments[:2] == ["-v", "0"] and arguments[-2] == "-o"
    assert "syntexturize_matchpatch" in arguments or arguments[4:7] == ["stylize[0]", "[1]", "keep[0]"]
    shutil.copy(arguments[2], arguments[-1])
"""
_PROTOTYPE = "import shutil, sys; shutil.copy(sys.argv[2], sys.argv[3])"


@pytest.fixture(autouse=True)
def quick_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of a quarter of the pixels: here it only matters that they are taken of the right pictures."""
    monkeypatch.setattr(fidelity, "SIDE_PX", 128)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    save_picture(folder / "content_disc.png", scene(80, 64))
    save_picture(folder / "style_marks.png", marks(64, 72))
    save_picture(folder / "texture_marks.png", marks(64, 64, seed=1))
    return folder


def _score(ours: FidelityFigures, peer: FidelityFigures) -> Score:
    entries = {
        "ours": Entry(made=Made(result=Path("a.png"), seconds=1.0), figures=ours),
        "peer": Entry(made=Made(result=Path("b.png"), seconds=2.0), figures=peer),
    }
    return Score(case=Case(name="a+b", content=Path("a"), style=Path("b")), size_px=64, entries=entries)


def test_everybody_makes_every_case_and_table_figures_and_sheet_are_written(tmp_path: Path, images: Path) -> None:
    (tmp_path / "peer.py").write_text(_PEER)
    (tmp_path / "prototype.py").write_text(_PROTOTYPE)
    out = tmp_path / "out"
    outcome = compare(
        find_cases(images),
        [64],
        out,
        peer=Gmic((sys.executable, str(tmp_path / "peer.py"))),
        prototype=Script(tmp_path / "prototype.py"),
        device=Device.CPU,
    )
    assert [sorted(score.entries) for score in outcome.scores] == [
        ["ours", "peer", "prototype"],
        ["ours", "peer", "seamless"],
    ]
    assert not [entry for score in outcome.scores for entry in score.entries.values() if entry.made.failure]
    assert "Peer: G'MIC 1.2.3" in outcome.text
    assert "stroke and palette nearer with structure no more than 0.01 below: " in outcome.text
    assert "median ratio" in outcome.text
    assert (out / "table.txt").read_text(encoding="utf-8") == outcome.text
    figures = json.loads((out / "figures.json").read_bytes())["cases"][0]["entries"]
    assert figures["peer"]["figures"]["structure"] == pytest.approx(1, abs=0.02)  # it is the content itself
    assert figures["prototype"]["figures"]["stroke"] == pytest.approx(0, abs=0.02)  # it is the style itself
    (sheet,) = outcome.sheets
    with Image.open(sheet) as image:
        assert image.width > 5 * 64


def test_without_a_peer_it_says_how_to_get_one(tmp_path: Path, images: Path) -> None:
    outcome = compare(find_cases(images, textures=False), [32], tmp_path / "out", peer=None, device=Device.CPU)
    assert "Debian package gmic" in outcome.text
    assert "ratio" not in outcome.text


def test_a_peer_that_fails_is_named_and_not_counted(tmp_path: Path, images: Path) -> None:
    (tmp_path / "peer.py").write_text("import sys; sys.exit('no memory')")
    peer = Gmic((sys.executable, str(tmp_path / "peer.py")))
    outcome = compare(find_cases(images, textures=False), [32], tmp_path / "out", peer=peer, device=Device.CPU)
    assert "disc+marks, peer failed: exit status 1: no memory" in outcome.text
    assert "nearer" not in outcome.text


def test_any_number_of_pairs_takes_contents_and_styles_evenly(tmp_path: Path) -> None:
    for name in ("content_a", "content_b", "style_c", "painting_d", "style_e", "texture_f"):
        (tmp_path / f"{name}.png").touch()
    names = [case.name for case in find_cases(tmp_path)]
    assert len(names) == len(set(names)) == 7
    assert {name.split("+")[0] for name in names[:2]} == {"a", "b"}
    assert {name.split("+")[1] for name in names[:3]} > {"d"}
    assert [case.name for case in find_cases(tmp_path, only="a+*", pairs=2)] == ["a+d", "a+c"]


def test_structure_has_slack_and_the_others_have_none() -> None:
    peer = FidelityFigures(style=0.2, stroke=0.2, palette=0.2, structure=0.5)
    near = _score(FidelityFigures(style=0.3, stroke=0.1, palette=0.1, structure=0.495), peer)
    assert near.lost("style") and not near.lost("structure") and not near.together_lost()
    far = _score(FidelityFigures(style=0.1, stroke=0.1, palette=0.1, structure=0.48), peer)
    assert far.together_lost()
    text = table([near, far])
    assert "structure no more than 0.01 below: 1 of 2 (50 %)" in text
    assert "0.480*" in text and "  lost" in text
    assert "median ratio 0.50" in text


@pytest.mark.parametrize("texture", [False, True])
def test_cost_of_a_size_is_measured(texture: bool) -> None:
    cost = cost_of(48, Device.CPU, texture=texture)
    assert cost.seconds > 0 and cost.seconds_per_megapixel > 0
    assert 10e6 < cost.peak_bytes < 100e9

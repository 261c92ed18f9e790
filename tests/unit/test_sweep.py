"""`adstudio sweep` as its users meet it, and how values are read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adstudio.cli import main
from adstudio.errors import EngineError, JobError
from adstudio.images import load_image
from adstudio.jobs.sweep import parse_axis
from tests.fakes import Script, ScriptedEngine, write_picture


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("seed=1,2,3", "seed", ("1", "2", "3")),
        ("content_weight=0.1, 0.25", "content_weight", ("0.1", "0.25")),
        ("seamless=none, x,both", "seamless", ("none", "x", "both")),
        ("adain=true,false", "adain", ("true", "false")),
        ('layers=["10-15", "3,5-7"]', "layers", ("10-15", "3,5-7")),
        ('prompt="a, b","c"', "prompt", ("a, b", "c")),
        ("styles.0.crop=[0,0,8,8],[4,4,8,8]", "styles.0.crop", ("[0, 0, 8, 8]", "[4, 4, 8, 8]")),
        ("styles.0.image=a b.png,c=d.png", "styles.0.image", ("a b.png", "c=d.png")),
        ("seed=5", "seed", ("5",)),
    ],
)
def test_values_are_read_as_typed(text: str, field: str, values: tuple[str, ...]) -> None:
    axis = parse_axis(text)
    assert (axis.field, axis.values) == (field, values)


@pytest.mark.parametrize("text", ["", "seed", "=1,2", "seed=", "seed=1,2,1", "seed=[1,2,1.0e0,1]"])
def test_what_is_no_list_of_values_is_refused(text: str) -> None:
    with pytest.raises(JobError, match="--over"):
        parse_axis(text)


def test_a_grid_over_two_fields(
    engine: ScriptedEngine, job_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["sweep", str(job_file), "--over", "seed=1,2,3", "--over", "color=0.5,1", "--out", str(out)]
    assert main([*arguments, "--set", "num_inference_steps=4"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == f"Grid: {out / 'grid.png'}"
    assert len(printed.out.splitlines()) == 7
    taken = [(one.job.seed, one.job.color, one.job.num_inference_steps) for one in engine.taken]
    assert taken == [(1, 0.5, 4), (2, 0.5, 4), (3, 0.5, 4), (1, 1, 4), (2, 1, 4), (3, 1, 4)]
    plan = json.loads((out / "sweep.json").read_bytes())
    assert plan["over"] == [{"field": "seed", "values": ["1", "2", "3"]}, {"field": "color", "values": ["0.5", "1"]}]
    assert plan["jobs"][4]["source"] == "seed=2, color=1"
    assert plan["jobs"][4]["results"] == ["0005-seed-2-color-1/result.png"]
    with Image.open(out / "grid.png") as grid:
        assert grid.width > 3 * 176
    before = (out / "grid.png").stat().st_mtime_ns
    assert main(["sweep", "--out", str(out), "--resume"]) == 0
    assert (len(engine.taken), (out / "grid.png").stat().st_mtime_ns) == (6, before)
    (out / "grid.png").unlink()
    assert main(["sweep", "--out", str(out), "--resume"]) == 0
    assert (out / "grid.png").is_file()


def test_a_failed_cell_says_so_in_the_grid_and_can_be_tried_again(
    engine: ScriptedEngine, job_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    engine.scripts = [Script(), Script(error=EngineError("not a number")), Script()]
    assert main(["sweep", str(job_file), "--over", "seed=1,2,3", "--out", str(out)]) == 1
    assert "(seed=2): not a number" in capsys.readouterr().err
    failed = load_image(out / "grid.png").pixels
    assert main(["sweep", "--out", str(out), "--retry"]) == 0
    whole = load_image(out / "grid.png").pixels
    assert failed.shape == whole.shape
    changed = np.flatnonzero((failed != whole).any(axis=(0, 2)))
    third = whole.shape[1] // 3
    assert third - 40 < changed.min() < changed.max() < 2 * third + 40


def test_values_that_are_added_are_made_and_the_others_stay(
    engine: ScriptedEngine, job_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main(["sweep", str(job_file), "--over", "seed=1,3", "--out", str(out)]) == 0
    assert main(["sweep", str(job_file), "--over", "seed=1,2,3", "--out", str(out), "--resume"]) == 0
    assert [one.job.seed for one in engine.taken] == [1, 3, 2]
    plan = json.loads((out / "sweep.json").read_bytes())
    assert [job["source"] for job in plan["jobs"]] == ["seed=1", "seed=2", "seed=3"]


def test_pictures_and_nested_fields_can_be_gone_over(engine: ScriptedEngine, job_file: Path, tmp_path: Path) -> None:
    write_picture(job_file.parent / "other.png", width=40, height=30)
    over = ["--over", "styles.0.image=style.png,other.png", "--over", "styles.0.weight=1,2"]
    assert main(["sweep", str(job_file), *over, "--out", str(tmp_path / "out")]) == 0
    styles = [one.job.styles[0] for one in engine.taken]
    assert [(style.image.name, style.weight) for style in styles] == [
        ("style-1-style.png", 1), ("style-1-other.png", 1), ("style-1-style.png", 2), ("style-1-other.png", 2)
    ]  # fmt: skip


def test_a_draft_halves_what_is_not_gone_over(engine: ScriptedEngine, job_file: Path, tmp_path: Path) -> None:
    write_picture(job_file.parent / "content.png", width=400, height=200)
    base = ["sweep", str(job_file), "--draft"]
    assert main([*base, "--over", "seed=1,2", "--out", str(tmp_path / "a")]) == 0
    assert main([*base, "--over", "num_inference_steps=3,16", "--out", str(tmp_path / "b")]) == 0
    assert main([*base, "--over", "width=100,300", "--out", str(tmp_path / "c")]) == 0
    taken = [(one.job.width, one.job.height, one.job.num_inference_steps) for one in engine.taken]
    assert taken == [(200, 100, 8), (200, 100, 8), (200, 100, 3), (200, 100, 16), (100, 50, 8), (300, 150, 8)]
    assert main(["sweep", "--out", str(tmp_path / "a"), "--resume"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--over", "content_weight=0.1,11"], "content_weight: must be at least 0"),
        (["--over", "sead=1,2"], "sead: unknown field"),
        (["--over", "content=content.png,gone.png"], "content=gone.png: content: there is no file"),
        (["--over", "seed=1,2", "--over", "seed=3"], "--over seed: is given twice"),
        (["--over", "seed=1", "--over", "color=1", "--over", "strength=1"], "one or two fields"),
        (["--over", f"seed={','.join(map(str, range(401)))}"], "at most 400"),
        ([], "--over: must name a field"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_runs(
    engine: ScriptedEngine,
    job_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert main(["sweep", str(job_file), *arguments, "--out", str(tmp_path / "out")]) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert engine.taken == []


def test_without_a_job_only_going_on_makes_sense(
    engine: ScriptedEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", "--over", "seed=1,2", "--out", str(tmp_path / "out"), "--resume"]) == 2
    assert main(["sweep", "--out", str(tmp_path / "out"), "--resume"]) == 2
    assert "JOB.json: must be named" in (errors := capsys.readouterr().err)
    assert "holds no sweep" in errors

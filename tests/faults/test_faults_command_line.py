"""Fault 27 as a script meets it: the program itself, its exit status, its one line, and no result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.studio import marks, save_picture

ROOT = Path(__file__).resolve().parents[2]


def run_program(job: Path, out: Path, *others: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "adstudio", "run", str(job), "--out", str(out), *others],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("style", "others", "arguments", "field"),
    [
        ('{"image": "style.png", "wait": 1}', "", [], "styles.0.wait"),
        ('{"image": "style.png"}', ', "stroke_scale": NaN', [], "stroke_scale"),
        ('{"image": "style.png"}', "", ["--set", "num_inference_steps=1000000000"], "num_inference_steps"),
        ('{"image": "gone.png"}', "", [], "styles.0.image"),
        ('{"image": "torn.png"}', "", [], "styles.0.image"),
        ('{"image": "half.jpg"}', "", [], "styles.0.image"),
    ],
    ids=["unknown", "nan", "endless", "missing", "torn", "half"],
)
def test_fault_27_the_program_says_one_line_and_leaves_nothing(
    tmp_path: Path, style: str, others: str, arguments: list[str], field: str
) -> None:
    save_picture(tmp_path / "style.png", marks(30, 30))
    save_picture(tmp_path / "half.jpg", marks(90, 90))
    for name, source, length in (("torn.png", "style.png", 60), ("half.jpg", "half.jpg", 2000)):
        (tmp_path / name).write_bytes((tmp_path / source).read_bytes()[:length])
    (tmp_path / "job.json").write_text('{"task": "texture", "styles": [' + style + "]" + others + "}")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = run_program(tmp_path / "job.json", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"{field}: " in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_fault_27_ten_thousand_nested_lists_are_no_job(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("[" * 100_000)
    done = run_program(tmp_path / "job.json", tmp_path / "out")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert json.dumps(str(tmp_path / "job.json"))[1:-1] in done.stderr

"""A ceiling on memory from the command line and from the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adstudio.cli import main
from adstudio.models.families import Family
from adstudio.paths import settings_path
from adstudio.settings import Settings, save_settings
from tests.engine.studio import marks, save_picture, scene
from tests.engine.tiny_models import tiny_model, write_folder


@pytest.fixture
def job(tmp_path: Path) -> Path:
    save_picture(tmp_path / "content.png", scene(64, 64))
    save_picture(tmp_path / "style.png", marks(64, 64))
    write_folder(tiny_model(Family.SD15), tmp_path / "tiny")
    fields = {
        "task": "style_transfer",
        "model": "./tiny",
        "content": "content.png",
        "styles": [{"image": "style.png"}],
        "num_inference_steps": 1,
        "device": "cpu",
    }
    (tmp_path / "job.json").write_text(json.dumps(fields))
    return tmp_path / "job.json"


def test_what_is_beyond_the_limit_is_refused_before_it_is_computed(
    job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(job), "--out", str(tmp_path / "out"), "--memory", "0.01"]) == 3
    assert "raise the memory limit" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_settings_hold_where_nothing_is_said(job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_settings(Settings(memory_limit_gb=0.01), settings_path())
    assert main(["run", str(job), "--out", str(tmp_path / "out")]) == 3
    assert main(["run", str(job), "--out", str(tmp_path / "out"), "--memory", "64"]) == 0
    assert (tmp_path / "out" / "result.png").is_file()


@pytest.mark.parametrize("limit", ["0", "-1", "nan", "inf"])
def test_a_limit_that_is_none_is_refused(
    job: Path, tmp_path: Path, limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(job), "--out", str(tmp_path / "out"), f"--memory={limit}"]) == 2
    assert "--memory" in capsys.readouterr().err

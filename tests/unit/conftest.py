"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

import adstudio.cli
from adstudio.jobs.files import job_to_json
from tests.fakes import ScriptedEngine, sample_job


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    """The engine that the command line will find."""
    scripted = ScriptedEngine()
    monkeypatch.setattr(adstudio.cli, "engine_factory", lambda: scripted)
    return scripted


@pytest.fixture
def job_file(tmp_path: Path) -> Path:
    """A job beside its pictures."""
    path = tmp_path / "pictures" / "my job.json"
    job = sample_job(tmp_path / "pictures")
    path.write_text(job_to_json(job, relative_to=path.parent), encoding="utf-8")
    return path

"""The benchmark of projects with a few runs: so that its code cannot rot."""

from __future__ import annotations

from pathlib import Path

from adstudio.projects import Project
from tests.benchmarks.project_scale import generate, measure


def test_a_generated_project_is_sound_and_can_be_measured(tmp_path: Path) -> None:
    folder = generate(tmp_path, 70)
    with Project.open(folder) as project:
        assert project.notices == ()
        assert project.count() == 70
        assert project.check() == ()
    figures = measure(folder)
    assert set(figures) >= {"open", "page of 60", "search", "open after a crash", "open, made anew"}
    with Project.open(folder) as project:
        assert project.count() == 70

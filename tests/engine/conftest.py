"""One engine for all tests of a process, as a host has it, and a folder of small pictures for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from adstudio.engine.runner import StudioEngine
from tests.engine.studio import Studio, marks, scene


@pytest.fixture(scope="session")
def engine() -> StudioEngine:
    made = StudioEngine(threads=1)
    made.warm()
    return made


@pytest.fixture
def studio(tmp_path: Path, engine: StudioEngine) -> Studio:
    made = Studio(tmp_path, engine)
    made.save("content.png", scene(64, 48))
    made.save("style.png", marks(56, 60))
    return made

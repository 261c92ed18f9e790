"""Tests of projects work in memory: they have the disk confirm every step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.quick_disk import quick_folder


@pytest.fixture
def tmp_path(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    if "test_faults_projects" not in request.path.name:
        yield tmp_path
        return
    with quick_folder() as folder:
        yield folder

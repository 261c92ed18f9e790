"""What the tests of projects share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adstudio.projects import Project
from tests.quick_disk import quick_folder


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "Autumn.adproj") as made:
        yield made


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return tmp_path / "pictures"

"""Fault 10: a second instance on the same project, and the lock of a dead one."""

from __future__ import annotations

import errno
import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adstudio.errors import ProjectBusyError
from adstudio.projects import Project
from tests.projects.makers import finished_run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "Autumn.adproj") as made:
        yield made


def test_fault_10_a_second_instance_is_told_who_has_it(project: Project) -> None:
    with pytest.raises(ProjectBusyError, match=r"is open in another window \(process \d+\)"):
        Project.open(project.folder)
    assert not project.knocked()
    assert Project.knock(project.folder)
    assert project.knocked()
    assert not project.knocked()
    project.close()
    Project.open(project.folder).close()


def test_fault_10_the_lock_of_a_killed_process_is_taken_over(project: Project, tmp_path: Path) -> None:
    run = finished_run(project, tmp_path / "pictures")
    project.close()
    holding = (
        "import sys, pathlib; from adstudio.projects import Project\n"
        "project = Project.open(pathlib.Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(project.folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(ProjectBusyError, match=f"process {other.pid}"):
            Project.open(project.folder)
        with Project.open(project.folder, read_only=True) as reader:
            assert reader.run(run.id) == run
        other.kill()
        other.wait()
        with Project.open(project.folder) as opened:
            assert opened.read_only is None
            assert opened.run(run.id) == run


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks on every file system")
def test_fault_10_on_a_file_system_without_locks_the_last_holder_counts(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_handle: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    run = finished_run(project, tmp_path / "pictures")
    project.close()
    monkeypatch.setattr("fcntl.flock", refuse)
    lock = project.folder / "project.lock"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        lock.write_text(json.dumps({"computer": platform.node(), "process": other.pid}))
        with pytest.raises(ProjectBusyError, match=f"process {other.pid}"):
            Project.open(project.folder)
    with Project.open(project.folder) as opened:
        assert opened.run(run.id) == run
    lock.write_text("nonsense")
    Project.open(project.folder).close()

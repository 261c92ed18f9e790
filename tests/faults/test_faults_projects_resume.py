"""Fault 23 in a project: a run killed while the patch model computes is offered again and ends with the same pixels."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adstudio.cli import engine_factory
from adstudio.jobs.choices import Device, Seamless, Task
from adstudio.jobs.event_log import read_events
from adstudio.jobs.host import RunRequest
from adstudio.jobs.spec import Job, Reference
from adstudio.jobs.thread_host import ThreadHost
from adstudio.projects import Project, Query, Run, RunState
from tests.engine.studio import marks, pixels_of, save_picture
from tests.quick_disk import quick_folder

ROOT = Path(__file__).resolve().parents[2]
DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from adstudio.engine.patch import run as patch_run
from adstudio.engine.runner import StudioEngine
from adstudio.jobs.events import Checkpointed
from adstudio.jobs.thread_host import ThreadHost
from adstudio.projects import Project

patch_run._CHECKPOINT_EVERY_S, patch_run._CHECKPOINT_SHARE = 0.0, float("inf")

class Dying(StudioEngine):
    def run(self, request, control):
        for event in super().run(request, control):
            yield event
            if isinstance(event, Checkpointed) and event.step == 9:
                os.kill(os.getpid(), signal.SIGKILL)

async def story(project, run_id):
    host = ThreadHost(Dying)
    async for event in host.events(host.submit(project.resume_run(run_id))):
        project.record_event(run_id, event)

project = Project.open(Path(sys.argv[1]))
asyncio.run(story(project, sys.argv[2]))
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


def compute(project: Project, request: RunRequest) -> Run:
    host = ThreadHost(engine_factory)

    async def story() -> None:
        async for event in host.events(host.submit(request)):
            project.record_event(request.folder.name, event)
        await host.shutdown()

    asyncio.run(story())
    return project.run(request.folder.name)


@pytest.fixture(scope="module")
def killed() -> Iterator[tuple[Path, str, Path]]:
    """A project whose run was killed after step 9, the run's id, and the result of the undisturbed run."""
    with quick_folder() as folder:
        save_picture(folder / "style.png", marks(90, 90))
        job = Job(
            task=Task.TEXTURE,
            styles=(Reference(image=folder / "style.png"),),
            width=84,
            height=72,
            num_inference_steps=16,
            seamless=Seamless.X,
            variation=0.2,
            device=Device.CPU,
        )
        with Project.create(folder / "whole") as project:
            whole = compute(project, project.begin_run(job))
            result = folder / "whole.png"
            project.export_picture(whole.results[0].object.digest, result)
        with Project.create(folder / "killed") as project:
            run_id = project.begin_run(job).folder.name
        done = subprocess.run(
            [sys.executable, "-c", DYING, str(project.folder), run_id],
            cwd=ROOT,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        yield project.folder, run_id, result


def test_fault_23_a_killed_run_of_a_project_ends_with_the_same_pixels(
    killed: tuple[Path, str, Path], tmp_path: Path
) -> None:
    folder, run_id, result = killed
    with Project.open(shutil.copytree(folder, tmp_path / "copy.adproj")) as project:
        assert project.run(run_id).state is RunState.INTERRUPTED
        assert project.run_ids(Query(states=frozenset({RunState.INTERRUPTED}))) == (run_id,)
        run = compute(project, project.resume_run(run_id))
        assert run.state is RunState.FINISHED
        assert np.array_equal(pixels_of(project.object_path(run.results[0].object.digest)), pixels_of(result))
        kinds = [str(record["type"]) for record in read_events(project.folder_of(run_id))]
        assert kinds.count("started") == 2
        steps = kinds[len(kinds) - kinds[::-1].index("started") :].count("progress")
        assert 0 < steps < 16
        assert project.check() == ()


def test_fault_23_a_damaged_checkpoint_falls_back_to_the_one_before(
    killed: tuple[Path, str, Path], tmp_path: Path
) -> None:
    folder, run_id, result = killed
    copy = shutil.copytree(folder, tmp_path / "copy.adproj")
    newest = max((copy / "runs" / run_id / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-200])
    with Project.open(copy) as project:
        run = compute(project, project.resume_run(run_id))
        assert np.array_equal(pixels_of(project.object_path(run.results[0].object.digest)), pixels_of(result))


def test_fault_23_a_copy_of_the_project_can_go_on_too(killed: tuple[Path, str, Path], tmp_path: Path) -> None:
    folder, run_id, result = killed
    with Project.open(shutil.copytree(folder, tmp_path / "copy.adproj")) as project:
        elsewhere = project.save_as(tmp_path / "elsewhere")
    with Project.open(elsewhere) as project:
        assert project.run(run_id).can_go_on
        run = compute(project, project.resume_run(run_id))
        assert np.array_equal(pixels_of(project.object_path(run.results[0].object.digest)), pixels_of(result))

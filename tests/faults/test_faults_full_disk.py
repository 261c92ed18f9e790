"""Fault 4 while a run computes: on a full disk it is paused with a clear message, and goes on when there is room."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from adstudio.errors import StorageError, StorageFullError
from adstudio.images import atomic_write_bytes
from adstudio.jobs import run_folder
from adstudio.jobs.event_log import read_events
from adstudio.jobs.events import Cancelled, Event, Failed, Finished, Notice, Paused, Started
from adstudio.jobs.host import RunRequest
from adstudio.jobs.thread_host import ThreadHost
from adstudio.projects import Project, RunState
from tests.fakes import Script, ScriptedEngine, sample_job
from tests.faults.small_disks import fill, small_disk

FULL = (StorageFullError("/a/b: the disk is full; make room and try again"), OSError(errno.ENOSPC, "No space left"))


async def followed(host: ThreadHost, request: RunRequest, *, then_cancel: bool = False) -> list[Event]:
    """All events of a run; when it pauses, it is resumed or cancelled."""
    seen: list[Event] = []
    run_id = host.submit(request)
    async for event in host.events(run_id):
        seen.append(event)
        if isinstance(event, Paused):
            (host.cancel if then_cancel else host.resume)(run_id)
    await host.shutdown()
    return seen


@pytest.mark.parametrize("error", FULL, ids=["told by the engine", "told by the system"])
def test_fault_4_a_run_waits_for_room_and_goes_on_from_its_checkpoint(tmp_path: Path, error: Exception) -> None:
    engine = ScriptedEngine(scripts=[Script(error=error, error_step=2), Script()])
    request = run_folder.create(sample_job(tmp_path / "pictures"), tmp_path / "run")
    seen = asyncio.run(followed(ThreadHost(lambda: engine, waits_for_room=True), request))
    assert isinstance(seen[-1], Finished)
    (notice,) = (event for event in seen if isinstance(event, Notice))
    assert "full; make room" in notice.message
    assert notice.message.endswith("Until then the run is paused.")
    assert [taken.resume for taken in engine.taken] == [False, True]
    assert sum(isinstance(event, Started) for event in seen) == 2
    assert [str(record["type"]) for record in read_events(request.folder)][-1] == "finished"


def test_fault_4_a_run_that_waits_for_room_can_be_cancelled(tmp_path: Path) -> None:
    engine = ScriptedEngine(scripts=[Script(error=FULL[0])])
    request = run_folder.create(sample_job(tmp_path / "pictures"), tmp_path / "run")
    seen = asyncio.run(followed(ThreadHost(lambda: engine, waits_for_room=True), request, then_cancel=True))
    assert isinstance(seen[-1], Cancelled)
    assert len(engine.taken) == 1


@pytest.mark.parametrize(
    ("waits_for_room", "error"),
    [(False, FULL[0]), (False, FULL[1]), (True, StorageError("the folder is gone")), (True, OSError(errno.EIO, "bad"))],
)
def test_fault_4_other_faults_and_the_command_line_fail_at_once(
    tmp_path: Path, waits_for_room: bool, error: Exception
) -> None:
    engine = ScriptedEngine(scripts=[Script(error=error)])
    request = run_folder.create(sample_job(tmp_path / "pictures"), tmp_path / "run")
    seen = asyncio.run(followed(ThreadHost(lambda: engine, waits_for_room=waits_for_room), request))
    assert isinstance(seen[-1], Failed)
    assert not any(isinstance(event, Paused) for event in seen)


def test_fault_4_a_disk_that_really_is_full(tmp_path: Path) -> None:
    """Neither the log nor the result finds room; once there is, both are whole and the project has the result."""
    with small_disk(tmp_path / "disk", 1 << 20) as disk, Project.create(disk / "small") as project:
        fillers: list[Path] = []

        def write_much_where_nothing_fits(step: int) -> None:
            if step == 2:
                fillers.append(fill(disk, 0))
                atomic_write_bytes(request.folder / "much.bin", bytes(50_000))

        engine = ScriptedEngine(scripts=[Script(on_step=write_much_where_nothing_fits), Script()])
        request = project.begin_run(sample_job(tmp_path / "pictures"))
        run_id = request.folder.name

        async def story() -> list[Event]:
            host = ThreadHost(lambda: engine, waits_for_room=True)
            seen: list[Event] = []
            async for event in host.events(host_id := host.submit(request)):
                seen.append(event)
                if isinstance(event, Paused):
                    fillers[0].unlink()
                    host.resume(host_id)
                if not fillers or isinstance(event, Finished):
                    project.record_event(run_id, event)
            await host.shutdown()
            return seen

        seen = asyncio.run(story())
        assert any("disk is full; make room" in event.message for event in seen if isinstance(event, Notice))
        assert [event.type for event in seen if event.type in ("paused", "resumed")] == ["paused", "resumed"]
        run = project.run(run_id)
        assert (run.state, len(run.results)) == (RunState.FINISHED, 1)
        assert project.check() == ()
        kinds = [record["type"] for record in read_events(request.folder)]
        assert kinds[-1] == "finished"

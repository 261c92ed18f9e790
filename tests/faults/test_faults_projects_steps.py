"""Fault 3: an OSError at the n-th file operation of a project, for every n: the old or the new state, no mixture."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adstudio.errors import StorageError
from adstudio.jobs import run_folder
from adstudio.projects import Fault, Frame, Project, Query, RunState
from tests.fakes import sample_job, write_picture
from tests.faults.failing_files import FailingFiles
from tests.projects.makers import contents, finished_run, job_in
from tests.quick_disk import quick_folder

FINISHED = '{"type": "finished", "time_s": 1, "results": ["result.png"]}\n'
THEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shelf() -> Iterator[Path]:
    """A project with a finished run, one in the trash, one that waits, and a board; beside it pictures and a run."""
    with quick_folder() as folder:
        with Project.create(folder / "shelf") as project:
            first = finished_run(project, folder / "pictures")
            write_picture(folder / "other.png", width=40, height=30)
            other = finished_run(project, folder / "pictures", content=folder / "other.png")
            request = project.begin_run(job_in(folder / "pictures", seed=9))
            write_picture(request.folder / "result.png", width=20, height=10)
            project.trash([other.id])
            project.put_on_board(project.add_board("Wall"), [first.id])
        orphan = folder / "shelf.adproj" / "objects" / "aa" / ("a" * 64)
        orphan.parent.mkdir(exist_ok=True)
        orphan.write_bytes(b"left by a crash")
        (orphan.parent / ".0123456789abcdef.part").write_bytes(b"half")
        made = run_folder.create(sample_job(folder / "pictures").model_copy(update={"seed": 5}), folder / "outside")
        write_picture(made.folder / "result.png", width=48, height=32)
        (made.folder / "events.jsonl").write_text(FINISHED)
        yield folder


def finish(project: Project, _shelf: Path) -> None:
    run_id = next(run.id for run in project.page().runs if run.state is RunState.QUEUED)
    (project.folder_of(run_id) / "events.jsonl").write_text(FINISHED)
    project.finish_run(run_id)


def repair(project: Project, _shelf: Path) -> None:
    (project.folder_of(min(project.run_ids())) / "run.json").write_text("{}")
    project.repair()


EDITS: dict[str, Callable[[Project, Path], object]] = {
    "begin": lambda project, shelf: project.begin_run(job_in(shelf / "pictures", content=shelf / "other.png", seed=3)),
    "finish": finish,
    "take in": lambda project, shelf: project.take_in(shelf / "outside"),
    "rate": lambda project, shelf: project.rate(project.run_ids(), 4),
    "remove a board": lambda project, shelf: project.remove_board(project.boards()[0].id),
    "undo": lambda project, shelf: project.undo(),
    "keep a mask": lambda project, shelf: project.set_desk(
        {"mask": project.add_object(b"mask", "mask.bin").digest}, label="Mask"
    ),
    "frame": lambda project, shelf: project.add_frame(
        min(project.run_ids()), Frame(image_index=0, step=1), picture=(b"frame", "frame.bin")
    ),
    "empty the trash": lambda project, shelf: project.empty_trash(),
    "collect": lambda project, shelf: project.collect(),
    "repair": repair,
    "back up": lambda project, shelf: project.back_up(),
    "close": lambda project, shelf: project.close(),
}


def state_of(project: Project) -> object:
    """All that an artist can see; ids and moments of new runs left out."""
    runs = [*project.page().runs, *project.page(Query(trashed=True)).runs]
    return (
        sorted(repr(replace(run, id="", finished=None, created=THEN)) for run in runs),
        [(board.name, len(board.run_ids)) for board in project.boards()],
        project.desk("mask"),
    )


def opened_state(folder: Path, *tolerated: Fault) -> object:
    """What is there when it is opened again, which must be sound; only orphans may lie about."""
    with Project.open(folder) as project:
        assert project.notices == ()
        assert {finding.fault for finding in project.check()} <= {Fault.ORPHANS, *tolerated}
        assert project._store.database.complaint(thorough=True) == ""
        return state_of(project)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("name", EDITS)
def test_fault_3_an_edit_is_done_or_not(shelf: Path, tmp_path: Path, name: str, lasting: bool) -> None:
    edit = EDITS[name]
    old = opened_state(shutil.copytree(shelf / "shelf.adproj", tmp_path / "old"))
    counting = FailingFiles()
    with Project.open(shutil.copytree(shelf / "shelf.adproj", tmp_path / "new"), files=counting) as project:
        counting.arm(0, lasting=False)
        edit(project, shelf)
        steps = len(counting.steps)
    new = opened_state(tmp_path / "new")
    assert steps >= 2
    told: dict[int, str] = {}
    for number in range(1, steps + 1):
        folder = shutil.copytree(shelf / "shelf.adproj", tmp_path / str(number))
        files = FailingFiles()
        project = Project.open(folder, files=files)
        files.arm(number, lasting=lasting)
        try:
            edit(project, shelf)
        except StorageError as error:
            told[number] = str(error)
        project.close()
        found = opened_state(folder, *([Fault.SIDECAR] if name == "repair" else []))
        assert found in (old, new), f"step {number} of {steps}: {files.steps[number - 1]}"
        if number not in told:
            assert found == new, f"step {number}, {files.steps[number - 1]}, was not told and not done"
        shutil.rmtree(folder)
    assert told or name == "close"
    assert all("the test has pulled the plug" in message for message in told.values())


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
def test_fault_3_opening_and_making_anew(shelf: Path, tmp_path: Path, lasting: bool) -> None:
    source = shutil.copytree(shelf / "shelf.adproj", tmp_path / "source")
    (source / "project.db").write_bytes(b"broken" * 1000)
    with Project.open(shutil.copytree(source, tmp_path / "new"), files=(counting := FailingFiles())) as project:
        new, steps = state_of(project), len(counting.steps)
    assert steps > 5
    for number in range(1, steps + 1):
        folder = shutil.copytree(source, tmp_path / str(number))
        files = FailingFiles(number, lasting=lasting)
        with suppress(StorageError):
            Project.open(folder, files=files).close()
        with Project.open(folder) as project:
            assert state_of(project) == new, f"step {number} of {steps}: {files.steps[number - 1]}"
        assert [path.read_bytes() for path in folder.glob("project.db.damaged-*")] == [b"broken" * 1000]
        assert list(folder.glob(".*.part*")) == []
        shutil.rmtree(folder)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
def test_fault_3_a_new_project_or_a_copy_is_whole_or_not_there(shelf: Path, tmp_path: Path, lasting: bool) -> None:
    counting = FailingFiles()
    Project.create(tmp_path / "counted", files=counting).close()
    for number in range(1, len(counting.steps) + 1):
        try:
            Project.create(tmp_path / f"made {number}", files=FailingFiles(number, lasting=lasting)).close()
        except StorageError:
            assert not (tmp_path / f"made {number}.adproj").exists()
        else:
            assert opened_state(tmp_path / f"made {number}.adproj") == ([], [], None)
    source = shutil.copytree(shelf / "shelf.adproj", tmp_path / "source")
    old = opened_state(source)
    files = FailingFiles()
    with Project.open(source, files=files) as project:
        files.arm(0, lasting=False)
        project.save_as(tmp_path / "counted copy")
        steps = len(files.steps)
        before = {path: data for path, data in contents(source).items() if path != "project.lock"}
        for number in range(1, steps + 1):
            target = tmp_path / f"copy {number}.adproj"
            files.arm(number, lasting=lasting)
            try:
                project.save_as(target)
            except StorageError:
                assert not target.exists() or number == steps  # only that the new name lasts could not be made sure of
            if target.exists():
                assert opened_state(target) == old
            assert list(tmp_path.glob(".*.part")) == []
        files.arm(0, lasting=False)
        assert {path: data for path, data in contents(source).items() if path != "project.lock"} == before

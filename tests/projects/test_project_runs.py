"""Runs through a project: begun, computed, listed, found again, gone on with, taken in from outside."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from adstudio.errors import JobError, ProjectError
from adstudio.jobs import run_folder
from adstudio.jobs.events import Started
from adstudio.projects import Health, Lineage, Project, Query, Relation, RunState
from adstudio.projects.rows import put_run
from tests.fakes import Script, sample_job, write_picture
from tests.projects.makers import compute, contents, finished_run, job_in


def test_a_run_is_there_after_closing_and_opening(project: Project, pictures: Path) -> None:
    run = finished_run(project, pictures, seed=7)
    project.close()
    with Project.open(project.folder) as opened:
        assert opened.notices == ()
        assert opened.name == "Autumn"
        again = opened.run(run.id)
        assert again == run
        assert (again.state, again.seed, again.device, again.width, again.height) == (
            RunState.FINISHED,
            7,
            "cpu",
            48,
            32,
        )
        assert again.seconds is not None
        assert again.versions["adstudio"]
        assert [one.name for one in again.inputs] == ["content.png", "style.png"]
        (result,) = again.results
        assert (result.object.media_type, result.object.width, result.object.height) == ("image/png", 48, 32)
        stored = opened.object_path(result.object.digest)
        assert hashlib.sha256(stored.read_bytes()).hexdigest() == result.object.digest
        job = opened.job(again)
        assert job.seed == 7
        assert job.content == opened.folder_of(run.id) / "inputs" / "content.png"
        assert job.content.read_bytes() == (pictures / "content.png").read_bytes()


def test_the_states_follow_the_events(project: Project, pictures: Path) -> None:
    request = project.begin_run(job_in(pictures))
    run_id = request.folder.name
    assert project.run(run_id).state is RunState.QUEUED
    seen: list[RunState] = []
    compute(project, request, Script(on_step=lambda _step: seen.append(project.run(run_id).state)))
    assert RunState.FINISHED not in seen
    assert project.run(run_id).state is RunState.FINISHED
    failed = compute(project, project.begin_run(job_in(pictures)), Script(error=RuntimeError("the roof fell in")))
    assert failed.state is RunState.FAILED
    assert "the roof fell in" in failed.reason
    assert failed.can_go_on


def test_the_same_picture_is_kept_once(project: Project, pictures: Path) -> None:
    for seed in range(3):
        finished_run(project, pictures, seed=seed)
    objects = [path for path in (project.folder / "objects").rglob("*") if path.is_file()]
    assert len(objects) == 3  # content, style, and the result, which the scripted engine paints alike each time
    (folder,) = {path.parent.parent for path in objects}
    assert folder == project.folder / "objects"


def test_a_refused_job_leaves_nothing(project: Project, pictures: Path) -> None:
    before = contents(project.folder)
    with pytest.raises(JobError, match=r"^content: there is no file"):
        project.begin_run(job_in(pictures, content=pictures / "gone.png"))
    write_picture(pictures / "small.png", width=3, height=3)
    with pytest.raises(JobError, match=r"^protect_mask: "):
        project.begin_run(job_in(pictures, protect_mask=pictures / "small.png"))
    assert contents(project.folder) == before


def test_a_result_used_as_content_tells_where_it_comes_from(project: Project, pictures: Path) -> None:
    first = finished_run(project, pictures)
    result = project.object_path(first.results[0].object.digest)
    second = finished_run(project, pictures, content=result)
    assert second.lineage == (
        Lineage(relation=Relation.CONTENT, parent_id=first.id, digest=first.results[0].object.digest),
    )
    assert project.children_of(first.id) == (second.id,)
    branch = Lineage(relation=Relation.BRANCH, parent_id=first.id, digest="", step=3)
    request = project.begin_run(job_in(pictures), lineage=[branch])
    assert project.run(request.folder.name).lineage == (branch,)


def test_a_restored_job_keeps_the_names_of_its_pictures(project: Project, pictures: Path) -> None:
    job = job_in(pictures)
    first = compute(project, project.begin_run(job, names={job.styles[0].image: "Sternennacht.jpg"}))
    second = compute(project, project.begin_run(project.job(first)))
    assert [one.name for one in second.inputs] == ["content.png", "Sternennacht.jpg"]


def test_a_run_cut_short_goes_on(project: Project, pictures: Path) -> None:
    request = project.begin_run(job_in(pictures))
    cut = compute(project, request, Script(error=RuntimeError("away")))
    resumed = project.resume_run(cut.id)
    assert resumed.resume
    assert resumed.folder == request.folder
    assert project.run(cut.id).state is RunState.QUEUED
    done = compute(project, resumed)
    assert (done.state, done.reason) == (RunState.FINISHED, "")
    with pytest.raises(ProjectError, match="only a run that ended early"):
        project.resume_run(cut.id)


def test_a_run_that_was_going_on_when_the_program_died(project: Project, pictures: Path) -> None:
    request = project.begin_run(job_in(pictures))
    project.record_event(request.folder.name, Started(device="cpu"))
    project.close()
    with Project.open(project.folder) as opened:
        run = opened.run(request.folder.name)
        assert run.state is RunState.INTERRUPTED
        assert run.finished is None
        assert run.can_go_on


def test_results_that_nobody_took_over_are_found_when_it_is_opened(project: Project, pictures: Path) -> None:
    request = project.begin_run(job_in(pictures))
    other = project.begin_run(job_in(pictures, seed=2))
    with Project.create(pictures / "elsewhere") as elsewhere:
        compute(elsewhere, elsewhere.begin_run(job_in(pictures)))
        (folder,) = (elsewhere.folder / "runs").iterdir()
        for name in ("events.jsonl", "result.png"):
            (request.folder / name).write_bytes((folder / name).read_bytes())
    project.close()
    with Project.open(project.folder) as opened:
        run = opened.run(request.folder.name)
        assert run.state is RunState.FINISHED
        assert opened.object_path(run.results[0].object.digest).is_file()
        assert opened.run(other.folder.name).state is RunState.QUEUED


def test_folders_of_adstudio_run_are_taken_in_and_left_as_they_are(
    project: Project, pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "by hand"
    with Project.create(tmp_path / "maker") as maker:
        made = finished_run(maker, pictures, seed=11)
        maker.export_run(made.id, out)
    assert run_folder.is_finished(out)
    before = contents(out)
    run = project.take_in(out)
    assert (run.state, run.seed, run.device) == (RunState.FINISHED, 11, "cpu")
    assert [one.name for one in run.inputs] == ["content.png", "style.png"]
    assert run.results[0].object.digest == made.results[0].object.digest
    assert run_folder.is_finished(project.folder_of(run.id))
    assert project.take_in(out) == run
    assert project.count() == 1
    assert contents(out) == before


def test_an_interrupted_folder_taken_in_can_go_on(project: Project, pictures: Path, tmp_path: Path) -> None:
    request = run_folder.create(sample_job(pictures), tmp_path / "cut")
    (request.folder / "checkpoints").mkdir()
    (request.folder / "checkpoints" / "000001.npz").write_bytes(b"state")
    run = project.take_in(request.folder)
    assert run.state is RunState.INTERRUPTED
    resumed = project.resume_run(run.id)
    assert (resumed.folder / "checkpoints" / "000001.npz").read_bytes() == b"state"
    assert compute(project, resumed).state is RunState.FINISHED


def test_a_folder_without_one_of_its_pictures_is_taken_in_all_the_same(
    project: Project, pictures: Path, tmp_path: Path
) -> None:
    request = run_folder.create(sample_job(pictures), tmp_path / "holed")
    (request.folder / "inputs" / "content.png").unlink()
    run = project.take_in(request.folder)
    assert [one.object.health for one in run.inputs] == [Health.MISSING, Health.UNCHECKED]
    assert not run.inputs[0].object.usable
    with pytest.raises(JobError, match=r"^content: content\.png is missing"):
        project.resume_run(run.id)


def test_the_sidecar_can_be_read_by_people(project: Project, pictures: Path) -> None:
    run = finished_run(project, pictures, seed=3)
    project.rate([run.id], 4)
    sheet = json.loads((project.folder_of(run.id) / "run.json").read_bytes())
    assert (sheet["id"], sheet["rating"], sheet["state"], sheet["job"]["seed"]) == (run.id, 4, "finished", 3)
    assert sheet["results"][0]["object"]["digest"] == run.results[0].object.digest


def test_an_unknown_run_is_named(project: Project) -> None:
    with pytest.raises(ProjectError, match="has no run 20260101-000000-00000000"):
        project.run("20260101-000000-00000000")


def test_a_run_that_is_computed_survives_the_trash(project: Project, pictures: Path) -> None:
    request = project.begin_run(job_in(pictures))
    project.trash([request.folder.name])
    assert project.empty_trash() == ()
    assert compute(project, request).state is RunState.FINISHED
    assert project.empty_trash() == (request.folder.name,)


def test_many_edits_at_once_leave_sidecars_for_later(project: Project, pictures: Path) -> None:
    run = finished_run(project, pictures)
    database = project._store.database
    with project._store.change("test"), database.transaction():
        for number in range(150):
            put_run(database, replace(run, id=f"20260301-120000-{number:08x}"), stale=False)
    ids = project.run_ids()
    project.rate(ids, 3)
    assert project._store.sidecars.behind() == len(ids) - 16
    assert project.follow_up()
    assert not project.follow_up()
    assert project._store.sidecars.behind() == 0
    assert project.check() == ()


def test_threads_read_and_write_together(project: Project, pictures: Path) -> None:
    """One computes and rates while others list, search and look; nobody is in another's way."""
    stop = threading.Event()
    faults: list[BaseException] = []
    seen: list[int] = []

    def look() -> None:
        try:
            while not stop.is_set():
                page = project.page(Query(text="content", min_rating=1))
                assert all(run.rating == 2 for run in page.runs)
                seen.append(page.total)
                project.next_undo()
        except BaseException as error:  # noqa: BLE001 (told below)
            faults.append(error)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for seed in range(8):
            project.rate([finished_run(project, pictures, seed=seed).id], 2)
    finally:
        stop.set()
        for looker in lookers:
            looker.join()
    assert faults == []
    assert seen == sorted(seen)
    assert project.count(Query(min_rating=2)) == 8

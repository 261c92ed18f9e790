"""Housekeeping: trash, collecting, frames within a budget, backups, copies, exports, and who has a project open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from adstudio.cli import main
from adstudio.errors import ProjectError, ProjectReadOnlyError
from adstudio.jobs import run_folder
from adstudio.projects import (
    Frame,
    Health,
    Project,
    ReadOnlyReason,
    RunState,
    forget_project,
    recent_projects,
    remember_project,
)
from adstudio.projects.backup import back_up, backups, kept
from tests.fakes import Script, write_picture
from tests.projects.makers import compute, contents, finished_run, job_in


def object_names(project: Project) -> set[str]:
    return {path.name for path in (project.folder / "objects").rglob("*") if path.is_file()}


def marked(said: str, mark: str) -> int:
    return sum(line.startswith(mark) for line in said.splitlines())


def test_the_trash_is_emptied_with_what_only_it_needed(project: Project, pictures: Path) -> None:
    kept_run = finished_run(project, pictures)
    gone = finished_run(project, pictures, content=write_picture(pictures / "other.png", width=30, height=20))
    shared = {one.object.digest for one in kept_run.inputs} | {kept_run.results[0].object.digest}
    own = {gone.inputs[0].object.digest, gone.results[0].object.digest} - shared
    assert own <= object_names(project)
    project.trash([gone.id])
    assert project.empty_trash(before=datetime.now(UTC) - timedelta(days=1)) == ()
    assert own <= object_names(project)
    assert project.empty_trash() == (gone.id,)
    assert object_names(project) == shared
    assert not (project.folder / "runs" / gone.id).exists()
    assert list((project.folder / "trash").iterdir()) == []
    assert project.check() == ()


def test_what_the_desk_or_an_undo_step_refers_to_is_not_collected(project: Project) -> None:
    on_desk, undone, free = (project.add_object(name.encode(), f"{name}.bin").digest for name in ("a", "b", "c"))
    project.set_desk({"mask": undone}, label="Mask")
    project.set_desk({"mask": {"deep": [on_desk]}}, label="Mask")
    assert project.collect().files == 0  # just added: it may be used in a moment
    project.close()
    with Project.open(project.folder) as opened:
        assert opened.collect().files == 1
        assert object_names(opened) == {on_desk, undone}
        assert opened.object(free) is None


def test_frames_are_thinned_evenly_within_the_budget(project: Project, pictures: Path) -> None:
    request = project.begin_run(job_in(pictures))
    run_id = request.folder.name
    for step in range(1, 41):
        picture = (f"{step:03d}".encode() * 100, "frame.bin")
        assert project.add_frame(run_id, Frame(image_index=0, step=step), picture=picture, budget_bytes=3000)
        if step == 6:
            project.pin_frame(run_id, 0, 6)
    steps = [frame.step for frame in project.run(run_id).frames]
    assert len(steps) == 10
    assert {1, 6, 40} <= set(steps)
    assert max(after - before for before, after in pairwise(steps)) <= 10
    in_use = {frame.picture.digest for frame in project.run(run_id).frames if frame.picture is not None}
    assert in_use <= object_names(project)
    assert len(object_names(project)) == len(in_use) + 2
    assert not project.add_frame(
        run_id, Frame(image_index=0, step=50), latents=(b"x" * 4000, "latents.npz"), budget_bytes=3000
    )
    compute(project, request)
    assert [frame.step for frame in project.run(run_id).frames if frame.pinned] == [6]


def test_pages_leave_frames_out(project: Project, pictures: Path) -> None:
    run_id = project.begin_run(job_in(pictures)).folder.name
    project.add_frame(run_id, Frame(image_index=0, step=1), picture=(b"frame", "frame.bin"))
    assert [run.frames for run in (*project.page().runs, *project.runs([run_id]))] == [(), ()]
    run = project.run(run_id)
    assert len(run.frames) == 1
    project.close()
    with Project.open(project.folder) as opened:
        assert opened.run(run_id) == run
        assert opened.check() == ()


def test_frames_of_several_pictures_do_not_mix(project: Project, pictures: Path) -> None:
    run_id = project.begin_run(job_in(pictures, images=2)).folder.name
    for image_index in (0, 1):
        for step in (1, 2, 3):
            frame = Frame(image_index=image_index, step=step, time_s=0.5)
            project.add_frame(run_id, frame, latents=(bytes([image_index, step]), "z.npz"), budget_bytes=8)
    places = [(frame.image_index, frame.step) for frame in project.run(run_id).frames]
    assert places == [(0, 1), (0, 3), (1, 1), (1, 3)]


def test_backups_grow_thinner_with_age() -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    every_three_hours = [now - timedelta(hours=3 * n) for n in range(8 * 400)]
    staying = kept(every_three_hours, now)
    assert set(every_three_hours[:5]) <= staying
    assert sum(now - one < timedelta(days=7) for one in staying) in range(10, 14)
    assert len(staying) < 40
    assert now - min(staying) > timedelta(days=300)
    assert kept(staying, now) == staying


def test_closing_keeps_a_backup_but_not_too_many(project: Project, pictures: Path) -> None:
    run = finished_run(project, pictures)
    project.close()
    (first,) = backups(project._store.layout)
    with Project.open(project.folder) as opened:
        opened.rate([run.id], 3)
    assert backups(project._store.layout) == [first]
    with Project.open(project.folder) as opened:
        later = first[0] + timedelta(minutes=30)
        back_up(opened._store.database, opened._store.layout, opened._store.files, at=later)
        assert [moment for moment, _ in backups(opened._store.layout)] == [later, first[0]]


def test_a_copy_is_a_whole_project_of_its_own(project: Project, pictures: Path, tmp_path: Path) -> None:
    run = finished_run(project, pictures)
    project.rate([run.id], 5)
    target = project.save_as(tmp_path / "far" / "Copy")
    assert target == tmp_path / "far" / "Copy.adproj"
    before = contents(project.folder)
    with Project.open(target) as copy:
        assert copy.run(run.id) == project.run(run.id)
        assert copy.check() == ()
        copy.rate([run.id], 1)
        copy.trash([run.id])
        copy.empty_trash()
    assert contents(project.folder) == before
    with pytest.raises(ProjectError, match="is there already"):
        project.save_as(target)
    with pytest.raises(ProjectError, match="inside the project"):
        project.save_as(project.folder / "runs" / "Copy")


def test_a_run_goes_out_as_a_plain_folder(project: Project, pictures: Path, tmp_path: Path) -> None:
    run = finished_run(project, pictures)
    project.export_run(run.id, tmp_path / "out" / "run")
    assert sorted(contents(tmp_path / "out" / "run")) == [
        "events.jsonl",
        "inputs/content.png",
        "inputs/style-1-style.png",
        "job.json",
        "result.png",
    ]
    assert run_folder.is_finished(tmp_path / "out" / "run")
    (tmp_path / "out" / "run" / "result.png").write_bytes(b"mine")
    assert project.check_object(run.results[0].object.digest) is Health.SOUND
    project.export_picture(run.results[0].object.digest, tmp_path / "out.png")
    stored = project.object_path(run.results[0].object.digest)
    assert (tmp_path / "out.png").read_bytes() == stored.read_bytes()


def test_thumbnails_are_kept_outside_and_never_of_damaged_pictures(
    project: Project, pictures: Path, own_home: Path
) -> None:
    picture = write_picture(pictures.parent / "large.png", width=600, height=300)
    stored = project.add_file(picture)
    small = project.thumbnail(stored.digest, 128)
    assert small is not None
    assert small[:2] == b"\xff\xd8"
    (cached,) = own_home.rglob(f"{stored.digest}-128.jpg")
    assert cached.read_bytes() == small
    assert project.thumbnail(stored.digest, 128) == small
    path = project.object_path(stored.digest)
    path.chmod(0o644)
    write_picture(pictures.parent / "another.png", width=600, height=300, shade=1)
    path.write_bytes((pictures.parent / "another.png").read_bytes())
    assert project.thumbnail(stored.digest, 64) is None
    assert project.thumbnail(project.add_object(b"text", "a.txt").digest, 64) is None


def test_doctor_says_what_is_wrong_and_mends_what_it_can(
    project: Project, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finished_run(project, pictures)
    other = finished_run(project, pictures, seed=2)
    project.close()
    doctor = ["doctor", str(project.folder)]
    assert main(doctor) == 0
    assert "2 runs, every picture as it was" in capsys.readouterr().out
    (project.folder / "runs" / run.id / "run.json").write_text("{}")
    (project.folder / "objects" / "aa").mkdir(exist_ok=True)
    (project.folder / "objects" / "aa" / ("a" * 64)).write_bytes(b"left over")
    lost, found = run.inputs[0].object.digest, run.inputs[1].object.digest
    for one in (run, other):
        (project.folder / "runs" / one.id / "inputs" / "content.png").unlink()
    for digest in (lost, found):
        (project.folder / "objects" / digest[:2] / digest).unlink()
    before = contents(project.folder)
    assert main(doctor) == 1
    said = capsys.readouterr().out
    assert marked(said, "wrong") == 4
    assert f"content.png of run {run.id} is missing" in said
    assert {name: data for name, data in contents(project.folder).items() if "lock" not in name} == {
        name: data for name, data in before.items() if "lock" not in name
    }
    assert main([*doctor, "--repair"]) == 1
    said = capsys.readouterr().out
    assert marked(said, "mended") == 3
    assert marked(said, "wrong") == 1
    with Project.open(project.folder) as opened:
        assert [one.object.health for one in opened.run(run.id).inputs] == [Health.MISSING, Health.SOUND]
        opened.add_file(pictures / "content.png")
        assert opened.check() == ()
        assert opened.run(other.id).inputs[0].object.usable


def test_doctor_refuses_what_is_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(tmp_path)]) == 2
    assert "is not a project" in capsys.readouterr().err
    assert main(["doctor", str(tmp_path / "gone")]) == 2
    assert main(["doctor", "--repair"]) == 2


def test_recent_projects_newest_first(tmp_path: Path, own_home: Path) -> None:
    assert recent_projects() == ()
    for name in ("a", "ä b", "c", "a"):
        remember_project(tmp_path / name)
    assert recent_projects() == (tmp_path / "a", tmp_path / "c", tmp_path / "ä b")
    forget_project(tmp_path / "c")
    assert recent_projects() == (tmp_path / "a", tmp_path / "ä b")
    (kept_in,) = own_home.rglob("recent.json")
    kept_in.write_text('{"not": "a list"')
    assert recent_projects() == ()


def test_a_project_is_made_only_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "full.adproj").mkdir()
    (tmp_path / "full.adproj" / "diary.txt").write_text("mine")
    with pytest.raises(ProjectError, match="not empty"):
        Project.create(tmp_path / "full")
    assert contents(tmp_path) == {"full.adproj/diary.txt": b"mine"}
    with pytest.raises(ProjectError, match="no such project"):
        Project.open(tmp_path / "gone.adproj")


def test_reading_only_changes_nothing(project: Project, pictures: Path) -> None:
    run = finished_run(project, pictures)
    before = contents(project.folder)
    with Project.open(project.folder, read_only=True) as reader:
        assert reader.read_only is ReadOnlyReason.ASKED
        assert reader.run(run.id) == run
        with pytest.raises(ProjectReadOnlyError):
            reader.rate([run.id], 1)
        with pytest.raises(ProjectReadOnlyError):
            reader.begin_run(job_in(pictures))
        assert reader.check() == ()
    assert contents(project.folder) == before


def test_taking_over_twice_changes_nothing(project: Project, pictures: Path) -> None:
    run = compute(project, project.begin_run(job_in(pictures)), Script(steps=1))
    assert run.state is RunState.FINISHED
    assert project.finish_run(run.id) == run

"""Faults 4, 5, 11 and 12: a project on a disk that is full, may not be written or goes away; and under odd names."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies

from adstudio.errors import AdStudioError, StorageError, StorageFullError
from adstudio.jobs.events import Finished
from adstudio.projects import Project, Query, ReadOnlyReason, RunState
from adstudio.projects.values import sound_text
from tests.fakes import sample_job, write_picture
from tests.faults.small_disks import fill, make_read_only, small_disk
from tests.projects.makers import compute, contents, finished_run, job_in
from tests.quick_disk import quick_folder

MEGABYTE = 1 << 20
FINISHED = '{"type": "finished", "time_s": 1, "results": ["result.png"]}\n'


def computed(project: Project, pictures: Path, seed: int) -> str:
    """A run that has just left its result in its folder."""
    request = project.begin_run(job_in(pictures, seed=seed))
    write_picture(request.folder / "result.png", width=30 + seed, height=20)
    (request.folder / "events.jsonl").write_text(FINISHED)
    return request.folder.name


def test_fault_4_a_full_disk_stops_a_result_until_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEGABYTE) as disk:
        project = Project.create(disk / "small")
        kept: list[str] = []
        refused: list[str] = []
        for step in range(10):
            run_id = computed(project, tmp_path / "pictures", seed=step)
            filler = fill(disk, left_bytes=step * 4096)
            before = project.runs(kept)
            try:
                project.finish_run(run_id)
            except StorageFullError as error:
                refused.append(str(error))
                assert project.run(run_id).state is RunState.QUEUED
            assert project.runs(kept) == before
            assert project._store.database.complaint(thorough=True) == ""
            filler.unlink()
            run = project.finish_run(run_id)
            assert run.state is RunState.FINISHED
            assert (
                project.object_path(run.results[0].object.digest).read_bytes()
                == (project.folder_of(run_id) / "result.png").read_bytes()
            )
            kept.append(run_id)
        assert len(refused) >= 3
        assert all("disk is full; make room" in message for message in refused)
        project.close()
        with Project.open(project.folder) as opened:
            assert opened.notices == ()
            assert {run.state for run in opened.runs(kept)} == {RunState.FINISHED}
            assert opened.check() == ()


def test_fault_4_results_that_found_no_room_are_taken_over_once_there_is(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEGABYTE) as disk, Project.create(disk / "small") as project:
        run_id = computed(project, tmp_path / "pictures", seed=1)
        filler = fill(disk, 0)
        end = Finished(results=(project.folder_of(run_id) / "result.png",))
        with pytest.raises(StorageFullError):
            project.record_event(run_id, end)
        with suppress(StorageFullError):
            assert project.follow_up()
        assert project.run(run_id).results == ()
        filler.unlink()
        assert not project.follow_up()
        run = project.run(run_id)
        assert (run.state, len(run.results)) == (RunState.FINISHED, 1)


def test_fault_4_edits_and_new_runs_on_a_full_disk_change_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEGABYTE) as disk, Project.create(disk / "small") as project:
        run = finished_run(project, tmp_path / "pictures")
        filler = fill(disk, 0)
        with pytest.raises(StorageFullError):
            project.set_notes(run.id, "word " * 20_000)
        with pytest.raises(StorageFullError):
            project.begin_run(job_in(tmp_path / "pictures", seed=4))
        with pytest.raises(StorageFullError):
            project.back_up()
        assert project.run_ids() == (run.id,)
        assert project.run(run.id) == run
        filler.unlink()
        project.set_notes(run.id, "word " * 20_000)
        assert project.run(run.id).notes == "word " * 20_000


def test_fault_4_closing_and_opening_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEGABYTE) as disk:
        with Project.create(disk / "small") as project:
            run = finished_run(project, tmp_path / "pictures")
            filler = fill(disk, 0)
        try:
            with Project.open(disk / "small.adproj") as full:
                assert full.run(run.id) == run
        except StorageError as error:
            assert "disk is full" in str(error)  # noqa: PT017 (either way is right)
        with Project.open(disk / "small.adproj", read_only=True) as reader:
            assert reader.run(run.id) == run
        filler.unlink()
        with Project.open(disk / "small.adproj") as opened:
            assert opened.run(run.id) == run
            assert opened.check() == ()


@contextmanager
def limited(kind: str, value: int) -> Iterator[None]:
    """A limit of this process, as `ulimit` sets it."""
    import resource

    number: int = getattr(resource, kind)
    soft, hard = resource.getrlimit(number)
    resource.setrlimit(number, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(number, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_fault_4_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    with Project.create(tmp_path / "limited") as project:
        run = finished_run(project, pictures)
        job = job_in(pictures, seed=3)
        with limited("RLIMIT_FSIZE", 100):
            with pytest.raises(StorageError):
                project.begin_run(job)
            with pytest.raises(StorageError):
                project.set_notes(run.id, "more")
            with pytest.raises(StorageError):
                project.save_as(tmp_path / "copy")
        assert project.runs(project.run_ids()) == (run,)
        assert not (tmp_path / "copy.adproj").exists()
        assert compute(project, project.begin_run(job)).state is RunState.FINISHED
        assert project.check() == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_fault_4_a_limit_on_open_files(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    with Project.create(tmp_path / "limited") as project:
        run = finished_run(project, pictures)
        job = job_in(pictures, seed=3)
        with limited("RLIMIT_NOFILE", 3), pytest.raises(AdStudioError):
            project.begin_run(job)
        assert project.runs(project.run_ids()) == (run,)
        assert project.check() == ()


def test_fault_5_a_full_disk_leaves_no_partial_export(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEGABYTE) as disk, Project.create(tmp_path / "whole") as project:
        run = finished_run(project, tmp_path / "pictures")
        large = project.add_object(bytes(range(256)) * 1024, "large.bin")
        filler = fill(disk, 100_000)
        for export in (
            lambda: project.export_picture(large.digest, disk / "large.bin"),
            lambda: project.save_as(disk / "copy"),
        ):
            with pytest.raises(StorageFullError, match="disk is full; make room"):
                export()
            assert list(disk.iterdir()) == [filler]
        filler.unlink()
        fill(disk, 0)
        with pytest.raises(StorageFullError):
            project.export_run(run.id, disk / "run")
        assert list(disk.iterdir()) == [filler]


def test_fault_11_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4 * MEGABYTE) as disk:
        with Project.create(disk / "shelf") as project:
            run = finished_run(project, tmp_path / "pictures")
        make_read_only(disk)
        before = contents(disk)
        with Project.open(disk / "shelf.adproj") as opened:
            assert opened.read_only is ReadOnlyReason.FOLDER
            assert "Save As" in opened.notices[0]
            assert opened.run(run.id) == run
            with pytest.raises(AdStudioError, match="for reading only"):
                opened.rate([run.id], 1)
            copy = opened.save_as(tmp_path / "elsewhere")
        assert contents(disk) == before
        with Project.open(copy) as writable:
            writable.rate([run.id], 1)
            assert writable.check() == ()


def test_fault_11_a_folder_that_may_not_be_written_after_a_crash(tmp_path: Path) -> None:
    """A commit is half done in the database: it is read as it was before."""
    with small_disk(tmp_path / "disk", 4 * MEGABYTE) as disk:
        with Project.create(disk / "shelf") as project:
            run = finished_run(project, tmp_path / "pictures")
            project.rate([run.id], 2)
        with Project.open(disk / "shelf.adproj") as project:
            database = project._store.database
            with database.transaction():
                database.write("PRAGMA cache_size = 1")
                database.write("UPDATE runs SET rating = 5, notes = ?", ("x" * 100_000,))
                database.write("UPDATE runs SET notes = ?", ("y" * 200_000,))
                hot = {path.name: path.read_bytes() for path in disk.glob("shelf.adproj/project.db*")}
                database.write("UPDATE runs SET rating = 2, notes = ''")
                database.write("PRAGMA cache_size = -16384")
        assert len(hot["project.db-journal"]) > 0
        for name, content in hot.items():
            (disk / "shelf.adproj" / name).write_bytes(content)
        (disk / "shelf.adproj" / "project.db.sha256").unlink(missing_ok=True)
        make_read_only(disk)
        with Project.open(disk / "shelf.adproj") as opened:
            assert opened.read_only is ReadOnlyReason.FOLDER
            assert (opened.run(run.id).rating, opened.run(run.id).notes) == (2, "")


def test_fault_11_a_folder_that_vanishes_during_a_run(tmp_path: Path) -> None:
    with Project.create(tmp_path / "stick") as project:
        run_id = computed(project, tmp_path / "pictures", seed=1)
        project.folder.rename(tmp_path / "unplugged")
        with pytest.raises(StorageError, match="was a drive unplugged"):
            project.finish_run(run_id)
        with pytest.raises(StorageError, match="was a drive unplugged"):
            project.rate([run_id], 3)
        (tmp_path / "unplugged").rename(project.folder)
        assert project.finish_run(run_id).state is RunState.FINISHED
        project.rate([run_id], 3)
    with Project.open(project.folder) as opened:
        assert opened.notices == ()
        assert opened.run(run_id).rating == 3
        assert opened.check() == ()


NAMES = (
    "Fotó 🎨 – 夕暮れ.png",
    "photo.png",
    "PHOTO.png",
    "e\u0301tude.png",
    "étude.png",
    f"{'very long ' * 22}.png",
    "CON.png",
    "trailing dot. .png",
    "quote'\"%_?#.png",
)


def test_fault_12_odd_names_come_through_and_overwrite_nothing(tmp_path: Path) -> None:
    job = sample_job(tmp_path / "pictures")
    place = tmp_path / ("Ölbilder 🖼 " + "x" * 180)
    place.mkdir()
    with Project.create(place / "Größe & Maß #1 100%?.adproj") as project:
        runs = []
        for number, name in enumerate(NAMES):
            content = write_picture(place / name, width=40 + number, height=30)
            request = project.begin_run(job.model_copy(update={"content": content, "seed": number}))
            runs.append(compute(project, request))
        assert len({run.inputs[0].object.digest for run in runs}) == len(NAMES)
    with Project.open(project.folder) as opened:
        assert opened.notices == ()
        for name, run in zip(NAMES, runs, strict=True):
            kept = opened.run(run.id)
            assert kept.inputs[0].name == name
            assert opened.object_path(kept.inputs[0].object.digest).read_bytes() == (place / name).read_bytes()
            again = opened.job(kept)
            assert again.content is not None
            assert again.content.read_bytes() == (place / name).read_bytes()
        copy = opened.save_as(place / "Kopie 🖼")
    with Project.open(copy) as copied:
        assert [run.inputs[0].name for run in copied.runs([run.id for run in runs])] == list(NAMES)
        assert copied.check() == ()


@pytest.mark.skipif(sys.platform != "linux", reason="only there do names of files hold any bytes")
def test_fault_12_names_that_are_no_unicode(tmp_path: Path) -> None:
    job = sample_job(tmp_path / "pictures")
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfc\xdfe.png"))
    write_picture(tmp_path / "plain.png", width=33, height=22).rename(odd)
    with Project.create(Path(os.fsdecode(os.fsencode(tmp_path) + b"/B\xe4ume"))) as project:
        run = compute(project, project.begin_run(job.model_copy(update={"content": odd})))
        assert run.inputs[0].name == "gr??e.png"
        project.set_notes(run.id, "half \ud83d a sign")
        project.set_desk({"words": "half \ud83d a sign"}, label="Words \ud83d")
        assert project.check() == ()
    with Project.open(project.folder) as opened:
        assert opened.notices == ()
        assert opened.run(run.id).notes == "half ? a sign"
        assert opened.undo() is not None
        assert opened.desk("words") is None


@hypothesis.given(text=strategies.text())
@hypothesis.settings(max_examples=100, deadline=None)
def test_fault_12_anything_can_be_searched_for_and_noted(one_run: Project, text: str) -> None:
    (run_id,) = one_run.run_ids()
    one_run.page(Query(text=text))
    one_run.set_notes(run_id, text)
    assert one_run.run(run_id).notes == sound_text(text)
    one_run.page(Query(text=text))


@pytest.fixture(scope="module")
def one_run() -> Iterator[Project]:
    with quick_folder() as folder, Project.create(folder / "searched") as project:
        finished_run(project, folder / "pictures")
        yield project

"""Faults 6 to 9: a damaged database, pictures that are gone or altered, newer projects, migrations that fail midway."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adstudio.cli import main
from adstudio.errors import JobError
from adstudio.projects import Health, Project, Query, RunState
from adstudio.projects.database import DamagedDatabaseError
from tests.faults.full_shelf import full_shelf, state_of
from tests.projects.makers import compute, contents

SCHEMAS = Path(__file__).resolve().parents[1] / "projects" / "schemas"


@pytest.fixture(scope="module")
def shelf() -> Iterator[Path]:
    with full_shelf() as folder:
        yield folder


@pytest.fixture
def copy(shelf: Path, tmp_path: Path) -> Path:
    return shutil.copytree(shelf, tmp_path / "copy.adproj")


def opened_state(folder: Path) -> tuple[object, tuple[str, ...]]:
    with Project.open(folder) as project:
        assert project._store.database.complaint(thorough=True) == ""
        assert project.check() == ()
        return state_of(project), project.notices


def flipped(content: bytes, chance: random.Random) -> bytes:
    position = chance.randrange(len(content))
    return content[:position] + bytes([content[position] ^ (1 << chance.randrange(8))]) + content[position + 1 :]


def zeroed(content: bytes, chance: random.Random) -> bytes:
    page = chance.randrange(len(content) // 4096) * 4096
    return content[:page] + bytes(4096) + content[page + 4096 :]


DAMAGE: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "one bit": flipped,
    "a page": zeroed,
    "cut short": lambda content, chance: content[: chance.randrange(len(content))],
    "empty": lambda content, chance: b"",
    "another file": lambda content, chance: b"\x89PNG\r\n\x1a\n" * 500,
}


@pytest.mark.parametrize("name", DAMAGE)
def test_fault_6_a_damaged_database_is_set_aside_and_made_anew(shelf: Path, tmp_path: Path, name: str) -> None:
    whole = (shelf / "project.db").read_bytes()
    with Project.open(shelf, read_only=True) as project:
        expected = state_of(project)
    for seed in range(12 if name in ("one bit", "a page", "cut short") else 1):
        folder = shutil.copytree(shelf, tmp_path / str(seed))
        broken = DAMAGE[name](whole, random.Random(seed))
        if broken == whole:
            continue
        (folder / "project.db").write_bytes(broken)
        found, notices = opened_state(folder)
        assert found == expected
        assert len(notices) == 1
        assert "made anew from the backup" in notices[0]
        (aside,) = folder.glob("project.db.damaged-*")
        assert aside.read_bytes() == broken
        assert aside.name in notices[0]
        assert opened_state(folder) == (expected, ())


def test_fault_6_without_a_backup_and_without_a_database(copy: Path) -> None:
    expected, _ = opened_state(copy)
    shutil.rmtree(copy / "backups")
    (copy / "project.db").unlink()
    found, notices = opened_state(copy)
    assert found == expected
    assert "The database was gone. It was made anew from the runs' own files, with 3 runs." in notices[0]


def test_fault_6_damage_after_a_crash_is_found_without_a_seal(copy: Path) -> None:
    expected, _ = opened_state(copy)
    (copy / "project.db.sha256").unlink()
    whole = (copy / "project.db").read_bytes()
    (copy / "project.db").write_bytes(whole[:8192] + bytes(len(whole) - 8192))
    found, notices = opened_state(copy)
    assert found == expected
    assert "The database was damaged" in notices[0]


def test_fault_6_sidecars_that_are_broken_too_come_from_the_backup(copy: Path) -> None:
    expected, _ = opened_state(copy)
    for path in copy.glob("runs/*/run.json"):
        path.write_bytes(path.read_bytes()[:100])
    (copy / "project.json").write_text("[]")
    (copy / "project.db").write_bytes(b"")
    with Project.open(copy) as project:
        assert state_of(project) == expected
    assert opened_state(copy) == (expected, ())  # the sidecars are whole again


def test_fault_6_runs_are_found_by_their_folders_alone(copy: Path) -> None:
    """Neither database nor backup nor sidecar: ratings and tags are lost, pictures and jobs are not."""
    with Project.open(copy, read_only=True) as project:
        before = {run.id: run for run in project.runs([*project.run_ids(), *project.run_ids(Query(trashed=True))])}
    shutil.rmtree(copy / "backups")
    for path in (copy / "project.db", copy / "project.json", *copy.glob("runs/*/run.json")):
        path.unlink(missing_ok=True)
    (copy / "project.db").write_bytes(b"lost")
    with Project.open(copy) as project:
        assert set(project.run_ids()) == set(before)
        for run in project.runs(list(before)):
            old = before[run.id]
            assert (run.state, run.seed, run.results, run.lineage) == (old.state, old.seed, old.results, old.lineage)
            assert [one.object for one in run.inputs] == [one.object for one in old.inputs]
        assert project.check() == ()


def test_fault_6_a_reader_is_told_and_changes_nothing(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "project.db").write_bytes(b"x" * 10_000)
    before = contents(copy)
    with pytest.raises(DamagedDatabaseError, match="doctor PROJECT --repair"):
        Project.open(copy, read_only=True)
    assert main(["doctor", str(copy)]) == 1
    assert "the database was changed while nobody had it open -> adstudio doctor" in capsys.readouterr().out
    assert contents(copy) == before
    assert main(["doctor", str(copy), "--repair"]) == 0
    assert "It was made anew" in capsys.readouterr().out


def damage(path: Path) -> None:
    """Alter a file in place, under all its names."""
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"\0")  # still a picture that can be read, but another file


def test_fault_7_an_altered_picture_is_never_computed_with(copy: Path) -> None:
    with Project.open(copy) as project:
        (cut,) = project.page(Query(trashed=True)).runs
        finished = project.page(Query(min_rating=4)).runs[0]
        style = cut.inputs[1].object.digest
        assert style == finished.inputs[1].object.digest
        for run in (cut, finished):
            damage(project.folder_of(run.id) / "inputs" / "style-1-style.png")
        damage(project.object_path(style))
        for run in (cut, finished):
            with pytest.raises(JobError, match=r"^styles\.0\.image: .* has changed since"):
                project.begin_run(project.job(run))
        with pytest.raises(JobError, match=r"^styles\.0\.image: style\.png is damaged in this project"):
            project.resume_run(cut.id)
        assert project.run(cut.id).state is RunState.FAILED
        flagged = project.object(style)
        assert flagged is not None
        assert (flagged.health, flagged.usable) == (Health.DAMAGED, False)
        assert project.thumbnail(style, 64) is None
        (other,) = (run for run in project.page().runs if run.id != finished.id)
        assert project.thumbnail(other.results[0].object.digest, 64) is not None
        project.rate([finished.id], 1)
    with Project.open(copy) as project:
        assert project.run(cut.id).inputs[1].object.health is Health.DAMAGED
        assert len(project.check()) == 1


def test_fault_7_a_missing_object_comes_back_from_the_runs_folder(copy: Path) -> None:
    with Project.open(copy) as project:
        (cut,) = project.page(Query(trashed=True)).runs
        style = cut.inputs[1].object.digest
        project.object_path(style).unlink()
        assert project.check_object(style) is Health.MISSING
        request = project.resume_run(cut.id)
        assert project.check_object(style) is Health.SOUND
        assert compute(project, request).state is RunState.FINISHED


def test_fault_7_a_picture_missing_in_the_runs_folder_comes_back_from_the_objects(copy: Path) -> None:
    with Project.open(copy) as project:
        (cut,) = project.page(Query(trashed=True)).runs
        shutil.rmtree(project.folder_of(cut.id) / "inputs")
        (project.folder_of(cut.id) / "job.json").unlink()
        assert compute(project, project.resume_run(cut.id)).state is RunState.FINISHED
        assert project.check() == ()


def test_fault_7_a_picture_that_is_put_back_is_used_again(copy: Path) -> None:
    with Project.open(copy) as project:
        run = project.page().runs[0]
        path = project.object_path(run.inputs[0].object.digest)
        path.rename(path.with_name("away"))
        assert project.check_object(path.name) is Health.MISSING
    path.with_name("away").rename(path)
    with Project.open(copy) as project:
        assert project.run(run.id).inputs[0].object.health is Health.SOUND


def test_fault_7_the_same_picture_added_again_mends_the_object(copy: Path, tmp_path: Path) -> None:
    with Project.open(copy) as project:
        run = project.page().runs[0]
        digest = run.inputs[0].object.digest
        whole = project.object_path(digest).read_bytes()
        damage(project.object_path(digest))
        assert project.check_object(digest) is Health.DAMAGED
        (tmp_path / "again.png").write_bytes(whole)
        assert project.add_file(tmp_path / "again.png").digest == digest
        assert project.check_object(digest) is Health.SOUND
        assert project.run(run.id).inputs[0].object.usable

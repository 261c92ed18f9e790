"""Runs that are refused: what is said, which exit status, and that their place is as it was before."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import NoReturn

import pytest

import adstudio.jobs.run_folder
from adstudio.cli import main
from adstudio.errors import AdStudioError, ImageTooLargeError, UnavailableError
from adstudio.jobs import run_folder
from tests.fakes import Script, ScriptedEngine, write_picture

NO_DEVICE = UnavailableError("device: there is no CUDA device; use auto or cpu")


def names_in(folder: Path) -> set[str]:
    return {one.name for one in folder.rglob("*")}


@pytest.mark.parametrize(("error", "status"), [(NO_DEVICE, 3), (ImageTooLargeError("content: is too large"), 2)])
@pytest.mark.parametrize("was_there", [False, True])
def test_a_run_the_engine_refuses_leaves_its_place_as_it_was(
    engine: ScriptedEngine, job_file: Path, tmp_path: Path, error: AdStudioError, status: int, was_there: bool
) -> None:
    out = tmp_path / "out"
    if was_there:
        out.mkdir()
    engine.scripts = [Script(error=error), Script()]
    assert main(["run", str(job_file), "--out", str(out)]) == status
    assert out.exists() == was_there
    assert not was_there or names_in(out) == set()
    assert main(["run", str(job_file), "--out", str(out)]) == 0, "the second try meets no occupied folder"
    assert (out / "result.png").is_file()


def test_a_refused_run_in_a_folder_of_its_own_stays(engine: ScriptedEngine, job_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    engine.scripts = [Script(error=ValueError("crash")), Script(error=NO_DEVICE), Script()]
    assert main(["run", str(job_file), "--out", str(out)]) == 1
    assert main(["run", str(out / "job.json"), "--resume"]) == 3
    assert {"inputs", "job.json", "events.jsonl", "crash.log"} <= names_in(out)
    assert main(["run", str(out / "job.json"), "--resume"]) == 0


def test_what_was_computed_before_memory_ran_out_stays(engine: ScriptedEngine, job_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def keep(_step: int) -> None:
        (out / "checkpoints").mkdir()

    engine.scripts = [Script(error=UnavailableError("no memory left"), error_step=2, on_step=keep), Script()]
    assert main(["run", str(job_file), "--out", str(out)]) == 3
    assert {"inputs", "job.json", "checkpoints"} <= names_in(out)
    assert main(["run", str(out / "job.json"), "--resume"]) == 0


def test_a_foreign_file_that_came_meanwhile_is_left(engine: ScriptedEngine, job_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    engine.scripts = [Script(error=NO_DEVICE, error_step=2, on_step=lambda _: (out / "diary.txt").touch())]
    assert main(["run", str(job_file), "--out", str(out)]) == 3
    assert names_in(out) == {"diary.txt"}


@pytest.mark.parametrize("from_own_folder", [True, False])
def test_a_finished_run_whose_input_was_altered_is_told(
    engine: ScriptedEngine,
    job_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    from_own_folder: bool,
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(job_file), "--out", str(out)]) == 0
    result = (out / "result.png").read_bytes()
    copy = write_picture(out / "inputs" / "content.png", width=48, height=32, shade=99)
    capsys.readouterr()
    again = [str(out / "job.json")] if from_own_folder else [str(job_file), "--out", str(out)]
    assert main(["run", *again, "--resume"]) == 2
    said = capsys.readouterr().err
    assert f"content: {copy} has changed" in said
    assert said.count("\n") == 1
    assert (out / "result.png").read_bytes() == result
    assert len(engine.taken) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="a place where nobody may write")
def test_a_place_where_nothing_can_be_written_is_a_wrong_folder(
    engine: ScriptedEngine, job_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(job_file), "--out", "/proc/x"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("adstudio: /proc/x: cannot be written, because /proc takes no new files (")
    assert said.endswith("); choose a folder you may write to\n")
    assert engine.taken == []


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (errno.ENOSPC, 1, "make room"),
        (errno.EIO, 1, "make room or choose another folder"),
        (errno.EACCES, 2, "choose a folder you may write to"),
        (errno.EROFS, 2, "takes no new files"),
    ],
)
def test_a_full_disk_is_not_a_wrong_folder(
    job_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    status: int,
    words: str,
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(adstudio.jobs.run_folder, "copy_inputs", fail)
    assert main(["run", str(job_file), "--out", str(tmp_path / "out")]) == status
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["run", "demo"])
@pytest.mark.parametrize("below", [False, True])
def test_a_file_in_the_way_is_named(
    engine: ScriptedEngine,
    job_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    below: bool,
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    out = file / "out" if below else file
    job = [str(job_file)] if command == "run" else []
    assert main([command, *job, "--out", str(out)]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"because {file} is not a folder" in said if below else f"{file}: is not a folder" in said
    assert file.read_text() == "mine"
    assert engine.taken == []


def test_a_folder_is_free_when_it_is_absent_or_empty(tmp_path: Path) -> None:
    assert run_folder.is_free(tmp_path / "none")
    assert run_folder.is_free(tmp_path)
    (tmp_path / "diary.txt").touch()
    assert not run_folder.is_free(tmp_path)
    assert not run_folder.is_free(tmp_path / "diary.txt")

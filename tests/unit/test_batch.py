"""`adstudio batch` as its users meet it: lines, folders, what a second call does, and exit status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from adstudio.cli import main
from adstudio.commands.whole import Whole
from adstudio.errors import EngineError
from adstudio.jobs import run_folder
from adstudio.jobs.event_log import read_events
from adstudio.jobs.events import Finished, Progress, Started
from adstudio.jobs.files import job_to_mapping
from tests.fakes import Script, ScriptedEngine, sample_job, write_picture


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with pictures and a file of three jobs, told apart by their seeds."""
    folder = tmp_path / "my pictures"
    mapping = job_to_mapping(sample_job(folder), relative_to=folder)
    write_lines(folder / "jobs.jsonl", *({**mapping, "seed": seed} for seed in (1, 2, 3)))
    return folder


def write_lines(path: Path, *mappings: dict[str, object]) -> None:
    path.write_text("\n\n".join(json.dumps(mapping) for mapping in mappings) + "\n", encoding="utf-8")


def lines_of(place: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (place / "jobs.jsonl").read_text().splitlines() if line]


def states(out: Path) -> dict[str, str]:
    return {job["folder"]: job["state"] for job in json.loads((out / "batch.json").read_bytes())["jobs"]}


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(one): (one.read_bytes(), one.stat().st_mtime_ns) for one in folder.rglob("*") if one.is_file()}


def test_every_job_gets_the_folder_that_run_writes(
    engine: ScriptedEngine, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["batch", str(place / "jobs.jsonl"), "--out", str(out), "--set", "images=2"]) == 0
    printed = capsys.readouterr()
    names = ["0001-content", "0002-content", "0003-content"]
    assert printed.out.splitlines() == [
        str(out / name / one) for name in names for one in ("result.png", "result-2.png")
    ]
    assert "2 of 3: 0002-content" in printed.err
    assert printed.err.endswith("3 of 3 jobs finished\n")
    assert [taken.job.seed for taken in engine.taken] == [1, 2, 3]
    assert len(engine.threads) == 1
    assert states(out) == dict.fromkeys(names, "finished")
    assert main(["run", str(place / "look.json"), "--out", str(tmp_path / "one")]) == 2
    (place / "look.json").write_text(json.dumps({**lines_of(place)[0], "images": 2}))
    assert main(["run", str(place / "look.json"), "--out", str(tmp_path / "one")]) == 0
    ours, theirs = ({one.name for one in folder.rglob("*")} for folder in (out / names[0], tmp_path / "one"))
    assert ours == theirs
    assert (out / names[0] / "job.json").read_bytes() == (tmp_path / "one" / "job.json").read_bytes()


def test_it_goes_on_after_a_failed_job_and_retries_it_when_asked(
    engine: ScriptedEngine, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    engine.scripts = [Script(), Script(error=EngineError("not a number in round 2"), error_step=2), Script()]
    assert main(["batch", str(place / "jobs.jsonl"), "--out", str(out)]) == 1
    errors = capsys.readouterr().err
    assert "2 of 3 jobs finished, 1 failed:\n  0002-content (jobs.jsonl line 3): not a number in round 2\n" in errors
    assert f"adstudio batch --out {out} --retry" in errors
    assert list(states(out).values()) == ["finished", "failed", "finished"]
    before = contents(out)
    assert main(["batch", "--out", str(out), "--resume"]) == 1
    assert len(engine.taken) == 3
    assert contents(out) == before
    assert main(["batch", "--out", str(out), "--retry"]) == 0
    assert [taken.resume for taken in engine.taken] == [False, False, False, True]
    assert engine.taken[3].job.seed == 2
    assert list(states(out).values()) == ["finished"] * 3


def test_a_wrong_line_is_named_and_nothing_runs(
    engine: ScriptedEngine, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, _ = lines_of(place)
    wrong = [
        ("line 3: num_inference_steps: must be at least 1 and at most 1000", {**two, "num_inference_steps": 10**9}),
        ("line 3: sead: unknown field; did you mean seed?", {**two, "sead": 7}),
        ("jobs.jsonl line 3: content: there is no file", {**two, "content": "gone.png"}),
        ("jobs.jsonl line 3: task: text_to_image needs", {**two, "task": "text_to_image"}),
    ]
    for message, line in wrong:
        write_lines(place / "jobs.jsonl", one, line)
        assert main(["batch", str(place / "jobs.jsonl"), "--out", str(tmp_path / "out")]) == 2
        errors = capsys.readouterr().err
        assert message in errors
        assert errors.count("\n") == 1
    write_lines(place / "jobs.jsonl", one, {**two, "model": "of-nowhere"})
    assert main(["batch", str(place / "jobs.jsonl"), "--out", str(tmp_path / "out")]) == 3
    assert "line 3: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert engine.taken == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no job in it"),
        (b"\n \n", "has no job in it"),
        (b"[1]\n", "line 1: a job is a JSON object"),
        (b"{\n", "line 1: not valid JSON"),
        (b"\xff\xfe\n", "is not UTF-8 text"),
        (b'{"seed": 1, "seed": 2}\n', "line 1: seed: given twice"),
        (b" " * 1_000_001 + b"\n", "line 1: is longer than"),
    ],
)
def test_what_is_no_file_of_jobs_is_refused(
    engine: ScriptedEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    (tmp_path / "jobs.jsonl").write_bytes(content)
    assert main(["batch", str(tmp_path / "jobs.jsonl"), "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_missing_words_are_asked_for(
    engine: ScriptedEngine, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    for arguments, message in [
        (["batch", "--out", out], "JOBS.jsonl: name a file"),
        (["batch", str(place / "none.jsonl"), "--out", out], "there is no such file of jobs"),
        (["batch", str(place), "--out", out], "is a folder"),
        (["batch", "--look", "job.json", "--out", out], "--look and --folder: belong together"),
        (["batch", "--out", out, "--resume"], "holds no batch"),
    ]:
        assert main(arguments) == 2
        assert message in capsys.readouterr().err


def test_an_occupied_folder_needs_resume_and_the_same_jobs(
    engine: ScriptedEngine, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    jobs, arguments = lines_of(place), ["batch", str(place / "jobs.jsonl"), "--out", str(out)]
    write_lines(place / "jobs.jsonl", *jobs[:2])
    assert main(arguments) == 0
    before = contents(out)
    assert main(arguments) == 2
    assert "add --resume" in capsys.readouterr().err
    write_lines(place / "jobs.jsonl", jobs[0], {**jobs[1], "seed": 9})
    assert main([*arguments, "--resume"]) == 2
    assert "0002-content (jobs.jsonl line 3) of this batch is not among the jobs any more" in capsys.readouterr().err
    assert contents(out) == before
    write_lines(place / "jobs.jsonl", jobs[2], *jobs[:2])
    assert main([*arguments, "--resume"]) == 0
    assert [taken.job.seed for taken in engine.taken] == [1, 2, 3]
    assert states(out) == dict.fromkeys(["0003-content", "0001-content", "0002-content"], "finished")


def test_a_job_that_was_cut_short_is_gone_on_with(engine: ScriptedEngine, place: Path, tmp_path: Path) -> None:
    """As after kill -9: no end in the log of the run, the next jobs not begun, a log line torn."""
    out = tmp_path / "out"
    assert main(["batch", str(place / "jobs.jsonl"), "--out", str(out)]) == 0
    finished = contents(out / "0001-content")
    log = out / "0002-content" / "events.jsonl"
    log.write_text("".join(f"{line}\n" for line in log.read_text().splitlines()[:-1]))
    (out / "0002-content" / "result.png").unlink()
    shutil.rmtree(out / "0003-content")
    with (out / "batch.jsonl").open("a") as stream:
        stream.write('{"time": "2026-')
    (out / f".{'0a' * 8}.part").write_bytes(b"torn")
    assert main(["batch", "--out", str(out), "--resume"]) == 0
    assert [(taken.folder.name, taken.resume) for taken in engine.taken[3:]] == [
        ("0002-content", True),
        ("0003-content", False),
    ]
    assert contents(out / "0001-content") == finished
    noted = (out / "batch.jsonl").read_text().splitlines()
    assert json.loads(noted[-1])["job"] == "0003-content"


def test_a_job_refused_by_the_engine_leaves_no_folder_and_keeps_its_reason(
    engine: ScriptedEngine, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.scripts = [Script(error=MemoryError()), Script()]
    out = tmp_path / "out"
    assert main(["batch", str(place / "jobs.jsonl"), "--out", str(out)]) == 1
    assert not (out / "0001-content").exists()
    assert main(["batch", "--out", str(out), "--resume"]) == 1
    assert "0001-content (jobs.jsonl line 1): There is not enough memory" in capsys.readouterr().err
    assert main(["batch", "--out", str(out), "--retry"]) == 0


def test_a_picture_that_vanishes_meanwhile_fails_its_job_alone(
    engine: ScriptedEngine, place: Path, tmp_path: Path
) -> None:
    jobs = lines_of(place)
    write_picture(place / "second.png", width=48, height=32)
    write_lines(place / "jobs.jsonl", jobs[0], {**jobs[1], "content": "second.png"}, jobs[2])
    engine.scripts = [Script(on_step=lambda step: (place / "second.png").unlink(missing_ok=True)), Script()]
    out = tmp_path / "out"
    assert main(["batch", str(place / "jobs.jsonl"), "--out", str(out)]) == 1
    assert states(out) == {"0001-content": "finished", "0002-second": "failed", "0003-content": "finished"}


def test_one_look_over_a_folder(
    engine: ScriptedEngine, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look = {name: value for name, value in lines_of(place)[0].items() if name != "content"}
    (place / "look.json").write_text(json.dumps(look))
    pictures = tmp_path / "holiday"
    pictures.mkdir()
    for name in ("10.png", "2.JPG", "a b.png"):
        write_picture(pictures / name, width=40, height=30)
    (pictures / "torn.png").write_bytes((pictures / "10.png").read_bytes()[:60])
    (pictures / "._2.jpg").write_bytes(b"of a Mac")
    (pictures / "notes.txt").write_text("none")
    out = tmp_path / "out"
    arguments = ["batch", "--look", str(place / "look.json"), "--folder", str(pictures), "--out", str(out)]
    assert main(arguments) == 1
    assert states(out) == {
        "0001-2": "finished", "0002-10": "finished", "0003-a-b": "finished", "0004-torn": "failed"
    }  # fmt: skip
    assert "0004-torn (torn.png): content: " in capsys.readouterr().err
    assert engine.taken[0].job.content == out / "0001-2" / "inputs" / "content-2.jpg"
    write_picture(pictures / "torn.png", width=40, height=30)
    write_picture(pictures / "1.png", width=40, height=30)
    assert main([*arguments, "--retry"]) == 0
    assert list(states(out)) == ["0005-1", "0001-2", "0002-10", "0003-a-b", "0004-torn"]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"task": "texture"}, "texture takes no content"), ({"styles": [{"image": "gone.png"}]}, "styles.0.image: there")],
)
def test_a_look_that_cannot_go_over_a_folder_is_refused(
    engine: ScriptedEngine,
    place: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, object],
    message: str,
) -> None:
    (place / "look.json").write_text(json.dumps({**lines_of(place)[0], **change}))
    out = tmp_path / "out"
    assert main(["batch", "--look", str(place / "look.json"), "--folder", str(place), "--out", str(out)]) == 2
    assert message in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["batch", "--look", str(place / "look.json"), "--folder", str(tmp_path / "empty"), "--out", "x"]) == 2
    assert not out.exists()


def test_a_changed_list_is_refused_in_words(
    engine: ScriptedEngine, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["batch", str(place / "jobs.jsonl"), "--out", str(out)]) == 0
    capsys.readouterr()
    whole = json.loads((out / "batch.json").read_bytes())
    folders = [{**whole["jobs"][0], "folder": folder} for folder in ("../elsewhere", "0002-content")]
    for wrong in (
        "{",
        "[]",
        json.dumps({**whole, "format": 2}),
        json.dumps({**whole, "jobs": [{}]}),
        json.dumps({**whole, "jobs": folders[:1]}),
        json.dumps({**whole, "jobs": [folders[1], folders[1]]}),
    ):
        (out / "batch.json").write_text(wrong)
        assert main(["batch", "--out", str(out), "--resume"]) == 2
        errors = capsys.readouterr().err
        assert str(out / "batch.json") in errors
        assert errors.count("\n") == 1


def test_time_left_for_all_jobs_goes_by_work_and_computing_time() -> None:
    whole = Whole({"a": 2.0, "b": 4.0, "c": 2.0})
    whole.begin("a")
    whole.take(Started(time_s=60.0))
    whole.take(Progress(step=1, steps=10, fraction=0.1, time_s=61.0))
    assert whole.words() == ""
    whole.take(Progress(step=5, steps=10, fraction=0.5, time_s=65.0))
    assert whole.remaining_s() == pytest.approx(5 + 20 + 10)
    whole.take(Finished(results=(), time_s=70.0))
    whole.begin("b")
    whole.take(Started(time_s=100.0))
    whole.take(Progress(step=6, steps=10, fraction=0.5, time_s=100.0))
    assert whole.remaining_s() == pytest.approx(10 + 10)
    whole.take(Progress(step=8, steps=10, fraction=0.75, time_s=105.0))
    assert whole.words() == "all in about 15 s"
    whole.take(Finished(results=(), time_s=110.0))
    whole.begin("c")
    whole.take(Started())
    assert whole.words() == ""


def test_a_run_folder_cut_short_while_it_was_made_can_be_used(tmp_path: Path) -> None:
    job, folder = sample_job(tmp_path / "pictures"), tmp_path / "run"
    (folder / "inputs").mkdir(parents=True)
    (folder / f".{'5c' * 8}.part").write_bytes(b'{"task"')
    request = run_folder.create(job, folder, resume=True)
    assert not read_events(folder)
    assert {one.name for one in run_folder.open_run(request.folder).folder.iterdir()} == {"inputs", "job.json"}

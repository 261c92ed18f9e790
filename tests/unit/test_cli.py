"""The command line as its users meet it: files, lines and exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adstudio.cli import main
from adstudio.commands.console import ProgressLines, duration
from adstudio.errors import UnavailableError
from adstudio.jobs.event_log import read_events
from adstudio.jobs.events import Notice, Progress
from tests.fakes import Script, ScriptedEngine

ROOT = Path(__file__).resolve().parents[2]


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(one): (one.read_bytes(), one.stat().st_mtime_ns) for one in folder.rglob("*") if one.is_file()}


def test_run_writes_the_folder_and_says_where(
    engine: ScriptedEngine, job_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(job_file), "--out", str(out), "--set", "seed=7", "--set", "images=2"]) == 0
    printed = capsys.readouterr()
    assert printed.out.split("\n")[:2] == [str(out / "result.png"), str(out / "result-2.png")]
    assert "100 %" in printed.err
    assert json.loads((out / "job.json").read_bytes())["seed"] == 7
    assert {one.name for one in out.iterdir()} == {"inputs", "job.json", "events.jsonl", "result.png", "result-2.png"}
    assert read_events(out)[-1]["type"] == "finished"
    assert engine.taken[0].job.seed == 7


def test_a_finished_run_stays_exactly_as_it_is(engine: ScriptedEngine, job_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["run", str(job_file), "--out", str(out)]) == 0
    before = contents(out)
    assert main(["run", str(out / "job.json"), "--resume"]) == 0
    assert main(["run", str(job_file), "--out", str(out), "--resume"]) == 0
    assert contents(out) == before
    assert len(engine.taken) == 1


def test_resume_goes_on_in_the_same_folder(engine: ScriptedEngine, job_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    engine.scripts = [Script(error=ValueError("crash")), Script()]
    assert main(["run", str(job_file), "--out", str(out)]) == 1
    assert main(["run", str(out / "job.json"), "--resume"]) == 0
    assert [taken.resume for taken in engine.taken] == [False, True]
    times = [record["time_s"] for record in read_events(out)]
    assert times == sorted(times)


def test_an_occupied_folder_without_resume_is_refused(
    engine: ScriptedEngine, job_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(job_file), "--out", str(out)]) == 0
    capsys.readouterr()
    before = contents(out)
    assert main(["run", str(job_file), "--out", str(out)]) == 2
    assert "--resume" in capsys.readouterr().err
    assert contents(out) == before
    assert len(engine.taken) == 1


@pytest.mark.parametrize(
    ("settings", "status", "word"),
    [
        (["--set", "seed=-1"], 2, "seed: must be at least 0"),
        (["--set", "task=text_to_image", "--set", "prompt=cat"], 2, "needs a diffusion model"),
        (["--set", "content=none.png"], 2, "content: there is no file"),
        (["--set", "model=sdxl"], 3, "installed: patch"),
        (["--set", "model=old.ckpt"], 2, "pickle"),
        (["--set", "model=models/none"], 2, "no such file or folder"),
    ],
)
def test_a_wrong_job_is_one_line_and_no_result(
    engine: ScriptedEngine,
    job_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    settings: list[str],
    status: int,
    word: str,
) -> None:
    assert main(["run", str(job_file), "--out", str(tmp_path / "out"), *settings]) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert word in printed.err
    assert not (tmp_path / "out").exists()
    assert engine.taken == []


def test_what_the_machine_lacks_is_status_3(
    engine: ScriptedEngine, job_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.scripts = [Script(error=UnavailableError("device: there is no CUDA device; use auto or cpu"))]
    assert main(["run", str(job_file), "--out", str(tmp_path / "out")]) == 3
    assert "adstudio: device: there is no CUDA device; use auto or cpu" in capsys.readouterr().err


def test_without_out_or_resume_the_folder_is_asked_for(job_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(job_file)]) == 2
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["fly"], ["run"], ["run", "a.json", "--fast"]])
def test_wrong_arguments_are_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_doctor_reports_every_part(engine: ScriptedEngine, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--json", "--warm"])
    findings = json.loads(capsys.readouterr().out)
    assert {"Python", "PyTorch", "numba", "pillow", "Qt", "Memory", "Disk", "Samples", "Engine"} <= {
        finding["name"] for finding in findings
    }
    assert all(finding["ok"] or finding["way_out"] for finding in findings)
    assert engine.warmed.is_set()
    main(["doctor"])
    assert len(capsys.readouterr().out.splitlines()) == len(findings) - 1


def test_schema_is_printed_quickly_without_the_engine() -> None:
    program = (
        "import sys; from adstudio.cli import main; main(['schema']); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'numba', 'PySide6')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    assert json.loads(done.stdout)["properties"]["task"]


def test_demo_makes_three_runs_and_a_gallery_and_can_be_repeated(
    engine: ScriptedEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo ü"
    assert main(["demo", "--out", str(out)]) == 0
    assert f"Gallery: {out / 'index.html'}" in capsys.readouterr().out
    assert sorted(one.name for one in out.iterdir()) == [
        "01-style-transfer",
        "02-appearance-transfer",
        "03-texture",
        "index.html",
    ]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 3 + 3 + 2 + 5
    assert "http" not in page
    before = {name: value for name, value in contents(out).items() if not name.endswith("index.html")}
    assert main(["demo", "--out", str(out)]) == 0
    assert {name: value for name, value in contents(out).items() if not name.endswith("index.html")} == before
    assert len(engine.taken) == 3
    (out / "02-appearance-transfer" / "job.json").write_text("{")
    assert main(["demo", "--out", str(out)]) == 0
    assert len(engine.taken) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_cancels_and_leaves_a_run_to_go_on_with(job_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    program = (
        "import sys, adstudio.cli as cli; from tests.fakes import Script, ScriptedEngine; "
        "cli.engine_factory = lambda: ScriptedEngine(scripts=[Script(steps=2000, step_s=0.01)]); "
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "run", str(job_file), "--out", str(out)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        give_up_s = time.monotonic() + 30
        while not any(record["type"] == "progress" for record in read_events(out)):
            assert time.monotonic() < give_up_s
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGINT)
        _out, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "--resume" in errors
    assert read_events(out)[-1]["type"] == "cancelled"


class _Stream:
    def __init__(self, *, live: bool) -> None:
        self.text = ""
        self._live = live

    def isatty(self) -> bool:
        return self._live

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        return None


def progress(step: int, of: int) -> Progress:
    return Progress(step=step, steps=of, fraction=step / of, remaining_s=75, image_index=1)


def test_progress_without_a_terminal_is_a_line_for_every_tenth() -> None:
    stream = _Stream(live=False)
    lines = ProgressLines(stream, images=2)  # type: ignore[arg-type]
    for step in range(1, 201):
        lines.show(progress(step, 200))
    lines.close()
    assert 10 <= len(stream.text.splitlines()) <= 11
    assert " 50 %, step 100 of 200, picture 2 of 2, about 1 min 15 s left" in stream.text


def test_progress_on_a_terminal_is_one_live_line() -> None:
    stream = _Stream(live=True)
    now_s = 0.0
    lines = ProgressLines(stream, images=1, clock=lambda: now_s)  # type: ignore[arg-type]
    for step in range(1, 101):
        now_s += 0.05
        lines.show(progress(step, 100))
    lines.show(Notice(message="made smaller"))
    lines.close()
    assert stream.text.count("\n") == 2
    assert stream.text.endswith("made smaller\n")
    assert 40 < stream.text.count("\r") <= 52


def test_durations_in_words() -> None:
    assert [duration(seconds) for seconds in (0.4, 59.4, 125, 3840)] == ["0 s", "59 s", "2 min 05 s", "1 h 04 min"]


@pytest.mark.parametrize("name", ["index.html", "notes.txt", "01-style-transfer/notes.txt"])
def test_the_demo_leaves_a_folder_with_somebody_elses_files_alone(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("precious")
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert mine.read_text() == "precious"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]

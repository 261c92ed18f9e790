"""Fault 23: after Ctrl+C, kill -9 and damage, `--resume` gives the pixels of the run that nothing disturbed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import adstudio.cli
from adstudio.cli import main
from adstudio.engine.checkpoint import FOLDER_NAME
from adstudio.jobs.event_log import read_events
from tests.engine.studio import Picture, marks, pixels_of, save_picture
from tests.fakes import Script, ScriptedEngine

ROOT = Path(__file__).resolve().parents[2]
LONG = (
    '{"task": "texture", "styles": [{"image": "style.png"}], "width": 168, "height": 144,'
    ' "num_inference_steps": 60, "seamless": "x", "variation": 0.2, "device": "cpu"}'
)
SHORT = LONG.replace("168", "84").replace("144", "72").replace("60", "16")
DYING = """
import os, signal, sys
import adstudio.cli as cli
from adstudio.engine.patch import run as patch_run
from adstudio.engine.runner import StudioEngine
from adstudio.jobs.events import Checkpointed

patch_run._CHECKPOINT_EVERY_S, patch_run._CHECKPOINT_SHARE = 0.0, float("inf")

class Dying(StudioEngine):
    def run(self, request, control):
        for event in super().run(request, control):
            yield event
            if isinstance(event, Checkpointed) and event.step == 15:
                os.kill(os.getpid(), signal.SIGKILL)

cli.engine_factory = Dying
sys.exit(cli.main(sys.argv[1:]))
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGINT nor SIGKILL for others")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume")
    save_picture(folder / "style.png", marks(90, 90))
    (folder / "job.json").write_text(SHORT)
    (folder / "long.json").write_text(LONG)
    return folder


@pytest.fixture(scope="module")
def undisturbed(place: Path) -> Picture:
    assert main(["run", str(place / "job.json"), "--out", str(place / "whole")]) == 0
    return pixels_of(place / "whole" / "result.png")


@pytest.fixture(scope="module")
def killed(place: Path) -> Path:
    """A run that kill -9 ended after step 15."""
    out = place / "killed"
    done = subprocess.run(
        [sys.executable, "-c", DYING, "run", str(place / "job.json"), "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert read_events(out)[-1]["type"] == "checkpointed"
    assert len(list((out / FOLDER_NAME).iterdir())) == 2
    return out


@pytest.fixture
def killed_copy(killed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(killed, tmp_path / "moved elsewhere")


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(one): (one.read_bytes(), one.stat().st_mtime_ns) for one in folder.rglob("*") if one.is_file()}


def resumed_steps(folder: Path) -> Iterator[int]:
    """Steps reported since the last time the job was taken."""
    records = read_events(folder)
    last = max(index for index, record in enumerate(records) if record["type"] == "queued")
    return (record["step"] for record in records[last:] if record["type"] == "progress")


def test_fault_23_ctrl_c_then_resume(place: Path) -> None:
    out = place / "interrupted"
    process = subprocess.Popen(
        [sys.executable, "-m", "adstudio", "run", str(place / "long.json"), "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        give_up_s = time.monotonic() + 60
        while not any(record["type"] == "progress" and record["step"] > 5 for record in read_events(out)):
            assert time.monotonic() < give_up_s
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)
        begun_s = time.monotonic()
        printed, errors = process.communicate(timeout=30)
        assert time.monotonic() - begun_s < 5
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, errors
    assert printed == ""
    assert "Traceback" not in errors
    assert f"adstudio run {out / 'job.json'} --resume" in errors
    assert not (out / "result.png").exists()
    assert main(["run", str(out / "job.json"), "--resume"]) == 0
    assert next(resumed_steps(out)) > 5
    assert main(["run", str(place / "long.json"), "--out", str(place / "long")]) == 0
    assert np.array_equal(pixels_of(out / "result.png"), pixels_of(place / "long" / "result.png"))
    times = [record["time_s"] for record in read_events(out)]
    assert times == sorted(times)


def test_fault_23_kill_then_resume(killed_copy: Path, undisturbed: Picture) -> None:
    (killed_copy / ".result.png.4711-0a.part").write_bytes(b"torn")
    assert main(["run", str(killed_copy / "job.json"), "--resume"]) == 0
    assert next(resumed_steps(killed_copy)) == 16
    assert np.array_equal(pixels_of(killed_copy / "result.png"), undisturbed)
    left = {one.name for one in killed_copy.iterdir()}
    assert left == {"inputs", "job.json", "events.jsonl", "result.png"}


def test_fault_23_the_job_and_its_folder_may_be_named_instead(
    place: Path, killed_copy: Path, undisturbed: Picture
) -> None:
    assert main(["run", str(place / "job.json"), "--out", str(killed_copy), "--resume"]) == 0
    assert next(resumed_steps(killed_copy)) == 16
    assert np.array_equal(pixels_of(killed_copy / "result.png"), undisturbed)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "gone"])
def test_fault_23_a_damaged_checkpoint_falls_back_to_the_one_before(
    killed_copy: Path, undisturbed: Picture, damage: str
) -> None:
    newest = max((killed_copy / FOLDER_NAME).iterdir())
    content = bytearray(newest.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 16
    newest.write_bytes({"cut": content[:-1000], "flipped": content}.get(damage, b""))
    if damage == "gone":
        newest.unlink()
    assert main(["run", str(killed_copy / "job.json"), "--resume"]) == 0
    assert next(resumed_steps(killed_copy)) == 15
    assert np.array_equal(pixels_of(killed_copy / "result.png"), undisturbed)


def test_fault_23_without_a_sound_checkpoint_it_starts_over(killed_copy: Path, undisturbed: Picture) -> None:
    for checkpoint in (killed_copy / FOLDER_NAME).iterdir():
        checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    assert main(["run", str(killed_copy / "job.json"), "--resume"]) == 0
    assert next(resumed_steps(killed_copy)) == 1
    assert np.array_equal(pixels_of(killed_copy / "result.png"), undisturbed)


def test_fault_23_a_checkpoint_that_does_not_fit_is_passed_over(
    killed_copy: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smaller = tmp_path / "smaller"
    broken = ScriptedEngine([Script(error=OSError("unplugged"))])
    with monkeypatch.context() as engine_gone:
        engine_gone.setattr(adstudio.cli, "engine_factory", lambda: broken)
        arguments = ["run", str(place / "job.json"), "--out", str(smaller), "--set", "width=40"]
        assert main(arguments) == 1
    shutil.copytree(killed_copy / FOLDER_NAME, smaller / FOLDER_NAME)
    assert main(["run", str(smaller / "job.json"), "--resume"]) == 0
    assert next(resumed_steps(smaller)) == 1
    assert pixels_of(smaller / "result.png").shape == (72, 40, 3)


def test_fault_23_a_finished_run_stays_as_it_is(
    place: Path, undisturbed: Picture, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(place / "whole")
    assert main(["run", str(place / "whole" / "job.json"), "--resume"]) == 0
    assert main(["run", str(place / "job.json"), "--out", str(place / "whole"), "--resume"]) == 0
    assert contents(place / "whole") == before
    assert capsys.readouterr().err.count("already finished") == 2


def test_fault_23_changed_inputs_are_refused(killed_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = next((killed_copy / "inputs").iterdir())
    save_picture(copy, marks(90, 90, seed=5))
    before = contents(killed_copy)
    assert main(["run", str(killed_copy / "job.json"), "--resume"]) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "styles.0.image: " in errors
    assert "has changed since" in errors
    assert contents(killed_copy) == before

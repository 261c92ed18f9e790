"""Faults 22 and 23 for many jobs: after Ctrl+C and kill -9 in the middle, going on gives the undisturbed pixels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from adstudio.cli import main
from adstudio.jobs.event_log import read_events
from tests.engine.studio import marks, pixels_of, save_picture

ROOT = Path(__file__).resolve().parents[2]
TEXTURE = {"task": "texture", "styles": [{"image": "style.png"}], "num_inference_steps": 16, "device": "cpu"}
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
            if isinstance(event, Checkpointed) and event.step == 15 and request.folder.name.startswith("0002"):
                os.kill(os.getpid(), signal.SIGKILL)

cli.engine_factory = Dying
sys.exit(cli.main(sys.argv[1:]))
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGINT nor SIGKILL for others")


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    save_picture(tmp_path / "style.png", marks(90, 90))
    lines = [{**TEXTURE, "width": width, "height": 72, "seed": width} for width in (60, 84, 64)]
    (tmp_path / "jobs.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    return tmp_path / "jobs.jsonl"


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(one): (one.read_bytes(), one.stat().st_mtime_ns) for one in folder.rglob("*") if one.is_file()}


def steps_since_taken(folder: Path) -> list[int]:
    records = read_events(folder)
    last = max(index for index, record in enumerate(records) if record["type"] == "queued")
    return [record["step"] for record in records[last:] if record["type"] == "progress"]


@pytest.mark.parametrize("kind", ["batch", "sweep"])
def test_fault_23_killed_in_the_middle_of_a_job_it_goes_on_to_the_same_pixels(
    jobs: Path, tmp_path: Path, kind: str
) -> None:
    out, whole = tmp_path / "killed", tmp_path / "whole"
    (tmp_path / "job.json").write_text(json.dumps({**TEXTURE, "height": 72, "seed": 5}))
    named = [str(jobs)] if kind == "batch" else [str(tmp_path / "job.json"), "--over", "width=60,84,64"]
    done = subprocess.run(
        [sys.executable, "-c", DYING, kind, *named, "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    first, second = sorted(path for path in out.iterdir() if path.is_dir())
    before = contents(first)
    assert not (second / "result.png").exists()
    assert main([kind, "--out", str(out), "--resume"]) == 0
    assert contents(first) == before
    assert steps_since_taken(second)[0] == 16
    assert main([kind, *named, "--out", str(whole)]) == 0
    names = [path.name for path in whole.iterdir() if path.is_dir()]
    assert len(names) == 3
    for name in names:
        assert np.array_equal(pixels_of(out / name / "result.png"), pixels_of(whole / name / "result.png"))
    if kind == "sweep":
        assert np.array_equal(pixels_of(out / "grid.png"), pixels_of(whole / "grid.png"))


def test_fault_22_ctrl_c_ends_a_batch_so_that_it_can_be_gone_on_with(jobs: Path, tmp_path: Path) -> None:
    out = tmp_path / "interrupted"
    long = {**TEXTURE, "width": 168, "height": 144, "num_inference_steps": 60}
    jobs.write_text("\n".join(json.dumps({**long, "seed": seed}) for seed in (1, 2)))
    process = subprocess.Popen(
        [sys.executable, "-m", "adstudio", "batch", str(jobs), "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        give_up_s = time.monotonic() + 60
        while not any(record["type"] == "progress" for record in read_events(out / "0001-style")):
            assert time.monotonic() < give_up_s
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)
        printed, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, errors
    assert (printed, "Traceback" in errors) == ("", False)
    assert f"Go on with: adstudio batch --out {out} --resume" in errors
    assert [job["state"] for job in json.loads((out / "batch.json").read_bytes())["jobs"]] == ["open", "open"]
    assert not (out / "0002-style").exists()
    assert read_events(out / "0001-style")[-1]["type"] == "cancelled"


def test_fault_27_a_wrong_line_of_a_batch_is_one_line_and_nothing_is_written(jobs: Path, tmp_path: Path) -> None:
    jobs.write_text(f'{jobs.read_text()}\n{{"task": "texture", "styles": [{{"image": "style.png"}}], "seed": NaN}}\n')
    done = subprocess.run(
        [sys.executable, "-m", "adstudio", "batch", str(jobs), "--out", str(tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "line 4: seed: " in done.stderr
    assert not (tmp_path / "out").exists()

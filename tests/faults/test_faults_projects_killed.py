"""Faults 1 and 2: kill -9 at any moment of the work on a project; it opens again, is sound, and has lost nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither fork nor SIGKILL")


def test_faults_1_and_2_killed_forty_times(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.killed_projects", str(tmp_path), "40", "20261125"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert sum(told["kills"].values()) == 40
    assert len(told["kills"]) >= 3, told
    assert told["made"] >= 20, told

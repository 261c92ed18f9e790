"""Fault 28: without any network everything works; and nothing even asks for one."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from adstudio.cli import main
from tests.engine.studio import marks, pixels_of, save_picture, scene

ROOT = Path(__file__).resolve().parents[2]
OFFLINE = """
import socket, sys
from adstudio.cli import main

assert {name for _, name in socket.if_nameindex()} <= {"lo"}, "there is a network"
try:
    socket.create_connection(("127.0.0.1", 9), 1)
except OSError as error:
    assert error.errno in (101, 111), error  # even the way to this machine itself is down
status = [main(arguments.split("|")) for arguments in sys.argv[1:]]
sys.exit(max(status))
"""


def can_take_the_network_away() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    return subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def job_files(tmp_path: Path) -> list[Path]:
    save_picture(tmp_path / "content.png", scene(56, 48))
    save_picture(tmp_path / "style.png", marks(48, 48))
    files = []
    for task in ("style_transfer", "appearance_transfer", "texture"):
        job: dict[str, Any] = {"task": task, "styles": [{"image": "style.png"}], "num_inference_steps": 4}
        if task != "texture":
            job["content"] = "content.png"
        path = tmp_path / f"{task}.json"
        path.write_text(json.dumps(job))
        files.append(path)
    return files


@pytest.mark.skipif(not can_take_the_network_away(), reason="needs Linux and the right to make a network namespace")
def test_fault_28_every_task_and_the_doctor_without_a_network_interface(job_files: list[Path]) -> None:
    commands = [f"run|{path}|--out|{path.with_suffix('')}" for path in job_files]
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", OFFLINE, *commands, "schema"],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    for path in job_files:
        assert pixels_of(path.with_suffix("") / "result.png").ndim == 3


def test_fault_28_nothing_asks_for_a_connection_or_a_name(
    job_files: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def refuse(name: str) -> Any:
        def refused(*arguments: object, **_named: object) -> NoReturn:
            asked.append(f"{name}{arguments}")
            raise OSError(f"{name} is not allowed here")

        return refused

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse(name), raising=False)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse(name))
    for path in job_files:
        assert main(["run", str(path), "--out", str(path.with_suffix(""))]) == 0
    main(["doctor"])
    main(["schema"])
    capsys.readouterr()
    assert asked == []

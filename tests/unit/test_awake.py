"""Keeping the machine awake: which command, that it lasts as long as it is wanted, and silence where it is missing."""

from __future__ import annotations

import logging
import os
import stat
import sys
from pathlib import Path

import pytest

from adstudio.jobs.awake import awake_command, kept_awake

posix = pytest.mark.skipif(sys.platform == "win32", reason="the commands are of Linux and macOS")


def fake(folder: Path, name: str, script: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_each_system_has_its_command() -> None:
    mac = awake_command("darwin", lambda name: f"/usr/bin/{name}")
    assert mac == ("/usr/bin/caffeinate", "-i", "-w", str(os.getpid()))
    linux = awake_command("linux", lambda name: f"/bin/{name}")
    assert linux is not None
    assert (linux[0], linux[-1]) == ("/bin/systemd-inhibit", "/bin/cat")
    assert "--what=sleep:idle" in linux
    assert awake_command("linux", lambda name: None) is None
    assert awake_command("darwin", lambda name: None) is None


@posix
def test_the_command_lasts_as_long_as_it_is_wanted(tmp_path: Path) -> None:
    pid, ended = tmp_path / "pid", tmp_path / "ended"
    os.mkfifo(pid)
    tool = fake(
        tmp_path, "inhibit", f'trap "echo x > {ended}; exit" TERM\necho $$ > {pid}\nread line\necho x > {ended}'
    )
    with kept_awake(platform="linux", find=lambda name: tool):
        number = int(pid.read_text())
        os.kill(number, 0)
        assert not ended.exists()
    assert ended.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


@posix
@pytest.mark.parametrize("found", ["", "/there/is/none", "ends at once"])
def test_a_machine_that_cannot_be_kept_awake_is_noted_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, found: str
) -> None:
    caplog.set_level(logging.DEBUG, logger="adstudio.jobs.awake")
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    tool = fake(tmp_path, "inhibit", f"echo $$ > {pid}; exit 1") if found == "ends at once" else found
    with kept_awake(platform="linux", find=lambda name: tool or None):
        if found == "ends at once":
            os.waitid(os.P_PID, int(pid.read_text()), os.WEXITED | os.WNOWAIT)
    assert any("awake" in record.message or "could not be started" in record.message for record in caplog.records)

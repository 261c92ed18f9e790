"""The hosts of this project against the contract, and what is the thread host's own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from adstudio.errors import EngineError
from adstudio.jobs.events import Failed
from adstudio.jobs.host import EngineFactory, RunRequest
from adstudio.jobs.thread_host import ThreadHost
from tests.fakes import FakeHost, Script, ScriptedEngine, sample_job
from tests.unit.host_contract import HostContract, everything, play, request_in


class TestThreadHost(HostContract):
    def make_host(self, factory: EngineFactory) -> ThreadHost:
        return ThreadHost(factory)


class TestFakeHost(HostContract):
    def make_host(self, factory: EngineFactory) -> ThreadHost:
        return FakeHost(factory=factory)


def test_the_fake_host_follows_its_scripts(tmp_path: Path) -> None:
    host = FakeHost(Script(error=ValueError("scripted")))

    async def story() -> None:
        last = (await everything(host, host.submit(request_in(tmp_path / "run"))))[-1]
        assert isinstance(last, Failed)
        assert len(host.engine.taken) == 1
        await host.shutdown()

    play(story())


@pytest.mark.skipif(sys.platform != "linux", reason="niceness of one thread is a Linux thing")
def test_the_engine_thread_is_nicer_than_the_window(tmp_path: Path) -> None:
    niceness: list[int] = []
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def look(_step: int) -> None:
        niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    host = FakeHost(Script(steps=1, on_step=look))

    async def story() -> None:
        await everything(host, host.submit(request_in(tmp_path / "run")))
        await host.shutdown()

    play(story())
    assert niceness[0] >= max(own, 10)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


def test_a_folder_that_cannot_be_written_fails_the_run(tmp_path: Path) -> None:
    host = ThreadHost(ScriptedEngine)
    request = RunRequest(job=sample_job(tmp_path / "pictures"), folder=tmp_path / "nowhere")

    async def story() -> None:
        events = await everything(host, host.submit(request))
        assert len(events) == 1
        assert isinstance(events[0], Failed)
        await host.shutdown()

    play(story())


def test_shutdown_from_a_second_loop(tmp_path: Path) -> None:
    host = ThreadHost(ScriptedEngine)

    async def first() -> None:
        await everything(host, host.submit(request_in(tmp_path / "run")))

    asyncio.run(first())
    asyncio.run(host.shutdown())
    assert host.shutdown_blocking(1.0)


def test_the_machine_is_kept_awake_while_a_run_computes_and_only_then(tmp_path: Path) -> None:
    happened: list[str] = []

    @contextlib.contextmanager
    def awake() -> Iterator[None]:
        happened.append("awake")
        try:
            yield
        finally:
            happened.append("asleep")

    scripts = [Script(steps=1, on_step=lambda _: happened.append("step")), Script(steps=1, error=EngineError("odd"))]
    engine = ScriptedEngine(scripts=scripts)
    host = ThreadHost(lambda: engine, awake=awake)

    async def story() -> None:
        for name in ("a", "b"):
            await everything(host, host.submit(request_in(tmp_path / name)))
        await host.shutdown()

    play(story())
    assert happened == ["awake", "step", "asleep", "awake", "asleep"]

"""What every engine host must do; a host's test class derives from `HostContract` and says how it is made."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from adstudio.errors import EngineError, UnavailableError
from adstudio.jobs.event_log import read_events
from adstudio.jobs.events import Cancelled, Event, Failed, Finished, Paused, Preview, Progress, Queued, Resumed
from adstudio.jobs.host import EngineFactory, RunId, RunRequest
from adstudio.jobs.thread_host import ThreadHost
from tests.fakes import Script, ScriptedEngine, sample_job

LONGEST_S = 20.0


def request_in(folder: Path) -> RunRequest:
    folder.mkdir(parents=True, exist_ok=True)
    return RunRequest(job=sample_job(folder / "pictures"), folder=folder)


async def everything(host: ThreadHost, run_id: RunId) -> list[Event]:
    return [event async for event in host.events(run_id)]


async def until(condition: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + LONGEST_S
    while not condition():
        assert time.monotonic() < give_up_s, "what was waited for never came"
        await asyncio.sleep(0.005)


def play(story: Awaitable[None]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(story, LONGEST_S)

    asyncio.run(limited())


def kinds(events: list[Event], *, previews: bool = False) -> list[str]:
    return [event.type for event in events if previews or not isinstance(event, Preview)]


class HostContract:
    """The contract. `make_host` is what differs between hosts."""

    def make_host(self, factory: EngineFactory) -> ThreadHost:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def no_thread_is_left(self) -> Iterator[None]:
        before = set(threading.enumerate())
        yield
        assert set(threading.enumerate()) <= before

    def hosting(self, *scripts: Script) -> tuple[ThreadHost, ScriptedEngine]:
        engine = ScriptedEngine(scripts=list(scripts) or [Script()])
        return self.make_host(lambda: engine), engine

    def test_events_come_in_order_and_are_logged(self, tmp_path: Path) -> None:
        host, engine = self.hosting(Script(steps=2, checkpoints=True, notices=("made smaller",), prepare_s=0.2))

        async def story() -> None:
            events = await everything(host, host.submit(request_in(tmp_path / "run")))
            assert kinds(events) == [
                "queued", "loading_model", "started", "notice", "progress", "checkpointed", "progress", "checkpointed",
                "finished",
            ]  # fmt: skip
            times = [event.time_s for event in events]
            assert times == sorted(times)
            assert times[3] - times[2] >= 0.2, "started is dated back to where computing began"
            assert isinstance(events[-1], Finished)
            assert all(path.is_file() for path in events[-1].results)
            logged = read_events(tmp_path / "run")
            assert [record["type"] for record in logged if record["type"] != "preview"] == kinds(events)
            await host.shutdown()

        play(story())
        assert len(engine.threads) == 1
        assert threading.get_ident() not in engine.threads

    def test_jobs_run_one_after_another_in_order(self, tmp_path: Path) -> None:
        gate = threading.Event()
        host, engine = self.hosting(Script(gate=gate), Script())

        async def story() -> None:
            ids = [host.submit(request_in(tmp_path / name)) for name in ("first", "second", "third")]
            await until(engine.reached_gate.is_set)
            assert len(engine.taken) == 1
            gate.set()
            ends = [(await everything(host, run_id))[-1].type for run_id in ids]
            assert ends == ["finished"] * 3
            assert [taken.folder.name for taken in engine.taken] == ["first", "second", "third"]
            await host.shutdown()

        play(story())

    def test_queue_positions(self, tmp_path: Path) -> None:
        gate = threading.Event()
        host, engine = self.hosting(Script(gate=gate))

        async def story() -> None:
            ids = [host.submit(request_in(tmp_path / "0"))]
            await until(engine.reached_gate.is_set)
            ids += [host.submit(request_in(tmp_path / str(number))) for number in (1, 2)]
            gate.set()
            firsts = [(await everything(host, run_id))[0] for run_id in ids]
            assert [first.position for first in firsts if isinstance(first, Queued)] == [0, 1, 2]
            await host.shutdown()

        play(story())

    def test_cancel_of_a_queued_run_is_told_at_once(self, tmp_path: Path) -> None:
        gate = threading.Event()
        host, engine = self.hosting(Script(gate=gate), Script())

        async def story() -> None:
            running = host.submit(request_in(tmp_path / "running"))
            waiting = host.submit(request_in(tmp_path / "waiting"))
            await until(engine.reached_gate.is_set)
            host.cancel(waiting)
            assert kinds(await everything(host, waiting)) == ["queued", "cancelled"]
            gate.set()
            assert isinstance((await everything(host, running))[-1], Finished)
            assert len(engine.taken) == 1
            await host.shutdown()

        play(story())

    def test_cancel_of_a_running_run_and_the_next_one_is_untouched(self, tmp_path: Path) -> None:
        host, engine = self.hosting(Script(gate=threading.Event()), Script())

        async def story() -> None:
            run_id = host.submit(request_in(tmp_path / "first"))
            following = host.submit(request_in(tmp_path / "second"))
            await until(engine.reached_gate.is_set)
            begun_s = time.monotonic()
            host.cancel(run_id)
            host.cancel(run_id)
            events = await everything(host, run_id)
            assert time.monotonic() - begun_s < 0.5
            assert kinds(events)[-1] == "cancelled"
            assert "finished" not in kinds(events)
            assert isinstance((await everything(host, following))[-1], Finished)
            await host.shutdown()
            assert engine.ended == 2

        play(story())

    def test_cancel_after_the_end_changes_nothing(self, tmp_path: Path) -> None:
        host, _engine = self.hosting()

        async def story() -> None:
            run_id = host.submit(request_in(tmp_path / "run"))
            first = await everything(host, run_id)
            logged = (tmp_path / "run" / "events.jsonl").read_bytes()
            host.cancel(run_id)
            host.pause(run_id)
            host.resume(run_id)
            again = await everything(host, run_id)
            assert kinds(again) == kinds(first)
            assert (tmp_path / "run" / "events.jsonl").read_bytes() == logged
            await host.shutdown()

        play(story())

    def test_pause_holds_and_resume_goes_on(self, tmp_path: Path) -> None:
        gate = threading.Event()
        host, engine = self.hosting(Script(steps=4, gate=gate, gate_step=2))

        async def story() -> None:
            run_id = host.submit(request_in(tmp_path / "run"))
            await until(engine.reached_gate.is_set)
            host.pause(run_id)
            gate.set()
            seen: list[Event] = []
            async for event in host.events(run_id):
                seen.append(event)
                if isinstance(event, Paused):
                    steps = [one.step for one in seen if isinstance(one, Progress)]
                    await asyncio.sleep(0.05)
                    assert read_events(tmp_path / "run")[-1]["type"] == "paused"
                    assert steps[-1] <= 2
                    host.resume(run_id)
            order = kinds(seen)
            assert order.index("paused") + 1 == order.index("resumed")
            assert order[-1] == "finished"
            assert isinstance(seen[-1], Finished)
            assert sum(isinstance(event, Resumed) for event in seen) == 1
            await host.shutdown()

        play(story())

    def test_cancel_while_paused(self, tmp_path: Path) -> None:
        gate = threading.Event()
        host, engine = self.hosting(Script(gate=gate))

        async def story() -> None:
            run_id = host.submit(request_in(tmp_path / "run"))
            await until(engine.reached_gate.is_set)
            host.pause(run_id)
            gate.set()
            seen: list[Event] = []
            async for event in host.events(run_id):
                seen.append(event)
                if isinstance(event, Paused):
                    host.cancel(run_id)
            assert kinds(seen)[-2:] == ["paused", "cancelled"]
            await host.shutdown()

        play(story())

    def test_a_queued_run_can_be_paused_before_it_starts(self, tmp_path: Path) -> None:
        gate = threading.Event()
        host, engine = self.hosting(Script(gate=gate), Script())

        async def story() -> None:
            host.submit(request_in(tmp_path / "first"))
            waiting = host.submit(request_in(tmp_path / "second"))
            await until(engine.reached_gate.is_set)
            host.pause(waiting)
            gate.set()
            seen: list[Event] = []
            async for event in host.events(waiting):
                seen.append(event)
                if isinstance(event, Paused):
                    host.resume(waiting)
            assert kinds(seen)[:5] == ["queued", "loading_model", "started", "paused", "resumed"]
            await host.shutdown()

        play(story())

    @pytest.mark.parametrize(
        ("error", "exit_status", "word"),
        [
            (EngineError("not a number in round 3"), 1, "not a number"),
            (UnavailableError("there is no CUDA device here"), 3, "CUDA"),
            (MemoryError(), 3, "memory"),
            (ZeroDivisionError("by nothing"), 1, "crash.log"),
            (OSError(28, "No space left on device"), 1, "full"),
            (SystemExit(4), 1, "SystemExit"),
        ],
    )
    def test_an_error_becomes_failed_and_the_next_job_runs(
        self, tmp_path: Path, error: BaseException, exit_status: int, word: str
    ) -> None:
        host, _engine = self.hosting(Script(error=error, error_step=2), Script())

        async def story() -> None:
            run_id = host.submit(request_in(tmp_path / "first"))
            following = host.submit(request_in(tmp_path / "second"))
            last = (await everything(host, run_id))[-1]
            assert isinstance(last, Failed)
            assert last.exit_status == exit_status
            assert word in last.reason
            assert "\n" not in last.reason
            unforeseen = isinstance(error, (ZeroDivisionError, SystemExit))
            assert (tmp_path / "first" / "crash.log").exists() == unforeseen
            assert isinstance((await everything(host, following))[-1], Finished)
            await host.shutdown()

        play(story())

    def test_an_engine_that_ends_without_a_result_has_failed(self, tmp_path: Path) -> None:
        host, _engine = self.hosting(Script(finish=False))

        async def story() -> None:
            assert isinstance((await everything(host, host.submit(request_in(tmp_path / "run"))))[-1], Failed)
            await host.shutdown()

        play(story())

    def test_an_engine_that_cannot_be_made_fails_the_job_only(self, tmp_path: Path) -> None:
        attempts: list[int] = []

        def factory() -> ScriptedEngine:
            attempts.append(1)
            if len(attempts) == 1:
                raise ImportError("no module named torch")
            return ScriptedEngine()

        host = self.make_host(factory)

        async def story() -> None:
            first = (await everything(host, host.submit(request_in(tmp_path / "first"))))[-1]
            assert isinstance(first, Failed)
            assert "torch" in first.reason
            assert isinstance((await everything(host, host.submit(request_in(tmp_path / "second"))))[-1], Finished)
            await host.shutdown()

        play(story())

    def test_two_readers_and_a_late_one_see_the_same(self, tmp_path: Path) -> None:
        gate = threading.Event()
        host, engine = self.hosting(Script(steps=3, gate=gate))

        async def story() -> None:
            run_id = host.submit(request_in(tmp_path / "run"))
            early = [asyncio.create_task(everything(host, run_id)) for _ in range(2)]
            await until(engine.reached_gate.is_set)
            gate.set()
            seen = [kinds(await task) for task in early]
            late = await everything(host, run_id)
            assert seen[0] == seen[1] == kinds(late)
            assert sum(isinstance(event, Preview) for event in late) == 1
            await host.shutdown()

        play(story())

    def test_previews_are_throttled_and_the_newest_wins(self, tmp_path: Path) -> None:
        host, _engine = self.hosting(Script(steps=400, step_s=0.001))

        async def story() -> None:
            events = await everything(host, host.submit(request_in(tmp_path / "run")))
            previews = [event for event in events if isinstance(event, Preview)]
            duration_s = events[-1].time_s
            assert 1 <= len(previews) <= duration_s * 10 + 3
            assert previews[-1].step == 400
            assert sum(isinstance(event, Progress) for event in events) == 400
            await host.shutdown()

        play(story())

    def test_a_reader_that_stops_listening_disturbs_nobody(self, tmp_path: Path) -> None:
        host, _engine = self.hosting(Script(steps=20, step_s=0.002))

        async def story() -> None:
            run_id = host.submit(request_in(tmp_path / "run"))
            task = asyncio.create_task(everything(host, run_id))
            await asyncio.sleep(0.01)
            task.cancel()
            assert isinstance((await everything(host, run_id))[-1], Finished)
            await host.shutdown()

        play(story())

    def test_shutdown_cancels_everything_and_joins(self, tmp_path: Path) -> None:
        host, engine = self.hosting(Script(gate=threading.Event()))

        async def story() -> None:
            ids = [host.submit(request_in(tmp_path / str(number))) for number in range(3)]
            await until(engine.reached_gate.is_set)
            await host.shutdown()
            await host.shutdown()
            for run_id in ids:
                assert isinstance((await everything(host, run_id))[-1], Cancelled)
            assert [read_events(tmp_path / str(number))[-1]["type"] for number in range(3)] == ["cancelled"] * 3
            with pytest.raises(RuntimeError):
                host.submit(request_in(tmp_path / "late"))

        play(story())
        assert engine.ended == 1

    def test_shutdown_of_an_idle_host(self) -> None:
        host, _engine = self.hosting()
        play(host.shutdown())
        other, _engine = self.hosting()
        assert other.shutdown_blocking(1.0)

    def test_warm_makes_the_engine_ready_and_survives_its_failure(self, tmp_path: Path) -> None:
        host, engine = self.hosting()
        engine.warm_error = RuntimeError("no compiler")

        async def story() -> None:
            host.warm()
            await until(engine.warmed.is_set)
            assert isinstance((await everything(host, host.submit(request_in(tmp_path / "run"))))[-1], Finished)
            await host.shutdown()

        play(story())

    def test_memory_is_given_back_between_runs_by_the_engine_thread(self, tmp_path: Path) -> None:
        gate = threading.Event()
        host, engine = self.hosting(Script(gate=gate), Script())
        engine.release_error = RuntimeError("the driver is gone")

        async def story() -> None:
            host.release()  # nothing was begun yet: nothing to give back
            first, second = (host.submit(request_in(tmp_path / name)) for name in ("first", "second"))
            await until(engine.reached_gate.is_set)
            host.release()
            assert engine.released_after == [], "not while a run computes"
            host.cancel(first)
            assert isinstance((await everything(host, second))[-1], Finished)
            assert engine.released_after == [1], "before the run that waited"
            host.release()
            await until(lambda: engine.released_after == [1, 2])
            await host.shutdown()
            host.release()

        play(story())
        assert len(engine.threads) == 1

    def test_unknown_runs_are_refused(self) -> None:
        host, _engine = self.hosting()
        for call in (host.events, host.pause, host.resume, host.cancel):
            with pytest.raises(KeyError):
                call(RunId("nobody"))
        play(host.shutdown())

    def test_a_resumed_log_counts_on(self, tmp_path: Path) -> None:
        folder = tmp_path / "run"
        folder.mkdir()
        (folder / "events.jsonl").write_bytes(b'{"time_s": 41.5, "type": "started"}\n{"time_s": 42.0, "ty')
        host, _engine = self.hosting()

        async def story() -> None:
            events = await everything(host, host.submit(request_in(folder)))
            assert events[0].time_s >= 41.5
            assert [record["type"] for record in read_events(folder)][:3] == ["started", "queued", "loading_model"]
            await host.shutdown()

        play(story())

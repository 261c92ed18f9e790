"""The queue: order, holding, retry and cancel, and that nothing is lost from one start to the next."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adstudio.errors import EngineError, StorageError
from adstudio.jobs import run_folder
from adstudio.jobs.event_log import read_events
from adstudio.jobs.events import Finished
from adstudio.jobs.host import RunId, RunRequest
from adstudio.jobs.queue import JobQueue
from adstudio.jobs.queue_entry import EntryId, EntryState, QueueEntry, QueueFile
from adstudio.jobs.run_folder import RunStatus
from tests.fakes import FakeHost, Script, sample_job
from tests.unit.host_contract import everything, play, until


class Bench:
    """A queue with a scripted host whose first run waits at a gate, and a file of its own."""

    def __init__(self, folder: Path, *scripts: Script) -> None:
        self.folder = folder
        self.gate = threading.Event()
        self.host = FakeHost(*(scripts or (Script(gate=self.gate), Script())))
        self.file = QueueFile(folder / "state" / "queue.json")
        self.changes = 0
        self.begun: list[tuple[str, RunId]] = []
        self.queue = JobQueue(self.host, self.file, on_change=self._count, on_run=self._note)

    def _count(self) -> None:
        self.changes += 1

    def _note(self, entry: QueueEntry, request: RunRequest, run_id: RunId) -> None:
        assert entry.folder == request.folder
        self.begun.append((entry.title, run_id))

    def add(self, *names: str, priority: int = 0, held: bool = False) -> list[EntryId]:
        return [self.queue.add(self.request(name), title=name, priority=priority, held=held) for name in names]

    def request(self, name: str) -> RunRequest:
        return run_folder.create(sample_job(self.folder / "pictures"), self.folder / name)

    def titles(self) -> str:
        return " ".join(entry.title for entry in self.queue.entries)

    def states(self) -> dict[str, EntryState]:
        return {entry.title: entry.state for entry in self.queue.entries}

    async def empty(self) -> None:
        await until(lambda: self.queue.current is None)

    def ran(self) -> list[str]:
        return [taken.folder.name for taken in self.host.engine.taken]


@asynccontextmanager
async def working(bench: Bench) -> AsyncIterator[Bench]:
    try:
        yield bench
    finally:
        bench.gate.set()
        await bench.queue.close()
        await bench.host.shutdown()


def story(tmp_path: Path, tell: Callable[[Bench], Awaitable[None]], *scripts: Script) -> None:
    async def whole() -> None:
        async with working(Bench(tmp_path, *scripts)) as bench:
            await tell(bench)

    play(whole())


def test_runs_go_one_after_another_and_leave_when_finished(tmp_path: Path) -> None:
    async def tell(bench: Bench) -> None:
        bench.add("a", "b", "c")
        await until(bench.host.engine.reached_gate.is_set)
        assert bench.states() == {"a": EntryState.RUNNING, "b": EntryState.WAITING, "c": EntryState.WAITING}
        assert len(bench.begun) == 1
        bench.gate.set()
        await bench.empty()
        assert (bench.titles(), bench.ran()) == ("", ["a", "b", "c"])
        for _, run_id in bench.begun:
            assert isinstance((await everything(bench.host, run_id))[-1], Finished)
        assert bench.changes >= 6
        assert bench.file.load() == ()

    story(tmp_path, tell)


def test_order_follows_priority_and_the_artist(tmp_path: Path) -> None:
    async def tell(bench: Bench) -> None:
        bench.add("now")
        _, b, c = bench.add("a", "b", "c")
        (urgent,) = bench.add("urgent", priority=5)
        (later,) = bench.add("later", priority=-1)
        assert bench.titles() == "now urgent a b c later"
        bench.queue.move(c, 2)
        assert bench.titles() == "now urgent c a b later"
        bench.queue.move(later, 0)
        assert bench.titles() == "now later urgent c a b", "what runs stays first"
        bench.queue.move(urgent, 99)
        assert bench.titles() == "now later c a b urgent"
        bench.queue.set_priority(b, 9)
        assert bench.titles() == "now b later c a urgent"
        bench.queue.move(b, 3)
        assert bench.titles() == "now later c b a urgent"
        bench.gate.set()
        await bench.empty()
        assert bench.ran() == ["now", "later", "c", "b", "a", "urgent"]
        with pytest.raises(KeyError):
            bench.queue.move(b, 0)

    story(tmp_path, tell)


def test_what_is_held_lets_others_pass(tmp_path: Path) -> None:
    async def tell(bench: Bench) -> None:
        a, b, _ = bench.add("a", "b", "c")
        (d,) = bench.add("d", held=True)
        bench.queue.hold(b)
        bench.queue.hold(a)
        assert list(bench.states().values()) == ["running", "held", "waiting", "held"]
        bench.gate.set()
        await bench.empty()
        assert (bench.titles(), bench.ran()) == ("b d", ["a", "c"])
        bench.queue.hold_all()
        bench.queue.release(d)
        bench.queue.release(b)
        assert bench.queue.held and bench.queue.current is None
        bench.queue.release_all()
        await bench.empty()
        assert bench.ran() == ["a", "c", "b", "d"]

    story(tmp_path, tell)


def test_a_failed_run_keeps_its_reason_and_can_be_tried_again(tmp_path: Path) -> None:
    async def tell(bench: Bench) -> None:
        a, _ = bench.add("a", "b")
        await bench.empty()
        assert bench.states() == {"a": EntryState.FAILED}
        assert bench.queue.entries[0].reason == "not a number in round 2"
        assert bench.file.load() == bench.queue.entries
        bench.queue.release(a)
        assert bench.states() == {"a": EntryState.FAILED}
        bench.queue.retry(a)
        await bench.empty()
        assert bench.ran() == ["a", "b", "a"]
        assert bench.host.engine.taken[-1].resume
        assert bench.titles() == ""

    story(tmp_path, tell, Script(error=EngineError("not a number in round 2")), Script())


def test_cancel_one_running_waiting_held_or_failed(tmp_path: Path) -> None:
    async def tell(bench: Bench) -> None:
        failed, running, waiting = bench.add("failed", "running", "waiting")
        (held,) = bench.add("held", held=True)
        await until(bench.host.engine.reached_gate.is_set)
        for entry_id in (waiting, held, failed):
            bench.queue.cancel(entry_id)
        assert bench.titles() == "running"
        bench.queue.cancel(running)
        await bench.empty()
        assert bench.ran() == ["failed", "running"]
        statuses = {name: run_folder.summarize(tmp_path / name).status for name in ("failed", "running", "waiting")}
        assert statuses == {
            "failed": RunStatus.FAILED, "running": RunStatus.CANCELLED, "waiting": RunStatus.CANCELLED
        }  # fmt: skip

    story(tmp_path, tell, Script(error=EngineError("odd")), Script(gate=threading.Event()))


def test_cancel_all_leaves_what_failed(tmp_path: Path) -> None:
    async def tell(bench: Bench) -> None:
        bench.add("failed", "running", "waiting")
        bench.add("held", held=True)
        await until(bench.host.engine.reached_gate.is_set)
        bench.queue.cancel_all()
        await bench.empty()
        assert bench.states() == {"failed": EntryState.FAILED}
        assert bench.ran() == ["failed", "running"]

    story(tmp_path, tell, Script(error=EngineError("odd")), Script(gate=threading.Event()))


def test_everything_is_there_at_the_next_start(tmp_path: Path) -> None:
    async def first(bench: Bench) -> None:
        bench.add("a", "b", "c")
        bench.add("urgent", priority=3)
        bench.add("held", held=True)
        await until(bench.host.engine.reached_gate.is_set)

    async def second(bench: Bench) -> None:
        bench.queue.restore()
        assert bench.titles() == "urgent a b c held"
        assert bench.queue.held and bench.queue.current is None
        assert bench.states()["a"] == EntryState.WAITING
        bench.queue.release_all()
        await bench.empty()
        assert (bench.titles(), bench.ran()) == ("held", ["urgent", "a", "b", "c"])
        assert all(taken.resume for taken in bench.host.engine.taken)

    story(tmp_path, first)
    assert read_events(tmp_path / "a")[-1]["type"] == "cancelled"
    assert not read_events(tmp_path / "b")
    story(tmp_path, second, Script())


def test_after_a_crash_the_run_that_went_on_waits_again(tmp_path: Path) -> None:
    """As kill -9 leaves it: the file says that it runs, and nobody has changed that."""

    async def first(bench: Bench) -> None:
        bench.add("a", "b")
        await until(bench.host.engine.reached_gate.is_set)
        crashed.append((tmp_path / "state" / "queue.json").read_bytes())

    async def second(bench: Bench) -> None:
        (tmp_path / "state" / "queue.json").write_bytes(crashed[0])
        bench.queue.restore()
        bench.queue.restore()
        assert bench.states() == {"a": EntryState.WAITING, "b": EntryState.WAITING}

    crashed: list[bytes] = []
    story(tmp_path, first)
    assert b'"running"' in crashed[0]
    story(tmp_path, second)


def test_a_run_whose_folder_is_gone_fails_with_words_and_the_next_one_runs(tmp_path: Path) -> None:
    async def tell(bench: Bench) -> None:
        gone = QueueEntry(entry_id=EntryId("1"), folder=tmp_path / "gone", title="gone")
        bench.file.save([gone])
        bench.queue.restore()
        bench.add("b")
        bench.queue.release_all()
        await until(lambda: bench.states() == {"gone": EntryState.FAILED})
        await bench.empty()
        assert bench.ran() == ["b"]
        assert str(tmp_path / "gone") in bench.queue.entries[0].reason

    story(tmp_path, tell, Script())


def test_cancel_while_the_folder_is_read_again(tmp_path: Path) -> None:
    async def tell(bench: Bench) -> None:
        reading = asyncio.Event()

        async def slowly(folder: Path) -> RunRequest:
            await reading.wait()
            return run_folder.open_run(folder)

        bench.request("a")
        bench.file.save([QueueEntry(entry_id=EntryId("1"), folder=tmp_path / "a", title="a")])
        queue = JobQueue(bench.host, bench.file, open_run=slowly)
        queue.restore()
        queue.release_all()
        await asyncio.sleep(0)
        queue.cancel(EntryId("1"))
        reading.set()
        await until(lambda: queue.entries == ())
        assert bench.ran() == []
        assert run_folder.summarize(tmp_path / "a").status is RunStatus.CANCELLED
        await queue.close()
        with pytest.raises(RuntimeError):
            queue.add(bench.request("late"))

    story(tmp_path, tell)


def test_a_queue_that_cannot_be_kept_says_so_and_goes_on(tmp_path: Path) -> None:
    class Full(QueueFile):
        def save(self, entries: Sequence[QueueEntry]) -> None:
            raise StorageError("the disk is full")

    async def tell(bench: Bench) -> None:
        told: list[str] = []
        queue = JobQueue(bench.host, Full(tmp_path / "queue.json"), on_trouble=told.append)
        queue.add(bench.request("a"))
        await until(lambda: queue.current is None)
        assert bench.ran() == ["a"]
        assert set(told) == {"the disk is full"}
        await queue.close()

    story(tmp_path, tell, Script())


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format": 9, "entries": []}', b'{"format": 1, "entries": [{}]}']
)
def test_fault_26_a_damaged_file_is_kept_beside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "queue.json"
    path.write_bytes(content)
    assert QueueFile(path).load() == ()
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [content]
    assert not path.exists()
    assert QueueFile(path).load() == ()

"""Faults 20 (memory), 21 (exceptions and not-a-number) and 22 (cancel and pause) with the real patch model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adstudio.engine.checkpoint import FOLDER_NAME, sound_checkpoints
from adstudio.engine.patch import run as patch_run
from adstudio.engine.patch.synthesis import State, Synthesis
from adstudio.engine.runner import StudioEngine
from adstudio.jobs import run_folder
from adstudio.jobs.event_log import read_events
from adstudio.jobs.events import Cancelled, Event, Failed, Finished, LoadingModel, Paused, Progress, Resumed, Started
from adstudio.jobs.host import RunId
from adstudio.jobs.thread_host import ThreadHost
from tests.engine.studio import Control, Studio, marks, pixels_of, scene
from tests.unit.host_contract import everything, kinds, play, until

STEP = 9
SMALL = {"task": "style_transfer", "content": "content.png", "styles": ["style.png"]}
LARGE: dict[str, Any] = {"task": "texture", "styles": ["style.png"], "width": 1024, "height": 768}
PART = 0.2  # of the work, after which rounds of LARGE take long


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    made = Studio(tmp_path, StudioEngine(threads=1))
    made.save("content.png", scene(64, 48))
    made.save("style.png", marks(56, 60))
    return made


def break_rounds(monkeypatch: pytest.MonkeyPatch, spoil: Callable[[State], None]) -> None:
    """Spoil round number STEP of every synthesis until the patch is undone; a checkpoint follows every round."""

    class Breaking(Synthesis):
        def rounds(self) -> Iterator[State]:
            for number, state in enumerate(super().rounds(), start=1):
                if number == STEP:
                    spoil(state)
                yield state

    monkeypatch.setattr(patch_run, "Synthesis", Breaking)
    monkeypatch.setattr(patch_run, "_CHECKPOINT_EVERY_S", 0.0)
    monkeypatch.setattr(patch_run, "_CHECKPOINT_SHARE", float("inf"))


def raising(error: Exception) -> Callable[[State], None]:
    def spoil(_state: State) -> None:
        raise error

    return spoil


def not_a_number(state: State) -> None:
    state.picture[1, 2, 3] = float("nan")


@pytest.mark.parametrize(
    ("spoil", "words", "status"),
    [
        (raising(ZeroDivisionError("odd")), "stopped unexpectedly (ZeroDivisionError: odd)", 1),
        (raising(RuntimeError("shape '[3]' is invalid")), "stopped unexpectedly", 1),
        (not_a_number, "no numbers", 1),
        (raising(MemoryError()), "not enough memory for a picture of 64 × 48", 3),
        (raising(RuntimeError("DefaultCPUAllocator: can't allocate memory: 12 bytes")), "not enough memory", 3),
    ],
)
def test_faults_20_and_21_what_breaks_is_told_in_words_and_the_next_job_runs(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[State], None], words: str, status: int
) -> None:
    whole = studio.run(**SMALL).picture
    host = ThreadHost(lambda: studio.engine)
    first = studio.request(**SMALL)

    async def story() -> None:
        with monkeypatch.context() as broken:
            break_rounds(broken, spoil)
            events = await everything(host, host.submit(first))
        assert isinstance(events[-1], Failed)
        assert words in events[-1].reason
        assert "\n" not in events[-1].reason
        assert events[-1].exit_status == status
        assert not (first.folder / "result.png").exists()
        found = next(sound_checkpoints(first.folder))
        assert np.isfinite(found.state.picture.numpy()).all()
        assert [event.step for event in events if isinstance(event, Progress)] == list(range(1, STEP))
        events = await everything(host, host.submit(run_folder.open_run(first.folder)))
        assert isinstance(events[-1], Finished)
        assert next(event.step for event in events if isinstance(event, Progress)) == STEP
        await host.shutdown()

    play(story())
    assert np.array_equal(pixels_of(first.folder / "result.png"), whole)


def test_fault_21_a_program_error_leaves_its_details(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    request = studio.request(**SMALL)
    break_rounds(monkeypatch, raising(ZeroDivisionError("odd")))
    host = ThreadHost(lambda: studio.engine)

    async def story() -> None:
        await everything(host, host.submit(request))
        await host.shutdown()

    play(story())
    assert "ZeroDivisionError: odd" in (request.folder / "crash.log").read_text(encoding="utf-8")


def test_fault_22_cancel_while_the_model_is_loaded(studio: Studio) -> None:
    request = studio.request(**SMALL)
    outcome = studio.follow(request, Control(stop=lambda: True))
    assert outcome.kinds() == ["loading_model"]


async def first_of(host: ThreadHost, run_id: RunId, kind: type[Event], *, part: float = 0) -> Event:
    async for event in host.events(run_id):
        if isinstance(event, kind) and (not isinstance(event, Progress) or event.fraction >= part):
            return event
    raise AssertionError(f"no {kind.__name__}")


@pytest.mark.parametrize("moment", [LoadingModel, Started, Progress])
def test_fault_22_cancel_stops_computing_at_once(studio: Studio, moment: type[Event]) -> None:
    request = studio.request(**LARGE)
    host = ThreadHost(lambda: StudioEngine(threads=2))

    async def story() -> None:
        run_id = host.submit(request)
        await first_of(host, run_id, moment, part=PART)
        begun_s = time.monotonic()
        host.cancel(run_id)
        host.cancel(run_id)
        events = await everything(host, run_id)
        assert isinstance(events[-1], Cancelled)
        assert time.monotonic() - begun_s < 2
        await host.shutdown()
        assert time.monotonic() - begun_s < 2
        if moment is Progress:
            assert (request.folder / FOLDER_NAME).exists()

    play(story())
    assert read_events(request.folder)[-1]["type"] == "cancelled"


def test_fault_22_pause_holds_within_a_long_round_and_cancel_ends_it(studio: Studio) -> None:
    request = studio.request(**LARGE)
    host = ThreadHost(lambda: StudioEngine(threads=2))

    async def story() -> None:
        run_id = host.submit(request)
        host.pause(run_id)
        host.pause(run_id)
        await first_of(host, run_id, Paused)
        host.resume(run_id)
        await first_of(host, run_id, Progress, part=PART)
        begun_s = time.monotonic()
        host.pause(run_id)
        await until(lambda: read_events(request.folder)[-1]["type"] == "paused")
        assert time.monotonic() - begun_s < 2
        length = len(read_events(request.folder))
        used_s = time.process_time()
        await asyncio.sleep(0.2)
        assert time.process_time() - used_s < 0.15
        assert len(read_events(request.folder)) == length
        host.cancel(run_id)
        assert isinstance((await everything(host, run_id))[-1], Cancelled)
        await host.shutdown()

    play(story())


def test_fault_22_wishes_in_the_queue_and_after_the_end(studio: Studio) -> None:
    requests = [studio.request(**fields) for fields in (LARGE, SMALL, SMALL)]
    host = ThreadHost(lambda: StudioEngine(threads=2))

    async def story() -> None:
        running, dropped, held = (host.submit(request) for request in requests)
        host.cancel(dropped)
        assert kinds(await everything(host, dropped)) == ["queued", "cancelled"]
        host.pause(held)
        await first_of(host, running, Progress)
        host.cancel(running)
        await first_of(host, held, Paused)
        host.resume(held)
        await first_of(host, held, Resumed)
        assert isinstance((await everything(host, held))[-1], Finished)
        before = (requests[2].folder / "events.jsonl").read_bytes()
        for wish in (host.cancel, host.pause, host.resume, host.cancel):
            wish(held)
        assert (requests[2].folder / "events.jsonl").read_bytes() == before
        assert (requests[2].folder / "result.png").exists()
        await host.shutdown()

    play(story())

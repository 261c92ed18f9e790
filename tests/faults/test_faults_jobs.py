"""Faults 21 (exceptions in the engine), 22 (cancel and pause, the host's part), 26 (settings) and 27 (job files)."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest

import adstudio.cli
from adstudio.cli import main
from adstudio.errors import EngineError
from adstudio.jobs.events import Cancelled, Event, Failed, Finished, Paused, Started
from adstudio.jobs.files import job_to_json
from adstudio.jobs.host import RunId
from adstudio.jobs.thread_host import ThreadHost
from adstudio.settings import Appearance, Settings, load_settings, save_settings
from tests.fakes import FakeHost, Script, ScriptedEngine, sample_job
from tests.unit.host_contract import everything, play, request_in, until


@pytest.mark.parametrize("error", [RuntimeError("odd"), EngineError("not a number in round 2"), MemoryError()])
def test_fault_21_an_engine_error_is_told_in_words_and_the_next_job_runs(tmp_path: Path, error: Exception) -> None:
    host = FakeHost(Script(error=error, error_step=3, checkpoints=True), Script())

    async def story() -> None:
        ids = [host.submit(request_in(tmp_path / str(number))) for number in range(2)]
        first, second = [await everything(host, run_id) for run_id in ids]
        assert isinstance(first[-1], Failed)
        assert first[-1].reason.endswith((".", "2"))
        assert [event.type for event in first].count("checkpointed") == 2
        assert isinstance(second[-1], Finished)
        await host.shutdown()

    play(story())


def test_fault_21_an_error_while_stopping_is_still_a_cancel(tmp_path: Path) -> None:
    def fail(_step: int) -> None:
        raise RuntimeError("while stopping")

    host = FakeHost(Script(gate=threading.Event(), on_step=fail), Script())

    async def story() -> None:
        run_id = host.submit(request_in(tmp_path / "run"))
        following = host.submit(request_in(tmp_path / "next"))
        await until(host.engine.reached_gate.is_set)
        host.cancel(run_id)
        events = await everything(host, run_id)
        assert [event.type for event in events[-2:]] == ["notice", "cancelled"]
        assert isinstance((await everything(host, following))[-1], Finished)
        await host.shutdown()

    play(story())


async def _cancelled_within(host: ThreadHost, run_id: RunId, limit_s: float) -> list[Event]:
    begun_s = time.monotonic()
    host.cancel(run_id)
    host.cancel(run_id)
    events = await everything(host, run_id)
    assert time.monotonic() - begun_s < limit_s
    assert isinstance(events[-1], Cancelled)
    return events


def test_fault_22_cancel_while_the_engine_is_loaded(tmp_path: Path) -> None:
    loading, go_on = threading.Event(), threading.Event()

    def factory() -> ScriptedEngine:
        loading.set()
        go_on.wait(10)
        return ScriptedEngine()

    host = ThreadHost(factory)

    async def story() -> None:
        run_id = host.submit(request_in(tmp_path / "run"))
        await until(loading.is_set)
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        events = await _cancelled_within(host, run_id, 0.5)
        assert not any(isinstance(event, Started) for event in events)
        await host.shutdown()

    play(story())


def test_fault_22_cancel_in_a_long_step_in_the_queue_while_paused_and_afterwards(tmp_path: Path) -> None:
    host = FakeHost(Script(steps=2, step_s=15), Script(), Script())

    async def story() -> None:
        running, queued, paused = (host.submit(request_in(tmp_path / name)) for name in ("a", "b", "c"))
        await until(lambda: len(host.engine.taken) == 1)
        await _cancelled_within(host, queued, 0.2)
        host.pause(paused)
        await _cancelled_within(host, running, 0.5)
        async for event in host.events(paused):
            if isinstance(event, Paused):
                break
        await _cancelled_within(host, paused, 0.5)
        host.cancel(running)
        host.pause(paused)
        last = host.submit(request_in(tmp_path / "d"))
        assert isinstance((await everything(host, last))[-1], Finished)
        await host.shutdown()

    play(story())


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00", b"[]", b'{"appearance": "pink"}', b'{"unheard_of": 1}', b'{"window_width_px": NaN}'],
)
def test_fault_26_damaged_settings_give_defaults_and_are_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    for round_number in (1, 2):
        path.write_bytes(content)
        assert load_settings(path) == Settings()
        kept = [one for one in tmp_path.iterdir() if one.name.endswith(".old")]
        assert [one.read_bytes() for one in kept] == [content] * round_number
        assert not path.exists()
    save_settings(Settings(appearance=Appearance.LIGHT, runs_dir=tmp_path), path)
    assert load_settings(path) == Settings(appearance=Appearance.LIGHT, runs_dir=tmp_path)
    assert load_settings(tmp_path / "none.json") == Settings()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ('"sead": 7', "sead"),
        ('"seed": "7"', "seed"),
        ('"seed": -1', "seed"),
        ('"seed": NaN', "seed"),
        ('"color": NaN', "color"),
        ('"content_weight": -0.5', "content_weight"),
        ('"num_inference_steps": 1000000000', "num_inference_steps"),
        ('"content": "missing.jpg"', "content"),
        ('"styles": [{"image": "missing.png"}]', "styles.0.image"),
        ('"styles": [{"image": "style.png", "weight": -Infinity}]', "styles.0.weight"),
        ('"styles": [{"image": "style.png", "crop": [0, 0, 4000, 4000]}]', "styles.0.crop"),
        ('"styles": {}', "styles"),
        ('"task": "paint"', "task"),
        ('"protect_mask": "missing.png"', "protect_mask"),
    ],
)
def test_fault_27_a_wrong_job_file_is_one_line_naming_the_field(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    field: str,
) -> None:
    engine = ScriptedEngine()
    monkeypatch.setattr(adstudio.cli, "engine_factory", lambda: engine)
    fields = json.loads(job_to_json(sample_job(tmp_path), relative_to=tmp_path))
    name = change.split('"')[1]
    fields.pop(name, None)
    path = tmp_path / "job.json"
    path.write_text(json.dumps(fields)[:-1] + ", " + change + "}")
    assert main(["run", str(path), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert f"{field}: " in printed.err
    assert printed.out == ""
    assert not (tmp_path / "out").exists()
    assert engine.taken == []

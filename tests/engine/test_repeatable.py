"""The same picture for a seed, bit for bit, however many threads there are; and the engine behind a real host."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adstudio.engine.patch.bands import Bands
from adstudio.engine.patch.preparation import prepare
from adstudio.engine.patch.synthesis import Synthesis
from adstudio.engine.runner import StudioEngine
from adstudio.jobs.event_log import read_events
from adstudio.jobs.events import Finished, Paused, Preview, Progress
from adstudio.jobs.thread_host import ThreadHost
from tests.engine.studio import Studio, labels, marks, pixels_of, scene
from tests.unit.host_contract import everything, kinds, play

ROOT = Path(__file__).resolve().parents[2]


def job_of(studio: Studio, task: str) -> dict[str, Any]:
    """A job that takes every path through the engine: regions, weights, wraps and variation."""
    studio.save("content.png", scene(128, 104))
    studio.save("style.png", marks(90, 100))
    studio.save("style-mask.png", labels(90, 100, 1, 2, below=True))
    studio.save("target-mask.png", labels(128, 104, 1, 2, below=False))
    own: dict[str, Any] = {"width": 128, "height": 104} if task == "texture" else {"content": "content.png"}
    if task == "style_transfer":
        own["content_mask"] = "target-mask.png"
        own["styles"] = [{"image": "style.png", "mask": "style-mask.png", "weight": 3.0}, "style.png"]
    return {
        "task": task,
        "styles": ["style.png"],
        "seamless": "none" if task == "appearance_transfer" else "both",
        "variation": 0.3,
        "seed": 11,
        **own,
    }


@pytest.mark.parametrize("task", ["style_transfer", "appearance_transfer", "texture"])
def test_the_number_of_threads_changes_no_bit(studio: Studio, task: str) -> None:
    fields = job_of(studio, task)
    first = studio.run(**fields).picture
    for threads in (1, 2, 3):
        again = studio.follow(studio.request(**fields), engine=StudioEngine(threads=threads))
        assert np.array_equal(again.picture, first)


def test_threads_of_torch_itself_change_no_bit(studio: Studio) -> None:
    fields = job_of(studio, "style_transfer")
    engine = StudioEngine(threads=2)
    first = studio.follow(studio.request(**fields), engine=engine).picture
    torch.set_num_threads(2)
    try:
        again = studio.follow(studio.request(**fields), engine=engine).picture
    finally:
        torch.set_num_threads(1)
    assert np.array_equal(again, first)


def test_threads_of_numpys_algebra_change_no_bit(studio: Studio) -> None:
    request = studio.request(**job_of(studio, "style_transfer"))
    first = studio.follow(request).picture
    out = studio.folder / "again"
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "adstudio", "run", str(request.folder / "job.json"), "--out", str(out)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **single}, capture_output=True, timeout=120, check=True)
    assert np.array_equal(pixels_of(out / "result.png"), first)


@pytest.mark.parametrize("task", ["style_transfer", "appearance_transfer", "texture"])
def test_the_way_of_cuda_and_mps_makes_the_same_picture(studio: Studio, task: str) -> None:
    """Round by round from the same state, the same operations as on those devices; near-ties may fall the other way.

    Left to themselves they drift apart: which of two all but equal patches is taken decides what comes next.
    """
    job = studio.request(**job_of(studio, task)).job
    with Bands(1) as bands:
        compiled, plain = (
            Synthesis(prepare(job, torch.device("cpu")).for_picture(job, 0), used) for used in (bands, None)
        )
        before = None
        for theirs in compiled.rounds():
            plain.state = before
            ours = next(plain.rounds())
            assert float((ours.field != theirs.field).any(0).float().mean()) < 0.02
            assert float((ours.picture - theirs.picture).abs().mean()) < 0.002
            before = theirs


def test_the_real_engine_behind_the_thread_host(studio: Studio) -> None:
    plain = studio.run(**job_of(studio, "style_transfer")).picture
    first, second = (studio.request(**job_of(studio, "style_transfer")) for _ in range(2))
    host = ThreadHost(lambda: StudioEngine(threads=2))

    async def story() -> None:
        host.warm()
        ids = [host.submit(request) for request in (first, second)]
        events = await everything(host, ids[0])
        assert kinds(events)[:3] == ["queued", "loading_model", "started"]
        assert isinstance(events[-1], Finished)
        assert any(isinstance(event, Preview) for event in events)
        assert any(isinstance(event, Progress) for event in events)
        times = [event.time_s for event in events]
        assert times == sorted(times)
        assert [record["type"] for record in read_events(first.folder)][-1] == "finished"
        assert isinstance((await everything(host, ids[1]))[-1], Finished)
        await host.shutdown()

    play(story())
    for request in (first, second):
        assert np.array_equal(pixels_of(request.folder / "result.png"), plain)


def test_a_pause_changes_no_bit(studio: Studio) -> None:
    plain = studio.run(**job_of(studio, "texture")).picture
    request = studio.request(**job_of(studio, "texture"))
    host = ThreadHost(lambda: StudioEngine(threads=2))
    paused_at: list[int] = []

    async def story() -> None:
        run_id = host.submit(request)
        step = 0
        async for event in host.events(run_id):
            if isinstance(event, Progress):
                step = event.step
                if len(paused_at) < 3:
                    host.pause(run_id)
            if isinstance(event, Paused):
                paused_at.append(step)
                host.resume(run_id)
        await host.shutdown()

    play(story())
    assert len(paused_at) >= 2
    assert np.array_equal(pixels_of(request.folder / "result.png"), plain)


def test_the_engine_leaves_no_thread_and_no_file_behind(studio: Studio, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    outcome = studio.follow(studio.request(**job_of(studio, "texture")), engine=StudioEngine(threads=3))
    assert set(threading.enumerate()) <= before
    assert {path.name for path in outcome.request.folder.iterdir()} <= {
        "inputs",
        "job.json",
        "result.png",
        "checkpoints",
    }

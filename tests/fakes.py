"""A scripted engine and a host that runs it, for tests that need no computing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from adstudio.jobs.events import Checkpointed, Event, Finished, LoadingModel, Notice, Preview, Progress, Started
from adstudio.jobs.host import EngineFactory, RunControl, RunRequest
from adstudio.jobs.spec import Job, Reference, Task
from adstudio.jobs.thread_host import ThreadHost

_LONGEST_WAIT_S = 20.0


@dataclass(kw_only=True)
class Script:
    """What a scripted engine does for one job.

    steps: number of Progress events. prepare_s: how long it takes to know them, in seconds.
    previews: whether each step shows one. step_s: time a step takes, in seconds.
    gate: where given, step number `gate_step` waits for it (or for a cancel). error: raised at step `error_step`.
    finish: yield Finished with a picture on disk. on_step: called with the step number in the engine thread.
    """

    steps: int = 3
    prepare_s: float = 0.0
    previews: bool = True
    step_s: float = 0.0
    gate: threading.Event | None = None
    gate_step: int = 1
    error: BaseException | None = None
    error_step: int = 1
    finish: bool = True
    checkpoints: bool = False
    notices: Sequence[str] = ()
    on_step: Callable[[int], None] | None = None


@dataclass
class ScriptedEngine:
    """An engine that follows scripts, one a job; the last one is used again when they run out.

    released_after: how many runs had ended, for each time that memory was to be given back.
    """

    scripts: list[Script] = field(default_factory=lambda: [Script()])
    warm_error: Exception | None = None
    made_in: int = field(default_factory=threading.get_ident)
    warmed: threading.Event = field(default_factory=threading.Event)
    reached_gate: threading.Event = field(default_factory=threading.Event)
    ended: int = 0
    released_after: list[int] = field(default_factory=list)
    release_error: Exception | None = None
    taken: list[RunRequest] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def warm(self) -> None:
        self.threads.add(threading.get_ident())
        self.warmed.set()
        if self.warm_error is not None:
            raise self.warm_error

    def release(self) -> None:
        self.threads.add(threading.get_ident())
        self.released_after.append(self.ended)
        if self.release_error is not None:
            raise self.release_error

    def run(self, request: RunRequest, control: RunControl) -> Iterator[Event]:
        self.threads.add(threading.get_ident())
        script = self.scripts[min(len(self.taken), len(self.scripts) - 1)]
        self.taken.append(request)
        try:
            yield from self._follow(script, request, control)
        finally:
            self.ended += 1

    def _follow(self, script: Script, request: RunRequest, control: RunControl) -> Iterator[Event]:
        yield LoadingModel(model=request.job.model)
        begun_s = time.monotonic()
        if not _pass(script.prepare_s, control):
            return
        yield Started(device="cpu", steps=script.steps, prepared_s=time.monotonic() - begun_s)
        for message in script.notices:
            yield Notice(message=message)
        for step in range(1, script.steps + 1):
            if script.error is not None and step == script.error_step:
                raise script.error
            if script.gate is not None and step == script.gate_step:
                self.reached_gate.set()
                _wait(script.gate, control)
            if script.on_step is not None:
                script.on_step(step)
            if not _pass(script.step_s, control):
                return
            yield Progress(
                step=step, steps=script.steps, fraction=step / script.steps, remaining_s=0.0, label=f"Step {step}"
            )
            if script.previews:
                yield Preview(image=_shade(step), step=step, steps=script.steps)
            if script.checkpoints:
                yield Checkpointed(step=step, path=request.folder / "checkpoints" / f"{step}.npz")
        if script.finish:
            yield Finished(results=_write_results(request), figures=(("stroke", 0.1),))


def sample_job(folder: Path) -> Job:
    """A style transfer between two small pictures that it writes into folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, shade in (("content.png", 60), ("style.png", 200)):
        write_picture(folder / name, width=48, height=32, shade=shade)
    return Job(
        task=Task.STYLE_TRANSFER, content=folder / "content.png", styles=(Reference(image=folder / "style.png"),)
    )


def write_picture(path: Path, *, width: int, height: int, shade: int = 128) -> Path:
    """A small gradient as an sRGB file of the format its suffix names."""
    rows = np.linspace(0, shade, height, dtype=np.uint8)[:, None, None]
    columns = np.linspace(0, 255, width, dtype=np.uint8)[None, :, None]
    pixels = np.broadcast_to(np.maximum(rows, columns), (height, width, 3))
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)
    return path


class FakeHost(ThreadHost):
    """A host whose engine is scripted; the engine exists from the start so that a test can look into it.

    factory: makes another engine instead.
    """

    def __init__(self, *scripts: Script, factory: EngineFactory | None = None) -> None:
        self.engine = ScriptedEngine(scripts=list(scripts) or [Script()])
        super().__init__(factory if factory is not None else lambda: self.engine, awake=contextlib.nullcontext)


def _shade(step: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = np.full((8, 12, 3), step % 256, dtype=np.uint8)
    image.setflags(write=False)
    return image


def _write_results(request: RunRequest) -> tuple[Path, ...]:
    request.folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for index in range(request.job.images):
        name = "result.png" if index == 0 else f"result-{index + 1}.png"
        size = {"width": request.job.width or 48, "height": request.job.height or 32}
        paths.append(write_picture(request.folder / name, shade=(90 + 40 * index) % 256, **size))
    return tuple(paths)


def _pass(duration_s: float, control: RunControl) -> bool:
    """Let time pass as a computing step would; False once interrupted."""
    until_s = time.monotonic() + duration_s
    while not control.interrupted():
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            return True
        time.sleep(min(left_s, 0.005))
    return False


def _wait(gate: threading.Event, control: RunControl) -> None:
    until_s = time.monotonic() + _LONGEST_WAIT_S
    while not gate.wait(0.005):
        if control.interrupted() or time.monotonic() > until_s:
            return

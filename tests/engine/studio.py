"""The real engine at its public seam: a job goes in, events come out, pictures are on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adstudio.engine.runner import StudioEngine
from adstudio.jobs import run_folder
from adstudio.jobs.events import Event, Finished, Preview, Progress
from adstudio.jobs.files import parse_job
from adstudio.jobs.host import RunRequest

Picture = NDArray[np.uint8]


@dataclass(kw_only=True)
class Control:
    """What a host answers to its engine. stop: asked at every look, true ends the run; pause: likewise, holds it."""

    stop: Callable[[], bool] = lambda: False
    pause: Callable[[], bool] = lambda: False

    def interrupted(self) -> bool:
        return self.stop()

    def pause_requested(self) -> bool:
        return self.pause()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run that is over. pictures: uint8 [height, width, 3] each, as they are on disk."""

    request: RunRequest
    events: tuple[Event, ...]

    @property
    def results(self) -> tuple[Path, ...]:
        last = self.events[-1]
        assert isinstance(last, Finished)
        return last.results

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(pixels_of(path) for path in self.results)

    @property
    def picture(self) -> Picture:
        (only,) = self.pictures
        return only

    def kinds(self) -> list[str]:
        """Types of the events without previews, which a host may drop."""
        return [event.type for event in self.events if not isinstance(event, Preview)]


class Studio:
    """A folder with pictures and a run folder for every job. steps: fewer than a person's, so that tests are quick."""

    def __init__(self, folder: Path, engine: StudioEngine) -> None:
        self.folder, self.engine = folder, engine
        self._runs = 0

    def save(self, name: str, pixels: Picture) -> str:
        """Write a picture that jobs can name."""
        save_picture(self.folder / name, pixels)
        return name

    def request(self, **fields: Any) -> RunRequest:
        """A run folder for a job with these fields; three quarters of the default steps unless they say otherwise."""
        mapping = {"device": "cpu", "num_inference_steps": 12, **fields}
        mapping["styles"] = [{"image": s} if isinstance(s, str) else s for s in mapping["styles"]]
        self._runs += 1
        return run_folder.create(parse_job(mapping, self.folder), self.folder / f"run-{self._runs}")

    def run(self, **fields: Any) -> Outcome:
        """Run a job to its end."""
        return self.follow(self.request(**fields))

    def follow(
        self, request: RunRequest, control: Control | None = None, engine: StudioEngine | None = None
    ) -> Outcome:
        """Run a request, as far as the control lets it."""
        items = (engine or self.engine).run(request, control or Control())
        return Outcome(request=request, events=tuple(items))

    def stop_at(self, request: RunRequest, step: int) -> Outcome:
        """Run a request and cancel it as soon as this step is reported."""
        stopped = threading.Event()
        events = []
        for event in self.engine.run(request, Control(stop=stopped.is_set)):
            events.append(event)
            if isinstance(event, Progress) and event.step >= step:
                stopped.set()
        return Outcome(request=request, events=tuple(events))

    def resume(self, request: RunRequest) -> Outcome:
        """Go on with a run in its folder."""
        return self.follow(run_folder.open_run(request.folder))


def save_picture(path: Path, pixels: Picture) -> None:
    """uint8 [height, width, 3] or labels [height, width] as a file of the format the suffix names."""
    Image.fromarray(pixels).save(path)


def pixels_of(path: Path) -> Picture:
    """A picture file as uint8 [height, width, 3]."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB"), np.uint8)


def unit(picture: Picture) -> NDArray[np.float32]:
    """uint8 to float32 in 0 … 1."""
    return picture.astype(np.float32) / np.float32(255)


def scene(width: int, height: int) -> Picture:
    """Something to recognise: a bright disc and a dark bar before a sky that darkens downwards."""
    y, x = np.mgrid[0:height, 0:width]
    out = np.repeat((190 - 110 * y / max(1, height - 1))[..., None], 3, axis=2)
    disc = (x - 0.35 * width) ** 2 + (y - 0.4 * height) ** 2 < (0.22 * min(width, height)) ** 2
    out[disc] = (240, 225, 190)
    out[int(0.62 * height) : int(0.78 * height), int(0.45 * width) : int(0.9 * width)] = (30, 40, 60)
    return out.round().astype(np.uint8)


def marks(width: int, height: int, *, seed: int = 0, tint: tuple[float, float, float] = (1, 1, 1)) -> Picture:
    """A "painting": short strokes of many tones from 40 to 255, multiplied by a tint."""
    rng = np.random.default_rng(seed)
    out = np.full((height, width), 128.0)
    length = max(3, min(width, height) // 8)
    for _ in range(width * height // 12):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        tone = rng.uniform(40, 255)
        for step in range(length):
            row, column = y + step // 2, x + step
            if row < height and column < width:
                out[row : row + 2, column] = tone
    tinted: Picture = (out[..., None] * np.array(tint)).round().astype(np.uint8)
    return tinted


def labels(width: int, height: int, first: int, second: int, *, below: bool) -> Picture:
    """A label mask of two halves: one below the other, or side by side."""
    out = np.full((height, width), first, np.uint8)
    if below:
        out[height // 2 :] = second
    else:
        out[:, width // 2 :] = second
    return out

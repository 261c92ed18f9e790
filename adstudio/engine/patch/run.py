"""Runs of the patch model: pictures to rounds to results, each on disk before it is announced."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adstudio.engine.checkpoint import clear_checkpoints, fits, save_checkpoint, sound_checkpoints
from adstudio.engine.devices import choose_device, is_out_of_memory
from adstudio.engine.finishing import finished, result_name, text_of_picture
from adstudio.engine.patch.bands import Bands, Stopped
from adstudio.engine.patch.guides import NoGuides
from adstudio.engine.patch.preparation import Prepared, prepare
from adstudio.engine.patch.synthesis import State, Synthesis, Task
from adstudio.engine.preview import preview_of
from adstudio.errors import EngineError, StorageError, UnavailableError
from adstudio.images import JOB_KEY, save_png
from adstudio.jobs.events import Checkpointed, Event, Finished, LoadingModel, Notice, Preview, Progress, Started
from adstudio.jobs.host import RunControl, RunRequest

_CHECKPOINT_EVERY_S = 2.0
_CHECKPOINT_SHARE = 0.05
_PACE_FADE = 0.6
_TASK_LABELS = {"style_transfer": "Painting", "appearance_transfer": "Transferring", "texture": "Weaving"}


class PatchEngine:
    """Computes jobs of the patch model; see `adstudio.jobs.host.Engine`."""

    def __init__(self, threads: int | None = None) -> None:
        """threads: for the CPU; None takes one for each core this process may use."""
        self._threads = threads
        self._warm = False
        torch.set_num_threads(1)  # the patch model shares its work out itself, see patch.bands

    def warm(self) -> None:
        """Load or compile the search ahead of the first job."""
        if self._warm:
            return
        reference = torch.linspace(-1, 1, 3 * 24 * 24).view(3, 24, 24)
        task = Task(size=(24, 24), start=None, references=(reference,), weights=(1.0,), guides=NoGuides())
        with Bands(1) as bands:
            for _ in Synthesis(task, bands).rounds():
                pass
        self._warm = True

    def run(self, request: RunRequest, control: RunControl) -> Iterator[Event]:
        """Compute one job; see `adstudio.jobs.host.Engine.run`. Raises UnavailableError where memory runs out."""
        torch.set_num_threads(1)  # another model may have changed it
        try:
            yield from self._run(request, control)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            job = request.job
            raise UnavailableError(
                f"there is not enough memory for a picture of {job.width} × {job.height} pixels; "
                "make it smaller, take smaller strokes (stroke_scale), or close other programs"
            ) from error

    def _run(self, request: RunRequest, control: RunControl) -> Iterator[Event]:
        job = request.job
        yield LoadingModel(model=job.model)
        device = choose_device(job.device)
        if device.type == "cpu":
            self.warm()
        if control.interrupted():
            return
        begun_s = time.monotonic()
        try:
            prepared = prepare(job, device, control.interrupted)
        except Stopped:
            return
        steps = Synthesis(prepared.task, None).total_rounds * job.images
        yield Started(device=device.type, steps=steps, prepared_s=time.monotonic() - begun_s)
        for message in prepared.notices:
            yield Notice(message=message)
        held_up = _HeldUp(control)
        with Bands(self._threads, held_up) as bands:
            used = bands if device.type == "cpu" else None
            yield from _Run(request, control, prepared, used, held_up).pictures()


class _HeldUp:
    """Asked by all threads whether the round under way is to be dropped; after a pause it is done again.

    noticed: whether the answer was yes since this was last set to False.
    """

    def __init__(self, control: RunControl) -> None:
        self._control = control
        self.noticed = False

    def __call__(self) -> bool:
        if self._control.interrupted() or self._control.pause_requested():
            self.noticed = True
            return True
        return False


class _Run:
    """One job under way."""

    def __init__(
        self,
        request: RunRequest,
        control: RunControl,
        prepared: Prepared,
        bands: Bands | None,
        held_up: _HeldUp,
    ) -> None:
        self._folder, self._job, self._resume = request.folder, request.job, request.resume
        self._control, self._prepared, self._bands, self._held_up = control, prepared, bands, held_up
        self._round_s = self._recent_s = self._recent_fraction = 0.0
        self._told_fraction: float | None = None

    def pictures(self) -> Iterator[Event]:
        """Make the pictures that are not there yet; each is on disk before the next begins."""
        paths = [self._folder / result_name(index) for index in range(self._job.images)]
        for index, path in enumerate(paths):
            if self._resume and path.is_file():
                continue
            synthesis = Synthesis(self._prepared.for_picture(self._job, index), self._bands, self._held_up)
            if self._resume:
                synthesis.state = self._stored_state(synthesis, index)
            yield from self._rounds(synthesis, index)
            if self._control.interrupted():
                return
            if synthesis.state is None:
                raise EngineError("the patch model made no picture; run it again, and tell us if it stays so")
            save_png(
                path, self._finish(synthesis.state), metadata={JOB_KEY: text_of_picture(self._job, index, self._folder)}
            )
        clear_checkpoints(self._folder)
        yield Finished(results=tuple(paths))

    def _stored_state(self, synthesis: Synthesis, index: int) -> State | None:
        """Where the newest sound checkpoint of this picture left off."""
        for checkpoint in sound_checkpoints(self._folder):
            if checkpoint.image_index == index and fits(checkpoint.state, synthesis):
                return _on_device(checkpoint.state, self._prepared.task.references[0].device)
        return None

    def _rounds(self, synthesis: Synthesis, index: int) -> Iterator[Event]:
        """All rounds of a picture that are still to do; those that a pause cut short are done again.

        However it ends early, by a cancel, a closed generator or an error, the last sound state is kept.
        """
        saved = sound = synthesis.state
        saved_at, save_cost = time.monotonic(), 0.0
        begun = time.monotonic()
        try:
            while True:
                self._held_up.noticed = False
                for state in synthesis.rounds():
                    _refuse_no_numbers(state.picture)
                    sound = state
                    self._round_s = time.monotonic() - begun
                    progress = self._progress(synthesis, index)
                    yield self._preview(state, progress)
                    yield progress
                    now = time.monotonic()
                    if now - saved_at > max(_CHECKPOINT_EVERY_S, save_cost / _CHECKPOINT_SHARE):
                        path = save_checkpoint(self._folder, index, state)
                        saved, saved_at = state, time.monotonic()
                        save_cost = saved_at - now
                        yield Checkpointed(step=progress.step, path=path)
                    begun = time.monotonic()
                if self._control.interrupted() or not self._held_up.noticed:
                    break
                yield self._progress(synthesis, index)  # paused within a round: the host holds the run here
                begun = time.monotonic()
        except BaseException:
            if sound is not None and sound is not saved:
                with contextlib.suppress(StorageError):  # what ended the run is the thing to tell
                    save_checkpoint(self._folder, index, sound)
            raise
        if self._control.interrupted() and sound is not None and sound is not saved:
            save_checkpoint(self._folder, index, sound)

    @staticmethod
    def _preview(state: State, progress: Progress) -> Preview:
        return Preview(
            image=preview_of(state.picture),
            step=progress.step,
            steps=progress.steps,
            image_index=progress.image_index,
        )

    def _progress(self, synthesis: Synthesis, index: int) -> Progress:
        total, images = synthesis.total_rounds, self._job.images
        fraction = (index + synthesis.work_done()) / images
        return Progress(
            step=index * total + self._rounds_before(synthesis),
            steps=total * images,
            fraction=fraction,
            image_index=index,
            remaining_s=self._remaining_s(fraction),
            label=_TASK_LABELS.get(str(self._job.task), "Working"),
        )

    @staticmethod
    def _rounds_before(synthesis: Synthesis) -> int:
        state = synthesis.state
        if state is None:
            return 0
        return synthesis.rounds_until(state.level) + state.rounds_done

    def _remaining_s(self, fraction: float) -> float | None:
        """Seconds to go at the pace of the last few rounds: early ones are small and dear for their size."""
        if self._told_fraction is not None and fraction > self._told_fraction:
            self._recent_s = _PACE_FADE * self._recent_s + self._round_s
            self._recent_fraction = _PACE_FADE * self._recent_fraction + fraction - self._told_fraction
        self._told_fraction = fraction
        if self._recent_fraction < 0.005:
            return None
        return self._recent_s * (1 - fraction) / self._recent_fraction

    def _finish(self, state: State) -> NDArray[np.float32]:
        """The picture with what follows the run."""
        pixels = ((state.picture.clamp(-1, 1) + 1) / 2).permute(1, 2, 0).cpu().numpy()
        return finished(pixels, self._job, self._prepared.content, self._prepared.protect)


def _refuse_no_numbers(picture: Tensor) -> None:
    if not bool(torch.isfinite(picture).all()):
        raise EngineError("computing gave values that are no numbers; run it again, or with device set to cpu")


def _on_device(state: State, device: torch.device) -> State:
    return State(
        level=state.level,
        rounds_done=state.rounds_done,
        picture=state.picture.to(device),
        field=state.field.to(device),
        bias=state.bias.to(device),
        layout=state.layout,
        hold=state.hold,
    )

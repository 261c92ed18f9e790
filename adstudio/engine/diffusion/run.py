"""One job of a diffusion model under way: from its pictures to its results, each on disk before it is announced."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from adstudio.engine.checkpoint_files import clear_checkpoints
from adstudio.engine.devices import is_out_of_memory
from adstudio.engine.diffusion.in_use import ModelInUse
from adstudio.engine.diffusion.ladder import Phase, next_means
from adstudio.engine.diffusion.methods import Passes, State, passes_for
from adstudio.engine.diffusion.pace import Pace
from adstudio.engine.diffusion.pictures import Pictures
from adstudio.engine.diffusion.planning import Planned, remember
from adstudio.engine.diffusion.states import Checkpoint, save_checkpoint, sound_checkpoint
from adstudio.engine.diffusion.work import Work
from adstudio.engine.finishing import finished, result_name, text_of_picture
from adstudio.engine.interruption import Interrupted
from adstudio.engine.preview import preview_of
from adstudio.errors import EngineError, StorageError
from adstudio.images import JOB_KEY, save_png
from adstudio.jobs.events import Checkpointed, Event, Finished, Notice, Preview, Progress, Started
from adstudio.jobs.host import RunControl, RunRequest
from adstudio.models.forecast import Means

_CHECKPOINT_EVERY_S = 2.0
_CHECKPOINT_SHARE = 0.05
_PREVIEW_EVERY_S = 0.25
_LOOK_EVERY = 10
_TASK_LABELS = {
    "style_transfer": "Painting",
    "appearance_transfer": "Transferring",
    "texture": "Weaving",
    "text_to_image": "Imagining",
}


class DiffusionRun:
    """One job under way.

    Whatever interrupts it (a pause within a step, memory that ran out), it goes on from the last state.
    """

    def __init__(
        self, request: RunRequest, control: RunControl, pictures: Pictures, model: ModelInUse, planned: Planned
    ) -> None:
        self._folder, self._job, self._resume = request.folder, request.job, request.resume
        self._control, self._pictures, self._model = control, pictures, model
        self._phase = Phase.PICTURES
        self._passes: Passes = passes_for(model.material(), self._job.seed)
        self._pace = Pace(model.tuning_steps + self._passes.total * self._job.images, planned.plan.seconds)
        self._load = planned.load
        self._work = Work(model.backbone.family)
        self._steps_s = self._decode_s = 0.0
        self._is_smooth = True  # nothing was broken off, so that times and counted work belong together
        self._index = 0
        self._over = False
        self._state: State | None = None
        self._sound: State | None = None
        self._saved: State | None = None
        self._saved_at, self._save_cost, self._shown_at = time.monotonic(), 0.0, 0.0
        self._shown_latents: torch.Tensor | None = None
        self._last = Progress(step=0, steps=self._pace.total, fraction=0.0)

    def events(self) -> Iterator[Event]:
        """Started, then all that happens, and last Finished; ends without it when the run is interrupted.

        However it ends early, the last sound state is kept on disk. Raises EngineError for values that are no numbers,
        and what says that memory ran out once everything that saves memory was tried.
        """
        yield Started(device=self._model.backbone.device.type, steps=self._last.steps)
        for message in self._pictures.notices:
            yield Notice(message=message)
        try:
            while not self._over:
                try:
                    with self._model.watched(self._held_up):
                        yield from self._everything()
                    continue
                except Interrupted:
                    self._is_smooth = False
                    if self._control.interrupted():
                        break
                    means, said = None, None
                except (MemoryError, RuntimeError) as error:
                    self._is_smooth = False
                    if not is_out_of_memory(error):
                        raise
                    means, said = self._way_out() or (None, None)
                    if said is None:
                        raise
                if means is not None and said is not None:
                    self._model.save_memory(means)  # here, where nothing of the failed attempt is held any more
                    yield Notice(message=said)
                else:
                    yield self._last  # paused within a step: the host holds the run here
        except BaseException:
            with contextlib.suppress(StorageError):  # what ended the run is the thing to tell
                self._keep()
            raise
        if not self._over:
            self._keep()

    def _held_up(self) -> bool:
        return self._control.interrupted() or self._control.pause_requested()

    def _way_out(self) -> tuple[Means, str] | None:
        on_cpu = self._model.backbone.device.type == "cpu"
        return next_means(self._model.means, self._phase, on_cpu=on_cpu)

    def _everything(self) -> Iterator[Event]:
        """All that is still to do. Raises Interrupted when held up."""
        self._phase = Phase.PICTURES
        self._model.encode()
        for done in self._model.tune(self._held_up):
            self._pace.step_done()
            yield self._progress(done, "Tuning the decoder")
        paths = [self._folder / result_name(index) for index in range(self._job.images)]
        while self._index < len(paths):
            path = paths[self._index]
            if not (self._resume and path.is_file()):
                yield from self._picture(path)
            self._index += 1
            self._state = self._sound = self._saved = None
        clear_checkpoints(self._folder)
        self._over = True
        if self._is_smooth:
            remember(
                self._load,
                self._model.backbone.device,
                steps_s=self._steps_s,
                done_tflop=self._work.tflop,
                decode_s=self._decode_s,
            )
        yield Finished(results=tuple(paths))

    def _picture(self, path: Path) -> Iterator[Event]:
        with self._model.wrapping(self._passes.wraps):
            yield from self._steps()
        assert self._state is not None
        self._phase = Phase.DECODE
        began = time.monotonic()
        with self._model.wrapping(self._job.seamless):
            pixels = self._model.decode(self._state.latents)
        self._decode_s = time.monotonic() - began
        job, pictures = self._job, self._pictures
        pixels = finished(pixels, job, pictures.shown_content, pictures.protect)
        save_png(path, pixels, metadata={JOB_KEY: text_of_picture(job, self._index, self._folder)})
        shown = torch.from_numpy(pixels).permute(2, 0, 1) * 2 - 1
        yield Preview(image=preview_of(shown), step=self._last.step, steps=self._last.steps, image_index=self._index)

    def _steps(self) -> Iterator[Event]:
        """The steps of a picture that are still to do."""
        self._phase = Phase.STEP
        self._passes = passes = passes_for(self._model.material(), (self._job.seed + self._index) % 2**63)
        if self._state is None:
            self._state = self._saved = self._stored_state(passes)
        if self._state is None:
            self._state = passes.begin()
        self._pace.begin()
        for state in self._counted(passes):
            self._state = state
            self._steps_s += self._pace.step_done()
            done = passes.done(state)
            looked = done % _LOOK_EVERY == 0 or done == passes.total
            if looked or done == 1 or state.latents.device.type == "cpu":
                self._check(state)
            yield from self._shown(state, done, looked=looked)
            yield from self._checkpointed(state)
            self._pace.begin()
        if passes.done(self._state) < passes.total:
            raise Interrupted

    def _counted(self, passes: Passes) -> Iterator[State]:
        assert self._state is not None
        with self._work.counting(self._model.backbone.networks[0]):
            yield from passes.run(self._state, self._held_up)

    def _stored_state(self, passes: Passes) -> State | None:
        """Where the newest sound checkpoint of this picture left off."""
        if not self._resume:
            return None
        found = sound_checkpoint(self._folder, self._index, str(passes.method))
        if found is None:
            return None
        with contextlib.suppress(KeyError, TypeError, ValueError):  # of another version of AD Studio
            return passes.restored(found.stored)
        return None

    def _check(self, state: State) -> None:
        """Hold a state to be sound. Raises EngineError where it is not."""
        if not all(bool(torch.isfinite(each).all()) for each in self._passes.numbers(state)):
            first = self._passes.done(state) == 1
            where = f"computing step {self._passes.done(state)}"
            raise EngineError(self._model.why_not_finite(where, from_the_start=first))
        self._sound = state

    def _shown(self, state: State, done: int, *, looked: bool) -> Iterator[Event]:
        """Progress, and a preview where one is due."""
        loss = float(state.evaluation.loss) if looked and state.evaluation is not None else None
        step = self._model.tuning_steps + self._index * self._passes.total + done
        progress = self._progress(step, _TASK_LABELS.get(str(self._job.task), "Working"), loss)
        now = time.monotonic()
        fresh = state.latents is not self._shown_latents  # between windows of a large picture nothing new is to see
        if (fresh and now - self._shown_at > _PREVIEW_EVERY_S) or done == 1:
            self._shown_at, self._shown_latents = now, state.latents
            image = self._model.preview(state.latents, self._passes.signal(state))
            yield Preview(image=image, step=step, steps=progress.steps, image_index=self._index)
        yield progress

    def _progress(self, step: int, label: str, loss: float | None = None) -> Progress:
        self._last = Progress(
            step=step,
            steps=self._pace.total,
            fraction=step / self._pace.total,
            image_index=self._index,
            remaining_s=self._pace.remaining_s(step),
            label=label,
            loss=loss,
        )
        return self._last

    def _checkpointed(self, state: State) -> Iterator[Event]:
        """Keep the state on disk where that is due; it takes a twentieth of the time at most."""
        began = time.monotonic()
        if began - self._saved_at <= max(_CHECKPOINT_EVERY_S, self._save_cost / _CHECKPOINT_SHARE):
            return
        self._check(state)
        path = self._keep()
        self._saved_at = time.monotonic()
        self._save_cost = self._saved_at - began
        if path is not None:
            yield Checkpointed(step=self._last.step, path=path)

    def _keep(self) -> Path | None:
        """Write the last sound state, unless it is on disk already."""
        if self._sound is None or self._sound is self._saved:
            return None
        stored = self._passes.stored(self._sound)
        checkpoint = Checkpoint(image_index=self._index, method=str(self._passes.method), stored=stored)
        path = save_checkpoint(self._folder, checkpoint)
        self._saved = self._sound
        return path

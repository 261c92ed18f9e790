"""Joins the window's state: from the setup over a run to canvas and history, and from the history back to the setup."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage

from adstudio.errors import AdStudioError
from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.jobs.events import Finished, Progress
from adstudio.jobs.host import EngineHost, RunRequest
from adstudio.jobs.spec import Job, Task
from adstudio.projects import Project
from ui.state.adjust import Adjustment
from ui.state.background import Background
from ui.state.control_preview import ControlPreview
from ui.state.desk import Desk
from ui.state.figures import FiguresOfResult
from ui.state.forecast import forecast_s
from ui.state.history import HistoryModel
from ui.state.history_edits import HistoryEdits
from ui.state.importing import Importer
from ui.state.job_controller import JobController, RunState
from ui.state.machine import Machine
from ui.state.model_choice import model_name
from ui.state.model_downloads import ModelDownloads
from ui.state.model_library import ModelLibrary
from ui.state.past_runs import PastRuns
from ui.state.project_room import OpenedProject, ProjectRoom
from ui.state.runs import HistoryEntry, entry_of, save_adjusted
from ui.state.samples import LibraryModel, Samples
from ui.state.session import Session
from ui.state.setup import SlotPicture
from ui.state.stage import Stage
from ui.state.telling import duration, in_words
from ui.state.undo_order import UndoOrder
from ui.state.words import DEVICES, short_name


class Workbench(QObject):
    """status: what goes on, in one line. progress: 0 … 1 or None. failed: a sentence for the banner.

    machine_changed: device or forecast are others. unfinished_found: a run that ended early and could go on.
    model_missing: a sentence; the model of what was restored cannot be used now.
    """

    status = Signal(str)
    progress = Signal(object)
    failed = Signal(str)
    noticed = Signal(str)
    run_shown = Signal(object)
    saved = Signal(object)
    machine_changed = Signal()
    unfinished_found = Signal(object)
    model_missing = Signal(str)

    def __init__(
        self,
        host: EngineHost,
        loop: asyncio.AbstractEventLoop,
        *,
        project_folder: Path,
        pasted_folder: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.background = Background(self)
        self.models = ModelLibrary(self.background, self)
        self.downloads = ModelDownloads(self.models, self)
        self.session = Session(self.background, self.models, self)
        self.control_preview = ControlPreview(self.session, self.background, self)
        self.stage = Stage(self.background, self)
        self.room = ProjectRoom(self)
        self.history = HistoryModel(self.room, self.background, self)
        self.undo = UndoOrder(self.session, self.room, self)
        self.edits = HistoryEdits(self.room, self.undo, self)
        self.desk = Desk(self.session, self.room, self)
        self.library = LibraryModel(self.background, self)
        self.contents = LibraryModel(self.background, self)
        self.figures = FiguresOfResult(self.stage, self.background, self)
        self.importer = Importer(self.session, self.background, pasted_folder, self)
        self.controller = JobController(host, self.room, loop, self)
        self.machine = Machine(self.session, self.background, self)
        self.past = PastRuns(self.session, self.stage, self.controller, self.models, self)
        self.samples = Samples()
        self.device = ""
        self._project_folder = project_folder
        self._expected = QSize()
        self._left_running: Path | None = None
        self._connect()

    def _connect(self) -> None:
        self.session.content_changed.connect(self._show_content)
        self.session.styles_changed.connect(self._show_content)
        self.session.task_changed.connect(self._on_task)
        self.session.changed.connect(self.machine_changed)
        self.machine.changed.connect(self.machine_changed)
        self.history.refreshed.connect(self.machine_changed)
        self.room.opened.connect(self._on_project)
        self.room.failed.connect(self.failed)
        self.edits.done.connect(self.status)
        self.past.failed.connect(self.failed)
        self.past.unfinished.connect(self.unfinished_found)
        self.past.model_missing.connect(self.model_missing)
        self.stage.failed.connect(self.failed)
        self.history.failed.connect(self.failed)
        self.importer.failed.connect(self.failed)
        run = self.controller
        run.state_changed.connect(self._on_state)
        run.run_created.connect(lambda _: self.room.changed.emit())
        run.waiting_changed.connect(lambda _: self.history.set_running(run.folders()))
        run.started.connect(self._on_started)
        run.previewed.connect(self._on_preview)
        run.progressed.connect(self._on_progress)
        run.noticed.connect(self.noticed)
        run.finished.connect(self._on_finished)
        run.cancelled.connect(self._on_cancelled)
        run.failed.connect(self._on_failed)

    # Runs

    @property
    def project_folder(self) -> Path:
        """The open project, or the one that is being opened."""
        return self.room.current.folder if self.room.current is not None else self._project_folder

    def open(self, samples: Samples, *, left_running: Path | None = None, old_runs: Path | None = None) -> None:
        """Open the project, offer the samples, fill in the first pair.

        left_running: a run that quitting had stopped. old_runs: a folder of runs that a new project takes in.
        """
        self.samples = samples
        self._left_running = left_running
        self._offer_samples()
        self.room.open(self._project_folder, create=True, old_runs=old_runs)
        self.models.refresh(*self.session.chosen.by_task.values())
        self.lay_out_samples()
        self.session.forget_undo()

    def lay_out_samples(self) -> None:
        """Fill in the pictures that show the present task best."""
        content, style = self.samples.first_pair(self.session.setup.task)
        if content is not None:
            self.session.set_content(content.path, name=content.title)
        if style is not None:
            self.session.set_styles([style.path], name=style.title)

    def choose_task(self, task: Task) -> None:
        """Another task. While only our own first pictures are laid out, it brings those that show it best."""
        setup = self.session.setup
        content = setup.content.path if setup.content is not None else None
        if not self.samples.are_first_pictures(content, (style.path for style in setup.styles)):
            self.session.set_task(task)
            return
        first, look = self.samples.first_pair(task)
        self.session.set_task(
            task,
            content=SlotPicture(path=first.path, name=first.title) if first and first.path != content else None,
            styles=(SlotPicture(path=look.path, name=look.title),) if look is not None else None,
        )

    def _on_task(self) -> None:
        self._offer_samples()
        self._show_content()

    def _offer_samples(self) -> None:
        task = self.session.setup.task
        self.library.set_samples(self.samples.for_style(task))
        self.contents.set_samples(self.samples.for_content() if task is not Task.TEXTURE else ())

    def _on_project(self, opened: OpenedProject) -> None:
        """Say what opening found, and offer to go on with the newest run where it was cut short."""
        for words in opened.notices:
            self.noticed.emit(words)
        if opened.taken_in:
            said = self.tr("{count} runs of an earlier version were taken into this project.")
            self.status.emit(said.format(count=opened.taken_in))
        if opened.read_only is None and not self.controller.busy:
            self.room.ask(_newest, self._on_newest)

    def _on_newest(self, newest: HistoryEntry | None) -> None:
        if newest is None or not newest.can_go_on or newest.folder in self.controller.folders():
            return
        if newest.status == "interrupted" or newest.folder == self._left_running:
            self.unfinished_found.emit(newest)

    def close(self) -> None:
        """Finish what is being written, and close the project; waits."""
        self.desk.flush()
        self.room.close()
        self.downloads.close()
        self.background.close()

    def forecast_s(self) -> float | None:
        """Seconds that what is laid out is likely to take here; None while nothing like it was run."""
        needs = self.machine.needs
        if needs is not None and needs.seconds is not None:
            return needs.seconds
        steps = next((one.default for one in self.session.parameters() if one.name == "num_inference_steps"), None)
        return forecast_s(
            self.session.setup,
            self.session.expected_size(),
            steps if isinstance(steps, int) else 1,
            self.history.entries,
        )

    def set_memory_limit(self, limit_bytes: int | None) -> None:
        """What runs that begin from now on may take in all; None for what is free."""
        self.controller.queue.memory_limit_bytes = limit_bytes
        self.machine.set_limit(limit_bytes)

    def run(self) -> None:
        """Run what is laid out; a seed that is not locked is rolled first."""
        if self.session.problem():
            return
        if not self.session.seed_locked:
            self.session.roll_seed()
        try:
            job = self.session.job()
        except AdStudioError as problem:
            self.failed.emit(str(problem))
            return
        setup = self.session.setup
        slots = [slot for slot in (setup.content, *setup.styles) if slot is not None]
        self.run_job(job, {slot.path: slot.name for slot in slots})

    def run_job(self, job: Job, names: Mapping[Path, str]) -> None:
        """Run a job. names: what its pictures are called, where their files are called otherwise."""
        self.controller.run(job, names)

    def toggle_pause(self) -> None:
        if self.controller.state is RunState.PAUSED:
            self.controller.resume()
        else:
            self.controller.pause()

    def _on_state(self, state: RunState) -> None:
        words = {
            RunState.PREPARING: self.tr("Copying the pictures into the run folder …"),
            RunState.WAITING: self.tr("Waiting for its turn …"),
            RunState.LOADING: self.tr("Getting the model and the pictures ready …"),
            RunState.RUNNING: self.tr("Running …"),
            RunState.PAUSED: self.tr("Paused"),
            RunState.CANCELLING: self.tr("Cancelling …"),
        }
        request = self.controller.current_request()
        if state is RunState.LOADING and request is not None and request.job.model != PATCH_MODEL:
            words[state] = self.tr("Loading {name} …").format(name=short_name(model_name(request.job.model)))
        if state in words:
            self.status.emit(words[state])
        if state is RunState.IDLE:
            self.progress.emit(None)
        elif state in (RunState.PREPARING, RunState.WAITING, RunState.LOADING):
            self.progress.emit(0.0)

    def _on_started(self, request: RunRequest, device: str) -> None:
        job = request.job
        if device != self.device:
            self.device = device
            self.machine.use_device(device)
            self.machine_changed.emit()
        if job.width and job.height:
            self._expected = QSize(job.width, job.height)
        else:
            self._expected = QSize(*self.session.expected_size())

    def _on_preview(self, image: QImage, step: int, steps: int) -> None:
        if self.controller.state is RunState.CANCELLING:
            return
        label = self.tr("Step {step} of {steps}").format(step=step, steps=steps)
        self.stage.show_preview(image, self._expected, label)

    def _on_progress(self, event: Progress) -> None:
        if self.controller.state is not RunState.RUNNING:
            return
        self.progress.emit(event.fraction)
        parts = [event.label or self.tr("Running"), f"{event.fraction * 100:.0f} %"]
        if event.remaining_s is not None:
            parts.append(self.tr("about {time} left").format(time=duration(event.remaining_s)))
        self.status.emit(" · ".join(parts))

    def _on_finished(self, request: RunRequest, event: Finished, seconds: float) -> None:
        folder = request.folder
        parts = [self.tr("Done in {time}").format(time=duration(seconds))]
        if request.job.model != PATCH_MODEL:
            parts.append(short_name(model_name(request.job.model)))
        self.status.emit(" · ".join([*parts, DEVICES.get(self.device, self.device.upper())]).rstrip(" ·"))
        if event.results:
            self.stage.show_result(folder, event.results, request.job)
        self.run_shown.emit(folder)

    def _on_cancelled(self, folder: Path) -> None:
        self.stage.end_preview()
        self.status.emit(self.tr("Cancelled"))

    def _on_failed(self, reason: str, folder: Path | None) -> None:
        self.stage.end_preview()
        self.status.emit(self.tr("The run failed"))
        if folder is not None:
            self.failed.emit(reason)
            return
        self.failed.emit(in_words(reason, self.session.setup))
        self.session.look_again()

    # Pictures

    def _show_content(self) -> None:
        """A new content in the setup takes the canvas; the result is still in the history."""
        setup = self.session.setup
        texture = setup.task is Task.TEXTURE
        slot = next(iter(setup.styles), None) if texture else setup.used_content
        self.stage.show_content(slot.path if slot is not None else None, setup.task)

    def adjust(self, adjustment: Adjustment) -> None:
        self.stage.set_adjustment(adjustment)

    def save_result(self, target: Path) -> None:
        """Write the shown result, with its adjustment, to a file of the artist's."""
        shown = self.stage.shown
        if shown is None:
            return
        adjustment = self.stage.adjustment
        self.background.submit(
            lambda: save_adjusted(shown.picture, shown.content, adjustment, target),
            lambda _: self.saved.emit(target),
            self.failed.emit,
        )


def _newest(project: Project) -> HistoryEntry | None:
    """The newest run of a project that is not in the trash."""
    runs = project.page(limit=1).runs
    return entry_of(project, runs[0]) if runs else None

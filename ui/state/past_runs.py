"""From the history back to what is laid out, to the canvas, and to a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from adstudio.jobs.spec import Job
from ui.state.job_controller import JobController
from ui.state.model_library import ModelLibrary
from ui.state.runs import HistoryEntry, names_in
from ui.state.session import Session
from ui.state.stage import Stage


class PastRuns(QObject):
    """What can be done with a run that is over.

    failed: a sentence. model_missing: a sentence; the model of what was laid out cannot be used now. unfinished: a run
    that ended early and could go on.
    """

    failed = Signal(str)
    model_missing = Signal(str)
    unfinished = Signal(object)

    def __init__(
        self,
        session: Session,
        stage: Stage,
        controller: JobController,
        models: ModelLibrary,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._stage, self._controller, self._models = session, stage, controller, models

    def show_entry(self, entry: HistoryEntry) -> None:
        """Put a run's result on the canvas."""
        if entry.results:
            self._stage.show_result(entry.folder, entry.results, entry.job)
        elif entry.reason:
            self.failed.emit(entry.reason)
        elif entry.can_go_on and entry.folder not in self._controller.folders():
            self.unfinished.emit(entry)

    def restore(self, entry: HistoryEntry) -> None:
        """Everything as it was for this run."""
        self._with_job(entry, lambda job: self.restore_job(job, dict(entry.input_names)))
        self.show_entry(entry)

    def restore_job(self, job: Job, names: Mapping[Path, str] | None = None) -> None:
        """Lay out what a job says, once its model has been looked at. names: what its pictures are called."""
        beside = [str(lora.path) for lora in job.loras]
        if job.control is not None and job.control.model is not None:
            beside.append(job.control.model)
        called = names_in(job) if names is None else names
        self._models.meet(job.model, lambda: self._lay_out(job, called), *beside)

    def _lay_out(self, job: Job, names: Mapping[Path, str]) -> None:
        """A model that cannot be used is named; what is missing beside it is said among the parameters."""
        self._session.restore(job, dict(names))
        problem = self._session.model_problem()
        if problem:
            self.model_missing.emit(problem)

    def branch(self, entry: HistoryEntry, picture: Path, name: str) -> None:
        """Lay out a run's settings, and a picture of it as what the next result begins with."""

        def lay_out(job: Job) -> None:
            names = {**dict(entry.input_names), picture: name}
            begun = job.model_copy(update={"start_image": picture, "start": None, "images": 1})
            self.restore_job(begun, names)

        self._with_job(entry, lay_out)
        self.show_entry(entry)

    def go_on(self, entry: HistoryEntry) -> None:
        """Take up a run that ended early."""
        if entry.can_go_on:
            self._controller.go_on(entry.folder)

    def restore_seed(self, entry: HistoryEntry) -> None:
        self._with_job(entry, lambda job: self._session.set_value("seed", job.seed))

    def run_again(self, entry: HistoryEntry) -> None:
        """The same job once more, as a run of its own."""
        self._with_job(entry, lambda job: self._controller.run(job, dict(entry.input_names)))

    def use_as_content(self, entry: HistoryEntry) -> None:
        if entry.results:
            self._session.set_content(entry.results[0])

    def use_as_style(self, entry: HistoryEntry) -> None:
        if entry.results:
            self._session.add_styles([entry.results[0]])

    def _with_job(self, entry: HistoryEntry, do: Callable[[Job], None]) -> None:
        if entry.job is not None:
            do(entry.job)
        else:
            self.failed.emit(self.tr("{folder}: its job.json cannot be read.").format(folder=entry.folder.name))

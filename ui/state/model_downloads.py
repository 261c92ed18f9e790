"""What is fetched from the hub for the window: a model or the words for prompts, one at a time, beside everything."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Signal

from adstudio.models.download import discard, download
from adstudio.models.download_choice import Plan, plan_download, repository_and_file
from adstudio.models.fetch import Fetching
from adstudio.models.hub import HttpHub
from adstudio.models.library import Entry
from adstudio.models.vocabulary_fetch import Words, fetch_vocabulary
from adstudio.paths import models_dir
from ui.state.background import Background
from ui.state.model_library import ModelLibrary

_REPORT_S = 0.1


class Stage(StrEnum):
    """How far the download of a model is. STOPPED: paused or broken off, and can be gone on with."""

    IDLE = "idle"
    LOOKING = "looking"
    PLANNED = "planned"
    FETCHING = "fetching"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"


class ModelDownloads(QObject):
    """changed: stage, plan or problem. progressed: a Fetching. fetched: the Entry of a model that is whole now.

    words_changed: the vocabulary is being fetched, or no longer. words_failed: a sentence. offline: the switch.
    """

    changed = Signal()
    progressed = Signal(object)
    fetched = Signal(object)
    words_changed = Signal()
    words_failed = Signal(str)

    def __init__(self, models: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._background = Background(self, threads=1)  # its own room: a download may take hours
        self._stop = Event()
        self.offline = False
        self.stage = Stage.IDLE
        self.plan: Plan | None = None
        self.into: Path = models_dir()
        self.problem = ""
        self.now: Fetching | None = None
        self.fetching_words = False
        self.progressed.connect(self._on_progress)

    @property
    def busy(self) -> bool:
        """Whether a model is on its way or being looked up."""
        return self.stage in (Stage.LOOKING, Stage.FETCHING, Stage.STOPPING)

    # A model

    def look_up(self, asked: str) -> None:
        """Ask the hub what would be fetched. asked: PUBLISHER/MODEL, with a file behind it or not, or an address."""
        if self.busy:
            return
        offline = self.offline
        repository, file = repository_and_file(asked)
        self.plan = self.now = None
        self._show(Stage.LOOKING)
        self._background.submit(
            lambda: plan_download(HttpHub(offline=offline).listing(repository), file=file),
            self._on_planned,
            lambda problem: self._show(Stage.IDLE, problem),
        )

    def start(self) -> None:
        """Fetch what was looked up, or go on with it."""
        plan, into, offline = self.plan, self.into, self.offline
        if plan is None or self.stage not in (Stage.PLANNED, Stage.STOPPED):
            return
        self._stop.clear()
        self._show(Stage.FETCHING)
        report = _at_most_every(_REPORT_S, self.progressed.emit)
        self._background.submit(
            lambda: download(HttpHub(offline=offline), plan, into, report=report, stopped=self._stop.is_set),
            self._on_fetched,
            self._on_stopped,
        )

    def pause(self) -> None:
        """Stop as soon as the next bytes come; what has come is kept."""
        if self.stage is Stage.FETCHING:
            self._stop.set()
            self._show(Stage.STOPPING)

    def throw_away(self) -> None:
        """Remove what has come of a model that was stopped."""
        plan, into = self.plan, self.into
        if plan is not None and self.stage is Stage.STOPPED:
            self.now = None
            self._background.submit(
                lambda: discard(plan, into),
                lambda _: self._show(Stage.PLANNED),
                lambda problem: self._show(Stage.STOPPED, problem),
            )

    def choose_folder(self, folder: Path) -> None:
        """Put the model there."""
        if not self.busy:
            self.into = folder
            self._show(Stage.PLANNED if self.plan is not None else self.stage)

    # Words

    def fetch_words(self, wanted: tuple[Words, ...]) -> None:
        """Fetch the vocabularies that prompts need."""
        if self.fetching_words or not wanted:
            return
        offline = self.offline
        self.fetching_words = True
        self.words_changed.emit()
        self._background.submit(
            lambda: fetch_vocabulary(HttpHub(offline=offline), wanted, stopped=self._stop.is_set),
            lambda _: self._on_words(""),
            self._on_words,
        )

    def close(self) -> None:
        """Stop, keep what has come, and wait for the worker."""
        self._stop.set()
        self._background.close()

    # Inside

    def _on_words(self, problem: str) -> None:
        self.fetching_words = False
        self.words_changed.emit()
        if problem:
            self.words_failed.emit(problem)
        else:
            self._models.refresh()

    def _on_planned(self, plan: Plan) -> None:
        self.plan = plan
        self._show(Stage.PLANNED)

    def _on_fetched(self, entry: Entry) -> None:
        self._show(Stage.DONE)
        self._models.refresh()
        self.fetched.emit(entry)

    def _on_stopped(self, problem: str) -> None:
        paused = self._stop.is_set()
        begun = paused or self.now is not None
        self._show(Stage.STOPPED if begun else Stage.PLANNED, "" if paused else problem)

    def _on_progress(self, now: Fetching) -> None:
        self.now = now

    def _show(self, stage: Stage, problem: str = "") -> None:
        self.stage, self.problem = stage, problem
        self.changed.emit()


def _at_most_every(interval_s: float, then: Callable[[Fetching], None]) -> Callable[[Fetching], None]:
    """Pass on what is new, but not more often; the end always."""
    last_s = float("-inf")

    def report(now: Fetching) -> None:
        nonlocal last_s
        if now.done_bytes == now.total_bytes or time.monotonic() - last_s >= interval_s:
            last_s = time.monotonic()
            then(now)

    return report

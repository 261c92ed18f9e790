"""Models in the window: the picker in the top bar, the model page, and what is said when a model is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from adstudio.jobs.defaults import PATCH_MODEL
from ui.dialogs.models_page import ModelsPage
from ui.state.model_choice import model_name, options_for

if TYPE_CHECKING:
    from ui.main_window import MainWindow


class ModelHandlers(QObject):
    """page: the model page while it is open."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._bench = window.bench
        self.page: ModelsPage | None = None
        window.parameters.models_wanted.connect(self.open)
        window.canvas.empty.models_asked.connect(self.open)
        self._bench.importer.models_brought.connect(self.add)
        window.top_bar.model.page_asked.connect(self.open)
        window.top_bar.model.chosen.connect(self._bench.session.choose_model)
        self._bench.model_missing.connect(self._on_missing)
        self._bench.session.changed.connect(self.show_choice)
        self.show_choice()

    def open(self) -> None:
        """Show the model page, once."""
        self._opened()

    def add_file(self) -> None:
        self._opened().choose_file()

    def add_folder(self) -> None:
        self._opened().choose_folder()

    def download(self) -> None:
        self._opened().fetching.open()

    def add(self, places: tuple[Path, ...]) -> None:
        """Model files that were dropped on the window: the page says what came of them."""
        self._opened().add(places)

    def _opened(self) -> ModelsPage:
        if self.page is None:
            self.page = ModelsPage(self._bench.models, self._bench.session, self._bench.downloads, self._window)
            self.page.finished.connect(self._on_closed)
            self.page.open()
        return self.page

    def _on_closed(self) -> None:
        if self.page is not None:
            self.page.deleteLater()
            self.page = None

    def show_choice(self) -> None:
        """What can be chosen for the task, and what is."""
        session = self._bench.session
        task, model, problem = session.setup.task, session.setup.model, session.model_problem()
        words = model_name(model)
        if model == PATCH_MODEL:
            words = self.tr("No diffusion model") if problem else self.tr("{name} · built in").format(name=words)
        self._window.top_bar.show_models(options_for(task, self._bench.models, model), model, words, problem)

    def _on_missing(self, problem: str) -> None:
        """The model of a run that was restored: said, with the way to the page where it can be added."""
        self._window.canvas.say(problem, actions=((self.tr("Models …"), self.open),))

"""Where the window is put together: event loop, host, settings, and leaving in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

import qasync  # type: ignore[import-untyped]  # isort: skip  (takes the Qt binding that is imported already)

from adstudio.errors import StorageError
from adstudio.jobs.host import Engine, EngineHost
from adstudio.jobs.thread_host import ThreadHost
from adstudio.paths import pictures_dir, samples_dir, settings_path
from adstudio.projects.recent import remember_project
from adstudio.settings import Appearance, Settings, load_settings
from ui.actions import Command
from ui.dialogs.question import ask
from ui.icons import app_icon
from ui.main_window import MainWindow
from ui.preference_handlers import PreferenceHandlers
from ui.state.project_room import OpenedProject
from ui.state.samples import Samples, read_samples
from ui.state.settings_keeper import SettingsKeeper
from ui.state.workbench import Workbench
from ui.theme import apply_theme

_INTERRUPT_LOOK_MS = 200
_PASTED_NAME = "Pasted"
_PROJECT_NAME = "Studio.adproj"
_log = logging.getLogger(__name__)


def make_engine() -> Engine:
    """Called in the engine's thread, so that the window never waits for torch."""
    from adstudio.engine.runner import StudioEngine

    return StudioEngine()


class Studio(QObject):
    """The application: one window, one host, one loop."""

    def __init__(
        self,
        app: QApplication,
        host: EngineHost,
        loop: asyncio.AbstractEventLoop,
        settings: Settings,
        settings_file: Path,
        project: Path | None = None,
    ) -> None:
        super().__init__()
        self._app, self._host, self._loop = app, host, loop
        self.bench = Workbench(
            host,
            loop,
            project_folder=project or settings.project or pictures_dir() / _PROJECT_NAME,
            pasted_folder=pictures_dir() / _PASTED_NAME,
            parent=self,
        )
        self._keeper = SettingsKeeper(settings, settings_file, self.bench.background, self)
        self._keeper.failed.connect(self.bench.failed)
        self.bench.session.chosen.wish(settings.models)
        self.bench.set_memory_limit(settings.memory_limit_bytes)
        self.window = MainWindow(self.bench)
        self.preferences = PreferenceHandlers(self.window, self._keeper, _PROJECT_NAME)
        self.window.commands.bring_back(recent=settings.recent_commands, keys=settings.shortcuts)
        self.window.commands.recent_changed.connect(lambda names: self._keeper.change(recent_commands=names))
        self.window.commands.keys_changed.connect(lambda keys: self._keeper.change(shortcuts=keys))
        self.question: QMessageBox | None = None
        self.closed: asyncio.Future[None] = loop.create_future()
        self._leaving: asyncio.Task[None] | None = None
        self.window.close_asked.connect(self.ask_to_leave)
        self.window.scheme_chosen.connect(self._on_scheme_chosen)
        self.window.offline_chosen.connect(self._on_offline_chosen)
        self.window.actions_table[Command.OFFLINE].setChecked(settings.offline)
        self.bench.downloads.offline = settings.offline
        self.bench.room.opened.connect(self._on_project)
        self.bench.room.knocked.connect(self._come_forward)
        app.styleHints().colorSchemeChanged.connect(self._on_system_scheme)
        self.window.show_scheme(settings.appearance)
        self.window.parameters.advanced.button.setChecked(settings.show_advanced)

    @property
    def settings(self) -> Settings:
        """As they will be kept when the window closes."""
        return self._keeper.now

    def start(self, samples_folder: Path) -> None:
        """Show the window; what is slow comes after the first paint."""
        self.window.restore_layout(self._keeper.now.window_layout)
        self.window.show()
        QTimer.singleShot(0, lambda: self._open(samples_folder))
        self.bench.background.idle.connect(self._on_first_idle)

    def _open(self, samples_folder: Path) -> None:
        try:
            samples = read_samples(samples_folder)
        except StorageError as problem:
            samples = Samples()
            self.bench.failed.emit(str(problem))
        self.bench.open(
            samples,
            left_running=self._keeper.now.left_running,
            old_runs=self._keeper.now.runs_dir or pictures_dir(),
        )

    def _on_first_idle(self) -> None:
        """Load the engine once the pictures are there: both at a time would hold up what is looked at."""
        self.bench.background.idle.disconnect(self._on_first_idle)
        self._host.warm()

    def _on_scheme_chosen(self, scheme: Appearance) -> None:
        self._keeper.change(appearance=scheme)
        apply_theme(self._app, scheme)
        self.window.show_scheme(scheme)

    def _on_offline_chosen(self, offline: bool) -> None:
        self.bench.downloads.offline = offline
        self._keeper.change(offline=offline)

    def _on_system_scheme(self) -> None:
        if self._keeper.now.appearance is Appearance.SYSTEM:
            apply_theme(self._app, Appearance.SYSTEM)

    def _on_project(self, opened: OpenedProject) -> None:
        self._keeper.note(project=opened.folder)
        self.bench.background.submit(lambda: remember_project(opened.folder), lambda _: None)

    def _come_forward(self) -> None:
        """Somebody opened the project that is open here."""
        self.window.setWindowState(self.window.windowState() & ~Qt.WindowState.WindowMinimized)
        self.window.raise_()
        self.window.activateWindow()

    def ask_to_leave(self) -> None:
        """Leave; while something runs, ask once."""
        if self._leaving is not None or self.question is not None:
            return
        if not self.bench.controller.busy:
            self.leave()
            return
        self.question = ask(
            self.window,
            title=self.tr("Quit AD Studio"),
            question=self.tr("A run is going on. Quit and cancel it?"),
            more=self.tr("What is done so far is kept: the next start offers to go on with it."),
            go=self.tr("Cancel the run and quit"),
            stay=self.tr("Keep running"),
            then=self.leave,
        )
        self.question.finished.connect(self._on_question_closed)

    def _on_question_closed(self) -> None:
        self.question = None

    def leave(self) -> None:
        """Cancel, let the host join its thread, then close the window."""
        if self._leaving is None:
            self._leaving = self._loop.create_task(self._shut_down())

    async def _shut_down(self) -> None:
        self.window.status_line.say(self.tr("Closing …"))
        self.bench.stage.flush()
        request = self.bench.controller.current_request()
        await self.bench.controller.shutdown()
        self._keeper.note(
            window_layout=self.window.layout_state(),
            show_advanced=self.window.parameters.advanced.button.isChecked(),
            left_running=request.folder if request is not None else None,
            models=self.bench.session.chosen.by_task,
        )
        try:
            self._keeper.save()
        except StorageError as problem:
            _log.warning("%s", problem)  # nobody should be kept from leaving for that
        self.window.allow_close()
        self.window.close()
        self.bench.close()  # waits for what is being done; nobody has to look on
        if not self.closed.done():
            self.closed.set_result(None)


def _quit_on_interrupt(studio: Studio) -> QTimer:
    """Ctrl+C in the terminal closes the window in good order; the timer lets Python see the signal."""
    signal.signal(signal.SIGINT, lambda *_: studio.leave())
    timer = QTimer(studio)
    timer.timeout.connect(lambda: None)
    timer.start(_INTERRUPT_LOOK_MS)
    return timer


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window and stay until it is closed; returns the exit status. argv: a project to open, or nothing."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([sys.argv[0], *(argv or ())])
    app.setApplicationName("adstudio")
    app.setApplicationDisplayName("AD Studio")
    app.setDesktopFileName("adstudio")
    app.setQuitOnLastWindowClosed(False)
    settings, problem = Settings(), ""
    try:
        settings = load_settings(settings_path())
    except StorageError as unreadable:
        problem = str(unreadable)
    apply_theme(app, settings.appearance)
    app.setWindowIcon(app_icon())
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        project = Path(argv[0]).absolute() if argv else None
        studio = Studio(app, ThreadHost(make_engine, waits_for_room=True), loop, settings, settings_path(), project)
        _quit_on_interrupt(studio)
        studio.start(samples_dir())
        if problem:
            studio.bench.failed.emit(problem)
        loop.run_until_complete(studio.closed)
    return 0

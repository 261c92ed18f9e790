"""Where the window is put together: event loop, host, settings, and leaving in good order."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

import qasync  # type: ignore[import-untyped]  # isort: skip  (takes the Qt binding that is imported already)

from adstudio.jobs.host import Engine, EngineHost
from adstudio.jobs.thread_host import ThreadHost
from ui import icons, theme
from ui.icons import app_icon, resources_folder
from ui.main_window import MainWindow
from ui.state.preferences import Preferences
from ui.state.samples import read_samples
from ui.state.scheme import Scheme
from ui.state.workbench import Workbench
from ui.theme import apply_theme

_INTERRUPT_LOOK_MS = 200


def make_engine() -> Engine:
    """Called in the engine's thread, so that the window never waits for torch."""
    from adstudio.engine.runner import StudioEngine

    return StudioEngine()


class Studio(QObject):
    """The application: one window, one host, one loop."""

    def __init__(
        self, app: QApplication, host: EngineHost, loop: asyncio.AbstractEventLoop, preferences: Preferences
    ) -> None:
        super().__init__()
        self._app, self._host, self._loop = app, host, loop
        self._preferences = preferences
        self.bench = Workbench(
            host, loop, runs_folder=preferences.runs_folder, pasted_folder=preferences.pasted_folder, parent=self
        )
        self.window = MainWindow(self.bench)
        self.question: QMessageBox | None = None
        self.closed: asyncio.Future[None] = loop.create_future()
        self._leaving: asyncio.Task[None] | None = None
        self.window.close_asked.connect(self.ask_to_leave)
        self.window.scheme_chosen.connect(self._on_scheme_chosen)
        self.window.handlers.runs_folder_chosen.connect(self._on_runs_folder_chosen)
        app.styleHints().colorSchemeChanged.connect(self._on_system_scheme)
        self.window.show_scheme(preferences.scheme)

    def start(self, samples_folder: Path) -> None:
        """Show the window; what is slow comes after the first paint."""
        self.window.restore_layout(self._preferences.window_geometry)
        self.window.show()
        left_running = self._preferences.left_running
        QTimer.singleShot(
            0,
            lambda: self.bench.open(
                read_samples(samples_folder), left_running=Path(left_running) if left_running else None
            ),
        )
        self.bench.background.idle.connect(self._on_first_idle)

    def _on_first_idle(self) -> None:
        """Load the engine once the pictures are there: both at a time would hold up what is looked at."""
        self.bench.background.idle.disconnect(self._on_first_idle)
        self._host.warm()

    def _on_scheme_chosen(self, scheme: Scheme) -> None:
        self._preferences.scheme = scheme
        apply_theme(self._app, scheme)
        self.window.show_scheme(scheme)

    def _on_system_scheme(self) -> None:
        if self._preferences.scheme is Scheme.SYSTEM:
            apply_theme(self._app, Scheme.SYSTEM)

    def _on_runs_folder_chosen(self, folder: Path) -> None:
        self._preferences.runs_folder = folder
        self.bench.set_runs_folder(folder)
        self.window.show_runs_folder()

    def ask_to_leave(self) -> None:
        """Leave; while something runs, ask once."""
        if self._leaving is not None or self.question is not None:
            return
        if not self.bench.controller.busy:
            self.leave()
            return
        box = QMessageBox(
            QMessageBox.Icon.NoIcon,
            self.tr("Quit AD Studio"),
            self.tr("A run is going on. Quit and cancel it?"),
            QMessageBox.StandardButton.NoButton,
            self.window,
        )
        box.setIconPixmap(icons.pixmap("alert", 32, box.devicePixelRatioF(), theme.colors().accent_ink))
        box.setInformativeText(self.tr("What is done so far is kept: the next start offers to go on with it."))
        stop = box.addButton(self.tr("Cancel the run and quit"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(self.tr("Keep running"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        stop.clicked.connect(self.leave)
        box.finished.connect(self._on_question_closed)
        self.question = box
        box.open()

    def _on_question_closed(self) -> None:
        if self.question is not None:
            self.question.deleteLater()
            self.question = None

    def leave(self) -> None:
        """Cancel, let the host join its thread, then close the window."""
        if self._leaving is None:
            self._leaving = self._loop.create_task(self._shut_down())

    async def _shut_down(self) -> None:
        self.window.status_line.say(self.tr("Closing …"))
        self.bench.stage.flush()
        request = self.bench.controller.current_request()
        self._preferences.left_running = str(request.folder) if request is not None else ""
        await self.bench.controller.shutdown()
        self._preferences.window_geometry = self.window.layout_state()
        self._preferences.save()
        self.window.allow_close()
        self.window.close()
        self.bench.background.close()  # waits for what is being done; nobody has to look on
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
    """Open the window and stay until it is closed. Returns the exit status."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([sys.argv[0], *(argv or ())])
    app.setApplicationName("adstudio")
    app.setApplicationDisplayName("AD Studio")
    app.setDesktopFileName("adstudio")
    app.setQuitOnLastWindowClosed(False)
    preferences = Preferences.load()
    apply_theme(app, preferences.scheme)
    app.setWindowIcon(app_icon())
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        studio = Studio(app, ThreadHost(make_engine), loop, preferences)
        _quit_on_interrupt(studio)
        studio.start(resources_folder() / "samples")
        loop.run_until_complete(studio.closed)
    return 0

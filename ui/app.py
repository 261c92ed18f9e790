"""Where the window is put together: event loop, host, settings, and leaving in good order."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from adstudio.jobs.host import Engine, EngineHost
from ui.main_window import MainWindow
from ui.state.workbench import Workbench
from ui.theme import Scheme, apply_theme


def make_engine() -> Engine:
    """Called in the engine's thread, so that the window never waits for torch."""
    from adstudio.engine.runner import StudioEngine

    return StudioEngine()


class Studio(QObject):
    """The application: one window, one host, one loop."""

    def __init__(self, app: QApplication, host: EngineHost, loop: asyncio.AbstractEventLoop, bench: Workbench) -> None:
        super().__init__()
        self._app, self._host, self._loop = app, host, loop
        self.bench = bench
        self.window = MainWindow(bench)
        self._leaving = False
        self.closed: asyncio.Future[None] = loop.create_future()
        self.window.close_asked.connect(self._on_close_asked)
        self.window.scheme_chosen.connect(self.set_scheme)

    def set_scheme(self, scheme: Scheme) -> None:
        apply_theme(self._app, scheme)
        self.window.show_scheme(scheme)

    def start(self) -> None:
        self.window.show()
        QTimer.singleShot(0, self._host.warm)

    def _on_close_asked(self) -> None:
        if self._leaving:
            return
        if not self.bench.controller.busy:
            self._leave()
            return
        box = QMessageBox(
            QMessageBox.Icon.Question,
            self.tr("Quit AD Studio"),
            self.tr("A run is going on. Quit and cancel it?"),
            QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No,
            self.window,
        )
        box.accepted.connect(self._leave)
        box.open()

    def _leave(self) -> None:
        self._leaving = True
        self._task = self._loop.create_task(self._shut_down())

    async def _shut_down(self) -> None:
        await self.bench.controller.shutdown()
        self.bench.background.close()
        self.window.allow_close()
        self.window.close()
        self.closed.set_result(None)


def main(argv: Sequence[str] | None = None) -> int:
    app = QApplication.instance() or QApplication(list(argv or sys.argv[:1]))
    return 0

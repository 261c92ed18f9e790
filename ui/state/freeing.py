"""Stopping where a run stands so that something else can have the memory."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ui.state.job_controller import JobController
from ui.state.project_room import ProjectRoom
from ui.state.runs import HistoryEntry, entry_of


class Freeing(QObject):
    """status: what became of it, in one line. unfinished: the run that was stopped and can go on later."""

    status = Signal(str)
    unfinished = Signal(object)

    def __init__(self, controller: JobController, room: ProjectRoom, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller, self._room = controller, room
        self._stopped: Path | None = None
        controller.cancelled.connect(self._on_cancelled)

    def stop_and_free(self) -> None:
        """Cancel the run that goes on, hold back what waits, let go of models and of what is kept for later runs."""
        request = self._controller.current_request()
        self._stopped = request.folder if request is not None else None
        self._controller.queue.hold_waiting()
        self._controller.release_memory()
        self._controller.cancel()
        if request is None:
            self.status.emit(self.tr("The memory is free; the next run loads its model anew"))

    def _on_cancelled(self, folder: Path) -> None:
        if folder != self._stopped:
            return
        self._stopped = None
        self.status.emit(self.tr("Stopped, and the memory is free"))
        self._room.ask(lambda project: entry_of(project, project.run(folder.name)), self._on_entry)

    def _on_entry(self, entry: HistoryEntry) -> None:
        if entry.can_go_on:
            self.unfinished.emit(entry)

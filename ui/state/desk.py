"""Keeps what is laid out with the project, a moment after each edit, and lays it out again when that is opened."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from ui.state.project_room import OpenedProject, ProjectRoom
from ui.state.session import Session
from ui.state.setup import Setup
from ui.state.setup_file import setup_from_json, setup_to_json

_KEY = "setup"
_SETTLE_MS = 600


class Desk(QObject):
    """Nothing is kept before a project is open, or in one that takes no changes."""

    def __init__(self, session: Session, room: ProjectRoom, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._room = session, room
        self._kept: Setup | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self.flush)
        session.changed.connect(self._on_changed)
        room.leaving.connect(self.flush)
        room.opened.connect(self._on_opened)

    def flush(self) -> None:
        """Keep what is laid out now, where it is another than was kept last."""
        self._timer.stop()
        setup, current = self._session.setup, self._room.current
        if current is None or current.read_only is not None or setup == self._kept:
            return
        self._kept = setup
        content = setup_to_json(setup)
        self._room.ask(lambda project: project.keep_on_desk(_KEY, content))

    def _on_changed(self) -> None:
        if self._room.current is not None:
            self._timer.start()

    def _on_opened(self, _: OpenedProject) -> None:
        self._room.ask(lambda project: project.desk(_KEY), self._on_found)

    def _on_found(self, value: object) -> None:
        """Lay out what was kept, unless hands were quicker; a project that never kept anything takes what is there."""
        setup = setup_from_json(value) if value is not None else None
        if setup is None:
            self.flush()
        elif not self._session.can_undo:
            self._kept = setup
            self._session.bring_back(setup)

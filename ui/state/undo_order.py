"""One undo for the whole window: setups in memory and edits in the project, in the order in which they were made."""

from __future__ import annotations

from enum import Enum, auto

from PySide6.QtCore import QObject, Signal

from adstudio.projects import Project
from ui.state.project_room import ProjectRoom
from ui.state.session import Session


class _Kind(Enum):
    SETUP = auto()
    PROJECT = auto()


class UndoOrder(QObject):
    """changed: whether something can be undone or redone may be different now."""

    changed = Signal()

    def __init__(self, session: Session, room: ProjectRoom, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._room = session, room
        self._done: list[_Kind] = []
        self._undone: list[_Kind] = []
        session.stepped.connect(lambda: self._did(_Kind.SETUP))
        session.undo_changed.connect(self.changed)
        room.opened.connect(self._on_opened)

    @property
    def can_undo(self) -> bool:
        return self._newest(self._done, can=self._session.can_undo) is not None

    @property
    def can_redo(self) -> bool:
        return self._newest(self._undone, can=self._session.can_redo) is not None

    def project_edited(self) -> None:
        """Something in the project was edited just now."""
        self._session.end_merge()
        self._did(_Kind.PROJECT)

    def undo(self) -> None:
        self._move(self._done, self._undone, can=self._session.can_undo, undo=True)

    def redo(self) -> None:
        self._move(self._undone, self._done, can=self._session.can_redo, undo=False)

    def _did(self, kind: _Kind) -> None:
        self._done.append(kind)
        self._undone.clear()
        self.changed.emit()

    @staticmethod
    def _newest(kinds: list[_Kind], *, can: bool) -> int | None:
        """Index of the newest step that is still there: the session forgets old ones."""
        return next((i for i in reversed(range(len(kinds))) if can or kinds[i] is _Kind.PROJECT), None)

    def _move(self, source: list[_Kind], target: list[_Kind], *, can: bool, undo: bool) -> None:
        index = self._newest(source, can=can)
        if index is None:
            return
        kind = source[index]
        del source[index:]
        target.append(kind)
        if kind is _Kind.PROJECT:
            self._room.edit(Project.undo if undo else Project.redo)
        elif undo:
            self._session.undo()
        else:
            self._session.redo()
        self.changed.emit()

    def _on_opened(self) -> None:
        """Another project: its edits of earlier sessions are not what this window did."""
        self._done = [kind for kind in self._done if kind is _Kind.SETUP]
        self._undone = [kind for kind in self._undone if kind is _Kind.SETUP]
        self.changed.emit()

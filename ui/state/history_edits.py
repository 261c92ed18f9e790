"""What an artist says of runs: stars, favourites, tags, notes, boards and the trash; each can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal

from adstudio.projects import Board, Project
from ui.state.project_room import ProjectRoom
from ui.state.undo_order import UndoOrder

Ids = tuple[str, ...]


class HistoryEdits(QObject):
    """done: a sentence for the status line, with what Ctrl+Z takes back. known: boards, tags or models are others."""

    done = Signal(str)
    known = Signal()

    def __init__(self, room: ProjectRoom, undo: UndoOrder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._room, self._undo = room, undo
        self.boards: tuple[Board, ...] = ()
        self.tags: tuple[str, ...] = ()
        self.models: tuple[str, ...] = ()
        room.changed.connect(self._look)

    def rate(self, ids: Ids, stars: int) -> None:
        self._edit(ids, lambda project: project.rate(ids, stars))

    def set_favourite(self, ids: Ids, favourite: bool) -> None:
        self._edit(ids, lambda project: project.set_favourite(ids, favourite))

    def change_tags(self, ids: Ids, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        added, removed = tuple(add), tuple(remove)
        if added or removed:
            self._edit(ids, lambda project: project.change_tags(ids, add=added, remove=removed))

    def set_notes(self, run_id: str, text: str) -> None:
        self._edit((run_id,), lambda project: project.set_notes(run_id, text))

    def trash(self, ids: Ids) -> None:
        words = self.tr("{count} runs are in the trash. Ctrl+Z brings them back.")
        said = words.format(count=len(ids)) if len(ids) > 1 else self.tr("In the trash. Ctrl+Z brings it back.")
        self._edit(ids, lambda project: project.trash(ids), said)

    def restore(self, ids: Ids) -> None:
        self._edit(ids, lambda project: project.restore(ids), self.tr("Taken out of the trash"))

    def empty_trash(self) -> None:
        """For good: this alone cannot be undone."""

        def work(project: Project) -> int:
            gone = project.empty_trash()
            project.collect()
            return len(gone)

        def told(count: int) -> None:
            self.done.emit(self.tr("{count} runs deleted for good").format(count=count))
            self._room.changed.emit()

        self._room.ask(work, told)

    def add_board(self, name: str, ids: Ids = ()) -> None:
        def work(project: Project) -> None:
            board = project.add_board(name)
            if ids:
                project.put_on_board(board, ids)

        self._edit((name,), work, self.tr("New board: {name}").format(name=name))

    def put_on_board(self, board: Board, ids: Ids) -> None:
        said = self.tr("On the board {name}").format(name=board.name)
        self._edit(ids, lambda project: project.put_on_board(board.id, ids), said)

    def take_off_board(self, board: Board, ids: Ids) -> None:
        said = self.tr("Taken off the board {name}").format(name=board.name)
        self._edit(ids, lambda project: project.take_off_board(board.id, ids), said)

    def remove_board(self, board: Board) -> None:
        said = self.tr("Board {name} deleted; its runs stay").format(name=board.name)
        self._edit((board.id,), lambda project: project.remove_board(board.id), said)

    def _edit(self, about: Ids, work: Callable[[Project], object], said: str = "") -> None:
        if not about:
            return
        steps = 0

        def counted(project: Project) -> None:
            nonlocal steps
            before = project.last_step
            work(project)
            steps = project.last_step - before

        def done() -> None:
            for _ in range(steps):
                self._undo.project_edited()
            if said:
                self.done.emit(said)

        self._room.edit(counted, done)

    def _look(self) -> None:
        def work(project: Project) -> tuple[tuple[Board, ...], tuple[str, ...], tuple[str, ...]]:
            return project.boards(), tuple(project.tags()), tuple(project.models())

        self._room.ask(work, self._on_known, key="known")

    def _on_known(self, found: tuple[tuple[Board, ...], tuple[str, ...], tuple[str, ...]]) -> None:
        if found != (self.boards, self.tags, self.models):
            self.boards, self.tags, self.models = found
            self.known.emit()

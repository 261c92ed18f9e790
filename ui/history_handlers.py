"""What the hands do with runs: show, restore, rate, tag, throw away and bring back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QInputDialog, QMenu, QMessageBox

from ui.actions import Command
from ui.dialogs.question import ask
from ui.dialogs.run_details import RunDetails
from ui.state.project_room import OpenedProject
from ui.state.runs import HistoryEntry, KeptFrame, entry_of

if TYPE_CHECKING:
    from ui.main_window import MainWindow

_STARS = (Command.RATE_0, Command.RATE_1, Command.RATE_2, Command.RATE_3, Command.RATE_4, Command.RATE_5)


class HistoryHandlers(QObject):
    """Made by the window once its panels are there."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._bench, self._panel, self._edits = window.bench, window.history, window.bench.edits
        self._wanted: Path | None = None
        self.details: RunDetails | None = None
        self.question: QMessageBox | None = None
        self.naming: QInputDialog | None = None
        bench, panel = self._bench, self._panel
        panel.entry_chosen.connect(lambda _: window.canvas.banner.dismiss())
        panel.entry_chosen.connect(bench.past.show_entry)
        panel.strip.activated.connect(lambda _: self.with_entry(bench.past.show_entry))
        panel.current_changed.connect(self.show_actions)
        panel.menu_made.connect(self._add_to_menu)
        bench.history.refreshed.connect(self._reselect)
        bench.history.refreshed.connect(self.show_actions)
        bench.run_shown.connect(self._select_run)
        bench.room.opened.connect(self._on_project)
        self._edits.known.connect(self._show_known)

    def commands(self) -> dict[Command, Callable[[], None]]:
        """Handlers of everything that is about runs."""
        bench = self._bench
        handlers: dict[Command, Callable[[], None]] = {
            Command.SHOW_RUN: lambda: self.with_entry(bench.past.show_entry),
            Command.RESTORE_ALL: lambda: self.with_entry(bench.past.restore),
            Command.RESTORE_SEED: lambda: self.with_entry(bench.past.restore_seed),
            Command.USE_AS_CONTENT: lambda: self.with_entry(bench.past.use_as_content),
            Command.USE_AS_STYLE: lambda: self.with_entry(bench.past.use_as_style),
            Command.BEGIN_WITH: lambda: self.with_entry(self._begin_with_result),
            Command.RUN_AGAIN: lambda: self.with_entry(bench.past.run_again),
            Command.GO_ON: lambda: self.with_entry(bench.past.go_on),
            Command.SHOW_IN_FOLDER: lambda: self.with_entry(self._window.handlers.show_in_folder),
            Command.DETAILS: lambda: self.with_entry(self._ask_for_details),
            Command.FAVOURITE: self._toggle_favourite,
            Command.TO_TRASH: lambda: self._edits.trash(self._free()),
            Command.FROM_TRASH: lambda: self._edits.restore(self._panel.selected()),
            Command.EMPTY_TRASH: self.ask_to_empty,
            Command.SEARCH: self._search,
        }
        for stars, command in enumerate(_STARS):
            handlers[command] = partial(self._rate, stars)
        return handlers

    def with_entry(self, do: Callable[[HistoryEntry], None]) -> None:
        """Do something with the selected run."""
        entry = self._panel.current()
        if entry is not None:
            do(entry)

    def show_actions(self) -> None:
        """Which entries of a card's menu make sense for the selected runs."""
        actions = self._window.actions_table
        entry, entries = self._panel.current(), self._panel.selected_entries()
        has_result = entry is not None and bool(entry.results)
        for command in (Command.RESTORE_ALL, Command.RESTORE_SEED, Command.RUN_AGAIN, Command.DETAILS):
            actions[command].setEnabled(entry is not None)
        for command in (Command.USE_AS_CONTENT, Command.USE_AS_STYLE, Command.BEGIN_WITH):
            actions[command].setEnabled(has_result)
        going = entry is not None and entry.folder in self._bench.controller.folders()
        actions[Command.GO_ON].setEnabled(entry is not None and entry.can_go_on and not going)
        for command in (*_STARS, Command.FAVOURITE):
            actions[command].setEnabled(bool(entries))
        actions[Command.FAVOURITE].setChecked(bool(entries) and all(one.favourite for one in entries))
        actions[Command.TO_TRASH].setEnabled(any(not one.trashed for one in entries))
        actions[Command.FROM_TRASH].setEnabled(any(one.trashed for one in entries))

    def _ask_for_details(self, entry: HistoryEntry) -> None:
        """Its frames, too, which the list does without."""
        run_id = entry.run_id
        self._bench.room.ask(lambda project: entry_of(project, project.run(run_id)), self.open_details, key="details")

    def open_details(self, entry: HistoryEntry) -> None:
        """Tags, notes and all that is known of a run."""
        dialog = RunDetails(entry, self._edits.tags, self._bench.background, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ids = (entry.run_id,)
        dialog.tags_changed.connect(lambda add, remove: self._edits.change_tags(ids, add=add, remove=remove))
        dialog.notes_changed.connect(lambda text: self._edits.set_notes(entry.run_id, text))
        dialog.rated.connect(lambda stars: self._edits.rate(ids, stars))
        dialog.favourite_changed.connect(lambda on: self._edits.set_favourite(ids, on))
        dialog.finished.connect(self._on_details_closed)
        dialog.frame_chosen.connect(lambda frame: self._begin_with_frame(entry, frame))
        self.details = dialog
        dialog.open()

    def _begin_with_frame(self, entry: HistoryEntry, frame: KeptFrame) -> None:
        self._bench.past.branch(entry, frame.path, self.tr("Step {step}").format(step=frame.step))

    def _on_details_closed(self) -> None:
        self.details = None

    def _begin_with_result(self, entry: HistoryEntry) -> None:
        name = self.tr("Result of {time}").format(time=f"{entry.created:%H:%M}")
        if entry.results:
            self._bench.past.branch(entry, entry.results[0], name)

    def ask_to_empty(self) -> None:
        """For good, so it is asked."""
        self.question = ask(
            self._window,
            title=self.tr("Empty the trash"),
            question=self.tr("Delete the runs in the trash for good?"),
            more=self.tr("Their pictures go, too, where no other run uses them. This cannot be undone."),
            go=self.tr("Delete for good"),
            stay=self.tr("Keep them"),
            then=self._edits.empty_trash,
        )
        self.question.finished.connect(self._on_question_closed)

    def _on_question_closed(self) -> None:
        self.question = None

    def _free(self) -> tuple[str, ...]:
        """The selected runs without those that go on right now."""
        going = {folder.name for folder in self._bench.controller.folders()}
        chosen = self._panel.selected()
        if any(one in going for one in chosen):
            self._window.canvas.say(self.tr("A run that goes on cannot be thrown away. Cancel it first."), kind="info")
        return tuple(one for one in chosen if one not in going)

    def _rate(self, stars: int) -> None:
        self._edits.rate(self._panel.selected(), stars)

    def _toggle_favourite(self) -> None:
        entries = self._panel.selected_entries()
        self._edits.set_favourite(self._panel.selected(), not all(one.favourite for one in entries))

    def _search(self) -> None:
        self._panel.filter.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._panel.filter.search.selectAll()

    def _on_project(self, _: OpenedProject) -> None:
        self._panel.filter.clear()

    def _show_known(self) -> None:
        self._panel.filter.set_known(self._edits.boards, self._edits.tags, self._edits.models)

    def _add_to_menu(self, menu: QMenu) -> None:
        """What is only known when the menu opens."""
        entry = self._panel.current()
        if entry is not None:
            self._add_relatives(menu, entry)
        self._add_boards(menu)

    def _add_relatives(self, menu: QMenu, entry: HistoryEntry) -> None:
        """Runs that have to do with this one: what it was made from, and others with its references."""
        if entry.made_from:
            parents = menu.addMenu(self.tr("Made from"))
            for run_id in entry.made_from:
                parents.addAction(self._called(run_id)).triggered.connect(
                    lambda _=False, run_id=run_id: self._find(run_id)
                )
        digests, names = dict(entry.digests), dict(entry.input_names)
        styles = [style.image for style in entry.job.styles] if entry.job is not None else []
        known = [path for path in dict.fromkeys(styles) if path in digests]
        if known:
            same = menu.addMenu(self.tr("Runs with this reference"))
            for path in known:
                same.addAction(names.get(path, path.name)).triggered.connect(
                    lambda _=False, digest=digests[path]: self._panel.filter.ask_for_reference(digest)
                )

    def _called(self, run_id: str) -> str:
        """An earlier run by what it is and when it was made."""
        entry = self._bench.history.entry(self._bench.history.row_of(self._bench.history.folder_of(run_id)))
        moment = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}" if entry is None else f"{entry.created:%Y-%m-%d %H:%M}"
        names = " + ".join(entry.names) if entry is not None else ""
        return f"{moment}   {names}".strip()

    def _find(self, run_id: str) -> None:
        """Select a run, whatever is listed now."""
        self._panel.filter.clear()
        self._wanted = self._bench.history.folder_of(run_id)
        self._bench.history.refresh()

    def _add_boards(self, menu: QMenu) -> None:
        chosen = self._panel.selected()
        submenu = menu.addMenu(self.tr("Board"))
        for board in self._edits.boards:
            action = submenu.addAction(board.name)
            action.setCheckable(True)
            on_it = bool(chosen) and set(chosen) <= set(board.run_ids)
            action.setChecked(on_it)
            do = self._edits.take_off_board if on_it else self._edits.put_on_board
            action.triggered.connect(lambda _=False, do=do, board=board: do(board, chosen))
        if self._edits.boards:
            submenu.addSeparator()
        submenu.addAction(self.tr("New board …"), lambda: self.name_board(chosen))
        if self._edits.boards:
            gone = submenu.addMenu(self.tr("Delete a board"))
            for board in self._edits.boards:
                gone.addAction(board.name).triggered.connect(
                    lambda _=False, board=board: self._edits.remove_board(board)
                )

    def name_board(self, ids: tuple[str, ...]) -> None:
        """Ask for the name of a new board that these runs go on."""
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(self.tr("New board"))
        dialog.setLabelText(self.tr("Name of the board"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(lambda name: self._edits.add_board(name, ids) if name.strip() else None)
        dialog.finished.connect(self._on_named)
        self.naming = dialog
        dialog.open()

    def _on_named(self) -> None:
        self.naming = None

    def _select_run(self, folder: Path) -> None:
        self._wanted = folder
        self._reselect()

    def _reselect(self) -> None:
        row = self._bench.history.row_of(self._wanted) if self._wanted is not None else -1
        if row >= 0:
            self._panel.select(row)
            self._wanted = None

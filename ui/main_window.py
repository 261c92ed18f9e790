"""The window: panels in their places, actions to their handlers, state to what shows it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QVBoxLayout, QWidget

from adstudio.jobs.spec import Task
from adstudio.settings import Appearance
from ui.actions import HISTORY_COMMANDS, Actions, Command
from ui.canvas.canvas_panel import CanvasPanel
from ui.canvas.empty_state import Empty
from ui.canvas.view import ViewMode
from ui.command_handlers import CommandHandlers
from ui.dialogs.files import FileDialogs
from ui.history_handlers import HistoryHandlers
from ui.model_handlers import ModelHandlers
from ui.panels.history_panel import HistoryPanel
from ui.panels.parameters_panel import ParametersPanel
from ui.panels.references_panel import ReferencesPanel
from ui.panels.status_line import StatusLine
from ui.panels.top_bar import TopBar
from ui.project_handlers import ProjectHandlers
from ui.state.incoming import incoming_from
from ui.state.job_controller import RunState
from ui.state.telling import duration
from ui.state.words import DEVICES, home_path
from ui.state.workbench import Workbench
from ui.widgets.after_run import AfterRun
from ui.widgets.tab_order import order_tab
from ui.window_handlers import WindowHandlers

_MODES = {
    Command.VIEW_RESULT: ViewMode.RESULT,
    Command.VIEW_SIDE: ViewMode.SIDE_BY_SIDE,
    Command.VIEW_COMPARE: ViewMode.COMPARE,
    Command.VIEW_TILES: ViewMode.TILES,
}
_THEMES = {
    Command.THEME_DARK: Appearance.DARK,
    Command.THEME_LIGHT: Appearance.LIGHT,
    Command.THEME_SYSTEM: Appearance.SYSTEM,
}

_LOW_PX = 760


class MainWindow(QMainWindow):
    """close_asked: the artist wants to leave; whoever owns the event loop ends it in good order.

    scheme_chosen: another look was chosen in the menu. offline_chosen: whether anything may be fetched.
    preferences_asked: they should be shown.
    """

    close_asked = Signal()
    scheme_chosen = Signal(object)
    offline_chosen = Signal(bool)
    preferences_asked = Signal()

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bench = bench
        self._may_close = False
        self._said_problem = False
        self._tab_order = QTimer(self)
        self._tab_order.setSingleShot(True)
        self.setWindowTitle(self.tr("AD Studio"))
        self.setMinimumSize(1000, 600)
        self.top_bar = TopBar()
        self.canvas = CanvasPanel(bench.stage, bench.figures)
        self.after_run = AfterRun()
        self.references = ReferencesPanel(bench.session, bench.library, bench.contents)
        self.parameters = ParametersPanel(bench.session, self.after_run, bench.control_preview)
        self.history = HistoryPanel(bench.history)
        self.status_line = StatusLine()
        self.actions_table = Actions(self)
        self.dialogs = FileDialogs(self)
        self.handlers = WindowHandlers(self)
        self.models = ModelHandlers(self)
        self._build()
        self.actions_table.fill(self.menuBar())
        self.runs = HistoryHandlers(self)
        self.projects = ProjectHandlers(self)
        self.commands = CommandHandlers(self)
        self._connect()
        self.actions_table.connect_to(self._command_handlers())
        for command in Command:
            if command not in HISTORY_COMMANDS:
                self.addAction(self.actions_table[command])
        self.history.set_menu(self.actions_table.history_menu())
        self.actions_table[Command.VIEW_RESULT].setChecked(True)
        self._show_session()
        self._show_state(bench.controller.state)
        self._show_undo()
        self._show_result_actions()
        self.status_line.show_place(home_path(bench.project_folder))
        self._show_machine()
        self.setAcceptDrops(True)
        self.canvas.view.setFocus()

    def sizeHint(self) -> QSize:
        return QSize(1440, 900)

    def _build(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for widget, stretch in ((self.references, 0), (self.canvas, 1), (self.parameters, 0)):
            self.splitter.addWidget(widget)
            self.splitter.setStretchFactor(self.splitter.count() - 1, stretch)
        self.splitter.setSizes([300, 824, 316])
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top_bar)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.history)
        column.addWidget(self.status_line)
        self.setCentralWidget(whole)

    def _connect(self) -> None:
        bench, session, hands = self.bench, self.bench.session, self.handlers
        self.top_bar.task_chosen.connect(bench.choose_task)
        self.top_bar.run_asked.connect(bench.run)
        self.top_bar.pause_asked.connect(bench.toggle_pause)
        self.top_bar.cancel_asked.connect(bench.controller.cancel)
        self.canvas.dropped.connect(hands.on_canvas_drop)
        self.canvas.pixel_hovered.connect(self.status_line.show_pixel)
        self.canvas.view.mode_changed.connect(self._on_mode)
        refs = self.references
        refs.slot_asked.connect(hands.on_slot_asked)
        refs.dropped_on_slot.connect(hands.on_slot_drop)
        refs.content_wanted.connect(hands.open_content)
        refs.styles_wanted.connect(hands.open_styles)
        refs.content_dropped.connect(lambda incoming: hands.on_slot_drop(0, incoming))
        refs.styles_dropped.connect(lambda incoming: hands.on_slot_drop(-1, incoming))
        refs.sample_chosen.connect(hands.use_sample)
        self.after_run.changed.connect(bench.adjust)
        bench.stage.adjustment_changed.connect(self._show_adjustment)
        session.task_changed.connect(self._show_adjustment)
        bench.stage.changed.connect(self._show_result_actions)
        bench.importer.restore_offered.connect(hands.on_restore_offered)
        bench.controller.state_changed.connect(self._show_state)
        bench.controller.waiting_changed.connect(self.history.set_waiting)
        bench.status.connect(self.status_line.say)
        bench.progress.connect(self.canvas.set_progress)
        bench.progress.connect(self._show_progress)
        bench.failed.connect(lambda words: self.canvas.say(words))
        bench.noticed.connect(lambda words: self.canvas.say(words, kind="info"))
        bench.saved.connect(hands.on_saved)
        bench.machine_changed.connect(self._show_machine)
        bench.unfinished_found.connect(hands.on_unfinished)
        bench.library.modelReset.connect(self._show_samples)
        self.canvas.result_bar.save_asked.connect(hands.save_result)
        self.canvas.empty.open_asked.connect(hands.open_first)
        self.canvas.empty.samples_asked.connect(bench.lay_out_samples)
        session.changed.connect(self._show_session)
        bench.undo.changed.connect(self._show_undo)
        for signal in (session.task_changed, session.content_changed, session.styles_changed, bench.stage.settled):
            signal.connect(self._tab_order.start)
        self._tab_order.timeout.connect(self._order_tab)
        self._tab_order.start()

    def _order_tab(self) -> None:
        order_tab((self.top_bar, self.references, self.canvas, self.parameters, self.history))

    def _command_handlers(self) -> dict[Command, Callable[[], None]]:
        bench, hands, view = self.bench, self.handlers, self.canvas.view
        handlers: dict[Command, Callable[[], None]] = {
            Command.OPEN_CONTENT: hands.open_content,
            Command.ADD_STYLES: hands.open_styles,
            Command.SAVE_RESULT: hands.save_result,
            Command.QUIT: lambda: void(self.close()),
            Command.UNDO: bench.undo.undo,
            Command.REDO: bench.undo.redo,
            Command.PASTE: hands.paste,
            Command.SWAP: bench.session.swap,
            Command.FIT: view.fit,
            Command.ACTUAL_SIZE: view.actual_size,
            Command.ZOOM_IN: lambda: view.zoom_step(True),
            Command.ZOOM_OUT: lambda: view.zoom_step(False),
            Command.HAND: lambda: view.set_hand(self.actions_table[Command.HAND].isChecked()),
            Command.FULL_SCREEN: self._toggle_full_screen,
            Command.RUN: bench.run,
            Command.PAUSE: bench.toggle_pause,
            Command.MODELS: self.models.open,
            Command.ADD_MODEL: self.models.add_file,
            Command.ADD_MODELS: self.models.add_folder,
            Command.DOWNLOAD_MODEL: self.models.download,
            Command.OFFLINE: lambda: self.offline_chosen.emit(self.actions_table[Command.OFFLINE].isChecked()),
            Command.PREFERENCES: self.preferences_asked.emit,
            Command.ABOUT: hands.about,
            **hands.run_commands(),
            **self.runs.commands(),
            **self.projects.commands(),
            **self.commands.commands(),
        }
        for command, mode in _MODES.items():
            handlers[command] = lambda mode=mode: view.set_mode(mode)  # type: ignore[misc]
        for command, scheme in _THEMES.items():
            handlers[command] = lambda scheme=scheme: self.scheme_chosen.emit(scheme)  # type: ignore[misc]
        return handlers

    def _show_progress(self, fraction: float | None) -> None:
        """In the title, too, which a taskbar shows while something else is worked on."""
        title = self.tr("AD Studio")
        self.setWindowTitle(f"{fraction * 100:.0f} % · {title}" if fraction is not None else title)

    def show_scheme(self, scheme: Appearance) -> None:
        """Tick the look in the menu."""
        for command, known in _THEMES.items():
            self.actions_table[command].setChecked(known is scheme)

    # State to widgets

    def _show_session(self) -> None:
        session = self.bench.session
        task = session.setup.task
        problem = session.problem()
        self.top_bar.show_task(task)
        self.top_bar.show_problem(problem)
        self.actions_table[Command.RUN].setEnabled(not problem)
        self.canvas.set_task(task, self._empty_kind())
        if self.bench.controller.state is RunState.IDLE and (problem or self._said_problem):
            self.status_line.say(problem or self.tr("Ready"))
        self._said_problem = bool(problem)

    def _empty_kind(self) -> Empty:
        """What an empty canvas should lead to."""
        session = self.bench.session
        if session.setup.task is not Task.TEXT_TO_IMAGE:
            return Empty.PICTURE
        if session.model_problem():
            return Empty.MODEL
        return Empty.WORDS if session.setup.styles else Empty.PICTURE

    def _show_machine(self) -> None:
        bench = self.bench
        if bench.session.model_problem():  # nothing here computes it
            self.top_bar.show_machine(())
            return
        width, height = bench.session.expected_size()
        seconds = None if bench.session.problem() else bench.forecast_s()
        parts = (
            f"{width} × {height}" if width else "",
            DEVICES.get(bench.device, bench.device.upper()),
            self._memory_words(),
            self.tr("about {time}").format(time=duration(seconds)) if seconds is not None else "",
        )
        self.top_bar.show_machine([part for part in parts if part])

    def _memory_words(self) -> str:
        """Whether what is laid out fits into memory, where that is known."""
        needs = self.bench.machine.needs
        if needs is None:
            return ""
        words = self.tr("fits, {peak} of {there} GB") if needs.fits else self.tr("tight, {peak} of {there} GB")
        return words.format(peak=f"{needs.peak_gb:.1f}", there=f"{needs.available_gb:.1f}")

    def _show_undo(self) -> None:
        self.actions_table[Command.UNDO].setEnabled(self.bench.undo.can_undo)
        self.actions_table[Command.REDO].setEnabled(self.bench.undo.can_redo)

    def _show_state(self, state: RunState) -> None:
        self.top_bar.show_state(state)
        if state is RunState.PREPARING:
            self.canvas.banner.dismiss()  # what was said before belongs to an earlier run
        self.actions_table[Command.PAUSE].setEnabled(self.top_bar.pause.isEnabled())
        self.actions_table[Command.PAUSE].setChecked(state is RunState.PAUSED)

    def _show_adjustment(self) -> None:
        stage = self.bench.stage
        self.after_run.show_task(stage.task)
        self.after_run.show_adjustment(stage.adjustment, available=stage.can_adjust)
        with_content = self.bench.session.setup.task in (Task.STYLE_TRANSFER, Task.APPEARANCE_TRANSFER)
        self.after_run.setVisible(stage.can_adjust or with_content)

    def _show_result_actions(self) -> None:
        self.actions_table[Command.SAVE_RESULT].setEnabled(self.bench.stage.shown is not None)

    def _show_samples(self) -> None:
        self.canvas.set_samples(bool(self.bench.samples.all))

    def _on_mode(self, mode: ViewMode) -> None:
        for command, known in _MODES.items():
            if known is mode:
                self.actions_table[command].setChecked(True)

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    # Drops beside the places that take them

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if incoming_from(event.mimeData()) is not None:
            self.canvas.offer_zones()
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.canvas.zones.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.canvas.zones.hide()
        incoming = incoming_from(event.mimeData())
        if incoming is not None:
            event.acceptProposedAction()
            self.bench.importer.take(incoming, self.bench.importer.first_empty())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self.bench.models.refresh()  # the command line, or a drive, may have changed them meanwhile
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.history.set_low(self.height() < _LOW_PX)

    # Leaving and coming back

    def layout_state(self) -> str:
        """Size, place and splitter of the window, to be restored at the next start."""
        parts = (self.saveGeometry(), self.splitter.saveState())
        return " ".join(bytes(part.toBase64().data()).decode("ascii") for part in parts)

    def restore_layout(self, state: str) -> None:
        """What `layout_state` gave; nothing known: a size that suits the screen."""
        parts = [QByteArray.fromBase64(part.encode("ascii", "ignore")) for part in state.split()]
        if len(parts) != 2 or not self.restoreGeometry(parts[0]):
            room = self.screen().availableSize()
            self.resize(self.sizeHint().boundedTo(room))
        if len(parts) == 2:
            self.splitter.restoreState(parts[1])

    def allow_close(self) -> None:
        """The next close goes through."""
        self._may_close = True

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            event.accept()
        else:
            event.ignore()
            self.close_asked.emit()


def void(_: object) -> None:
    """Forget a value where none is wanted."""

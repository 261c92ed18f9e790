"""Top: name, tasks, what it runs on, and Run, Pause, Cancel."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from adstudio.jobs.spec import Task
from ui import icons, theme
from ui.state.job_controller import RunState
from ui.state.model_choice import ModelOption
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.icon_button import IconButton
from ui.widgets.model_picker import ModelPicker
from ui.widgets.segments import Segments

_GAPS_PX = 96  # margins and what lies between the widgets
_CHIP_PADDING_PX = 28
_MODEL_PX, _LEAST_MODEL_PX, _MOST_MODEL_PX = 132, 96, 280  # width of the model's chip
_MOST_TITLE_PX = 160
_RUN_PX = 120  # room for "Run next" too, so that the bar stays as it is when a run starts


class TopBar(QFrame):
    """Shows task and run state; emits what the hands ask for."""

    task_chosen = Signal(object)
    run_asked = Signal()
    pause_asked = Signal()
    cancel_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("topBar")
        self._title = QLabel(self.tr("AD Studio"))
        self._title.setObjectName("title")
        self.tasks = Segments(
            (
                (Task.STYLE_TRANSFER, self.tr("Style transfer"), self.tr("A picture in the look of another")),
                (Task.APPEARANCE_TRANSFER, self.tr("Appearance"), self.tr("Materials and colours onto the same parts")),
                (Task.TEXT_TO_IMAGE, self.tr("Text to image"), self.tr("A new picture from words, in a given look")),
                (Task.TEXTURE, self.tr("Texture"), self.tr("More of a surface, at any size, seamless")),
            ),
            self.tr("Task"),
        )
        self.tasks.chosen.connect(lambda value: self.task_chosen.emit(Task(value)))
        self._machine: tuple[str, ...] = ()
        self.model = ModelPicker()
        self.machine_chip = self._chip()
        self.run = QPushButton(self.tr("Run"))
        self.run.setProperty("role", "primary")
        self.run.clicked.connect(self.run_asked)
        self.run.setMinimumWidth(_RUN_PX)
        self.pause = self._button("pause", self.tr("Pause"))
        self.pause.setCheckable(True)
        self.pause.clicked.connect(self.pause_asked)
        self.cancel = self._button("cancel", self.tr("Cancel"))
        self.cancel.clicked.connect(self.cancel_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(self._title)
        row.addSpacing(8)
        row.addWidget(self.tasks)
        row.addStretch(1)
        row.addWidget(self.model)
        row.addWidget(self.machine_chip)
        for widget in (self.run, self.pause, self.cancel):
            row.addWidget(widget)
        self.show_state(RunState.IDLE)
        self.show_problem("")
        self.show_project("")

    def show_project(self, name: str) -> None:
        """The open project's name; the application's while none is open."""
        text = name or self.tr("AD Studio")
        self._title.setText(self._title.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, _MOST_TITLE_PX))
        self._title.setToolTip(text)
        self._fit_chips()

    def project_name(self) -> str:
        """As it was given, however little of it there is room for."""
        return self._title.toolTip()

    def _chip(self) -> ElidedLabel:
        chip = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        chip.setProperty("role", "chip")
        chip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        chip.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        chip.setFixedHeight(28)
        return chip

    def show_machine(self, parts: Sequence[str]) -> None:
        """What the next run will be: its size, where it is computed and about how long, as far as that is known."""
        self._machine = tuple(parts)
        self._fit_chips()

    def _fit_chips(self) -> None:
        """In a narrow window the title goes and the model's name is shortened, then of the machine's part its start."""
        others: list[QWidget] = [self.tasks, self.run, self.pause, self.cancel]
        room = self.width() - sum(max(one.sizeHint().width(), one.minimumWidth()) for one in others) - _GAPS_PX
        parts, needed = self._machine, self.model.needed_width()
        title = self._title.sizeHint().width()
        with_title = title + needed + self._chip_width(" · ".join(parts)) <= room
        self._title.setVisible(with_title)
        room -= title if with_title else 0
        least = min(needed, _MODEL_PX)
        while parts and self._chip_width(" · ".join(parts)) > room - least:
            parts = parts[1:]
        text = " · ".join(parts)
        self.machine_chip.setText(text)
        self.machine_chip.setToolTip(" · ".join(self._machine))
        self.machine_chip.setVisible(bool(parts))
        self.model.setFixedWidth(max(_LEAST_MODEL_PX, min(needed, _MOST_MODEL_PX, room - self._chip_width(text))))

    def _chip_width(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text) + _CHIP_PADDING_PX if text else 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_chips()

    def _button(self, icon: str, label: str) -> IconButton:
        button = IconButton(icon, label)
        button.setProperty("role", "framed")
        return button

    def show_task(self, task: Task) -> None:
        self.tasks.set_value(task)

    def show_models(self, options: Sequence[ModelOption], current: str, words: str, problem: str) -> None:
        """What can be chosen and what is, see ModelPicker.show_options."""
        self.model.show_options(options, current, words, problem)
        self._fit_chips()

    def show_problem(self, problem: str) -> None:
        """Why Run cannot be pressed; empty when it can."""
        self.run.setEnabled(not problem)
        self.run.setToolTip(problem or self.tr("Run"))
        self.run.setAccessibleDescription(problem)
        self._tint()

    def _tint(self) -> None:
        now = theme.colors()
        self.run.setIcon(icons.icon("play", now.accent_text if self.run.isEnabled() else now.muted))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "run"):
            self._tint()
        super().changeEvent(event)

    def show_state(self, state: RunState) -> None:
        """Which buttons make sense while a run is in this state."""
        going = state not in (RunState.IDLE, RunState.CANCELLING)
        self.cancel.setEnabled(going)
        self.pause.setEnabled(state in (RunState.RUNNING, RunState.PAUSED, RunState.LOADING))
        self.pause.setChecked(state is RunState.PAUSED)
        self.pause.set_icon("play" if state is RunState.PAUSED else "pause")
        self.pause.set_label(self.tr("Go on") if state is RunState.PAUSED else self.tr("Pause"))
        self.run.setText(self.tr("Run") if state is RunState.IDLE else self.tr("Run next"))

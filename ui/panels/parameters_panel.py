"""Right: the parameters of the task, made from the job's schema, and the sliders for after the run."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from adstudio.jobs.choices import Task
from adstudio.jobs.parameters import Parameter
from ui.panels.control_section import ControlSection
from ui.panels.lora_section import LoraSection
from ui.panels.parameter_rows import RowMaker
from ui.state.control_preview import ControlPreview
from ui.state.session import Session
from ui.widgets.after_run import AfterRun
from ui.widgets.fold import Fold
from ui.widgets.parameter_row import ParameterRow
from ui.widgets.section_header import SectionHeader

_AFTER = ("color", "strength")
_MARGIN_PX = 12


class ParametersPanel(QScrollArea):
    """Rebuilt when task or model bring other parameters; otherwise only values move."""

    models_wanted = Signal()

    def __init__(
        self, session: Session, after: AfterRun, control_preview: ControlPreview, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sidePanel")
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(264)
        self._session = session
        self._after = after
        self._built_for: tuple[object, ...] | None = None
        self._rows = RowMaker(session)
        self._updates: list[Callable[[], None]] = []
        self._hints_shown = True
        self.rows: dict[str, QWidget] = {}
        self.advanced = Fold(self.tr("Advanced"))
        self._body = QWidget()
        self._body.setObjectName("panelBody")
        column = QVBoxLayout(self._body)
        column.setContentsMargins(_MARGIN_PX, 8, _MARGIN_PX, 12)
        column.setSpacing(8)
        self.notice = QLabel()
        self.notice.setWordWrap(True)
        self.models_button = QPushButton(self.tr("Open the model page …"))
        self.models_button.clicked.connect(self.models_wanted)
        self._main = QVBoxLayout()
        self._main.setSpacing(10)
        self.loras = LoraSection(session)
        self.control = ControlSection(session, control_preview)
        column.addWidget(SectionHeader(self.tr("Parameters")))
        column.addWidget(self.notice)
        column.addWidget(self.models_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._main)
        column.addWidget(self.control)
        column.addWidget(self.loras)
        column.addWidget(self.advanced)
        column.addSpacing(4)
        column.addWidget(after)
        column.addStretch(1)
        self.setWidget(self._body)
        session.task_changed.connect(self._rebuild)
        session.model_changed.connect(self._rebuild)
        session.values_changed.connect(self._rebuild)
        session.content_changed.connect(self._rebuild)
        session.styles_changed.connect(self._update)
        session.beside_changed.connect(self._rebuild)
        for section in (self.loras, self.control):
            section.resized.connect(self._fit_hints)
        self._rebuild()

    def _rebuild(self) -> None:
        setup, problem = self._session.setup, self._session.model_problem()
        self._show_problem(problem)
        parameters = () if problem and setup.task is Task.TEXT_TO_IMAGE else self._session.parameters()
        wanted = (setup.task, parameters, *(name for name in _AFTER if setup.value(name) is not None))
        if self._built_for == wanted:
            self._update()
            return
        self._built_for = wanted
        self._updates.clear()
        self.rows.clear()
        self.advanced.clear()
        while (item := self._main.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for parameter in parameters:
            self._add(parameter)
        self.advanced.setVisible(not self.advanced.is_empty())
        self._update()
        self._hints_shown = True
        self._fit_hints()

    def _show_problem(self, problem: str) -> None:
        """What is wrong with the model, and the way to the page where it can be put right."""
        self.notice.setText(problem)
        for widget in (self.notice, self.models_button):
            widget.setVisible(bool(problem))

    def _fit_hints(self) -> None:
        """Hints below the sliders where all of the panel can be seen with them, else only as tooltips."""
        rows = [row for row in self.rows.values() if isinstance(row, ParameterRow)]
        width = self.viewport().width()
        unfolded = [row for row in rows if row.parent() is self._body]
        hidden = 0 if self._hints_shown else sum(row.hint_height(width - 2 * _MARGIN_PX) for row in unfolded)
        needed = self._body.heightForWidth(width) - self.advanced.open_height() + hidden
        shown = needed <= self.viewport().height()
        if shown != self._hints_shown:
            self._hints_shown = shown
            for row in rows:
                row.show_hint(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_hints()

    def _add(self, parameter: Parameter) -> None:
        if parameter.name == "height" or (
            parameter.name in _AFTER and self._session.setup.value(parameter.name) is None
        ):
            return  # colours and strength are sliders of the result, unless a restored job brings its own
        row, update = self._rows.make(parameter)
        self._updates.append(update)
        self.rows[parameter.name] = row
        if parameter.advanced or parameter.name in _AFTER:
            self.advanced.add(row)
        else:
            self._main.addWidget(row)
        row.setVisible(True)  # what is not shown yet has no height for `_fit_hints`

    def _update(self) -> None:
        for update in self._updates:
            update()

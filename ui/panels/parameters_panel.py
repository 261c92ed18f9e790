"""Right: the parameters of the task, made from the job's schema, and the sliders for after the run."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from adstudio.jobs.choices import Task
from adstudio.jobs.parameters import Parameter, ParameterKind, parameters_for
from ui.state.session import Session
from ui.state.setup import ParameterValue
from ui.widgets.after_run import AfterRun
from ui.widgets.choice_row import ChoiceRow
from ui.widgets.fold import Fold
from ui.widgets.parameter_row import ParameterRow
from ui.widgets.section_header import SectionHeader
from ui.widgets.seed_row import SeedRow
from ui.widgets.size_row import SizeRow
from ui.widgets.stepper_row import StepperRow

_AFTER = ("color", "strength")
_FEW = 16  # whole numbers up to here are stepped, not dragged
_MARGIN_PX = 12


class ParametersPanel(QScrollArea):
    """Rebuilt when the task or the model changes; otherwise only values move."""

    models_wanted = Signal()

    def __init__(self, session: Session, after: AfterRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sidePanel")
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(264)
        self._session = session
        self._after = after
        self._built_for: tuple[object, ...] | None = None
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
        self.models_button = QPushButton(self.tr("About models …"))
        self.models_button.clicked.connect(self.models_wanted)
        self._main = QVBoxLayout()
        self._main.setSpacing(10)
        column.addWidget(SectionHeader(self.tr("Parameters")))
        column.addWidget(self.notice)
        column.addWidget(self.models_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._main)
        column.addWidget(self.advanced)
        column.addSpacing(4)
        column.addWidget(after)
        column.addStretch(1)
        self.setWidget(self._body)
        session.task_changed.connect(self._rebuild)
        session.values_changed.connect(self._rebuild)
        session.content_changed.connect(self._update)
        session.styles_changed.connect(self._update)
        self._rebuild()

    def _rebuild(self) -> None:
        setup = self._session.setup
        wanted = (setup.task, setup.model, *(name for name in _AFTER if setup.value(name) is not None))
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
        missing = setup.task is Task.TEXT_TO_IMAGE and setup.model == "patch"
        self.notice.setVisible(missing)
        self.models_button.setVisible(missing)
        self.notice.setText(
            self.tr(
                "Making a picture from words needs a diffusion model, and none is installed. Style transfer, "
                "appearance and texture work at once with the built-in patch model."
            )
        )
        if not missing:
            for parameter in parameters_for(setup.task, setup.model):
                self._add(parameter)
        self.advanced.setVisible(not self.advanced.is_empty())
        self._update()
        self._hints_shown = True
        self._fit_hints()

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
        row = self._make_row(parameter)
        self.rows[parameter.name] = row
        if parameter.advanced or parameter.name in _AFTER:
            self.advanced.add(row)
        else:
            self._main.addWidget(row)
        row.setVisible(True)  # what is not shown yet has no height for `_fit_hints`

    def _make_row(self, parameter: Parameter) -> QWidget:
        if parameter.kind is ParameterKind.SEED:
            return self._make_seed(parameter)
        if parameter.kind is ParameterKind.SIZE:
            return self._make_size(parameter)
        if parameter.kind in (ParameterKind.CHOICE, ParameterKind.BOOL):
            return self._make_choice(parameter)
        if parameter.kind is ParameterKind.INT and not parameter.advanced and _usual_span(parameter) <= _FEW:
            return self._make_stepper(parameter)
        return self._make_number(parameter)

    def _set(self, parameter: Parameter, value: ParameterValue) -> None:
        self._session.set_value(parameter.name, None if value == parameter.default else value)

    def _value(self, parameter: Parameter) -> ParameterValue:
        chosen = self._session.setup.value(parameter.name)
        return parameter.default if chosen is None else chosen

    def _make_number(self, parameter: Parameter) -> QWidget:
        whole = parameter.kind is ParameterKind.INT
        low, high = _number(parameter.minimum, 0.0), _number(parameter.maximum, 1.0)
        row = ParameterRow(
            parameter.label,
            parameter.hint,
            low=low,
            high=high,
            slider=(_number(parameter.slider_minimum, low), _number(parameter.slider_maximum, high)),
            step=_number(parameter.step, 0.01),
            whole=whole,
            unit=parameter.unit,
        )
        row.changed.connect(lambda value: self._set(parameter, round(value) if whole else round(value, 6)))
        row.reset_asked.connect(lambda: self._session.set_value(parameter.name, None))

        def update() -> None:
            value = self._value(parameter)
            if isinstance(value, (int, float)):
                row.show_value(float(value), changed=self._session.setup.value(parameter.name) is not None)

        self._updates.append(update)
        return row

    def _make_stepper(self, parameter: Parameter) -> QWidget:
        low, high = _number(parameter.minimum, 1), _number(parameter.maximum, 64)
        row = StepperRow(parameter.label, parameter.hint, low=low, high=high)
        row.changed.connect(lambda value: self._set(parameter, round(value)))

        def update() -> None:
            value = self._value(parameter)
            if isinstance(value, (int, float)):
                row.show_value(float(value))

        self._updates.append(update)
        return row

    def _make_seed(self, parameter: Parameter) -> QWidget:
        row = SeedRow(parameter.label, parameter.hint, int(_number(parameter.maximum, 0.0)))
        row.changed.connect(lambda value: self._set(parameter, value))
        row.rolled.connect(self._session.roll_seed)
        row.lock_changed.connect(self._session.set_seed_locked)

        def update() -> None:
            value = self._value(parameter)
            row.show_value(value if isinstance(value, int) else 0, locked=self._session.seed_locked)

        self._updates.append(update)
        return row

    def _make_size(self, parameter: Parameter) -> QWidget:
        row = SizeRow(
            self.tr("Size"),
            self.tr("Of the result, in pixels. Empty: as the picture it is made from."),
            int(_number(parameter.maximum, 0.0)),
        )

        def on_changed(width: int | None, height: int | None) -> None:
            self._session.set_value("width", width)
            self._session.set_value("height", height)

        def update() -> None:
            width, height = self._session.setup.value("width"), self._session.setup.value("height")
            row.show_value(
                width if isinstance(width, int) else None,
                height if isinstance(height, int) else None,
                self._session.expected_size(),
            )

        row.changed.connect(on_changed)
        self._updates.append(update)
        return row

    def _make_choice(self, parameter: Parameter) -> QWidget:
        words = {
            "none": self.tr("No"),
            "x": self.tr("Left to right"),
            "y": self.tr("Top to bottom"),
            "both": self.tr("Both"),
        }
        if parameter.kind is ParameterKind.BOOL:
            choices = [("", self.tr("No")), ("1", self.tr("Yes"))]
        else:
            choices = [(value, words.get(value, value.replace("_", " ").capitalize())) for value in parameter.choices]
        row = ChoiceRow(parameter.label, parameter.hint, choices)
        switch = parameter.kind is ParameterKind.BOOL
        row.changed.connect(lambda value: self._set(parameter, bool(value) if switch else value))

        def update() -> None:
            value = self._value(parameter)
            row.show_value(("1" if value else "") if switch else str(value))

        self._updates.append(update)
        return row

    def _update(self) -> None:
        for update in self._updates:
            update()


def _usual_span(parameter: Parameter) -> float:
    return _number(parameter.slider_maximum, 1e9) - _number(parameter.slider_minimum, 0.0)


def _number(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else float(value)

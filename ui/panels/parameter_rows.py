"""The row for each kind of parameter, tied to the session's values."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from adstudio.jobs.parameters import Parameter, ParameterKind
from ui.state.session import Session
from ui.state.setup import ParameterValue
from ui.state.words import DEVICES
from ui.widgets.choice_row import ChoiceRow
from ui.widgets.parameter_row import ParameterRow
from ui.widgets.prompt_editor import PromptEditor
from ui.widgets.seed_row import SeedRow
from ui.widgets.size_row import SizeRow
from ui.widgets.stepper_row import StepperRow
from ui.widgets.text_row import TextRow

Update = Callable[[], None]
_FEW = 16  # whole numbers up to here are stepped, not dragged
_LAYERS_ALLOWED = r"[0-9,\- ]*"


def _tr(text: str) -> str:
    return QCoreApplication.translate("ParameterRows", text)


class RowMaker:
    """Makes a widget for a parameter and what brings it up to date; what is typed goes to the session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def make(self, parameter: Parameter) -> tuple[QWidget, Update]:
        """The row, and a call that shows the session's value in it."""
        match parameter.kind:
            case ParameterKind.SEED:
                return self._seed(parameter)
            case ParameterKind.SIZE:
                return self._size(parameter)
            case ParameterKind.CHOICE | ParameterKind.BOOL:
                return self._choice(parameter)
            case ParameterKind.TEXT:
                return self._text(parameter) if parameter.advanced else self._prompt(parameter)
        if parameter.kind is ParameterKind.INT and not parameter.advanced and _usual_span(parameter) <= _FEW:
            return self._stepper(parameter)
        return self._number(parameter)

    def _set(self, parameter: Parameter, value: ParameterValue) -> None:
        self._session.set_value(parameter.name, None if value == parameter.default else value)

    def _value(self, parameter: Parameter) -> ParameterValue:
        chosen = self._session.setup.value(parameter.name)
        return parameter.default if chosen is None else chosen

    def _number(self, parameter: Parameter) -> tuple[QWidget, Update]:
        whole = parameter.kind is ParameterKind.INT
        low, high = _or(parameter.minimum, 0.0), _or(parameter.maximum, 1.0)
        row = ParameterRow(
            parameter.label,
            parameter.hint,
            low=low,
            high=high,
            slider=(_or(parameter.slider_minimum, low), _or(parameter.slider_maximum, high)),
            step=_or(parameter.step, 0.01),
            whole=whole,
            unit=parameter.unit,
        )
        row.changed.connect(lambda value: self._set(parameter, round(value) if whole else round(value, 6)))
        row.reset_asked.connect(lambda: self._session.set_value(parameter.name, None))

        def update() -> None:
            value = self._value(parameter)
            shown = float(value) if isinstance(value, (int, float)) else high  # open: no limit
            row.show_value(shown, changed=self._session.setup.value(parameter.name) is not None)

        return row, update

    def _stepper(self, parameter: Parameter) -> tuple[QWidget, Update]:
        row = StepperRow(
            parameter.label, parameter.hint, low=_or(parameter.minimum, 1), high=_or(parameter.maximum, 64)
        )
        row.changed.connect(lambda value: self._set(parameter, round(value)))

        def update() -> None:
            value = self._value(parameter)
            if isinstance(value, (int, float)):
                row.show_value(float(value))

        return row, update

    def _seed(self, parameter: Parameter) -> tuple[QWidget, Update]:
        row = SeedRow(parameter.label, parameter.hint, int(_or(parameter.maximum, 0.0)))
        row.changed.connect(lambda value: self._set(parameter, value))
        row.rolled.connect(self._session.roll_seed)
        row.lock_changed.connect(self._session.set_seed_locked)

        def update() -> None:
            value = self._value(parameter)
            row.show_value(value if isinstance(value, int) else 0, locked=self._session.seed_locked)

        return row, update

    def _size(self, parameter: Parameter) -> tuple[QWidget, Update]:
        row = SizeRow(
            _tr("Size"),
            _tr("Of the result, in pixels. Empty: as the picture it is made from, or as the model was made for."),
            int(_or(parameter.maximum, 0.0)),
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
        return row, update

    def _choice(self, parameter: Parameter) -> tuple[QWidget, Update]:
        switch = parameter.kind is ParameterKind.BOOL
        choices = (
            [("", _tr("No")), ("1", _tr("Yes"))]
            if switch
            else [(one, _word(one, parameter.name)) for one in parameter.choices]
        )
        row = ChoiceRow(parameter.label, parameter.hint, choices)
        row.changed.connect(lambda value: self._set(parameter, bool(value) if switch else value))

        def update() -> None:
            value = self._value(parameter)
            row.show_value(("1" if value else "") if switch else str(value))

        return row, update

    def _prompt(self, parameter: Parameter) -> tuple[QWidget, Update]:
        first = parameter.name == "prompt"
        row = PromptEditor(
            parameter.label,
            parameter.hint,
            placeholder=_tr("A lighthouse on a cliff at dusk, waves below") if first else _tr("people, text, frame"),
            lines=4 if first else 2,
        )
        row.changed.connect(lambda text: self._set(parameter, text))

        def update() -> None:
            row.show_value(str(self._value(parameter) or ""))

        return row, update

    def _text(self, parameter: Parameter) -> tuple[QWidget, Update]:
        row = TextRow(parameter.label, parameter.hint, allowed=_LAYERS_ALLOWED if parameter.name == "layers" else "")
        row.changed.connect(lambda text: self._set(parameter, text.replace(" ", "") or None))

        def update() -> None:
            chosen = self._session.setup.value(parameter.name)
            row.show_value("" if chosen is None else str(chosen), str(parameter.default or ""))

        return row, update


def _word(value: str, name: str) -> str:
    """A choice of a parameter in words."""
    if name == "device":
        return _tr("Fastest here") if value == "auto" else DEVICES[value]
    words = {
        "optimize": _tr("Direct"),
        "sample": _tr("Guided sampling"),
        "ddim": "DDIM",
        "ddpm": "DDPM",
        "euler": "Euler",
        "euler_ancestral": _tr("Euler, ancestral"),
        "dpmpp_2m": "DPM++ 2M",
        "unipc": "UniPC",
        "flow_euler": _tr("Euler for flows"),
        "none": _tr("No"),
        "x": _tr("Left to right"),
        "y": _tr("Top to bottom"),
        "both": _tr("Both"),
        "multidiffusion": _tr("In windows"),
        "auto": _tr("As suits the device"),
        "fp32": _tr("32 bit"),
        "fp16": _tr("16 bit"),
        "bf16": _tr("16 bit (bf16)"),
    }
    return words.get(value, value)


def _usual_span(parameter: Parameter) -> float:
    return _or(parameter.slider_maximum, 1e9) - _or(parameter.slider_minimum, 0.0)


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else float(value)

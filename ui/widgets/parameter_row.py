"""One parameter: name, number, slider, hint, and its default a click away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.widgets.elided_label import ElidedLabel
from ui.widgets.icon_button import IconButton
from ui.widgets.number_field import NumberField
from ui.widgets.slider import Slider

_SPACING_PX = 3


class ParameterRow(QWidget):
    """A number over `low` … `high`; the slider covers `slider`, the usual part of it.

    percent: shown as 0 … 100 %.
    """

    changed = Signal(float)
    reset_asked = Signal()

    def __init__(
        self,
        label: str,
        hint: str,
        *,
        low: float,
        high: float,
        slider: tuple[float, float],
        step: float,
        whole: bool = False,
        unit: str = "",
        percent: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._scale = 100.0 if percent else 1.0
        self.label = ElidedLabel(label, mode=Qt.TextElideMode.ElideRight)
        self.field = NumberField(
            low * self._scale,
            high * self._scale,
            step * self._scale,
            whole=whole or percent,
            unit="%" if percent else unit,
        )
        self.field.setFixedWidth(64)
        self.slider = Slider(slider[0], slider[1], step)
        self.label.setBuddy(self.field)
        self.reset = IconButton("reset", "", size_px=14)
        self.reset.set_muted(True)
        self.set_label(label)
        self.hint = QLabel(hint)
        self.hint.setProperty("role", "hint")
        self.hint.setWordWrap(True)
        self.show_hint(True)
        for widget in (self.field, self.slider):
            widget.setAccessibleDescription(hint)
            widget.setToolTip(hint)
        self._build()
        self.slider.moved.connect(self._on_slider)
        self.field.valueChanged.connect(self._on_field)
        self.reset.clicked.connect(self.reset_asked)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.label, 1)
        head.addWidget(self.reset)
        head.addWidget(self.field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_SPACING_PX)
        column.addLayout(head)
        column.addWidget(self.slider)
        column.addWidget(self.hint)

    def set_label(self, label: str) -> None:
        """What it is called, seen and read out."""
        self.label.setText(label)
        self.field.setAccessibleName(label)
        self.slider.setAccessibleName(label)
        self.reset.set_label(self.tr("Back to the default of {name}").format(name=label))

    def show_hint(self, shown: bool) -> None:
        """The hint below the slider; it stays as a tooltip where there is no room for it."""
        self.hint.setVisible(shown and bool(self.hint.text()))

    def hint_height(self, width: int) -> int:
        """What a shown hint adds to the height of the row, for this width, in pixels."""
        return self.hint.heightForWidth(width) + _SPACING_PX if self.hint.text() else 0

    def show_value(self, value: float, *, changed: bool) -> None:
        """changed: differs from the default, so the reset button is there."""
        blocked = self.field.blockSignals(True)
        self.field.setValue(value * self._scale)
        self.field.blockSignals(blocked)
        self.slider.set_number(value)
        self.reset.setVisible(changed)

    def value(self) -> float:
        return self.field.value() / self._scale

    def _on_slider(self, value: float) -> None:
        blocked = self.field.blockSignals(True)
        self.field.setValue(value * self._scale)
        self.field.blockSignals(blocked)
        self.changed.emit(value)

    def _on_field(self, value: float) -> None:
        self.slider.set_number(value / self._scale)
        self.changed.emit(value / self._scale)

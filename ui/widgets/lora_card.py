"""One LoRA file over the model: its name, how much of it, and why it is not used."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.state.beside import Fit, LoraState
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.icon_button import IconButton
from ui.widgets.number_field import NumberField
from ui.widgets.slider import Slider

_LEAST, _MOST = -4.0, 4.0
_USUAL = (-1.0, 2.0)
_STEP = 0.05


class LoraCard(QFrame):
    """weight_changed: how much of it. remove_asked: away with it."""

    weight_changed = Signal(float)
    remove_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.name = ElidedLabel()
        self.name.setProperty("role", "name")
        self.field = NumberField(_LEAST, _MOST, _STEP, whole=False)
        self.field.setFixedWidth(56)
        self.slider = Slider(*_USUAL, _STEP)
        self.remove = IconButton("cancel", "", size_px=14)
        self.remove.set_muted(True)
        self.words = QLabel()
        self.words.setWordWrap(True)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.name, 1)
        head.addWidget(self.field)
        head.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 4, 6)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.slider)
        column.addWidget(self.words)
        self.slider.moved.connect(self.weight_changed)
        self.field.valueChanged.connect(self.weight_changed)
        self.remove.clicked.connect(self.remove_asked)

    def show_state(self, state: LoraState) -> None:
        """What is laid out, and what becomes of it."""
        self.name.setText(state.title)
        self.name.setEnabled(state.fit is Fit.USED)
        self.setAccessibleName(self.tr("LoRA file {name}").format(name=state.title))
        for widget in (self.field, self.slider):
            widget.setAccessibleName(self.tr("Weight of {name}").format(name=state.title))
            widget.setToolTip(self.tr("How much of it: 1 as it was made, 0 nothing, below 0 its opposite."))
            widget.setVisible(state.fit is Fit.USED)
        self.remove.set_label(self.tr("Remove {name}").format(name=state.title))
        blocked = self.field.blockSignals(True)
        self.field.setValue(state.choice.weight)
        self.field.blockSignals(blocked)
        if not self.slider.isSliderDown():
            self.slider.set_number(state.choice.weight)
        self.words.setText(state.words)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setVisible(bool(state.words))
        missing = state.fit is Fit.MISSING
        self.words.setProperty("role", "error" if missing else "hint")
        self.setProperty("broken", missing)
        for styled in (self, self.words):
            styled.style().unpolish(styled)
            styled.style().polish(styled)

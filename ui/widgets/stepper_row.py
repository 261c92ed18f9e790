"""A small whole number: a field between minus and plus."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ui.widgets.icon_button import IconButton
from ui.widgets.number_field import NumberField


class StepperRow(QWidget):
    """A number over `low` … `high`, one up or down at a time."""

    changed = Signal(float)

    def __init__(self, label: str, hint: str, *, low: float, high: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        name = QLabel(label)
        name.setToolTip(hint)
        self.field = NumberField(low, high, 1, whole=True)
        self.field.setFixedWidth(56)
        self.field.setAccessibleName(label)
        self.field.setAccessibleDescription(hint)
        self.field.setToolTip(hint)
        name.setBuddy(self.field)
        self.fewer = IconButton("minus", self.tr("{name}: one less").format(name=label), size_px=14)
        self.more = IconButton("plus", self.tr("{name}: one more").format(name=label), size_px=14)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(name, 1)
        row.addWidget(self.fewer)
        row.addWidget(self.more)
        row.addWidget(self.field)
        self.fewer.clicked.connect(lambda: self.field.stepBy(-1))
        self.more.clicked.connect(lambda: self.field.stepBy(1))
        self.field.valueChanged.connect(self._on_field)
        self._show_ends()

    def show_value(self, value: float) -> None:
        """Show without telling."""
        blocked = self.field.blockSignals(True)
        self.field.setValue(value)
        self.field.blockSignals(blocked)
        self._show_ends()

    def value(self) -> float:
        return self.field.value()

    def _show_ends(self) -> None:
        self.fewer.setEnabled(self.field.value() > self.field.minimum())
        self.more.setEnabled(self.field.value() < self.field.maximum())

    def _on_field(self, value: float) -> None:
        self._show_ends()
        self.changed.emit(value)

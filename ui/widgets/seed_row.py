"""The seed: a number, a dice for another one, a lock that keeps it from run to run."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QRegularExpressionValidator, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ui.widgets.icon_button import IconButton
from ui.widgets.number_field import WholeNumberEdit

_FIELD_PX = 92
_AROUND_PX = 24  # padding and frame of the field
_OTHERS_PX = 112  # label, dice and lock


class SeedRow(QWidget):
    """changed: the number typed. lock_changed: whether it stays from run to run."""

    changed = Signal(object)
    rolled = Signal()
    lock_changed = Signal(bool)

    def __init__(self, label: str, hint: str, high: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._high = high
        name = QLabel(label)
        name.setToolTip(hint)
        self.field = WholeNumberEdit()
        self.field.setValidator(QRegularExpressionValidator("[0-9]{1,19}", self.field))
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.setFixedWidth(_FIELD_PX)
        self.field.setAccessibleName(label)
        self._hint = hint
        self.dice = IconButton("dice", self.tr("Another seed"))
        self.lock = IconButton("lock", "")
        self.lock.setCheckable(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(name, 1)
        row.addWidget(self.dice)
        row.addWidget(self.lock)
        row.addWidget(self.field)
        self.field.editingFinished.connect(self._on_edited)
        self.dice.clicked.connect(self.rolled)
        self.lock.toggled.connect(self._on_lock)
        self._on_lock(False)

    def show_value(self, seed: int, *, locked: bool) -> None:
        if not self.field.hasFocus() or self.field.number() != seed:
            self.field.setText(str(seed))
        self._fit_field()
        blocked = self.lock.blockSignals(True)
        self.lock.setChecked(locked)
        self._show_lock(locked)
        self.lock.blockSignals(blocked)

    def _fit_field(self) -> None:
        """A long number gets what room there is; one that is still cut off begins at its first digit."""
        text = self.field.text()
        needed = self.field.fontMetrics().horizontalAdvance(text) + _AROUND_PX
        self.field.setFixedWidth(max(_FIELD_PX, min(needed, self.width() - _OTHERS_PX)))
        cut = needed > self.field.width()
        if cut and not self.field.hasFocus():
            self.field.setCursorPosition(0)
        self.field.setToolTip(f"{text}\n{self._hint}" if cut else self._hint)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_field()

    def _on_edited(self) -> None:
        number = self.field.number()
        if number is not None:
            self.changed.emit(min(number, self._high))

    def _on_lock(self, locked: bool) -> None:
        self._show_lock(locked)
        self.lock_changed.emit(locked)

    def _show_lock(self, locked: bool) -> None:
        self.lock.set_icon("lock" if locked else "unlock")
        self.lock.set_label(
            self.tr("The seed is kept: the same picture again")
            if locked
            else self.tr("A new seed is taken for every run")
        )

"""What can be changed without computing again: colours and strength of the finished result."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from adstudio.jobs.choices import Task
from ui.state.adjust import Adjustment
from ui.state.words import content_word
from ui.widgets.parameter_row import ParameterRow
from ui.widgets.section_header import SectionHeader


class AfterRun(QWidget):
    """Two sliders over the shown result; off where there is none with a content."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.color, self.strength = self._row(), self._row()
        self._task = Task.STYLE_TRANSFER
        self.hint = QLabel()
        self.hint.setProperty("role", "hint")
        self.hint.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (SectionHeader(self.tr("After the run")), self.color, self.strength, self.hint):
            column.addWidget(widget)
        self.color.changed.connect(self._tell)
        self.strength.changed.connect(self._tell)
        self.color.reset_asked.connect(lambda: self._set(color=1.0))
        self.strength.reset_asked.connect(lambda: self._set(strength=1.0))
        self.show_task(self._task)
        self.show_adjustment(Adjustment(), available=False)

    def _row(self) -> ParameterRow:
        return ParameterRow("", "", low=0.0, high=1.0, slider=(0.0, 1.0), step=0.01, percent=True)

    def show_task(self, task: Task) -> None:
        """The words of the task whose result is shown."""
        self._task = task
        word = content_word(task).lower()
        self.color.set_label(self.tr("Colours: {content} … reference").format(content=word))
        self.strength.set_label(self.tr("Strength over the {content}").format(content=word))

    def show_adjustment(self, adjustment: Adjustment, *, available: bool) -> None:
        self.color.show_value(adjustment.color, changed=adjustment.color < 1)
        self.strength.show_value(adjustment.strength, changed=adjustment.strength < 1)
        self.color.setEnabled(available)
        self.strength.setEnabled(available)
        self.hint.setText(
            self.tr("Instant, kept with the result, always reversible.")
            if available
            else self.tr("For a finished result with a {content} picture.").format(
                content=content_word(self._task).lower()
            )
        )

    def adjustment(self) -> Adjustment:
        return Adjustment(color=round(self.color.value(), 4), strength=round(self.strength.value(), 4))

    def _set(self, **values: float) -> None:
        now = self.adjustment()
        self.show_adjustment(
            Adjustment(color=values.get("color", now.color), strength=values.get("strength", now.strength)),
            available=True,
        )
        self._tell()

    def _tell(self) -> None:
        now = self.adjustment()
        self.color.reset.setVisible(now.color < 1)
        self.strength.reset.setVisible(now.strength < 1)
        self.changed.emit(now)

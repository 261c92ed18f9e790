"""Number fields that leave the wheel to the panel and show a unit."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QLineEdit, QWidget

_PLACING = (
    QEvent.Type.Resize,
    QEvent.Type.Show,
    QEvent.Type.StyleChange,
    QEvent.Type.LayoutDirectionChange,
    QEvent.Type.FontChange,
    QEvent.Type.Polish,
)


class NumberField(QDoubleSpinBox):
    """A float or whole number without arrows; keys and typing change it."""

    def __init__(
        self, low: float, high: float, step: float, *, whole: bool, unit: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setDecimals(0 if whole else 2)
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setGroupSeparatorShown(False)
        if unit:
            self.setSuffix(f" {unit}")

    def _place_text(self) -> None:
        # A style sheet leaves room for the arrows even where there are none, on some platforms all of it.
        self.lineEdit().setGeometry(self.rect().adjusted(6, 2, -6, -2))

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() in _PLACING:
            self._place_text()
        return done

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class WholeNumberEdit(QLineEdit):
    """For whole numbers beyond what a spin box holds exactly (seeds up to 2^63 - 1)."""

    def number(self) -> int | None:
        """The number typed, None where it is none."""
        text = self.text().strip()
        return int(text) if text.isascii() and text.isdigit() else None

"""A thin slider with a filled part and a round handle, painted by ourselves so that it is the same everywhere."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSlider, QWidget

from ui import theme

_RADIUS_PX = 6.5
_STEPS = 1000


class Slider(QSlider):
    """Over floats `low` … `high` in steps of `step`. A click goes where it is made; the wheel needs the focus."""

    moved = Signal(float)

    def __init__(self, low: float, high: float, step: float, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._low, self._high = low, high
        count = max(1, round((high - low) / step)) if step > 0 else _STEPS
        self.setRange(0, count)
        self.setPageStep(max(1, count // 10))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(18)
        self.valueChanged.connect(lambda _: self.moved.emit(self.number()))

    def number(self) -> float:
        """The value in the slider's own units."""
        return self._low + (self._high - self._low) * self.value() / self.maximum()

    def set_number(self, number: float) -> None:
        """Move without telling; values beyond the ends rest at the ends."""
        share = (number - self._low) / (self._high - self._low)
        blocked = self.blockSignals(True)
        self.setValue(round(max(0.0, min(1.0, share)) * self.maximum()))
        self.blockSignals(blocked)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(140, 18)

    def _span(self) -> tuple[float, float]:
        return _RADIUS_PX + 1, self.width() - _RADIUS_PX - 1

    def paintEvent(self, event: QPaintEvent) -> None:
        now = theme.colors()
        left, right = self._span()
        share = self.value() / self.maximum()
        middle = self.height() / 2
        leftwards = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        x = right - share * (right - left) if leftwards else left + share * (right - left)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(now.track))
        painter.drawRoundedRect(QRectF(1, middle - 2, self.width() - 2, 4), 2, 2)
        painter.setBrush(QColor(now.accent if self.isEnabled() else now.edge))
        filled = QRectF(x, middle - 2, self.width() - 1 - x, 4) if leftwards else QRectF(1, middle - 2, x - 1, 4)
        painter.drawRoundedRect(filled, 2, 2)
        painter.setBrush(QColor(now.handle if self.isEnabled() else now.disabled))
        if self.hasFocus():
            painter.setPen(QPen(QColor(now.accent), 2))
        painter.drawEllipse(QPointF(x, middle), _RADIUS_PX, _RADIUS_PX)

    def _go_to(self, x: float) -> None:
        left, right = self._span()
        share = max(0.0, min(1.0, (x - left) / max(right - left, 1.0)))
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            share = 1 - share
        self.setValue(round(share * self.maximum()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._go_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._go_to(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)
        self.sliderReleased.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

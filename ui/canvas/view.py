"""The canvas under the hands: zoom to the pointer, pan, the compare slider, the pixel under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from ui.canvas.painting import CanvasPainting, ViewMode

__all__ = ["CanvasView", "ViewMode"]

_HANDLE_REACH_PX = 14.0
_WHEEL_FACTOR = 1.0015


class CanvasView(CanvasPainting):
    """Middle-drag, or a drag with Space or the hand tool, pans; the wheel zooms; the slider's handle is dragged."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dragging_split = False
        self._pan_from: QPointF | None = None
        self._space = False
        self._hand = False

    def set_hand(self, on: bool) -> None:
        """The hand tool: every drag pans."""
        self._hand = on
        self._update_cursor(self.mapFromGlobal(self.cursor().pos()).toPointF())

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y() or event.angleDelta().x()
        self._zoom_by(_WHEEL_FACTOR**turned, event.position())
        event.accept()

    def _near_split(self, at: QPointF) -> bool:
        return (
            self._mode is ViewMode.COMPARE
            and self._has_both()
            and abs(at.x() - self._split_x()) <= _HANDLE_REACH_PX
            and self._picture_rect(self._area()).adjusted(-16, -16, 16, 16).contains(at)
        )

    def _update_cursor(self, at: QPointF) -> None:
        if self._pan_from is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._space or self._hand:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        elif self._near_split(at):
            self.setCursor(Qt.CursorShape.SplitHCursor)
        else:
            self.unsetCursor()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        left = event.button() is Qt.MouseButton.LeftButton
        if event.button() is Qt.MouseButton.MiddleButton or (left and (self._space or self._hand)):
            self._pan_from = event.position()
        elif left and self._near_split(event.position()):
            self._dragging_split = True
        self._update_cursor(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pan_from is not None:
            self._transform.pan(at - self._pan_from, self._size)
            self._pan_from = at
            self.update()
        elif self._dragging_split:
            rect = self._picture_rect(self._area())
            self.set_split((at.x() - rect.left()) / max(rect.width(), 1.0))
        self._update_cursor(at)
        self._tell_pixel(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pan_from = None
        self._dragging_split = False
        self._update_cursor(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._near_split(event.position()):
            self.set_split(0.5)

    def _tell_pixel(self, at: QPointF) -> None:
        spot = self._transform.to_picture(at, self._area(at))
        x, y = int(spot.x() // 1), int(spot.y() // 1)
        pyramid = self._after.source.pyramid or (None if self._has_after() else self._before.source.pyramid)
        inside = 0 <= x < self._size.width() and 0 <= y < self._size.height()
        if pyramid is None or not inside or not pyramid.levels[0].image.rect().contains(QPoint(x, y)):
            self.pixel_hovered.emit(None)
            return
        self.pixel_hovered.emit((x, y, QColor(pyramid.levels[0].image.pixel(x, y)).name()))

    def leaveEvent(self, event: QEvent) -> None:
        self.pixel_hovered.emit(None)
        super().leaveEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._update_cursor(event.position())
        super().enterEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ringed = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._ringed = False
        super().focusOutEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = 0.1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0.02
        if event.key() == Qt.Key.Key_Space:
            self._space = True
            self._update_cursor(self.mapFromGlobal(self.cursor().pos()).toPointF())
        elif self._mode is ViewMode.COMPARE and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.set_split(self._split + (step if event.key() == Qt.Key.Key_Right else -step))
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self._update_cursor(self.mapFromGlobal(self.cursor().pos()).toPointF())
        else:
            super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.update()
        super().changeEvent(event)

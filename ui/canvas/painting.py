"""How the canvas looks: the result, alone, beside its content, under a slider or tiled."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from ui import theme
from ui.canvas.layer import Layer
from ui.canvas.overlay import paint_label, paint_shadow, paint_slider
from ui.canvas.transform import ViewTransform
from ui.state.pictures import Source

_GAP_PX = 2


class ViewMode(StrEnum):
    """How result and content are shown together."""

    RESULT = "result"
    SIDE_BY_SIDE = "side_by_side"
    COMPARE = "compare"
    TILES = "tiles"


class CanvasPainting(QWidget):
    """Shows a `before` and an `after` picture in one coordinate system, the after picture's pixels."""

    zoom_changed = Signal(float)
    pixel_hovered = Signal(object)
    mode_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setAccessibleName(self.tr("Canvas"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(240, 200)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._before, self._after, self._second = Layer(), Layer(), Layer()
        self._labels = ("", "")
        self._size = QSizeF()
        self._transform = ViewTransform()
        self._mode = ViewMode.RESULT
        self._split = 0.5
        self._ringed = False  # the keyboard is here, and came by keyboard

    # What is shown

    def show_pictures(
        self, before: Source, after: Source, size: QSizeF, *, before_label: str = "", after_label: str = ""
    ) -> None:
        """size: of the result in pixels, also while only a smaller preview of it exists."""
        self._before.source, self._after.source = before, after
        self._second.source = before
        self._labels = (before_label, after_label)
        if size != self._size:
            self._size = QSizeF(size)
            self._fit()
        self.update()

    @property
    def mode(self) -> ViewMode:
        return self._mode

    def set_mode(self, mode: ViewMode) -> None:
        """Change the view; the zoom stays unless it was fitted."""
        if mode is self._mode:
            return
        self._mode = mode
        if self._transform.fitted or mode is ViewMode.TILES:
            self._fit()
        self.mode_changed.emit(mode)
        self.update()

    @property
    def zoom(self) -> float:
        """Device pixels of the screen per pixel of the picture."""
        return self._transform.zoom * self.devicePixelRatioF()

    @property
    def split(self) -> float:
        """Where the compare slider stands, 0 … 1 of the picture's width."""
        return self._split

    def set_split(self, split: float) -> None:
        self._split = max(0.0, min(1.0, split))
        self.update()

    def fit(self) -> None:
        """Show all of it."""
        self._fit()
        self.update()

    def actual_size(self) -> None:
        """One pixel of the picture on one pixel of the screen."""
        self._zoom_by(1.0 / self.zoom, QPointF(self._area().center()))

    def zoom_step(self, inwards: bool) -> None:
        """Zoom a little around the middle."""
        self._zoom_by(1.25 if inwards else 0.8, QPointF(self._area().center()))

    # Geometry

    def _has_after(self) -> bool:
        return not self._after.source.size.isEmpty()

    def _has_both(self) -> bool:
        return self._has_after() and not self._before.source.size.isEmpty()

    def _areas(self) -> tuple[QRectF, ...]:
        """The parts of the widget that show the picture each: two when side by side."""
        whole = QRectF(self.rect())
        if self._mode is not ViewMode.SIDE_BY_SIDE or not self._has_both():
            return (whole,)
        half = (whole.width() - _GAP_PX) / 2
        return (
            QRectF(0, 0, half, whole.height()),
            QRectF(whole.width() - half, 0, half, whole.height()),
        )

    def _area(self, at: QPointF | None = None) -> QRectF:
        areas = self._areas()
        if at is not None and len(areas) > 1 and at.x() >= areas[1].left():
            return areas[1]
        return areas[0]

    def _picture_rect(self, area: QRectF) -> QRectF:
        return self._transform.picture_rect(self._size, area)

    def _fit(self) -> None:
        times = 3 if self._mode is ViewMode.TILES else 1
        self._transform.fit(self._size * times, self._area().size())
        if times == 3 and not self._size.isEmpty():
            self._transform.center = QPointF(self._size.width() / 2, self._size.height() / 2)
        self.zoom_changed.emit(self.zoom)

    def _zoom_by(self, factor: float, at: QPointF) -> None:
        if self._size.isEmpty():
            return
        self._transform.zoom_at(factor, at, self._area(at))
        self.zoom_changed.emit(self.zoom)
        self.update()

    def _split_x(self) -> float:
        rect = self._picture_rect(self._area())
        return rect.left() + rect.width() * self._split

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.colors().surround))
        if not self._size.isEmpty():
            self._paint_pictures(painter)
        if self._ringed:
            painter.setPen(QPen(QColor(theme.colors().accent), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _paint_pictures(self, painter: QPainter) -> None:
        if self._mode is ViewMode.SIDE_BY_SIDE and self._has_both():
            self._paint_side_by_side(painter)
        elif self._mode is ViewMode.COMPARE and self._has_both():
            self._paint_compare(painter)
        elif self._mode is ViewMode.TILES:
            self._paint_tiles(painter)
        else:
            self._paint_single(painter)

    def _visible(self, rect: QRectF, area: QRectF) -> QRect:
        return rect.intersected(area).toAlignedRect().intersected(self.rect())

    def _paint_layer(self, painter: QPainter, layer: Layer, area: QRectF) -> QRectF:
        rect = self._picture_rect(area)
        painter.save()
        painter.setClipRect(rect.intersected(area))
        layer.paint(painter, rect, self._visible(rect, area), crop=layer is not self._after)
        painter.restore()
        return rect

    def _paint_single(self, painter: QPainter) -> None:
        area = self._area()
        layer, label = (self._after, self._labels[1]) if self._has_after() else (self._before, self._labels[0])
        paint_shadow(painter, self._picture_rect(area))
        rect = self._paint_layer(painter, layer, area)
        paint_label(painter, rect.intersected(area), label, right=self._has_after())

    def _paint_side_by_side(self, painter: QPainter) -> None:
        for area, layer, label in zip(self._areas(), (self._second, self._after), self._labels, strict=True):
            painter.save()
            painter.setClipRect(area)
            paint_shadow(painter, self._picture_rect(area))
            painter.restore()
            rect = self._paint_layer(painter, layer, area)
            paint_label(painter, rect.intersected(area), label)
        gap = QRectF(self._areas()[0].right(), 0, _GAP_PX, self.height())
        painter.fillRect(gap, QColor(theme.colors().line))

    def _paint_compare(self, painter: QPainter) -> None:
        area = self._area()
        rect = self._picture_rect(area)
        paint_shadow(painter, rect)
        split = self._split_x()
        for layer, clip in (
            (self._before, QRectF(rect.left(), rect.top(), split - rect.left(), rect.height())),
            (self._after, QRectF(split, rect.top(), rect.right() - split, rect.height())),
        ):
            painter.save()
            painter.setClipRect(clip.intersected(area))
            layer.paint(painter, rect, self._visible(rect, area), crop=layer is not self._after)
            painter.restore()
        seen = rect.intersected(area)
        paint_label(painter, seen, self._labels[0])
        paint_label(painter, seen, self._labels[1], right=True)
        paint_slider(painter, split, seen)

    def _paint_tiles(self, painter: QPainter) -> None:
        area = self._area()
        layer = self._after if self._has_after() else self._before
        rect = self._picture_rect(area)
        for row in (-1, 0, 1):
            for column in (-1, 0, 1):
                tile = rect.translated(column * rect.width(), row * rect.height())
                part = self._visible(tile, area)
                if not part.isEmpty():
                    painter.save()
                    painter.setClipRect(tile)
                    layer.paint(painter, tile, part, crop=not self._has_after())
                    painter.restore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._transform.fitted:
            self._fit()
        super().resizeEvent(event)

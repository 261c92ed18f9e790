"""Where a picture lies in a view: zoom and position, without any widget."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, QSizeF

MIN_ZOOM = 0.02
MAX_ZOOM = 32.0
FIT_MARGIN_PX = 24.0


@dataclass(slots=True)
class ViewTransform:
    """zoom: view pixels (logical) per picture pixel. center: the picture point in the middle of the view.

    fitted: the zoom follows the size of the view.
    """

    zoom: float = 1.0
    center: QPointF = field(default_factory=QPointF)
    fitted: bool = True

    def fit(self, picture: QSizeF, view: QSizeF) -> None:
        """Show all of the picture with a margin around; small pictures are enlarged at most four times."""
        if picture.isEmpty() or view.isEmpty():
            return
        wide = max(view.width() - 2 * FIT_MARGIN_PX, 16.0) / picture.width()
        high = max(view.height() - 2 * FIT_MARGIN_PX, 16.0) / picture.height()
        self.zoom = max(MIN_ZOOM, min(wide, high, 4.0))
        self.center = QPointF(picture.width() / 2, picture.height() / 2)
        self.fitted = True

    def to_view(self, point: QPointF, view: QRectF) -> QPointF:
        """A picture point in view coordinates."""
        return view.center() + (point - self.center) * self.zoom

    def to_picture(self, point: QPointF, view: QRectF) -> QPointF:
        """A view point in picture coordinates."""
        return self.center + (point - view.center()) / self.zoom

    def picture_rect(self, picture: QSizeF, view: QRectF) -> QRectF:
        """The picture's rectangle in view coordinates."""
        top_left = self.to_view(QPointF(0.0, 0.0), view)
        return QRectF(top_left.x(), top_left.y(), picture.width() * self.zoom, picture.height() * self.zoom)

    def zoom_at(self, factor: float, at: QPointF, view: QRectF) -> None:
        """Zoom by a factor; the picture point under `at` stays where it is."""
        anchor = self.to_picture(at, view)
        self.zoom = max(MIN_ZOOM, min(MAX_ZOOM, self.zoom * factor))
        self.center = anchor - (at - view.center()) / self.zoom
        self.fitted = False

    def pan(self, delta: QPointF, picture: QSizeF) -> None:
        """Move by view pixels; the middle of the view stays on the picture."""
        moved = self.center - delta / self.zoom
        self.center = QPointF(
            max(0.0, min(picture.width(), moved.x())),
            max(0.0, min(picture.height(), moved.y())),
        )
        self.fitted = False

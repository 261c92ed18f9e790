"""What is painted over the pictures: labels, the compare slider, the soft edge below."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

_SHADE = QColor(0, 0, 0, 5)
_SHADE_STEPS = 14
_PLATE = QColor(20, 20, 20, 205)
_MARGIN_PX = 8.0


def paint_shadow(painter: QPainter, rect: QRectF) -> None:
    """A soft edge around a picture, so that it stands off the surround."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_SHADE)
    for grow in range(1, _SHADE_STEPS + 1):
        painter.drawRoundedRect(rect.adjusted(-grow, -grow + 3, grow, grow + 3), grow, grow)
    painter.restore()


def paint_label(painter: QPainter, rect: QRectF, text: str, *, right: bool = False) -> None:
    """A small plate in the lower corner of a picture; left out where the picture is too small for it."""
    metrics = QFontMetricsF(painter.font())
    width, height = metrics.horizontalAdvance(text) + 18, metrics.height() + 8
    if not text or rect.width() < width + 2 * _MARGIN_PX or rect.height() < height + 2 * _MARGIN_PX:
        return
    x = rect.right() - _MARGIN_PX - width if right else rect.left() + _MARGIN_PX
    plate = QRectF(x, rect.bottom() - _MARGIN_PX - height, width, height)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, 5, 5)
    painter.setPen(QColor("#f2f2f2"))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def paint_slider(painter: QPainter, x: float, rect: QRectF) -> None:
    """The line between before and after, and its handle in the middle."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(0, 0, 0, 90), 4))
    painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
    painter.setPen(QPen(QColor("#ffffff"), 2))
    painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
    center = QPointF(x, rect.center().y())
    painter.setPen(QPen(QColor(0, 0, 0, 70), 1))
    painter.setBrush(QColor("#ffffff"))
    painter.drawEllipse(center, 14, 14)
    painter.setPen(QPen(QColor("#333333"), 1.75, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for side in (-1.0, 1.0):
        tip = center + QPointF(side * 8, 0)
        painter.drawPolyline(QPolygonF([tip + QPointF(-side * 4, -4), tip, tip + QPointF(-side * 4, 4)]))
    painter.restore()

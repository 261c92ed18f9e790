"""Paints the cards of the style library and the history: a picture, a caption, a badge."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ui import icons, theme
from ui.state.roles import CardRole
from ui.widgets.thumbnail import paint_rounded

_BADGE_PX = 18
_MARK_PX = 12
CARD_GAP_PX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A mark in the corner of a card. danger: tinted as a failure."""

    icon: str
    danger: bool = False


class CardDelegate(QStyledItemDelegate):
    """picture_px: width and height of the picture; the caption goes below it, in one line.

    The gap between cards lies right of and below each, so that the first ones align with what stands around.
    """

    def __init__(
        self,
        picture_px: QSize,
        parent: QWidget | None = None,
        *,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
    ) -> None:
        super().__init__(parent)
        self._picture_px = picture_px
        self._elide = elide
        self._badges = {
            "failed": Badge(icon="alert", danger=True),
            "cancelled": Badge(icon="stop"),
            "running": Badge(icon="clock"),
            "interrupted": Badge(icon="pause"),
            "broken": Badge(icon="alert", danger=True),
        }

    def set_picture_size(self, size: QSize) -> None:
        self._picture_px = size

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(self._picture_px.width() + 2 * CARD_GAP_PX, self.cell_height(option.fontMetrics))

    def cell_height(self, metrics: QFontMetrics) -> int:
        """Height of a card with its gaps, in pixels."""
        return self._picture_px.height() + 2 * CARD_GAP_PX + metrics.height() + 4

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        now = theme.colors()
        cell: QRect = option.rect
        height = min(cell.height(), self.cell_height(option.fontMetrics)) - 2 * CARD_GAP_PX
        card = QRectF(cell.left(), cell.top(), cell.width() - 2 * CARD_GAP_PX, height)
        picture = QRectF(card.left(), card.top(), card.width(), self._picture_px.height())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(now.card))
        painter.drawRoundedRect(card, 5, 5)
        image = index.data(CardRole.IMAGE)
        badge = self._badges.get(str(index.data(CardRole.BADGE) or ""))
        ratio = painter.device().devicePixelRatio()
        if isinstance(image, QImage) and not image.isNull():
            paint_rounded(painter, picture, image, 5)
        else:
            name = badge.icon if badge is not None else "image"
            color = now.danger if badge is not None and badge.danger else now.muted
            at = QPoint(round(picture.center().x()) - 12, round(picture.center().y()) - 12)
            painter.drawPixmap(at, icons.pixmap(name, 24, ratio, color))
        if badge is not None and isinstance(image, QImage):
            self._paint_badge(painter, picture, badge, ratio)
        count = index.data(CardRole.COUNT)
        if isinstance(count, int) and count > 1:
            self._paint_count(painter, picture, count)
        self._paint_marks(painter, picture, index, ratio)
        self._paint_caption(painter, option, card, picture, str(index.data(Qt.ItemDataRole.DisplayRole) or ""))
        state = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        if chosen or hovered or focused:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(now.accent if chosen or focused else now.edge), 2))
            painter.drawRoundedRect(card.adjusted(1, 1, -1, -1), 4, 4)
        painter.restore()

    def _paint_badge(self, painter: QPainter, picture: QRectF, badge: Badge, ratio: float) -> None:
        now = theme.colors()
        corner = QPoint(round(picture.right()) - _BADGE_PX - 4, round(picture.top()) + 4)
        painter.setBrush(QColor(20, 20, 20, 215))
        painter.drawRoundedRect(QRectF(corner.x(), corner.y(), _BADGE_PX, _BADGE_PX), 4, 4)
        color = "#f0837a" if badge.danger else "#f2f2f2"
        painter.drawPixmap(corner + QPoint(2, 2), icons.pixmap(badge.icon, 14, ratio, color))
        painter.setBrush(QColor(now.card))

    def _paint_count(self, painter: QPainter, picture: QRectF, count: int) -> None:
        """How many pictures a run has."""
        text = str(count)
        plate = QRectF(picture.left() + 4, picture.top() + 4, max(_BADGE_PX, 10 + 7 * len(text)), _BADGE_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 20, 20, 215))
        painter.drawRoundedRect(plate, 4, 4)
        painter.setPen(QColor("#f2f2f2"))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)

    @staticmethod
    def _paint_marks(
        painter: QPainter, picture: QRectF, index: QModelIndex | QPersistentModelIndex, ratio: float
    ) -> None:
        """Stars and heart at the foot of the picture."""
        rating, favourite = index.data(CardRole.RATING), bool(index.data(CardRole.FAVOURITE))
        stars = rating if isinstance(rating, int) else 0
        marks = ["star-full"] * stars + ["heart-full"] * favourite
        if not marks:
            return
        plate = QRectF(picture.left() + 4, picture.bottom() - _MARK_PX - 8, _MARK_PX * len(marks) + 6, _MARK_PX + 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 20, 20, 215))
        painter.drawRoundedRect(plate, 4, 4)
        for place, name in enumerate(marks):
            at = QPoint(round(plate.left()) + 3 + place * _MARK_PX, round(plate.top()) + 2)
            painter.drawPixmap(at, icons.pixmap(name, _MARK_PX, ratio, "#f2f2f2"))

    def _paint_caption(
        self, painter: QPainter, option: QStyleOptionViewItem, card: QRectF, picture: QRectF, text: str
    ) -> None:
        font = option.font
        font.setPixelSize(11)
        painter.setFont(font)
        painter.setPen(QColor(theme.colors().muted))
        room = QRectF(card.left() + 5, picture.bottom(), card.width() - 8, card.bottom() - picture.bottom())
        shown = painter.fontMetrics().elidedText(text, self._elide, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)

"""Paints a row of the model list: mark, name, family, size and licence, what it does, health."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui import icons, theme
from ui.state.model_facts import Mark, ModelFacts
from ui.state.model_list import ModelRole

_ROW_PX = 78
_PAD_PX = 12
_TILE_PX = 40
_ICONS = {"patch": "brush", "model": "model", "lora": "lora", "control": "control"}


class ModelDelegate(QStyledItemDelegate):
    """Three lines a row; what does not fit is shortened and stands in the details and the tooltip."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(240, _ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        facts = index.data(ModelRole.FACTS)
        if not isinstance(facts, ModelFacts):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        leftwards = option.direction is Qt.LayoutDirection.RightToLeft
        card = QRectF(option.rect).adjusted(0, 2, 0, -2)
        self._paint_card(painter, option, card)
        tile = _mirrored(
            QRectF(card.left() + _PAD_PX, card.center().y() - _TILE_PX / 2, _TILE_PX, _TILE_PX), card, leftwards
        )
        self._paint_tile(painter, facts, tile)
        words = QRectF(card.left() + 2 * _PAD_PX + _TILE_PX, card.top() + 9, 0, card.height() - 18)
        words.setRight(card.right() - _PAD_PX)
        self._paint_words(painter, option.font, facts, words, card, leftwards)
        painter.restore()

    @staticmethod
    def _paint_card(painter: QPainter, option: QStyleOptionViewItem, card: QRectF) -> None:
        now = theme.colors()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        edge = now.accent if chosen else now.edge if hovered else now.line
        painter.setBrush(QColor(now.card))
        painter.setPen(QPen(QColor(edge), 2 if chosen and focused else 1))
        painter.drawRoundedRect(card.adjusted(1, 1, -1, -1), 6, 6)

    @staticmethod
    def _paint_tile(painter: QPainter, facts: ModelFacts, tile: QRectF) -> None:
        now = theme.colors()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(now.panel))
        painter.drawRoundedRect(tile, 6, 6)
        name = "drive" if facts.mark is Mark.WAITING else _ICONS[facts.kind]
        color = now.danger if facts.mark is Mark.BAD else now.muted if facts.mark is Mark.WAITING else now.accent_ink
        ratio = painter.device().devicePixelRatio()
        at = QPointF(round(tile.center().x() - 12), round(tile.center().y() - 12))
        painter.drawPixmap(at, icons.pixmap(name, 24, ratio, color))

    @staticmethod
    def _paint_words(
        painter: QPainter, font: QFont, facts: ModelFacts, words: QRectF, card: QRectF, leftwards: bool
    ) -> None:
        now = theme.colors()
        line = words.height() / 3
        small, bold = QFont(font), QFont(font)
        small.setPixelSize(11)
        bold.setWeight(QFont.Weight.DemiBold)

        def put(text: str, place: QRectF, color: str, used: QFont, elide: Qt.TextElideMode) -> None:
            painter.setFont(used)
            painter.setPen(QColor(color))
            shown = QFontMetricsF(used).elidedText(text, elide, place.width())
            side = Qt.AlignmentFlag.AlignRight if leftwards else Qt.AlignmentFlag.AlignLeft
            flags = side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(_mirrored(place, card, leftwards), flags, shown)

        health_px = QFontMetricsF(small).horizontalAdvance(facts.health) + 14
        head = QRectF(words.left(), words.top(), words.width() - health_px - 8, line)
        health = QRectF(words.right() - health_px, words.top(), health_px, line)
        badge_px = QFontMetricsF(small).horizontalAdvance(facts.badge) + 12 if facts.badge else 0.0
        name_px = min(QFontMetricsF(bold).horizontalAdvance(facts.name) + 1, head.width() - badge_px - 8)
        muted = facts.mark is not Mark.GOOD
        put(
            facts.name,
            QRectF(head.left(), head.top(), name_px, line),
            now.muted if muted else now.text,
            bold,
            Qt.TextElideMode.ElideMiddle,
        )
        if facts.badge:
            pill = QRectF(head.left() + name_px + 8, head.center().y() - 8.5, badge_px, 17)
            pill = _mirrored(pill, card, leftwards)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(now.edge), 1))
            painter.drawRoundedRect(pill, 4, 4)
            painter.setFont(small)
            painter.setPen(QColor(now.muted))
            painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, facts.badge)
        dot = _mirrored(QRectF(health.left(), health.center().y() - 3, 6, 6), card, leftwards)
        color = mark_color(facts.mark)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
        painter.drawEllipse(dot)
        rest = health.adjusted(12, 0, 2, 0)
        put(facts.health, rest, now.muted, small, Qt.TextElideMode.ElideRight)
        second = " · ".join(part for part in (facts.size, facts.licence) if part) or facts.place
        below = QRectF(words.left(), words.top() + line, words.width(), line)
        put(second, below, now.muted, small, Qt.TextElideMode.ElideRight)
        last = QRectF(words.left(), words.top() + 2 * line, words.width(), line)
        if facts.problem:
            put(facts.trouble, last, color, small, Qt.TextElideMode.ElideRight)
        else:
            put(facts.tasks, last, now.muted, small, Qt.TextElideMode.ElideRight)


def mark_color(mark: Mark) -> str:
    """The colour of a mark in the theme in use."""
    now = theme.colors()
    return {Mark.GOOD: now.success, Mark.LENT: now.accent_ink, Mark.WAITING: now.muted, Mark.BAD: now.danger}[mark]


def _mirrored(place: QRectF, card: QRectF, leftwards: bool) -> QRectF:
    """A place in the card, seen in a mirror where the language runs from right to left."""
    if not leftwards:
        return place
    return QRectF(card.left() + card.right() - place.right(), place.top(), place.width(), place.height())

"""Paints a row of a list of actions: name, where it stands in the menus, keys."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui import theme
from ui.state.command_list import CommandEntry, CommandRole

ROW_PX = 32
_PAD_PX = 12
_GAP_PX = 10
_SMALL_PX = 11
_LEAST_PLACE_PX = 48


class CommandDelegate(QStyledItemDelegate):
    """The name is shortened last: first its menus give way, which are heard in the accessible text, too.

    marks_changed: keys that are not the usual ones stand out.
    """

    def __init__(self, parent: QObject | None = None, *, marks_changed: bool = False) -> None:
        super().__init__(parent)
        self._marks_changed = marks_changed

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry = index.data(CommandRole.ENTRY)
        if not isinstance(entry, CommandEntry):
            return
        now = theme.colors()
        can = bool(index.flags() & Qt.ItemFlag.ItemIsEnabled)
        row = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(now.raised))
            painter.setPen(QPen(QColor(now.accent), 1))
            painter.drawRoundedRect(row.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        elif can and option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(now.raised))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(row, 5, 5)
        small = QFont(option.font)
        small.setPixelSize(_SMALL_PX)
        leftwards = option.direction is Qt.LayoutDirection.RightToLeft

        def put(text: str, left: float, width: float, color: str, font: QFont) -> None:
            at = row.left() + row.right() - left - width if leftwards else left
            side = Qt.AlignmentFlag.AlignRight if leftwards else Qt.AlignmentFlag.AlignLeft
            flags = side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
            painter.setFont(font)
            painter.setPen(QColor(color if can else now.disabled))
            shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRectF(at, row.top(), width, row.height()), flags, shown)

        left, right = row.left() + _PAD_PX, row.right() - _PAD_PX
        marked = self._marks_changed and entry.changed
        keys = f"• {entry.keys}" if marked else entry.keys
        if keys:
            keys_px = QFontMetricsF(small).horizontalAdvance(keys) + 1
            put(keys, right - keys_px, keys_px, now.accent_ink if marked else now.muted, small)
            right -= keys_px + _GAP_PX
        name_px = min(QFontMetricsF(option.font).horizontalAdvance(entry.text) + 1, right - left)
        put(entry.text, left, name_px, now.text, option.font)
        left += name_px + _GAP_PX
        if right - left >= _LEAST_PLACE_PX:
            put(entry.place, left, right - left, now.muted, small)
        painter.restore()

"""The order in which Tab goes through panels: as they are read, also after their rows were made anew."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractSpinBox, QWidget

_LINE_PX = 12  # what is as high as this belongs to one line


def stops(panel: QWidget) -> list[QWidget]:
    """What Tab stops at inside a panel, line by line."""
    leftwards = panel.layoutDirection() is Qt.LayoutDirection.RightToLeft

    found = [
        child
        for child in panel.findChildren(QWidget)
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus
        and child.isVisibleTo(panel)
        and child.focusProxy() is None
        and not isinstance(child.parent(), QAbstractSpinBox)
    ]
    if panel.focusPolicy() & Qt.FocusPolicy.TabFocus:
        found.insert(0, panel)

    def place(widget: QWidget) -> tuple[int, int]:
        holds_others = any(widget.isAncestorOf(other) for other in found if other is not widget)
        middle = 0 if holds_others else widget.height() // 2
        at = widget.mapTo(panel, QPoint(widget.width() if leftwards else 0, middle))
        return round(at.y() / _LINE_PX), -at.x() if leftwards else at.x()

    return sorted(found, key=place)


def order_tab(panels: Sequence[QWidget]) -> None:
    """Let Tab go through the panels one after another."""
    chain = [stop for panel in panels for stop in stops(panel)]
    for before, after in pairwise(chain):
        QWidget.setTabOrder(before, after)

"""The style library's grid of cards."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from ui.widgets.card_delegate import CARD_GAP_PX, CardDelegate

_COLUMNS = 3


class LibraryView(QListView):
    """Samples as a grid that grows with its content instead of scrolling by itself.

    chosen: the index of a card that was clicked, or has the keyboard when Return or Space is pressed.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setDragEnabled(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._delegate = CardDelegate(QSize(70, 52), self, elide=Qt.TextElideMode.ElideRight)
        self.setItemDelegate(self._delegate)
        self.setViewportMargins(0, 0, -2 * CARD_GAP_PX, 0)  # the gap of the last column lies outside
        self.clicked.connect(self.chosen.emit)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def fit_to(self, width: int) -> None:
        """Lay the cards out over a width, and take the height they need."""
        cell = max((width + 2 * CARD_GAP_PX - 1) // _COLUMNS, 56)
        side = cell - 2 * CARD_GAP_PX
        self._delegate.set_picture_size(QSize(side, round(side * 0.78)))
        rows = -(-self.model().rowCount() // _COLUMNS) if self.model() is not None else 0
        height = self._delegate.cell_height(self.fontMetrics())
        self.setGridSize(QSize(cell, height))
        self.setFixedHeight(rows * height)

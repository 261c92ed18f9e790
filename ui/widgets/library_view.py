"""The style library's grid of cards."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from ui.widgets.card_delegate import CardDelegate

_COLUMNS = 3


class LibraryView(QListView):
    """The style library as a grid that grows with its content instead of scrolling by itself."""

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

    def fit_to(self, width: int) -> None:
        """Lay the cards out over a width, and take the height they need."""
        cell = max((width - 2) // _COLUMNS, 56)
        self._delegate.set_picture_size(QSize(cell - 8, round((cell - 8) * 0.78)))
        rows = -(-self.model().rowCount() // _COLUMNS) if self.model() is not None else 0
        height = self._delegate.cell_height(self.fontMetrics())
        self.setGridSize(QSize(cell, height))
        self.setFixedHeight(rows * height + 4)

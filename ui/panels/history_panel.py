"""Bottom: every run as a card; restore, reuse, run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLabel,
    QListView,
    QMenu,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from adstudio.projects import Query
from ui.state.history import HistoryModel
from ui.state.roles import CardRole
from ui.state.runs import HistoryEntry
from ui.widgets.card_delegate import CardDelegate
from ui.widgets.history_filter import HistoryFilter
from ui.widgets.section_header import SectionHeader

_CARD_PX, _SMALL_CARD_PX = QSize(120, 80), QSize(112, 56)
_AROUND_CARDS_PX = 72


class HistoryStrip(QListView):
    """One row of cards that scrolls sideways, also with the wheel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragEnabled(True)
        self.setMouseTracking(True)
        self._delegate = CardDelegate(_CARD_PX, self)
        self.setItemDelegate(self._delegate)

    def set_card_size(self, size: QSize) -> None:
        """Of the pictures, in pixels."""
        self._delegate.set_picture_size(size)
        self.scheduleDelayedItemsLayout()

    def dataChanged(
        self,
        top_left: QModelIndex | QPersistentModelIndex,
        bottom_right: QModelIndex | QPersistentModelIndex,
        roles: Sequence[int] = (),
    ) -> None:
        """All cards have one size, so news of one is painted; the base class would lay out every row anew."""
        self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - (event.angleDelta().y() or event.angleDelta().x()))
        event.accept()


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """action: None for a separator. submenu: title of the one it stands in, or ""."""

    action: QAction | None
    submenu: str = ""


class HistoryPanel(QFrame):
    """entry_chosen: a card was selected. current_changed: the actions of the menu may suit another run.

    The actions given are the menu of a card. menu_made: that menu, for what is only known when it opens.
    """

    entry_chosen = Signal(object)
    current_changed = Signal()
    menu_made = Signal(object)

    def __init__(self, model: HistoryModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("historyPanel")
        self._model = model
        self._menu: list[MenuEntry] = []
        self.header = SectionHeader(self.tr("History"))
        self.queue = QLabel()
        self.queue.setProperty("role", "muted")
        self.header.add(self.queue)
        self.filter = HistoryFilter()
        self.filter.query_changed.connect(model.set_query)
        self.header.add(self.filter)
        self.strip = HistoryStrip()
        self.strip.setAccessibleName(self.tr("History"))
        self.strip.setModel(model)
        self.empty = QLabel()
        self.empty.setProperty("role", "muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.strip)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 2)
        column.setSpacing(4)
        column.addWidget(self.header)
        column.addWidget(holder, 1)
        self.set_low(False)
        self.strip.selectionModel().currentChanged.connect(self._on_current)
        self.strip.selectionModel().selectionChanged.connect(lambda *_: self.current_changed.emit())
        model.refreshed.connect(self._show_count)
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._show_count)
        self._show_count()

    def set_low(self, low: bool) -> None:
        """Smaller cards, for windows that are not high."""
        size = _SMALL_CARD_PX if low else _CARD_PX
        self.strip.set_card_size(size)
        self.setFixedHeight(size.height() + _AROUND_CARDS_PX)

    def set_menu(self, entries: list[MenuEntry]) -> None:
        """The actions' shortcuts work while the strip has the keyboard."""
        self._menu = entries
        for entry in entries:
            if entry.action is not None:
                entry.action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                self.strip.addAction(entry.action)

    def make_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        submenus: dict[str, QMenu] = {}
        for entry in self._menu:
            if entry.action is None:
                menu.addSeparator()
            elif entry.submenu:
                if entry.submenu not in submenus:
                    submenus[entry.submenu] = menu.addMenu(entry.submenu)
                submenus[entry.submenu].addAction(entry.action)
            else:
                menu.addAction(entry.action)
        self.menu_made.emit(menu)
        return menu

    def current(self) -> HistoryEntry | None:
        """The run of the selected card."""
        entry = self.strip.currentIndex().data(CardRole.VALUE)
        return entry if isinstance(entry, HistoryEntry) else None

    def selected(self) -> tuple[str, ...]:
        """Ids of the selected runs, as they stand in the list."""
        rows = sorted(index.row() for index in self.strip.selectionModel().selectedIndexes())
        return self._model.run_ids(rows)

    def selected_entries(self) -> tuple[HistoryEntry, ...]:
        """The selected runs, those that have been read."""
        rows = sorted(index.row() for index in self.strip.selectionModel().selectedIndexes())
        return tuple(entry for row in rows if (entry := self._model.entry(row)) is not None)

    def select(self, row: int) -> None:
        """Select a card without saying so."""
        selection = self.strip.selectionModel()
        blocked = selection.blockSignals(True)
        self.strip.setCurrentIndex(self._model.index(row))
        selection.blockSignals(blocked)
        self.strip.viewport().update()
        self.current_changed.emit()

    def set_waiting(self, count: int) -> None:
        """How many runs wait for their turn."""
        self.queue.setText(self.tr("Queue: {count} waiting").format(count=count) if count else "")

    def _show_count(self) -> None:
        self._stack.setCurrentWidget(self.strip if self._model.rowCount() else self.empty)
        query = self._model.query
        if query.trashed:
            words = self.tr("The trash is empty.")
        elif query != Query():
            words = self.tr("No run has all of that. Esc in the search field shows everything again.")
        else:
            words = self.tr("Every run is kept in this project. Press Run to make the first one.")
        self.empty.setText(words)
        self.filter.show_found(self._model.rowCount(), self._model.total)

    def _on_current(self, current: QModelIndex) -> None:
        self.current_changed.emit()
        entry = current.data(CardRole.VALUE)
        if isinstance(entry, HistoryEntry):
            self.entry_chosen.emit(entry)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.strip.indexAt(self.strip.viewport().mapFromGlobal(event.globalPos()))
        if index.isValid():
            if not self.strip.selectionModel().isSelected(index):
                self.strip.setCurrentIndex(index)
            self.make_menu().popup(event.globalPos())

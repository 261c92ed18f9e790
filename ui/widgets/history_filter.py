"""Above the history: words to search for, and what else the runs listed must have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton, QWidget

from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.jobs.spec import Task
from adstudio.projects import Board, Order, Query
from ui import icons, theme
from ui.state.words import short_name
from ui.widgets.icon_button import IconButton

_TYPING_MS = 120
_SEARCH_PX = 280
_MOST_TAGS = 30


class SearchField(QLineEdit):
    """left: Esc was pressed in it; here it does not cancel a run."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        overrides = event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if overrides and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)


class HistoryFilter(QWidget):
    """query_changed: a Query, whenever something else is asked for."""

    query_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._query = Query()
        self._boards: tuple[Board, ...] = ()
        self._tags: tuple[str, ...] = ()
        self._models: tuple[str, ...] = ()
        self.search = SearchField()
        self.search.left.connect(self.clear)
        self.search.setPlaceholderText(self.tr("Search prompts, notes, tags, names"))
        self.search.setAccessibleName(self.tr("Search the history"))
        self.search.setClearButtonEnabled(False)
        self.search.setFixedWidth(_SEARCH_PX)
        self._glass = self.search.addAction(
            icons.icon("search", theme.colors().muted), QLineEdit.ActionPosition.LeadingPosition
        )
        for button in self.search.findChildren(QToolButton):
            button.setAccessibleName(self.search.accessibleName())
            button.setToolTip(self.search.accessibleName())
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._on_typed)
        self.search.textChanged.connect(lambda _: self._typing.start())
        self.favourites = self._toggle("heart", self.tr("Favourites only"))
        self.favourites.toggled.connect(lambda on: self._ask(favourite=on))
        self.more = IconButton("filter", self.tr("Filter and sort"))
        self.more.setCheckable(True)
        self.more.clicked.connect(self._open_menu)
        self.trash = self._toggle("trash", self.tr("Show the trash"))
        self.trash.toggled.connect(lambda on: self._ask(trashed=on))
        self.found = QLabel()
        self.found.setProperty("role", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.found)
        row.addSpacing(4)
        row.addWidget(self.search)
        for button in (self.favourites, self.more, self.trash):
            row.addWidget(button)

    @staticmethod
    def _toggle(name: str, label: str) -> IconButton:
        button = IconButton(name, label)
        button.setCheckable(True)
        return button

    @property
    def query(self) -> Query:
        """What is asked for."""
        return self._query

    @property
    def typing(self) -> bool:
        """Whether words were typed that are not asked for yet."""
        return self._typing.isActive()

    def set_known(self, boards: Sequence[Board], tags: Sequence[str], models: Sequence[str]) -> None:
        """What the menu offers."""
        self._boards, self._tags, self._models = tuple(boards), tuple(tags), tuple(models)

    def show_found(self, found: int, total: int) -> None:
        """How many runs are listed, of how many in all; said only where something was asked for."""
        asked = replace(self._query, order=Order.NEWEST) != Query()
        words = self.tr("{found} in the trash") if self._query.trashed else self.tr("{found} of {total}")
        self.found.setText(words.format(found=found, total=total) if asked else "")

    def ask_for_reference(self, digest: str) -> None:
        """Only runs whose job names this picture."""
        self._ask(reference=digest)

    def clear(self) -> None:
        """List everything again."""
        self._typing.stop()
        for widget in (self.search, self.favourites, self.trash):
            widget.blockSignals(True)
        self.search.clear()
        self.favourites.setChecked(False)
        self.trash.setChecked(False)
        for widget in (self.search, self.favourites, self.trash):
            widget.blockSignals(False)
        self._show(Query())

    def _on_typed(self) -> None:
        self._ask(text=self.search.text().strip())

    def _ask(self, **changes: object) -> None:
        self._show(replace(self._query, **changes))  # type: ignore[arg-type]

    def _show(self, query: Query) -> None:
        self.more.setChecked(replace(query, text="", favourite=False, trashed=False) != Query())
        if query != self._query:
            self._query = query
            self.query_changed.emit(query)

    def make_menu(self) -> QMenu:
        """Everything that is not a button of its own."""
        query = self._query
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        tasks = {
            Task.STYLE_TRANSFER: self.tr("Style transfer"),
            Task.APPEARANCE_TRANSFER: self.tr("Appearance"),
            Task.TEXT_TO_IMAGE: self.tr("Text to image"),
            Task.TEXTURE: self.tr("Texture"),
        }
        self._several(menu.addMenu(self.tr("Task")), list(tasks.items()), query.tasks, "tasks")
        named = [(one, self.tr("Built-in") if one == PATCH_MODEL else short_name(one)) for one in self._models]
        if len(named) > 1:
            self._several(menu.addMenu(self.tr("Model")), named, query.models, "models")
        stars = menu.addMenu(self.tr("Rating"))
        words = [(0, self.tr("Any"))] + [(n, "★" * n + (self.tr(" or more") if n < 5 else "")) for n in range(1, 6)]
        self._one(stars, words, query.min_rating, lambda value: self._ask(min_rating=value))
        self._dates(menu.addMenu(self.tr("Date")))
        if self._tags:
            tags = [(one, one) for one in self._tags[:_MOST_TAGS]]
            self._several(menu.addMenu(self.tr("Tags")), tags, query.tags, "tags")
        if self._boards:
            boards = [("", self.tr("Any")), *((one.id, one.name) for one in self._boards)]
            self._one(menu.addMenu(self.tr("Board")), boards, query.board, lambda value: self._ask(board=value))
        menu.addSeparator()
        orders = [
            (Order.NEWEST, self.tr("Newest first")),
            (Order.OLDEST, self.tr("Oldest first")),
            (Order.BEST, self.tr("Best first")),
        ]
        self._one(menu, orders, query.order, lambda value: self._ask(order=value))
        menu.addSeparator()
        menu.addAction(self.tr("Show everything"), self.clear).setEnabled(query != Query())
        return menu

    def _open_menu(self) -> None:
        self.more.setChecked(replace(self._query, text="", favourite=False, trashed=False) != Query())
        menu = self.make_menu()
        menu.popup(self.more.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _dates(self, menu: QMenu) -> None:
        today = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        since = [
            (None, self.tr("Any time")),
            (today, self.tr("Today")),
            (today - timedelta(days=6), self.tr("The last 7 days")),
            (today - timedelta(days=29), self.tr("The last 30 days")),
        ]
        self._one(menu, since, self._query.created_from, lambda value: self._ask(created_from=value))

    def _several(
        self, menu: QMenu, choices: Sequence[tuple[object, str]], chosen: frozenset[object] | frozenset[str], field: str
    ) -> None:
        """Any number of choices of a field that is a frozenset."""
        for value, words in choices:
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(value in chosen)

            def toggle(on: bool, value: object = value) -> None:
                now = frozenset(getattr(self._query, field))
                self._ask(**{field: now | {value} if on else now - {value}})

            action.toggled.connect(toggle)

    def _one(
        self, menu: QMenu, choices: Sequence[tuple[object, str]], chosen: object, do: Callable[[object], None]
    ) -> None:
        """Exactly one choice."""
        group = QActionGroup(menu)
        for value, words in choices:
            action = QAction(words, menu, checkable=True, checked=value == chosen)
            group.addAction(action)
            menu.addAction(action)
            action.triggered.connect(lambda _=False, value=value: do(value))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._glass.setIcon(icons.icon("search", theme.colors().muted))
        super().changeEvent(event)

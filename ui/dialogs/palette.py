"""The command palette: every action, found by its words, done with Return."""

from __future__ import annotations

from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLabel, QLineEdit, QListView, QVBoxLayout, QWidget

from ui.state.command_list import CommandList
from ui.widgets.command_delegate import ROW_PX, CommandDelegate

_WIDTH_PX = 620
_AROUND_PX = 32
_ROWS = 11
_STEPS = {
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Tab: 1,
    Qt.Key.Key_Backtab: -1,
}
_STAYS = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)


class Palette(QFrame):
    """Lies over the window, so that what had the keyboard has it again before the action is done.

    chosen: name of the command. opener: the action that opens it, and closes it again.
    """

    chosen = Signal(str)

    def __init__(self, commands: CommandList, opener: QAction, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("palette")
        self.setAccessibleName(self.tr("Command palette"))
        self._commands, self._opener, self._window = commands, opener, window
        self._before: QWidget | None = None
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("What shall be done?"))
        self.search.setAccessibleName(self.tr("Search all actions"))
        self.search.textChanged.connect(self._on_typed)
        self.search.installEventFilter(self)
        self.list = QListView()
        self.list.setAccessibleName(self.tr("Actions"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setItemDelegate(CommandDelegate(self.list))
        self.list.setModel(commands)
        self.list.clicked.connect(self._choose)
        self.list.selectionModel().currentChanged.connect(self._tell_current)
        self.nothing = QLabel(self.tr("No action has all of these words."))
        self.nothing.setProperty("role", "muted")
        self.nothing.setMargin(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        for widget in (self.search, self.nothing, self.list):
            column.addWidget(widget)
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Show everything, what was used last first."""
        self._before = self._window.focusWidget()
        self.search.clear()
        self._on_typed("")
        self.show()
        self.raise_()
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def dismiss(self) -> None:
        """Close; what had the keyboard has it again."""
        before, self._before = self._before, None
        if before is not None and shiboken6.isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        self.hide()

    def _on_typed(self, text: str) -> None:
        self._commands.search(text)
        found = self._commands.rowCount() > 0
        self.list.setVisible(found)
        self.nothing.setVisible(not found)
        self._go(self._commands.step(-1, 1) if found else -1)
        self._place()

    def _go(self, row: int) -> None:
        index = self._commands.index(row) if row >= 0 else QModelIndex()
        self.list.setCurrentIndex(index)
        if row == self._commands.step(-1, 1):
            self.list.scrollToTop()

    def _tell_current(self, current: QModelIndex) -> None:
        """To a screen reader, which follows the field that has the keyboard."""
        self.search.setAccessibleDescription(str(current.data(Qt.ItemDataRole.AccessibleTextRole) or ""))

    def _choose(self, index: QModelIndex) -> None:
        entry = self._commands.entry(index.row()) if index.isValid() else None
        if entry is not None and entry.action.isEnabled():
            self.dismiss()
            self.chosen.emit(entry.name)

    def _place(self) -> None:
        """In the middle; the field stays where it is while the list grows shorter."""
        width = min(_WIDTH_PX, self._window.width() - 2 * _AROUND_PX)
        rows = self._commands.rowCount()
        frame = 2 * self.list.frameWidth()
        room = self._window.height() - 2 * _AROUND_PX - self.search.sizeHint().height() - 24
        most = max(min(_ROWS, room // ROW_PX), 1)
        self.list.setFixedHeight(min(rows, most) * ROW_PX + frame)
        full = self.search.sizeHint().height() + 24 + most * ROW_PX + frame
        self.setFixedWidth(width)
        self.adjustSize()
        self.move(QPoint((self._window.width() - width) // 2, max((self._window.height() - full) // 2, 0)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window:
            if event.type() is QEvent.Type.Resize and self.isVisible():
                self._place()
            return False
        handled: dict[QEvent.Type, Callable[[], bool]] = {
            QEvent.Type.ShortcutOverride: lambda: self._keep_keys(event),
            QEvent.Type.KeyPress: lambda: isinstance(event, QKeyEvent) and self._on_key(event),
            QEvent.Type.FocusOut: lambda: self._on_left(event),
        }
        handle = handled.get(event.type())
        return handle() if handle is not None else False

    def _keep_keys(self, event: QEvent) -> bool:
        """No key of the window counts meanwhile, but the one that closes it again."""
        if isinstance(event, QKeyEvent) and QKeySequence(event.keyCombination()) not in self._opener.shortcuts():
            event.accept()
            return True
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        key, row = Qt.Key(event.key()), self.list.currentIndex().row()
        if key in _STEPS:
            self._go(self._commands.step(row, _STEPS[key]))
        elif key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            far = _ROWS - 1 if key is Qt.Key.Key_PageDown else 1 - _ROWS
            target = min(max(row + far, 0), self._commands.rowCount() - 1)
            back = 1 if target == 0 else -1
            self._go(self._commands.step(target - back, back) if row >= 0 else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.list.currentIndex())
        elif key is Qt.Key.Key_Escape:
            self.dismiss()
        else:
            return False
        return True

    def _on_left(self, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent) and event.reason() not in _STAYS and self._before is not None:
            self._before = None  # the keyboard is where it was put
            self.hide()
        return False

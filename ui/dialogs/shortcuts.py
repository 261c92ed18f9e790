"""The keys of every action: find one, press another key for it, or bring the usual one back."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ui.state.command_list import CommandEntry, CommandList
from ui.state.shortcuts import Keys, Shortcuts
from ui.widgets.banner import Banner
from ui.widgets.command_delegate import CommandDelegate
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.key_field import KeyField

_SIZE_PX = (620, 560)
_KEY_PX = 150


class ShortcutsDialog(QDialog):
    """Every change counts at once; a key that is in the way is only taken away when that is asked for."""

    def __init__(self, commands: CommandList, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._commands, self._shortcuts = commands, shortcuts
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.resize(*_SIZE_PX)
        self.search = QLineEdit()
        self.list = QListView()
        self.name = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self.field = KeyField()
        self.none = QPushButton(self.tr("No key"))
        self.usual = QPushButton(self.tr("The usual"))
        self.all_usual = QPushButton(self.tr("All as usual"))
        self.banner = Banner()
        self._set_up_list()
        self._set_up_keys()
        self._lay_out()
        self.search.textChanged.connect(self._on_typed)
        self.list.selectionModel().currentChanged.connect(self._on_current)
        shortcuts.changed.connect(self._show)
        self._on_typed("")

    def _set_up_list(self) -> None:
        self.search.setPlaceholderText(self.tr("Search names, menus and keys"))
        self.search.setAccessibleName(self.tr("Search all actions"))
        self.search.installEventFilter(self)
        self.list.setAccessibleName(self.tr("Actions and their keys"))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(CommandDelegate(self.list, marks_changed=True))
        self.list.setModel(self._commands)
        self.list.installEventFilter(self)
        self.list.doubleClicked.connect(lambda _: self.field.setFocus())

    def _set_up_keys(self) -> None:
        self.field.setPlaceholderText(self.tr("Press a key"))
        self.field.setMinimumWidth(_KEY_PX)
        self.field.pressed.connect(self._on_pressed)
        self.none.clicked.connect(lambda: self._give(()))
        self.usual.clicked.connect(self._bring_usual)
        self.all_usual.clicked.connect(self._shortcuts.reset_all)
        for button in (self.none, self.usual, self.all_usual):
            button.setAutoDefault(False)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.name, 1)
        for widget in (self.field, self.none, self.usual):
            row.addWidget(widget)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.all_usual, QDialogButtonBox.ButtonRole.ResetRole)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        column.addWidget(self.banner)
        column.addSpacing(8)
        column.addWidget(buttons)

    def current(self) -> CommandEntry | None:
        """The action whose keys are changed."""
        index = self.list.currentIndex()
        return self._commands.entry(index.row()) if index.isValid() else None

    def select(self, name: str) -> None:
        """Choose an action that is listed."""
        self.list.setCurrentIndex(self._commands.index(self._commands.row_of(name)))

    def _on_typed(self, text: str) -> None:
        self.banner.dismiss()
        before = self.current()
        self._commands.search(text)
        row = self._commands.row_of(before.name) if before is not None and not text else 0
        self.list.setCurrentIndex(self._commands.index(max(row, 0)) if self._commands.rowCount() else QModelIndex())
        self._show()

    def _on_current(self) -> None:
        self.banner.dismiss()
        self._show()

    def _show(self) -> None:
        entry = self.current()
        for widget in (self.field, self.none, self.usual):
            widget.setEnabled(entry is not None)
        self.all_usual.setEnabled(bool(self._shortcuts.chosen()))
        if entry is None:
            self.name.setText(self.tr("No action has all of these words."))
            self.field.clear()
            return
        self.name.setText(entry.text)
        self.field.show_keys(self._shortcuts.keys(entry.name))
        self.field.setAccessibleName(self.tr("Key for {action}: press another").format(action=entry.text))
        self.none.setEnabled(bool(self._shortcuts.keys(entry.name)))
        self.usual.setEnabled(not self._shortcuts.is_usual(entry.name))

    def _on_pressed(self, key: QKeySequence) -> None:
        entry = self.current()
        if entry is None:
            return
        refused = self._shortcuts.refusal(entry.name, key)
        if refused and key == QKeySequence(Qt.Key.Key_Escape):
            self.list.setFocus()
        elif refused:
            self.banner.say(refused, kind="info")
        else:
            self._give((key,))

    def _bring_usual(self) -> None:
        entry = self.current()
        if entry is not None:
            self._give(self._shortcuts.usual(entry.name))

    def _give(self, keys: Keys) -> None:
        """At once where they are free; else say whose they are, with the way to have them."""
        entry = self.current()
        if entry is None:
            return
        others = self._shortcuts.in_the_way(entry.name, keys)
        if not others:
            self.banner.dismiss()
            self._shortcuts.set(entry.name, keys)
            return
        taken = {key for other in others for key in self._shortcuts.keys(other.name)} & set(keys)
        words = self.tr("{keys} belongs to: {actions}.").format(
            keys=", ".join(sorted(key.toString(QKeySequence.SequenceFormat.NativeText) for key in taken)),
            actions=", ".join(f"{other.text} ({other.place})" for other in others),
        )
        take = (self.tr("Take it away there"), lambda: self._shortcuts.set(entry.name, keys))
        self.banner.say(words, kind="info", actions=(take,))
        for button in self.banner.buttons():
            button.setAutoDefault(False)
            button.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.KeyPress:
            return False
        key = event.key()
        if watched is self.search and key in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.list.setFocus()
        elif watched is self.list and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.field.setFocus()
        else:
            return False
        return True

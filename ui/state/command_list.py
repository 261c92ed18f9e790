"""Every action as a list that can be searched: for the command palette and for the keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from functools import partial

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QAction, QKeySequence

from ui.state.word_search import distance, words_of

_MOST_RECENT = 12
_NATIVE = QKeySequence.SequenceFormat.NativeText
_Index = QModelIndex | QPersistentModelIndex


class Scope(Enum):
    """Where the keys of an action count."""

    WINDOW = auto()
    HISTORY = auto()

    def meets(self, other: Scope) -> bool:
        """Whether one key could mean both: the window's keys count in every part of it."""
        return self is other or Scope.WINDOW in (self, other)


class CommandRole(IntEnum):
    """What a row knows beyond its text."""

    ENTRY = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEntry:
    """name: of the command, as it is kept on disk. place: menus it stands in. usual: keys while none are chosen."""

    name: str
    place: str
    action: QAction
    scope: Scope
    usual: tuple[str, ...]

    @property
    def text(self) -> str:
        """What it is called, as in the menu."""
        return self.action.text().replace("&", "")

    @property
    def keys(self) -> str:
        """Its keys now, in words."""
        return ", ".join(key.toString(_NATIVE) for key in self.action.shortcuts())

    @property
    def changed(self) -> bool:
        """Whether it has other keys than the usual ones."""
        return self.action.shortcuts() != [QKeySequence(keys) for keys in self.usual]


class CommandList(QAbstractListModel):
    """Rows are what was searched for: nearest first, then what can be done now, then what was used last.

    greys: what cannot be done now can not be chosen either.
    """

    def __init__(self, entries: Sequence[CommandEntry], parent: QObject | None = None, *, greys: bool) -> None:
        super().__init__(parent)
        self._all = tuple(entries)
        self._rows = self._all
        self._greys = greys
        self._query = ""
        self._recent: tuple[str, ...] = ()
        for entry in self._all:
            entry.action.changed.connect(partial(self._on_changed, entry))

    @property
    def recent(self) -> tuple[str, ...]:
        """Names of what was used last, newest first."""
        return self._recent

    def set_recent(self, names: Iterable[str]) -> None:
        """Bring back what was used last; names that are not known are left out."""
        known = {entry.name for entry in self._all}
        self._recent = tuple(dict.fromkeys(name for name in names if name in known))[:_MOST_RECENT]
        self.search(self._query)

    def use(self, name: str) -> None:
        """Put an action at the top of those used last."""
        self.set_recent((name, *self._recent))

    def search(self, query: str) -> None:
        """Show what has all of these words in its name, its menus or its keys; everything where there are none."""
        self._query = query
        typed = words_of(query)
        found: list[tuple[int, bool, int, CommandEntry]] = []
        for entry in self._all:
            far = distance(typed, words_of(entry.text), words_of(f"{entry.place} {entry.keys}"))
            if far is not None:
                used = self._recent.index(entry.name) if self._greys and entry.name in self._recent else _MOST_RECENT
                found.append((far, self._greys and not entry.action.isEnabled(), used, entry))
        self.beginResetModel()
        self._rows = tuple(row[3] for row in sorted(found, key=lambda row: row[:3]))
        self.endResetModel()

    def entry(self, row: int) -> CommandEntry | None:
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, name: str) -> int:
        """Where an action stands now, -1 where it is not shown."""
        return next((row for row, entry in enumerate(self._rows) if entry.name == name), -1)

    def step(self, row: int, by: int) -> int:
        """The next row that can be chosen, round the ends; the same where there is no other."""
        count = len(self._rows)
        rows = ((row + by * far) % count for far in range(1, count + 1))
        return next((other for other in rows if self._can(self._rows[other])), row if row >= 0 else -1)

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entry(index.row()) if index.isValid() else None
        if entry is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.text
            case Qt.ItemDataRole.AccessibleTextRole:
                now = "" if self._can(entry) else self.tr("not possible now")
                keys = self.tr("{keys} (changed)").format(keys=entry.keys or "–") if entry.changed else entry.keys
                return ", ".join(part for part in (entry.text, entry.place, keys, now) if part)
            case CommandRole.ENTRY:
                return entry
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        entry = self.entry(index.row()) if index.isValid() else None
        if entry is None or not self._can(entry):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def _can(self, entry: CommandEntry) -> bool:
        return entry.action.isEnabled() or not self._greys

    def _on_changed(self, entry: CommandEntry) -> None:
        row = self.row_of(entry.name)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

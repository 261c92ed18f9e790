"""The installed models as a list model: the built-in one first, then models, then LoRA files."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from adstudio.models.library import Entry
from ui.state.model_facts import ModelFacts, facts_of, facts_of_patch
from ui.state.model_library import ModelLibrary


class ModelRole(IntEnum):
    """FACTS: ModelFacts, what is painted and told. ENTRY: the Entry, None for the built-in model."""

    FACTS = Qt.ItemDataRole.UserRole + 1
    ENTRY = Qt.ItemDataRole.UserRole + 2


class ModelListModel(QAbstractListModel):
    """Follows the library; rows that did not change keep their place and the selection."""

    def __init__(self, models: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._rows: tuple[tuple[Entry | None, ModelFacts], ...] = ()
        models.changed.connect(self._on_changed)
        self._rows = self._read()

    def _read(self) -> tuple[tuple[Entry | None, ModelFacts], ...]:
        installed: list[tuple[Entry | None, ModelFacts]] = [(entry, facts_of(entry)) for entry in self._models.entries]
        return ((None, facts_of_patch()), *installed)

    def _on_changed(self) -> None:
        """Change only the rows that are different, so that selection and scrolling stay."""
        wanted = self._read()
        paths = [entry.path if entry is not None else None for entry, _ in wanted]
        for row in range(len(self._rows) - 1, -1, -1):
            entry = self._rows[row][0]
            if (entry.path if entry is not None else None) not in paths:
                self.beginRemoveRows(QModelIndex(), row, row)
                self._rows = self._rows[:row] + self._rows[row + 1 :]
                self.endRemoveRows()
        for row, (entry, facts) in enumerate(wanted):
            path = entry.path if entry is not None else None
            at = next((i for i, (old, _) in enumerate(self._rows) if (old.path if old else None) == path), -1)
            if at == row:
                if self._rows[row] != (entry, facts):
                    self._rows = (*self._rows[:row], (entry, facts), *self._rows[row + 1 :])
                    self.dataChanged.emit(self.index(row), self.index(row))
                continue
            if at > row:  # its place among the others is new, with a new name
                self.beginRemoveRows(QModelIndex(), at, at)
                self._rows = self._rows[:at] + self._rows[at + 1 :]
                self.endRemoveRows()
            self.beginInsertRows(QModelIndex(), row, row)
            self._rows = (*self._rows[:row], (entry, facts), *self._rows[row:])
            self.endInsertRows()

    def row_of(self, name: str) -> int:
        """The row of an entry, -1 where it is not listed."""
        return next((row for row, (entry, _) in enumerate(self._rows) if entry is not None and entry.name == name), -1)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        entry, facts = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return facts.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(line for line in (facts.name, facts.problem or facts.place) if line)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(
                part for part in (facts.name, facts.badge, facts.size, facts.health, facts.problem) if part
            )
        if role == ModelRole.FACTS:
            return facts
        return entry if role == ModelRole.ENTRY else None

"""The folders that are looked through for models, each with a way off the list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.state.words import home_path
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.icon_button import IconButton
from ui.widgets.section_header import SectionHeader


class ModelFolders(QWidget):
    """remove_asked: a folder should no longer be looked through."""

    remove_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folders: tuple[tuple[Path, bool], ...] = ()
        self.buttons: dict[Path, IconButton] = {}
        self._rows: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(SectionHeader(self.tr("Folders looked through")))
        self.hide()

    def show_folders(self, folders: Sequence[tuple[Path, bool]], always: Path) -> None:
        """folders: each with whether it is there. always: the one that cannot be taken off."""
        if tuple(folders) == self._folders:
            return
        self._folders = tuple(folders)
        for row in self._rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.buttons.clear()
        self._rows = [self._row(folder, there, removable=folder != always) for folder, there in self._folders]
        for row in self._rows:
            self._column.addWidget(row)
        self.setVisible(bool(self._rows))

    def _row(self, folder: Path, there: bool, *, removable: bool) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        name = ElidedLabel(home_path(folder))
        name.setProperty("role", "muted")
        layout.addWidget(name, 1)
        if not there:
            away = QLabel(self.tr("offline"))
            away.setProperty("role", "hint")
            layout.addWidget(away)
        if removable:
            button = IconButton(
                "cancel", self.tr("Look no longer through {folder}").format(folder=folder.name), size_px=14
            )
            button.set_muted(True)
            button.clicked.connect(lambda: self.remove_asked.emit(folder))
            self.buttons[folder] = button
            layout.addWidget(button)
        row.setMinimumHeight(24)
        return row

"""What is chosen once and for all; every change counts at once."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from adstudio.jobs.choices import Device
from adstudio.settings import Appearance, Settings
from ui.state.words import DEVICES
from ui.widgets.choice import Choice
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.number_field import NumberField

_WIDTH_PX = 600
_FIELD_PX = 200
_BETWEEN_PX = 8
_GAP_COLUMN, _FIELD_COLUMN = 1, 2
_MOST_GB = 4096.0


class PreferencesDialog(QDialog):
    """appearance_chosen: an Appearance. device_chosen: a Device. memory_chosen: gigabytes, or None for what is free.

    place_asked: the project should lie in another folder. clear_asked: the caches should be emptied.
    """

    appearance_chosen = Signal(object)
    device_chosen = Signal(object)
    memory_chosen = Signal(object)
    offline_chosen = Signal(bool)
    place_asked = Signal()
    clear_asked = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Preferences"))
        self.setMinimumWidth(_WIDTH_PX)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnMinimumWidth(_GAP_COLUMN, 8)
        self._grid.setColumnStretch(_FIELD_COLUMN, 1)
        self.appearance, self.device, self.network = Choice(), Choice(), Choice()
        self.memory = NumberField(0.0, _MOST_GB, 0.5, whole=False, unit=self.tr("GB"))
        self.place, self.cache = ElidedLabel(), QLabel()
        self.elsewhere = QPushButton(self.tr("Another folder …"))
        self.clear = QPushButton(self.tr("Clear"))
        self._add_choices(settings)
        self._add_places()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        for button in (self.elsewhere, self.clear, buttons.button(QDialogButtonBox.StandardButton.Close)):
            button.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addLayout(self._grid)
        column.addStretch(1)
        column.addWidget(buttons)
        self.finished.connect(lambda _: self.memory.interpretText())

    def _add_choices(self, settings: Settings) -> None:
        looks = ((Appearance.SYSTEM, self.tr("As the system")), (Appearance.DARK, self.tr("Dark")))
        for look, words in (*looks, (Appearance.LIGHT, self.tr("Light"))):
            self.appearance.addItem(words, str(look))
        for device in Device:
            self.device.addItem(DEVICES.get(device, self.tr("Fastest here")), str(device))
        self.network.addItem(self.tr("Only when I ask for a download"), False)
        self.network.addItem(self.tr("Never: work offline"), True)
        for choice, value in (
            (self.appearance, str(settings.appearance)),
            (self.device, str(settings.device)),
            (self.network, settings.offline),
        ):
            choice.setCurrentIndex(choice.findData(value))
        self.memory.setSpecialValueText(self.tr("What is free"))
        self.memory.setValue(settings.memory_limit_gb or 0.0)
        self._add_row(self.tr("Appearance"), self.appearance)
        hint = self.tr("For runs that name none. One that is missing is said when a run begins.")
        self._add_row(self.tr("Runs are computed on"), self.device, hint)
        hint = self.tr("What a run may take in all, from the next run on; 0 for what is free.")
        self._add_row(self.tr("Most memory"), self.memory, hint)
        self._add_row(self.tr("Network"), self.network)
        self.appearance.activated.connect(
            lambda _: self.appearance_chosen.emit(Appearance(self.appearance.currentData()))
        )
        self.device.activated.connect(lambda _: self.device_chosen.emit(Device(self.device.currentData())))
        self.network.activated.connect(lambda _: self.offline_chosen.emit(self.network.currentData()))
        self.memory.valueChanged.connect(lambda value: self.memory_chosen.emit(value or None))

    def _add_places(self) -> None:
        hint = self.tr("It opens at the next start, too. What is in the present one stays where it is.")
        self._add_row(self.tr("Project"), self.place, hint, self.elsewhere)
        hint = self.tr("Thumbnails, features of references and the like: made again when needed.")
        self._add_row(self.tr("Cache"), self.cache, hint, self.clear)
        self.elsewhere.setAccessibleName(self.tr("Project in another folder …"))
        self.clear.setAccessibleName(self.tr("Clear the cache"))
        self.elsewhere.clicked.connect(self.place_asked)
        self.clear.clicked.connect(self._on_clear)

    def _add_row(self, label: str, field: QWidget, hint: str = "", button: QPushButton | None = None) -> None:
        field.setAccessibleName(label)
        field.setMinimumWidth(_FIELD_PX)
        name = QLabel(label)
        name.setBuddy(field)
        row = self._grid.rowCount()
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(field, row, _FIELD_COLUMN, 1, 1 if button is not None else 2)
        if button is not None:
            self._grid.addWidget(button, row, _FIELD_COLUMN + 1)
        if hint:
            below = QLabel(hint)
            below.setProperty("role", "hint")
            below.setWordWrap(True)
            field.setAccessibleDescription(hint)
            self._grid.addWidget(below, row + 1, _FIELD_COLUMN, 1, 2)
        self._grid.setRowMinimumHeight(row + 2, _BETWEEN_PX)

    def show_place(self, place: str, *, may_move: bool) -> None:
        """Where the project lies. may_move: nothing runs in it."""
        self.place.setText(place)
        self.elsewhere.setEnabled(may_move)
        self.clear.setEnabled(may_move)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        layout = self.layout()
        if layout is not None:  # hints wrap, so the height depends on the width
            self.setMinimumHeight(layout.totalHeightForWidth(self.width()))

    def show_cache(self, size: str) -> None:
        self.cache.setText(size)

    def _on_clear(self) -> None:
        self.cache.setText(self.tr("Clearing …"))
        self.clear_asked.emit()

"""Among the parameters: the LoRA files over the model, from the library or from files."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from adstudio.models.library_file import Kind
from ui.dialogs.files import FileDialogs
from ui.state.beside_editor import MAX_LORAS
from ui.state.incoming import Incoming
from ui.state.session import Session
from ui.state.words import short_name
from ui.widgets.drop_button import DropButton
from ui.widgets.icon_button import IconButton
from ui.widgets.lora_card import LoraCard
from ui.widgets.section_header import SectionHeader


class LoraSection(QWidget):
    """resized: it needs another height now."""

    resized = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._dialogs = FileDialogs(self)
        self._cards: dict[str, LoraCard] = {}
        header = SectionHeader(self.tr("LoRA files"))
        self.add_button = IconButton("plus", self.tr("Add a LoRA file"))
        self.add_button.clicked.connect(self._open_menu)
        header.add(self.add_button)
        self.empty = DropButton(self.tr("Drop or add a LoRA file …"))
        self.empty.setToolTip(
            self.tr("A LoRA file gives the model another look or subject. It must be made for its family.")
        )
        self.empty.clicked.connect(self._open_menu)
        self.empty.dropped.connect(self._on_dropped)
        self.refusal = QLabel()
        self.refusal.setProperty("role", "error")
        self.refusal.setWordWrap(True)
        self._list = QVBoxLayout()
        self._list.setSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(header)
        column.addLayout(self._list)
        column.addWidget(self.empty)
        column.addWidget(self.refusal)
        self._say("")
        session.beside.refused.connect(self._on_refused)
        session.beside_changed.connect(lambda: self._say(""))
        session.task_changed.connect(lambda: self._say(""))
        for signal in (session.beside_changed, session.model_changed):
            signal.connect(self.show_setup)
        self.show_setup()

    def show_setup(self) -> None:
        """What is laid out; not there at all without a diffusion model."""
        states = self._session.beside.loras()
        self.setVisible(self._session.model() is not None)
        for name in [name for name in self._cards if all(state.choice.name != name for state in states)]:
            card = self._cards.pop(name)
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()
        for place, state in enumerate(states):
            card = self._cards.get(state.choice.name) or self._new_card(state.choice.name)
            if self._list.indexOf(card) != place:
                self._list.removeWidget(card)
                self._list.insertWidget(place, card)
            card.show_state(state)
            card.setVisible(True)
        full = len(states) >= MAX_LORAS
        self.empty.setVisible(not full)
        self.add_button.setEnabled(not full)
        self.resized.emit()

    def cards(self) -> tuple[LoraCard, ...]:
        """From top to bottom."""
        return tuple(self._cards[lora.name] for lora in self._session.setup.loras)

    def _new_card(self, name: str) -> LoraCard:
        card = self._cards[name] = LoraCard()
        card.weight_changed.connect(lambda weight: self._session.beside.set_lora_weight(name, round(weight, 6)))
        card.remove_asked.connect(lambda: self._session.beside.remove_lora(name))
        return card

    def make_menu(self) -> QMenu:
        """The installed ones that fit the model, and the way to a file."""
        menu = QMenu(self)
        for entry in self._session.beside.offered(Kind.LORA):
            action = menu.addAction(short_name(entry.name).replace("&", "&&"))
            action.setToolTip(entry.name)
            action.triggered.connect(lambda _=False, name=entry.name: self._session.beside.add_lora(name))
        if menu.isEmpty():
            none = menu.addAction(self.tr("None for this model is installed"))
            none.setEnabled(False)
        menu.addSeparator()
        menu.addAction(self.tr("From a file …"), self._choose_file)
        return menu

    def _open_menu(self) -> None:
        menu = self.make_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.empty.mapToGlobal(self.empty.rect().bottomLeft()))

    def _choose_file(self) -> None:
        self._dialogs.open_models(self.tr("Add a LoRA file"), self._session.beside.bring_loras)

    def _on_dropped(self, incoming: Incoming) -> None:
        self._say("")
        self._session.beside.bring_loras(incoming.files)

    def _on_refused(self, kind: Kind, words: str) -> None:
        if kind is Kind.LORA:
            self._say(words)

    def _say(self, words: str) -> None:
        self.refusal.setText(words)
        self.refusal.setVisible(bool(words))
        self.resized.emit()

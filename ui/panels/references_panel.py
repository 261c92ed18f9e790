"""Left: the content, the style references and the style library."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QVBoxLayout, QWidget

from adstudio.jobs.spec import Task
from ui.panels.layout_section import LayoutSection
from ui.panels.start_section import StartSection
from ui.state.hindrance import Place
from ui.state.roles import CardRole
from ui.state.samples import LibraryModel, Sample
from ui.state.session import MAX_STYLES, Session
from ui.state.words import content_word
from ui.widgets.drop_button import DropButton
from ui.widgets.icon_button import IconButton
from ui.widgets.library_view import LibraryView
from ui.widgets.section_header import SectionHeader
from ui.widgets.slot_card import SlotCard


class ReferencesPanel(QScrollArea):
    """Shows the session's pictures; what the hands do is passed on as signals with the slot's key (0: the content)."""

    slot_asked = Signal(int, object)
    dropped_on_slot = Signal(int, object)
    content_wanted = Signal()
    styles_wanted = Signal()
    content_dropped = Signal(object)
    styles_dropped = Signal(object)
    sample_chosen = Signal(object)

    def __init__(
        self, session: Session, library: LibraryModel, contents: LibraryModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sidePanel")
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(236)
        self._session = session
        self._library = library
        self._contents = contents
        self._cards: dict[int, SlotCard] = {}
        body = QWidget()
        body.setObjectName("panelBody")
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(12, 8, 12, 12)
        self._column.setSpacing(8)
        self.setWidget(body)
        self._build()
        session.content_changed.connect(self._show_content)
        session.styles_changed.connect(self._show_styles)
        session.task_changed.connect(self._show_task)
        session.changed.connect(self._show_missing)
        self._show_task()
        self._show_content()
        self._show_styles()
        self._show_missing()

    def _build(self) -> None:
        self.content_header = SectionHeader(self.tr("Content"))
        self.content_card = SlotCard(weighted=False)
        self.content_card.asked.connect(lambda action: self.slot_asked.emit(0, action))
        self.content_card.dropped.connect(lambda incoming: self.dropped_on_slot.emit(0, incoming))
        self.content_empty = DropButton(self.tr("Drop, paste or open a picture …"))
        self.content_empty.clicked.connect(self.content_wanted)
        self.content_empty.dropped.connect(self.content_dropped)
        self.styles_header = SectionHeader(self.tr("Style references"))
        self.add_button = IconButton("plus", self.tr("Add a reference"))
        self.add_button.clicked.connect(self.styles_wanted)
        self.styles_header.add(self.add_button)
        self._styles = QVBoxLayout()
        self._styles.setSpacing(8)
        self.styles_empty = DropButton(self.tr("Drop, paste or browse …"))
        self.styles_empty.clicked.connect(self.styles_wanted)
        self.styles_empty.dropped.connect(self.styles_dropped)
        self.library_header, self.library = self._shelf(self._library, self.tr("Style library"))
        self.contents_header, self.contents = self._shelf(self._contents, self.tr("Pictures to paint"))
        self.content_missing, self.styles_missing = self._missing(), self._missing()
        for widget in (
            self.content_header,
            self.content_card,
            self.content_empty,
            self.content_missing,
            self.styles_header,
        ):
            self._column.addWidget(widget)
        self._column.addLayout(self._styles)
        self._column.addWidget(self.styles_empty)
        self._column.addWidget(self.styles_missing)
        self.layout_section = LayoutSection(self._session)
        self._column.addWidget(self.layout_section)
        self.start_section = StartSection(self._session)
        self._column.addWidget(self.start_section)
        self._column.addSpacing(4)
        for header, shelf in ((self.library_header, self.library), (self.contents_header, self.contents)):
            self._column.addWidget(header)
            self._column.addWidget(shelf)
        self._column.addStretch(1)

    @staticmethod
    def _missing() -> QLabel:
        """Says beside a slot why the run waits for it."""
        label = QLabel()
        label.setProperty("role", "missing")
        label.setWordWrap(True)
        return label

    def _show_missing(self) -> None:
        found = self._session.hindrance()
        for label, empty, place in (
            (self.content_missing, self.content_empty, Place.CONTENT),
            (self.styles_missing, self.styles_empty, Place.STYLES),
        ):
            text = found.text if found is not None and found.place is place else ""
            label.setText(text)
            label.setVisible(bool(text))
            empty.setAccessibleDescription(text)

    def _shelf(self, model: LibraryModel, title: str) -> tuple[SectionHeader, LibraryView]:
        """A header and the cards below it; not there while there are none."""
        header, shelf = SectionHeader(title), LibraryView()
        shelf.setModel(model)
        shelf.setAccessibleName(title)
        shelf.chosen.connect(self._on_sample)
        model.modelReset.connect(self._fit_libraries)
        return header, shelf

    def _show_task(self) -> None:
        task = self._session.setup.task
        titles = {
            Task.STYLE_TRANSFER: self.tr("Style references"),
            Task.APPEARANCE_TRANSFER: self.tr("Appearance references"),
            Task.TEXT_TO_IMAGE: self.tr("Style references"),
            Task.TEXTURE: self.tr("Texture exemplars"),
        }
        self.styles_header.set_text(titles[task])
        optional = task is Task.TEXT_TO_IMAGE
        self.content_header.set_text(content_word(task))
        self.content_empty.setText(
            self.tr("Optional: drop or open …") if optional else self.tr("Drop, paste or open a picture …")
        )
        self._show_content()

    def _show_content(self) -> None:
        content = self._session.setup.used_content
        wanted = self._session.setup.task is not Task.TEXTURE
        self.content_header.setVisible(wanted)
        self.content_card.setVisible(wanted and content is not None)
        self.content_empty.setVisible(wanted and content is None)
        if content is not None:
            self.content_card.show_picture(content)

    def _show_styles(self) -> None:
        styles = self._session.setup.styles
        for key in [key for key in self._cards if all(style.key != key for style in styles)]:
            card = self._cards.pop(key)
            self._styles.removeWidget(card)
            card.hide()
            card.deleteLater()
        for place, style in enumerate(styles):
            card = self._cards.get(style.key) or self._new_card(style.key)
            if self._styles.indexOf(card) != place:
                self._styles.removeWidget(card)
                self._styles.insertWidget(place, card)
            card.show_picture(style, alone=len(styles) == 1)
        full = len(styles) >= MAX_STYLES
        self.styles_empty.setVisible(not full)
        self.add_button.setEnabled(not full)

    def _new_card(self, key: int) -> SlotCard:
        card = SlotCard(weighted=True)
        card.asked.connect(lambda action: self.slot_asked.emit(key, action))
        card.dropped.connect(lambda incoming: self.dropped_on_slot.emit(key, incoming))
        card.weight_changed.connect(lambda weight: self._session.set_weight(key, weight))
        self._cards[key] = card
        return card

    def cards(self) -> tuple[SlotCard, ...]:
        """The style cards from top to bottom."""
        return tuple(self._cards[style.key] for style in self._session.setup.styles)

    def focused_key(self) -> int | None:
        """The slot that has the keyboard: 0 for the content, None where none has."""
        focused = QApplication.focusWidget()
        for key, card in ((0, self.content_card), *self._cards.items()):
            if focused is not None and card.isVisible() and (card is focused or card.isAncestorOf(focused)):
                return key
        return None

    def _on_sample(self, index: QModelIndex) -> None:
        sample = index.data(CardRole.VALUE)
        if isinstance(sample, Sample):
            self.sample_chosen.emit(sample)

    def _fit_libraries(self) -> None:
        for header, shelf in ((self.library_header, self.library), (self.contents_header, self.contents)):
            shelf.fit_to(self.viewport().width() - 24)
            there = shelf.model().rowCount() > 0
            header.setVisible(there)
            shelf.setVisible(there)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_libraries()

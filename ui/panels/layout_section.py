"""Among the references: the layout that says which region of the result takes from which masks, without a content."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ui.dialogs.files import FileDialogs
from ui.state.hindrance import Place
from ui.state.incoming import Incoming
from ui.state.session import Session
from ui.state.setup import NEEDS_CONTENT
from ui.widgets.drop_button import DropButton
from ui.widgets.picture_card import PictureCard
from ui.widgets.section_header import SectionHeader


class LayoutSection(QWidget):
    """There while a reference has a mask, or a layout is laid out."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._dialogs = FileDialogs(self)
        self.card = PictureCard(self.tr("Remove the layout"))
        self.card.removed.connect(lambda: session.set_layout(None))
        self.empty = DropButton(self.tr("Drop or open a layout …"))
        self.empty.setToolTip(
            self.tr("A picture with a colour for each region; a region takes from the masks of the same colour.")
        )
        self.empty.clicked.connect(self._choose)
        self.empty.dropped.connect(self._on_dropped)
        self.missing = QLabel()
        self.missing.setProperty("role", "missing")
        self.missing.setWordWrap(True)
        self._build()
        for signal in (session.styles_changed, session.content_changed, session.task_changed, session.changed):
            signal.connect(self.show_setup)
        self.show_setup()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(SectionHeader(self.tr("Layout")))
        for widget in (self.card, self.empty, self.missing):
            column.addWidget(widget)

    def show_setup(self) -> None:
        """What is laid out; not there where a content gives the structure, or nothing has a mask."""
        setup = self._session.setup
        layout = setup.layout
        free = setup.used_content is None and setup.task not in NEEDS_CONTENT
        self.setVisible(free and (layout is not None or any(style.mask is not None for style in setup.styles)))
        self.card.setVisible(layout is not None)
        self.empty.setVisible(layout is None)
        if layout is not None:
            self.card.show_slot(layout)
        found = self._session.hindrance()
        text = found.text if found is not None and found.place is Place.LAYOUT else ""
        self.missing.setText(text)
        self.missing.setVisible(bool(text))

    def _choose(self) -> None:
        self._dialogs.open_picture(self.tr("Open a layout"), self._session.set_layout)

    def _on_dropped(self, incoming: Incoming) -> None:
        if incoming.files:
            self._session.set_layout(incoming.files[0])

"""Among the references: the picture that the result begins with, while there is one."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.state.session import Session
from ui.widgets.picture_card import PictureCard
from ui.widgets.section_header import SectionHeader


class StartSection(QWidget):
    """There while a result, or a frame of a run, is to be gone on with under other settings."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.card = PictureCard(self.tr("Begin anew instead"))
        self.card.removed.connect(lambda: session.set_start(None))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(SectionHeader(self.tr("Begins with")))
        column.addWidget(self.card)
        session.changed.connect(self.show_setup)
        self.show_setup()

    def show_setup(self) -> None:
        """What is laid out."""
        start = self._session.setup.start
        self.setVisible(start is not None)
        if start is not None:
            self.card.show_slot(start)

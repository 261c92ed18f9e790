"""All that is known of one model: what it does, where it lies, its parts, what is wrong with it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ui import icons
from ui.state.model_facts import Mark, ModelFacts, PartFact
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.model_delegate import mark_color
from ui.widgets.section_header import SectionHeader

_MARKS = {Mark.GOOD: "check", Mark.LENT: "link", Mark.WAITING: "clock", Mark.BAD: "alert"}


class ModelDetails(QScrollArea):
    """use_asked: this model for the present task. remove_asked: off the list. folder_asked: show it on the disk.

    words_asked: fetch the words for its prompts.
    """

    use_asked = Signal()
    remove_asked = Signal()
    folder_asked = Signal()
    words_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sidePanel")
        self.setWidgetResizable(True)
        self.setAccessibleName(self.tr("Details of the model"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._facts: ModelFacts | None = None
        self._inside: QWidget | None = None
        self.name = ElidedLabel()
        self.name.setObjectName("emptyTitle")
        self.state = QLabel()
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("role", "problem")
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.about.setProperty("role", "muted")
        self.use = QPushButton()
        self.use.setProperty("role", "primary")
        self.show_in_folder = QPushButton(self.tr("Show in folder"))
        self.remove = QPushButton(self.tr("Remove from list"))
        self.words = QPushButton()
        self.words.clicked.connect(self.words_asked)
        self.use.clicked.connect(self.use_asked)
        self.remove.clicked.connect(self.remove_asked)
        self.show_in_folder.clicked.connect(self.folder_asked)
        self._build()

    def _build(self) -> None:
        body = QWidget()
        body.setObjectName("panelBody")
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(20, 16, 20, 20)
        self._column.setSpacing(10)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.name, 1)
        head.addWidget(self.state)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.use, self.words, self.show_in_folder, self.remove):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._column.addLayout(head)
        for label in (self.problem, self.about):
            self._column.addWidget(label)
        self._column.addLayout(buttons)
        self._column.addStretch(1)
        self.setWidget(body)

    def show_facts(self, facts: ModelFacts, *, use: str, use_problem: str, removable: str, in_use: bool) -> None:
        """use: the words of the button that chooses this model, empty for none. use_problem: why it cannot be chosen.

        removable: the words of the button that takes it off the list, empty where it cannot be. in_use: chosen already.
        """
        if facts != self._facts:
            self._facts = facts
            self._fill(facts)
        self.use.setText(use)
        self.use.setVisible(bool(use))
        self.use.setEnabled(not use_problem and not in_use)
        self.use.setToolTip(use_problem)
        self.use.setAccessibleDescription(use_problem)
        self.show_in_folder.setVisible(bool(facts.place))
        self.remove.setVisible(facts.kind != "patch")
        self.remove.setText(removable or self.tr("Remove from list"))
        self.remove.setEnabled(bool(removable))
        self.remove.setToolTip(
            self.tr("The files stay where they are.")
            if removable
            else self.tr("It lies in the folder for models, which is always looked through. Move it out of there.")
        )

    def show_words(self, size_bytes: int, *, fetching: bool) -> None:
        """size_bytes: of the words that are missing here and can be fetched, 0 for none."""
        size = f"{size_bytes / 1e6:.1f} MB"
        text = self.tr("Fetching its words …") if fetching else self.tr("Fetch its words ({size}) …").format(size=size)
        self.words.setText(text)
        self.words.setToolTip(self.tr("Prompts need the vocabulary of the text encoder, which is not on this machine."))
        self.words.setVisible(size_bytes > 0)
        self.words.setEnabled(not fetching)

    def _fill(self, facts: ModelFacts) -> None:
        self.name.setText(facts.name)
        self.state.setText(f'<span style="color:{mark_color(facts.mark)}">●</span>&nbsp; {facts.health}')
        self.problem.setText(facts.problem)
        self.problem.setVisible(bool(facts.problem))
        self.about.setText(facts.about)
        self.about.setVisible(bool(facts.about))
        if self._inside is not None:
            self._column.removeWidget(self._inside)
            self._inside.hide()
            self._inside.deleteLater()
        self._inside = self._make_inside(facts)
        self._column.insertWidget(self._column.count() - 1, self._inside)
        self._inside.show()
        self.verticalScrollBar().setValue(0)

    def _make_inside(self, facts: ModelFacts) -> QWidget:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(8)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for row, (label, words) in enumerate(facts.rows):
            grid.addWidget(_label(label, "muted"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(_label(words or "–", "name", wrap=True), row, 1)
        if facts.place:
            place = ElidedLabel(facts.place)
            place.setAccessibleName(self.tr("Place {path}").format(path=facts.place))
            grid.addWidget(_label(self.tr("Place"), "muted"), len(facts.rows), 0)
            grid.addWidget(place, len(facts.rows), 1)
        column.addLayout(grid)
        if facts.parts:
            column.addWidget(SectionHeader(self.tr("Parts")))
            column.addWidget(self._parts(facts.parts))
        notes = [note for note in facts.notes if " comes from " not in note]
        if notes:
            column.addWidget(SectionHeader(self.tr("Notes")))
            for note in notes:
                column.addWidget(_label(note, "muted", wrap=True))
        return inside

    def _parts(self, parts: tuple[PartFact, ...]) -> QWidget:
        box = QFrame()
        box.setProperty("role", "card")
        grid = QGridLayout(box)
        grid.setContentsMargins(12, 8, 12, 8)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(2, 1)
        for row, part in enumerate(parts):
            mark = QLabel()
            mark.setPixmap(icons.pixmap(_MARKS[part.mark], 16, self.devicePixelRatioF(), mark_color(part.mark)))
            grid.addWidget(mark, row, 0)
            grid.addWidget(_label(part.name, "name"), row, 1)
            if part.mark is Mark.BAD:
                grid.addWidget(_label(part.source, "error", wrap=True), row, 2)
            else:
                source = ElidedLabel(part.source)
                source.setProperty("role", "muted")
                grid.addWidget(source, row, 2)
        return box

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange and self._facts is not None:
            self._fill(self._facts)  # marks and icons carry the colours of the theme
        super().changeEvent(event)


def _label(text: str, role: str, *, wrap: bool = False) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    label.setWordWrap(wrap)
    return label

"""All that is known of a run, and what the artist says of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.state.background import Background
from ui.state.model_choice import model_name
from ui.state.runs import HistoryEntry, KeptFrame
from ui.state.words import DEVICES
from ui.widgets.frame_strip import FrameStrip
from ui.widgets.icon_button import IconButton

_WIDTH_PX = 520


class RunDetails(QDialog):
    """tags_changed: (added, removed). notes_changed: the new text. Both when the dialog is left.

    frame_chosen: the KeptFrame that is to be gone on from; the dialog closes.
    """

    tags_changed = Signal(object, object)
    notes_changed = Signal(str)
    rated = Signal(int)
    favourite_changed = Signal(bool)
    frame_chosen = Signal(object)

    def __init__(
        self, entry: HistoryEntry, tags: Sequence[str], background: Background, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Details of a run"))
        self.setMinimumWidth(_WIDTH_PX)
        self._entry = entry
        self._rating = entry.rating
        self.stars = [IconButton("star", self.tr("{count} of 5 stars").format(count=n)) for n in range(1, 6)]
        for stars, button in enumerate(self.stars, 1):
            button.clicked.connect(lambda _=False, stars=stars: self._rate(stars))
        self.heart = IconButton("heart", self.tr("Favourite"))
        self.heart.setCheckable(True)
        self.heart.setChecked(entry.favourite)
        self.heart.toggled.connect(self._on_heart)
        self.tags = QLineEdit(", ".join(entry.tags))
        self.tags.setPlaceholderText(self.tr("Words of yours, with commas between"))
        completer = QCompleter(QStringListModel(list(tags), self), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.tags.setCompleter(completer)
        self.notes = QPlainTextEdit(entry.notes)
        self.notes.setTabChangesFocus(True)
        self.notes.setPlaceholderText(self.tr("What to remember of this run"))
        self.notes.setFixedHeight(72)
        marks = QHBoxLayout()
        marks.setSpacing(2)
        for button in (*self.stars, self.heart):
            marks.addWidget(button)
        marks.addStretch(1)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(self.tr("Rating"), marks)
        form.addRow(self.tr("Tags"), self.tags)
        form.addRow(self.tr("Notes"), self.notes)
        for name, value in self._facts():
            form.addRow(name, self._fact(value))
        buttons = QDialogButtonBox()
        done = buttons.addButton(self.tr("Done"), QDialogButtonBox.ButtonRole.AcceptRole)
        done.setDefault(True)
        buttons.accepted.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addLayout(form)
        if entry.frames:
            self.frames = FrameStrip(entry.frames, background)
            self.frames.chosen.connect(self._on_frame)
            column.addWidget(self.frames)
        column.addWidget(buttons)
        self.finished.connect(self._tell)
        self._show_marks()
        self.tags.setFocus()
        self.ensurePolished()
        self.setMinimumHeight(
            column.heightForWidth(_WIDTH_PX) if column.hasHeightForWidth() else column.sizeHint().height()
        )

    def _facts(self) -> list[tuple[str, str]]:
        """Name and value of what the run itself knows, where it knows it."""
        entry, job = self._entry, self._entry.job
        facts = [(self.tr("Made"), f"{entry.created:%Y-%m-%d %H:%M}")]
        if job is not None:
            facts += [(self.tr("Model"), model_name(job.model)), (self.tr("Seed"), str(job.seed))]
            facts += [(self.tr("Size"), f"{job.width} × {job.height}")] if job.width and job.height else []
            facts += [(self.tr("Prompt"), job.prompt)] if job.prompt else []
        facts += [(self.tr("Pictures"), " + ".join(entry.names))] if entry.names else []
        if entry.seconds is not None:
            where = DEVICES.get(entry.device, entry.device.upper())
            took = self.tr("{seconds:.1f} s").format(seconds=entry.seconds)
            facts.append((self.tr("Computed"), f"{took} · {where}".rstrip(" ·")))
        if entry.made_from:
            facts.append((self.tr("Made from"), self.tr("{count} earlier runs").format(count=len(entry.made_from))))
        if entry.reason:
            facts.append((self.tr("Ended"), entry.reason))
        if entry.versions:
            facts.append((self.tr("Versions"), ", ".join(f"{name} {version}" for name, version in entry.versions)))
        return facts

    @staticmethod
    def _fact(text: str) -> QLabel:
        label = QLabel(text)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setProperty("role", "muted")
        label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _rate(self, stars: int) -> None:
        """The star that is the rating already takes it away."""
        self._rating = 0 if stars == self._rating else stars
        self._show_marks()
        self.rated.emit(self._rating)

    def _on_heart(self, on: bool) -> None:
        self._show_marks()
        self.favourite_changed.emit(on)

    def _on_frame(self, frame: KeptFrame) -> None:
        self.frame_chosen.emit(frame)
        self.accept()

    def _show_marks(self) -> None:
        for stars, button in enumerate(self.stars, 1):
            button.set_icon("star-full" if stars <= self._rating else "star")
        self.heart.set_icon("heart-full" if self.heart.isChecked() else "heart")

    def _tell(self) -> None:
        wanted = {" ".join(tag.split()) for tag in self.tags.text().split(",")} - {""}
        there = set(self._entry.tags)
        if wanted != there:
            self.tags_changed.emit(tuple(sorted(wanted - there)), tuple(sorted(there - wanted)))
        if self.notes.toPlainText() != self._entry.notes:
            self.notes_changed.emit(self.notes.toPlainText())

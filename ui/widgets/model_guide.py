"""Where models come from: which families, which files, how large, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ui.state.model_guide import KINDS
from ui.widgets.section_header import SectionHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One thing to do by hand."""

    title: str
    words: str


class ModelGuide(QScrollArea):
    """file_asked, folder_asked: add what was fetched."""

    file_asked = Signal()
    folder_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sidePanel")
        self.setWidgetResizable(True)
        self.setAccessibleName(self.tr("Where to get models"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = QLabel()
        self.title.setObjectName("emptyTitle")
        self.title.setWordWrap(True)
        self.add_file = QPushButton(self.tr("Add file …"))
        self.add_file.setProperty("role", "primary")
        self.add_file.clicked.connect(self.file_asked)
        self.add_folder = QPushButton(self.tr("Add folder …"))
        self.add_folder.clicked.connect(self.folder_asked)
        self._build()
        self.show_empty(True)

    def show_empty(self, empty: bool) -> None:
        """empty: no model is installed yet."""
        self.title.setText(self.tr("No diffusion model yet") if empty else self.tr("Where to get models"))

    def _steps(self) -> tuple[_Step, ...]:
        return (
            _Step(
                title=self.tr("Choose a family."),
                words=self.tr("All do every task. The smaller ones are quicker and work on more machines."),
            ),
            _Step(
                title=self.tr("Download it here, or with your browser."),
                words=self.tr(
                    "Publishers offer models on huggingface.co, fine-tuned ones are on civitai.com as well. Take the "
                    ".safetensors file, or the whole diffusers folder. Read the licence there."
                ),
            ),
            _Step(
                title=self.tr("Add it here."),
                words=self.tr(
                    "Drop it on this page, or choose it. It is used where it lies; nothing is copied, changed or sent."
                ),
            ),
        )

    def _build(self) -> None:
        body = QWidget()
        body.setObjectName("panelBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(20, 16, 20, 20)
        column.setSpacing(10)
        about = _label(
            self.tr(
                "The built-in patch model works at once. A diffusion model paints with what it has seen, and makes "
                "pictures from words. AD Studio fetches none unless you ask."
            ),
            "muted",
        )
        column.addWidget(self.title)
        column.addWidget(about)
        for number, step in enumerate(self._steps(), 1):
            column.addWidget(self._step(number, step))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.add_file)
        buttons.addWidget(self.add_folder)
        buttons.addStretch(1)
        column.addSpacing(2)
        column.addLayout(buttons)
        column.addSpacing(4)
        column.addWidget(SectionHeader(self.tr("Families")))
        column.addWidget(self._table())
        column.addWidget(
            _label(
                self.tr(
                    "Prompts need the words a model knows. A single .safetensors file has none: fetch them once on its "
                    "page, or add one diffusers folder of the same family, too. Style, appearance and texture work "
                    "without. Not read: .ckpt and other pickles, GGUF, SD 3, inpainting, refiner and video models."
                ),
                "hint",
            )
        )
        column.addStretch(1)
        self.setWidget(body)

    def _step(self, number: int, step: _Step) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        mark = QLabel(str(number))
        mark.setProperty("role", "step")
        mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        mark.setFixedSize(24, 24)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(_label(step.title, "name"))
        words.addWidget(_label(step.words, "muted"))
        layout.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        return row

    def _table(self) -> QWidget:
        box = QFrame()
        box.setProperty("role", "card")
        grid = QGridLayout(box)
        grid.setContentsMargins(12, 8, 12, 8)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(3, 1)
        heads = (self.tr("Family"), self.tr("Made for"), self.tr("On the disk"), self.tr("Licence"))
        for column, head in enumerate(heads):
            grid.addWidget(_label(head, "hint"), 0, column)
        for row, kind in enumerate(KINDS, 1):
            for column, words in enumerate((kind.name, f"{kind.side_px}²", kind.size, kind.licence)):
                label = _label(words, "name" if column == 0 else "muted")
                label.setWordWrap(column == 3)
                grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)
        return box


def _label(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    label.setWordWrap(True)
    return label

"""Fetch a model from the hub: first what it is and how large, then on its way, with pause and going on."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from adstudio.models.download import place_of
from adstudio.models.download_choice import Plan
from adstudio.models.fetch import Fetching
from ui.dialogs.files import FileDialogs
from ui.state.model_downloads import ModelDownloads, Stage
from ui.state.model_guide import REPOSITORIES
from ui.state.model_words import size_words
from ui.state.words import home_path
from ui.widgets.elided_label import ElidedLabel

_STEPS = 1000


class DownloadDialog(QDialog):
    """Shows a ModelDownloads and passes on what the hands ask of it; closing it stops nothing."""

    def __init__(self, downloads: ModelDownloads, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Download a model"))
        self.setMinimumSize(560, 440)
        self._downloads = downloads
        self.dialogs = FileDialogs(self, folder=downloads.into)
        self.repository = QLineEdit()
        self.repository.setPlaceholderText(self.tr("PUBLISHER/MODEL, or its address on huggingface.co"))
        self.repository.setAccessibleName(self.tr("Repository"))
        self.look_up = QPushButton(self.tr("Look up"))
        self.files = QTreeView()
        self.files.setObjectName("fetchedFiles")
        self.files.setAccessibleName(self.tr("What is fetched"))
        self.files.setSelectionMode(QTreeView.SelectionMode.NoSelection)
        self.files.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.files.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.files.setRootIsDecorated(False)
        self.files.setHeaderHidden(True)
        self.files.setUniformRowHeights(True)
        self.files.setIndentation(0)
        self.files_model = QStandardItemModel(0, 2, self)
        self.files.setModel(self.files_model)
        self.files.header().setStretchLastSection(False)
        self.files.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.files.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.licence, self.amount = QLabel(), QLabel()
        self.licence.setWordWrap(True)
        self.place = ElidedLabel()
        self.change_place = QPushButton(self.tr("Change …"))
        self.progress = QProgressBar()
        self.progress.setRange(0, _STEPS)
        self.progress.setTextVisible(False)
        self.words, self.problem = QLabel(), QLabel()
        self.problem.setProperty("role", "problem")
        self.go, self.throw_away = QPushButton(), QPushButton(self.tr("Throw away"))
        self.go.setProperty("role", "primary")
        self.close_button = QPushButton(self.tr("Close"))
        self._build()
        self._connect()
        self._show_state()

    def sizeHint(self) -> QSize:
        return QSize(640, 540)

    def _build(self) -> None:
        for button in (self.look_up, self.change_place, self.go, self.throw_away, self.close_button):
            button.setAutoDefault(False)
        for label in (self.words, self.problem):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setProperty("role", "muted")
        about = QLabel(
            self.tr(
                "Only weights in .safetensors files, configs and vocabularies are fetched, never programs. Nothing of "
                "yours is sent. Read the licence at the publisher's before you use a model."
            )
        )
        about.setWordWrap(True)
        about.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(10)
        title = QLabel(self.tr("Download a model"))
        title.setObjectName("emptyTitle")
        column.addWidget(title)
        column.addWidget(about)
        asked = QHBoxLayout()
        asked.setSpacing(8)
        asked.addWidget(self.repository, 1)
        asked.addWidget(self.look_up)
        column.addLayout(asked)
        column.addLayout(self._known())
        column.addWidget(self.files, 1)
        column.addWidget(self._facts())
        column.addWidget(self.progress)
        column.addWidget(self.words)
        column.addWidget(self.problem)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.throw_away)
        foot.addStretch(1)
        foot.addWidget(self.go)
        foot.addWidget(self.close_button)
        self.gap = QWidget()
        column.addWidget(self.gap, 1)
        column.addLayout(foot)

    def _known(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        hint = QLabel(self.tr("For instance"))
        hint.setProperty("role", "hint")
        row.addWidget(hint)
        for name, repository in REPOSITORIES.items():
            button = QPushButton(name)
            button.setAutoDefault(False)
            button.setToolTip(repository)
            button.clicked.connect(lambda _=False, repository=repository: self.repository.setText(repository))
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _facts(self) -> QWidget:
        self.facts = QFrame()
        self.facts.setProperty("role", "card")
        grid = QGridLayout(self.facts)
        grid.setContentsMargins(12, 8, 12, 8)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        names = (self.tr("Licence"), self.tr("In all"), self.tr("Place"))
        for row, (name, value) in enumerate(zip(names, (self.licence, self.amount, self.place), strict=True)):
            label = QLabel(name)
            label.setProperty("role", "muted")
            grid.addWidget(label, row, 0)
            grid.addWidget(value, row, 1)
        grid.addWidget(self.change_place, 2, 2)
        return self.facts

    def _connect(self) -> None:
        downloads = self._downloads
        downloads.changed.connect(self._show_state)
        downloads.progressed.connect(self._show_progress)
        self.repository.textChanged.connect(lambda _: self._show_buttons())
        self.repository.returnPressed.connect(self._on_look_up)
        self.look_up.clicked.connect(self._on_look_up)
        self.change_place.clicked.connect(
            lambda: self.dialogs.choose_folder(self.tr("Where to put the model"), downloads.choose_folder)
        )
        self.go.clicked.connect(self._on_go)
        self.throw_away.clicked.connect(downloads.throw_away)
        self.close_button.clicked.connect(self.accept)

    def _on_look_up(self) -> None:
        if self.look_up.isEnabled():
            self._downloads.look_up(self.repository.text().strip())

    def _on_go(self) -> None:
        (self._downloads.pause if self._downloads.stage is Stage.FETCHING else self._downloads.start)()

    # Shown

    def _show_state(self) -> None:
        downloads, plan = self._downloads, self._downloads.plan
        self.files.setVisible(plan is not None)
        self.facts.setVisible(plan is not None)
        self.gap.setVisible(plan is None)
        if plan is not None:
            self._show_plan(plan)
        self.problem.setText(downloads.problem)
        self.problem.setVisible(bool(downloads.problem))
        self.progress.setVisible(downloads.stage in (Stage.FETCHING, Stage.STOPPING, Stage.STOPPED))
        if downloads.now is None:
            self.progress.setValue(0)
        else:
            self._show_progress(downloads.now)
        self.words.setText(self._words())
        self.words.setVisible(bool(self.words.text()))
        self._show_buttons()

    def _show_plan(self, plan: Plan) -> None:
        self.files_model.removeRows(0, self.files_model.rowCount())
        for file in sorted(plan.files, key=lambda one: -one.size_bytes):
            size = QStandardItem(_size(file.size_bytes))
            size.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.files_model.appendRow([QStandardItem(file.name), size])
        self.licence.setText(plan.listing.licence or self.tr("not named; read the publisher's page"))
        words = self.tr("{size}, {count} files")
        if plan.left_out:
            words = self.tr("{size}, {count} files; {others} others are left out")
        self.amount.setText(words.format(size=_size(plan.size_bytes), count=len(plan.files), others=plan.left_out))
        self.place.setText(home_path(place_of(plan, self._downloads.into)))
        if not self.repository.text():
            self.repository.setText(plan.listing.repository)

    def _show_buttons(self) -> None:
        stage, has_name = self._downloads.stage, bool(self.repository.text().strip())
        self.look_up.setEnabled(has_name and not self._downloads.busy)
        self.repository.setReadOnly(self._downloads.busy)
        self.change_place.setEnabled(stage is Stage.PLANNED)
        self.throw_away.setVisible(stage is Stage.STOPPED)
        texts = {
            Stage.FETCHING: self.tr("Pause"),
            Stage.STOPPING: self.tr("Pausing …"),
            Stage.STOPPED: self.tr("Go on"),
        }
        self.go.setText(texts.get(stage, self.tr("Download")))
        self.go.setEnabled(stage in (Stage.PLANNED, Stage.FETCHING, Stage.STOPPED))

    def _words(self) -> str:
        match self._downloads.stage:
            case Stage.LOOKING:
                return self.tr("Asking the hub …")
            case Stage.FETCHING | Stage.STOPPING:
                return _progress_words(self, self._downloads.now) or self.tr("Connecting …")
            case Stage.STOPPED:
                return self.tr("Stopped. What has come is kept, also when AD Studio is closed.")
            case Stage.DONE:
                return self.tr("It is whole, its checksums are right, and it is on your list.")
        return ""

    def _show_progress(self, now: Fetching) -> None:
        self.progress.setValue(round(_STEPS * now.done_bytes / max(1, now.total_bytes)))
        if self._downloads.stage in (Stage.FETCHING, Stage.STOPPING):
            self.words.setText(_progress_words(self, now))


def _size(size_bytes: int) -> str:
    """Small files, too."""
    return size_words(size_bytes) if size_bytes >= 1 << 17 else f"{size_bytes / 1024:.1f} kB"


def _progress_words(dialog: DownloadDialog, now: Fetching | None) -> str:
    if now is None:
        return ""
    words = dialog.tr("Checking {file}") if now.checking else dialog.tr("{done} of {total}, {file}")
    return words.format(file=now.file, done=_size(now.done_bytes), total=_size(now.total_bytes))

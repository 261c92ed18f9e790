"""The model page: what is installed, where, in which state; add in place, take off the list."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from PySide6.QtCore import QEvent, QModelIndex, QSize, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.models.library import Entry
from adstudio.models.library_file import Kind
from adstudio.paths import models_dir
from ui.dialogs.files import FileDialogs
from ui.dialogs.model_fetching import ModelFetching
from ui.state.model_choice import model_problem, options_for
from ui.state.model_downloads import ModelDownloads
from ui.state.model_facts import ModelFacts
from ui.state.model_library import Added, ModelLibrary, Removed
from ui.state.model_list import ModelListModel, ModelRole
from ui.state.model_words import count_words, task_word
from ui.state.session import Session
from ui.state.words import short_name
from ui.widgets.banner import Banner
from ui.widgets.model_delegate import ModelDelegate
from ui.widgets.model_details import ModelDetails
from ui.widgets.model_folders import ModelFolders
from ui.widgets.model_guide import ModelGuide
from ui.widgets.tab_order import order_tab

_LIST_PX = 376
_SHOWN_REFUSALS = 3


class ModelsPage(QDialog):
    """Opened with `open()`. Shows the library and passes on what the hands ask of it."""

    def __init__(
        self, models: ModelLibrary, session: Session, downloads: ModelDownloads, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Models"))
        self.setAcceptDrops(True)
        self.setMinimumSize(920, 520)
        self._models, self._session = models, session
        self._wished = ""  # a model that was fetched, to be selected as soon as it is listed
        self.list_model = ModelListModel(models, self)
        self.list = QListView()
        self.banner = Banner()
        self.details, self.guide, self.folders = ModelDetails(), ModelGuide(), ModelFolders()
        self.fetching = ModelFetching(downloads, self, self.banner, self.details)
        self.right = QStackedWidget()
        self.download = QPushButton(self.tr("Download …"))
        self.add_file = QPushButton(self.tr("Add file …"))
        self.add_folder = QPushButton(self.tr("Add folder …"))
        self.guide_button = QPushButton(self.tr("Where to get models"))
        self.close_button = QPushButton(self.tr("Close"))
        self.count = QLabel()
        self.dialogs = FileDialogs(self, folder=models_dir())
        self._build()
        self._connect(downloads)
        self._show_library()
        self._select(0)

    def sizeHint(self) -> QSize:
        return QSize(1040, 680)

    # Made

    def _build(self) -> None:
        self.list.setItemDelegate(ModelDelegate(self.list))
        self.list.setModel(self.list_model)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("Models"))
        self.right.addWidget(self.details)
        self.right.addWidget(self.guide)
        for button in (self.download, self.add_file, self.add_folder, self.guide_button, self.close_button):
            button.setAutoDefault(False)
        self.guide_button.setCheckable(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head, left, foot = self._head(), self._left(), self._foot()
        self._panels = (head, self.banner, left, self.right, foot)
        column.addWidget(head)
        told = QVBoxLayout()
        told.setContentsMargins(12, 0, 12, 0)
        told.addWidget(self.banner)
        column.addLayout(told)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(left)
        middle.addWidget(self.right, 1)
        column.addLayout(middle, 1)
        column.addWidget(foot)

    def _head(self) -> QWidget:
        head = QFrame()
        head.setObjectName("canvasBar")
        title = QLabel(self.tr("Models"))
        title.setObjectName("emptyTitle")
        about = QLabel(self.tr("Used where they lie. Nothing is copied, changed, deleted, or fetched unasked."))
        about.setProperty("role", "muted")
        about.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(title)
        words.addWidget(about)
        row = QHBoxLayout(head)
        row.setContentsMargins(20, 12, 16, 12)
        row.setSpacing(8)
        row.addLayout(words, 1)
        row.addWidget(self.download)
        row.addWidget(self.add_file)
        row.addWidget(self.add_folder)
        return head

    def _left(self) -> QWidget:
        left = QFrame()
        left.setObjectName("modelList")
        left.setFixedWidth(_LIST_PX)
        column = QVBoxLayout(left)
        column.setContentsMargins(12, 10, 12, 8)
        column.setSpacing(8)
        column.addWidget(self.list, 1)
        column.addWidget(self.folders)
        return left

    def _foot(self) -> QWidget:
        foot = QFrame()
        foot.setObjectName("resultBar")
        self.count.setProperty("role", "muted")
        row = QHBoxLayout(foot)
        row.setContentsMargins(20, 8, 16, 8)
        row.setSpacing(8)
        row.addWidget(self.count, 1)
        row.addWidget(self.guide_button)
        row.addWidget(self.close_button)
        return foot

    def _connect(self, downloads: ModelDownloads) -> None:
        models = self._models
        models.changed.connect(self._show_library)
        models.added.connect(self._on_added)
        models.removed.connect(self._on_removed)
        models.failed.connect(self._on_failed)
        self._session.changed.connect(self._show_details)
        self.list.selectionModel().currentChanged.connect(self._on_current)
        self.list.doubleClicked.connect(lambda _: self._use())
        self.add_file.clicked.connect(self.choose_file)
        self.add_folder.clicked.connect(self.choose_folder)
        self.download.clicked.connect(self.fetching.open)
        downloads.fetched.connect(self._on_fetched)
        self.guide.file_asked.connect(self.choose_file)
        self.guide.folder_asked.connect(self.choose_folder)
        self.guide_button.clicked.connect(self._on_guide)
        self.close_button.clicked.connect(self.accept)
        self.details.use_asked.connect(self._use)
        self.details.remove_asked.connect(self._remove)
        self.details.folder_asked.connect(self._show_in_folder)
        self.folders.remove_asked.connect(models.remove_folder)
        remove = QAction(self.tr("Remove from list"), self.list)
        remove.setShortcut(QKeySequence.StandardKey.Delete)
        remove.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        remove.triggered.connect(self._remove)
        self.list.addAction(remove)

    # Shown

    def _show_library(self) -> None:
        entries = self._models.entries
        self.count.setText(count_words(Counter(entry.kind for entry in entries)))
        self.folders.show_folders(self._models.folders, models_dir())
        self.guide.show_empty(not entries)
        if not self.list.currentIndex().isValid():
            self._select(0)
        row = self.list_model.row_of(self._wished) if self._wished else -1
        if row >= 0:
            self._wished = ""
            self._select(row)
        self._show_right()
        self._show_details()

    def _select(self, row: int) -> None:
        if row >= 0:
            self.list.setCurrentIndex(self.list_model.index(row))

    def current(self) -> Entry | None:
        """The selected entry, None for the built-in model."""
        entry = self.list.currentIndex().data(ModelRole.ENTRY)
        return entry if isinstance(entry, Entry) else None

    def _on_current(self, _: QModelIndex) -> None:
        self.guide_button.setChecked(False)
        self._show_right()
        self._show_details()

    def _on_guide(self) -> None:
        self._show_right()
        order_tab(self._panels)

    def _show_right(self) -> None:
        """The details, or the guide where it is wanted or nothing is installed."""
        empty = self._models.loaded and not self._models.entries
        self.guide_button.setVisible(not empty)
        guide = empty or self.guide_button.isChecked()
        self.right.setCurrentWidget(self.guide if guide else self.details)

    def _show_details(self) -> None:
        facts = self.list.currentIndex().data(ModelRole.FACTS)
        if not isinstance(facts, ModelFacts):
            return
        entry, task = self.current(), self._session.setup.task
        model = entry.name if entry is not None else PATCH_MODEL
        option = next((one for one in options_for(task, self._models, model) if one.model == model), None)
        known = self._models.find(self._session.setup.model)
        chosen = known == entry if known is not None else entry is None and self._session.setup.model == PATCH_MODEL
        words = self.tr("In use for {task}") if chosen else self.tr("Use for {task}")
        self.details.show_facts(
            facts,
            use=words.format(task=task_word(task)) if facts.kind in ("patch", Kind.MODEL) else "",
            use_problem=option.reason if option is not None else "",
            removable=self._removable(entry),
            in_use=chosen,
        )
        self.fetching.show_entry(entry)
        order_tab(self._panels)

    def _removable(self, entry: Entry | None) -> str:
        if entry is None or not self._models.can_remove(entry):
            return ""
        folder = self._models.folder_of(entry)
        if folder is None:
            return self.tr("Remove from list")
        return self.tr("Remove folder from list")

    # Asked

    def choose_file(self) -> None:
        """A .safetensors file from the disk."""
        self.dialogs.open_models(self.tr("Add a model file"), self.add)

    def choose_folder(self) -> None:
        """A diffusers folder, or one with any number of models."""
        self.dialogs.choose_folder(self.tr("Add a folder of models"), lambda folder: self.add((folder,)))

    def add(self, places: tuple[Path, ...]) -> None:
        """Files and folders that were chosen or dropped."""
        self.banner.dismiss()
        self._models.add(places)

    def _on_added(self, added: Added) -> None:
        if added.names:
            self._select(self.list_model.row_of(added.names[0]))
        if added.refused:
            lines = [one.reason for one in added.refused[:_SHOWN_REFUSALS]]
            more = len(added.refused) - len(lines)
            lines += [self.tr("{count} more were not added either.").format(count=more)] if more else []
            self.banner.say("\n".join(lines))

    def _on_fetched(self, entry: Entry) -> None:
        self._wished = entry.name
        self._show_library()

    def _on_removed(self, removed: Removed) -> None:
        name = short_name(removed.names[0]) if len(removed.names) == 1 and not removed.is_folder else ""
        words = self.tr("{name} is off the list. Its files stay where they are.")
        if removed.is_folder:
            name = short_name(removed.place.name)
            words = self.tr("The folder {name} is off the list with all its models. The files stay where they are.")
        self.banner.say(
            words.format(name=name),
            kind="info",
            actions=((self.tr("Add again"), lambda: self._models.add((removed.place,))),),
        )

    def _on_failed(self, problem: str) -> None:
        self.banner.say(problem)

    def _use(self) -> None:
        entry = self.current()
        model = entry.name if entry is not None else PATCH_MODEL
        is_model = entry is None or entry.kind is Kind.MODEL
        if is_model and not model_problem(self._session.setup.task, model, self._models):
            self._session.choose_model(model)

    def _remove(self) -> None:
        entry = self.current()
        if entry is not None and self._models.can_remove(entry):
            self._models.remove(entry)

    def _show_in_folder(self) -> None:
        entry = self.current()
        if entry is not None and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(entry.path.parent))):
            self.banner.say(
                self.tr("No file manager answered. The folder is {folder}").format(folder=entry.path.parent),
                kind="info",
            )

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event):
            self._mark(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._mark(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._mark(False)
        places = _dropped(event)
        if places:
            event.acceptProposedAction()
            self.add(places)

    def _mark(self, on: bool) -> None:
        """Show that a drop would be taken."""
        self.setProperty("dropping", on)
        for widget in (self, *self.findChildren(QFrame, "modelList")):
            widget.setProperty("dropping", on)
            widget.style().unpolish(widget)
            widget.style().polish(widget)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self._models.refresh()
        super().changeEvent(event)


def _dropped(event: QDropEvent) -> tuple[Path, ...]:
    """Files and folders of a drop."""
    return tuple(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())

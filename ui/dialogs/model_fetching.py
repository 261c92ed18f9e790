"""What the model page fetches: a model in a dialog of its own, and the words for prompts after a question."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from adstudio.models.library import Entry
from adstudio.models.vocabulary_fetch import SOURCES, Words, missing_words, question_bytes
from ui.dialogs.download_dialog import DownloadDialog
from ui.state.model_downloads import ModelDownloads
from ui.widgets.banner import Banner
from ui.widgets.model_details import ModelDetails


class ModelFetching(QObject):
    """dialog: the download while it is open."""

    def __init__(self, downloads: ModelDownloads, page: QWidget, banner: Banner, details: ModelDetails) -> None:
        super().__init__(page)
        self._downloads, self._page, self._banner, self._details = downloads, page, banner, details
        self._wanted: tuple[Words, ...] = ()
        self.dialog: DownloadDialog | None = None
        details.words_asked.connect(self.ask_for_words)
        downloads.words_changed.connect(self._show_words)
        downloads.words_failed.connect(banner.say)

    def open(self) -> None:
        """The dialog, once."""
        if self.dialog is None:
            self.dialog = DownloadDialog(self._downloads, self._page)
            self.dialog.finished.connect(self._on_closed)
            self.dialog.open()

    def show_entry(self, entry: Entry | None) -> None:
        """The entry whose words might be fetched."""
        self._wanted = missing_words(entry.model) if entry is not None and entry.model is not None else ()
        self._show_words()

    def ask_for_words(self) -> None:
        """Say where they come from, and fetch them when that is agreed to."""
        wanted = self._wanted
        names = self.tr(" and ").join(SOURCES[words].repository for words in wanted)
        question = self.tr("Fetch {size:.1f} MB from huggingface.co ({names})? Only lists of words, only once.")
        self._banner.say(
            question.format(size=question_bytes(wanted) / 1e6, names=names),
            kind="info",
            actions=((self.tr("Fetch"), lambda: self._downloads.fetch_words(wanted)),),
        )

    def _show_words(self) -> None:
        self._details.show_words(question_bytes(self._wanted), fetching=self._downloads.fetching_words)

    def _on_closed(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

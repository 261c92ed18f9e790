"""What the canvas shows: a content, a live preview or a finished result with its adjustment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QSize, QSizeF, QTimer, Signal
from PySide6.QtGui import QImage

from adstudio.jobs.spec import Job, Task
from ui.state.adjust import Adjustment, apply, write_adjustment
from ui.state.background import Background
from ui.state.image_files import read_rgb
from ui.state.pictures import Pyramid, Source, make_pyramid
from ui.state.shown import Shown, draft, load_shown
from ui.state.words import content_word

_SETTLED_AFTER_MS = 250


class Stage(QObject):
    """What is on the canvas.

    changed: the pictures are others. adjustment_changed: the sliders should follow. settled: a finished result stands
    at its full size. failed: what could not be read.
    """

    changed = Signal()
    adjustment_changed = Signal()
    settled = Signal()
    failed = Signal(str)

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._content_path: Path | None = None
        self._content: Pyramid | None = None
        self._reading = False
        self._run_content: Pyramid | None = None  # what the run that goes on began with, once the setup has another
        self._task = Task.STYLE_TRANSFER
        self._preview: QImage | None = None
        self._preview_size = QSizeF()
        self._preview_label = ""
        self._shown: Shown | None = None
        self._draft: QImage | None = None
        self._adjustment = Adjustment()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLED_AFTER_MS)
        self._settle.timeout.connect(self._on_settle)

    @property
    def shown(self) -> Shown | None:
        """The finished result on the canvas, if one is."""
        return self._shown

    @property
    def adjustment(self) -> Adjustment:
        return self._adjustment

    @property
    def previewing(self) -> bool:
        """Whether the canvas shows a run that goes on."""
        return self._preview is not None

    @property
    def reading(self) -> bool:
        """Whether a content is on its way to the canvas."""
        return self._reading

    @property
    def can_adjust(self) -> bool:
        return self._shown is not None and self._shown.content is not None and self._preview is None

    def before(self) -> Source:
        """The content: of the shown run, else of the setup. A texture's exemplar is nothing to compare with."""
        if self._shown is not None and self._preview is None:
            return Source(pyramid=self._shown.before)
        if self._preview is not None and self._task is Task.TEXTURE:
            return Source()
        if self._preview is not None and self._run_content is not None:
            return Source(pyramid=self._run_content)
        return Source(pyramid=self._content)

    def after(self) -> Source:
        """The preview while a run goes on, else the finished result."""
        if self._preview is not None:
            return Source(preview=self._preview)
        if self._draft is not None:
            return Source(preview=self._draft)
        return Source(pyramid=self._shown.after if self._shown is not None else None)

    def size(self) -> QSizeF:
        """Of the result in pixels."""
        if self._preview is not None:
            return self._preview_size
        if self._shown is not None:
            return QSizeF(self._shown.after.size)
        return QSizeF(self._content.size) if self._content is not None else QSizeF()

    def before_label(self) -> str:
        if self._shown is None and self._task is Task.TEXTURE:
            return self.tr("Exemplar")
        return content_word(self.task)

    @property
    def task(self) -> Task:
        """Of what is on the canvas: the result's, else the setup's."""
        job = self._shown.job if self._shown is not None and self._preview is None else None
        return job.task if job is not None else self._task

    def after_label(self) -> str:
        if self._preview is not None:
            return self._preview_label
        return self.tr("Result") if self._shown is not None else ""

    def show_content(self, path: Path | None, task: Task) -> None:
        """The content (or a texture's exemplar) of the setup. Another one takes the place of a result that is shown."""
        if path == self._content_path:
            if task is not self._task:
                self._task = task
                self.changed.emit()
            return
        self._content_path, self._task = path, task
        if self._preview is not None and self._run_content is None:
            self._run_content = self._content
        self._leave_result()
        if path is None:
            self._background.submit(lambda: None, lambda _: None, key="stage content")
            self._on_content(None)
            return
        self._reading = True
        self.changed.emit()
        self._background.submit(
            lambda: make_pyramid(read_rgb(path)),
            self._on_content,
            lambda _: self._on_content(None),
            key="stage content",
        )

    def _on_content(self, pyramid: Pyramid | None) -> None:
        self._content, self._reading = pyramid, False
        self.changed.emit()

    def show_preview(self, image: QImage, size: QSize, label: str) -> None:
        """A live preview; size: of the result it stands for."""
        self._preview, self._preview_label = image, label
        ratio = image.width() / max(image.height(), 1)
        expected = QSizeF(size) if not size.isEmpty() else QSizeF(image.size())
        if abs(expected.width() / expected.height() - ratio) > 0.05 * ratio:
            expected = QSizeF(expected.height() * ratio, expected.height())
        self._preview_size = expected
        self.changed.emit()

    def end_preview(self) -> None:
        """Back to what was there before the run."""
        if self._preview is not None:
            self._preview, self._run_content = None, None
            self.changed.emit()
            self.adjustment_changed.emit()

    def _leave_result(self) -> None:
        """Take a finished result off the canvas; a running preview stays."""
        self.flush()
        self._background.submit(lambda: None, lambda _: None, key="stage result")
        if self._shown is not None:
            self._shown, self._draft = None, None
            self._adjustment = Adjustment()
            self.adjustment_changed.emit()
            self.settled.emit()

    def show_result(self, folder: Path, pictures: tuple[Path, ...], job: Job | None, index: int = 0) -> None:
        """A finished result, read in the background; at once where it is shown already."""
        if self._shown is not None and self._shown.picture == pictures[index]:
            self.end_preview()
            return
        self.flush()
        self._background.submit(
            lambda: load_shown(folder, pictures, index, job),
            self._on_result,
            self._on_result_failed,
            key="stage result",
        )

    def turn_to(self, index: int) -> None:
        """Another picture of the same run."""
        shown = self._shown
        if shown is not None and 0 <= index < len(shown.pictures):
            self.show_result(shown.folder, shown.pictures, shown.job, index)

    def _on_result(self, shown: Shown) -> None:
        self._shown, self._preview, self._run_content, self._draft = shown, None, None, None
        self._adjustment = shown.adjustment
        self.changed.emit()
        self.adjustment_changed.emit()
        self.settled.emit()

    def _on_result_failed(self, error: str) -> None:
        self.end_preview()
        self.failed.emit(error)

    def set_adjustment(self, adjustment: Adjustment) -> None:
        """Colours and strength of the shown result: small at once, at full size and kept when the hand rests."""
        shown = self._shown
        if shown is None or adjustment == self._adjustment:
            return
        self._adjustment = adjustment
        self._background.submit(
            lambda: draft(shown, adjustment),
            lambda image: self._on_draft(shown, adjustment, image),
            self.failed.emit,
            key="stage draft",
        )
        self._settle.start()

    def _on_draft(self, shown: Shown, adjustment: Adjustment, image: QImage) -> None:
        now = self._shown
        if now is not None and now.picture == shown.picture and now.adjustment != adjustment:
            self._draft = image
            self.changed.emit()

    def flush(self) -> None:
        """Keep an adjustment that waits to be written."""
        if self._settle.isActive():
            self._settle.stop()
            self._on_settle()

    def _on_settle(self) -> None:
        shown, adjustment = self._shown, self._adjustment
        if shown is None:
            return
        self._background.submit(lambda: write_adjustment(shown.picture, adjustment), lambda _: None, self.failed.emit)
        self._background.submit(
            lambda: make_pyramid(apply(adjustment, shown.result, shown.content)),
            lambda after: self._on_adjusted(shown, adjustment, after),
            self.failed.emit,
            key="stage adjust",
        )

    def _on_adjusted(self, shown: Shown, adjustment: Adjustment, after: Pyramid) -> None:
        now = self._shown
        if now is None or now.picture != shown.picture:
            return
        self._shown = replace(now, adjustment=adjustment, after=after)
        if adjustment == self._adjustment:
            self._draft = None
            self.settled.emit()
        self.changed.emit()

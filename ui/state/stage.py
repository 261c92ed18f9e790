"""What the canvas shows: a content, a live preview or a finished result with its adjustment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QObject, QRectF, QSize, QSizeF, QTimer, Signal
from PySide6.QtGui import QImage

from ui.state.adjust import Adjustment, apply, read_adjustment, write_adjustment
from ui.state.background import Background
from ui.state.image_files import read_rgb
from ui.state.pictures import Pyramid, Source, cover_rect, make_pyramid

_WRITE_AFTER_MS = 400


@dataclass(frozen=True, slots=True)
class Shown:
    """A finished result in memory.

    result, content: uint8 [height, width, 3] of one size; content is None where there is nothing to compare with.
    """

    folder: Path
    picture: Path
    result: NDArray[np.uint8]
    content: NDArray[np.uint8] | None
    adjustment: Adjustment
    after: Pyramid
    before: Pyramid | None


def fit_to(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A picture cut to the aspect of the result, around its centre, and scaled to its size."""
    if rgb.shape[:2] == (height, width):
        return rgb
    size = QSizeF(rgb.shape[1], rgb.shape[0])
    part: QRectF = cover_rect(size, QSizeF(width, height))
    box = (part.left(), part.top(), part.right(), part.bottom())
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.LANCZOS, box=box))


def load_shown(folder: Path, picture: Path, content: Path | None) -> Shown:
    """Read a finished result for the canvas; slow. Raises ImageError."""
    result = read_rgb(picture)
    height, width = result.shape[:2]
    fitted = fit_to(read_rgb(content), width, height) if content is not None else None
    adjustment = read_adjustment(folder)
    return Shown(
        folder=folder,
        picture=picture,
        result=result,
        content=fitted,
        adjustment=adjustment,
        after=make_pyramid(apply(adjustment, result, fitted)),
        before=make_pyramid(fitted) if fitted is not None else None,
    )


class Stage(QObject):
    """What is on the canvas.

    changed: the pictures are others. adjustment_changed: the sliders should follow. failed: what could not be read.
    """

    changed = Signal()
    adjustment_changed = Signal()
    failed = Signal(str)

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._content_path: Path | None = None
        self._content: Pyramid | None = None
        self._preview: QImage | None = None
        self._preview_size = QSizeF()
        self._preview_label = ""
        self._shown: Shown | None = None
        self._adjustment = Adjustment()
        self._write = QTimer(self)
        self._write.setSingleShot(True)
        self._write.setInterval(_WRITE_AFTER_MS)
        self._write.timeout.connect(self._keep_adjustment)

    @property
    def shown(self) -> Shown | None:
        """The finished result on the canvas, if one is."""
        return self._shown

    @property
    def adjustment(self) -> Adjustment:
        return self._adjustment

    @property
    def can_adjust(self) -> bool:
        return self._shown is not None and self._shown.content is not None and self._preview is None

    def before(self) -> Source:
        """The content: of the shown run, else of the setup."""
        if self._shown is not None and self._preview is None:
            return Source(pyramid=self._shown.before)
        return Source(pyramid=self._content)

    def after(self) -> Source:
        """The preview while a run goes on, else the finished result."""
        if self._preview is not None:
            return Source(preview=self._preview)
        return Source(pyramid=self._shown.after if self._shown is not None else None)

    def size(self) -> QSizeF:
        """Of the result in pixels."""
        if self._preview is not None:
            return self._preview_size
        if self._shown is not None:
            return QSizeF(self._shown.after.size)
        return QSizeF(self._content.size) if self._content is not None else QSizeF()

    def after_label(self) -> str:
        if self._preview is not None:
            return self._preview_label
        return self.tr("Result") if self._shown is not None else ""

    def show_content(self, path: Path | None) -> None:
        """The content of the setup; it is seen while there is nothing newer."""
        if path == self._content_path:
            return
        self._content_path = path
        if path is None:
            self._content = None
            self.changed.emit()
            return
        self._background.submit(
            lambda: make_pyramid(read_rgb(path)),
            self._on_content,
            lambda _: self._on_content(None),
            key="stage content",
        )

    def _on_content(self, pyramid: Pyramid | None) -> None:
        self._content = pyramid
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
            self._preview = None
            self.changed.emit()
            self.adjustment_changed.emit()

    def clear_result(self) -> None:
        """Only the content again."""
        self.flush()
        self._background.submit(lambda: None, lambda _: None, key="stage result")
        self._shown, self._preview = None, None
        self._adjustment = Adjustment()
        self.changed.emit()
        self.adjustment_changed.emit()

    def show_result(self, folder: Path, picture: Path, content: Path | None) -> None:
        """A finished result, read in the background; at once where it is shown already."""
        if self._shown is not None and self._shown.picture == picture:
            self.end_preview()
            return
        self.flush()
        self._background.submit(
            lambda: load_shown(folder, picture, content), self._on_result, self._on_result_failed, key="stage result"
        )

    def _on_result(self, shown: Shown) -> None:
        self._shown, self._preview = shown, None
        self._adjustment = shown.adjustment
        self.changed.emit()
        self.adjustment_changed.emit()

    def _on_result_failed(self, error: str) -> None:
        self.end_preview()
        self.failed.emit(error)

    def set_adjustment(self, adjustment: Adjustment) -> None:
        """Colours and strength of the shown result, at once and kept with it."""
        shown = self._shown
        if shown is None or adjustment == self._adjustment:
            return
        self._adjustment = adjustment
        self._background.submit(
            lambda: make_pyramid(apply(adjustment, shown.result, shown.content)),
            lambda after: self._on_adjusted(shown, after),
            self.failed.emit,
            key="stage adjust",
        )
        self._write.start()

    def _on_adjusted(self, shown: Shown, after: Pyramid) -> None:
        now = self._shown
        if now is not None and now.picture == shown.picture:
            self._shown = Shown(now.folder, now.picture, now.result, now.content, self._adjustment, after, now.before)
            self.changed.emit()

    def flush(self) -> None:
        """Keep an adjustment that waits to be written."""
        if self._write.isActive():
            self._write.stop()
            self._keep_adjustment()

    def _keep_adjustment(self) -> None:
        shown, adjustment = self._shown, self._adjustment
        if shown is not None:
            self._background.submit(
                lambda: write_adjustment(shown.folder, adjustment), lambda _: None, self.failed.emit
            )

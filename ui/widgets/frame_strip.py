"""The kept frames of a run as a strip, and the way to go on from one of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QListView, QPushButton, QVBoxLayout, QWidget

from adstudio.projects.thumbnails import thumbnail
from ui.state.background import Background
from ui.state.roles import CardRole
from ui.state.runs import KeptFrame
from ui.widgets.card_delegate import CardDelegate
from ui.widgets.section_header import SectionHeader

_CARD_PX = QSize(84, 63)
_THUMBNAIL_PX = 256


class FrameModel(QAbstractListModel):
    """The frames in order; pictures come in from the background."""

    def __init__(self, frames: Sequence[KeptFrame], background: Background, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frames = tuple(frames)
        self._images: dict[str, QImage] = {}
        for row, frame in enumerate(self._frames):
            background.submit(partial(thumbnail, frame.path, frame.digest, _THUMBNAIL_PX), partial(self._on_image, row))

    def _on_image(self, row: int, content: bytes | None) -> None:
        if content is not None:
            self._images[self._frames[row].digest] = QImage.fromData(content)
            self.dataChanged.emit(self.index(row), self.index(row), [CardRole.IMAGE])

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._frames)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        frame = self._frames[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.tr("Step {step}").format(step=frame.step)
        if role == CardRole.IMAGE:
            return self._images.get(frame.digest)
        return frame if role == CardRole.VALUE else None


class FrameStrip(QWidget):
    """chosen: the KeptFrame to go on from."""

    chosen = Signal(object)

    def __init__(self, frames: Sequence[KeptFrame], background: Background, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = FrameModel(frames, background, self)
        self.view = QListView()
        self.view.setAccessibleName(self.tr("Frames of the run"))
        self.view.setFlow(QListView.Flow.LeftToRight)
        self.view.setWrapping(False)
        self.view.setUniformItemSizes(True)
        self.view.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.setItemDelegate(CardDelegate(_CARD_PX, self.view))
        self.view.setModel(self.model)
        self.view.setFixedHeight(_CARD_PX.height() + 52)
        self.go_on = QPushButton(self.tr("Go on from this frame"))
        self.go_on.setToolTip(self.tr("Lays out the run's settings and begins with this picture"))
        self.go_on.setEnabled(False)
        self.go_on.clicked.connect(self._on_go_on)
        self.view.activated.connect(lambda _: self._on_go_on())
        self.view.selectionModel().currentChanged.connect(lambda index, _: self.go_on.setEnabled(index.isValid()))
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.go_on)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(SectionHeader(self.tr("Frames")))
        column.addWidget(self.view)
        column.addLayout(foot)

    def _on_go_on(self) -> None:
        frame = self.view.currentIndex().data(CardRole.VALUE)
        if isinstance(frame, KeptFrame):
            self.chosen.emit(frame)

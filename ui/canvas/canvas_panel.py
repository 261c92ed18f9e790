"""Centre: the bar with the views, the canvas, and what lies over it: drop zones, messages, the empty state."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QToolButton, QVBoxLayout, QWidget

from adstudio.jobs.choices import Task
from ui.canvas.drop_zones import DropZones, Role
from ui.canvas.empty_state import Empty, EmptyState
from ui.canvas.result_bar import ResultBar
from ui.canvas.view import CanvasView, ViewMode
from ui.state.figures import FiguresOfResult
from ui.state.incoming import incoming_from
from ui.state.stage import Stage
from ui.state.words import content_word
from ui.widgets.banner import Banner
from ui.widgets.segments import Segments


class CanvasPanel(QWidget):
    """dropped: (role, incoming)."""

    dropped = Signal(object, object)
    pixel_hovered = Signal(object)

    def __init__(self, stage: Stage, figures: FiguresOfResult, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stage = stage
        self._task = Task.STYLE_TRANSFER
        self._empty = Empty.PICTURE
        self._samples = False
        self._paste_keys = ""
        self.setAcceptDrops(True)
        self.view = CanvasView()
        self.banner = Banner(self.view)
        self.zones = DropZones(self.view)
        self.empty = EmptyState(self.view)
        self.result_bar = ResultBar(stage, figures)
        self.progress = QProgressBar(self.view)
        self.progress.setAccessibleName(self.tr("Progress of the run"))
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.progress.hide()
        self.modes = Segments(
            (
                (ViewMode.RESULT, self.tr("Result"), self.tr("The result alone")),
                (ViewMode.SIDE_BY_SIDE, self.tr("Side by side"), ""),
                (ViewMode.COMPARE, self.tr("Compare"), ""),
                (ViewMode.TILES, self.tr("Tiles"), self.tr("Three by three, to see the seams")),
            ),
            self.tr("View"),
            framed=False,
        )
        self.modes.set_value(self.view.mode)
        self.fit_button = self._tool(self.tr("Fit"), self.tr("Show all of the picture"))
        self.actual_button = self._tool(self.tr("1:1"), self.tr("One picture pixel on one screen pixel"))
        self.zoom_label = QLabel()
        self.zoom_label.setProperty("role", "muted")
        self.zoom_label.setAccessibleName(self.tr("Zoom"))
        self.zoom_label.setMinimumWidth(48)
        self.zoom_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._build()
        self.modes.chosen.connect(lambda value: self.view.set_mode(ViewMode(value)))
        self.view.mode_changed.connect(lambda mode: self.modes.set_value(mode))
        self.view.zoom_changed.connect(lambda _: self._show_zoom())
        self.view.pixel_hovered.connect(self.pixel_hovered)
        self.fit_button.clicked.connect(self.view.fit)
        self.actual_button.clicked.connect(self.view.actual_size)
        self.view.installEventFilter(self)
        stage.changed.connect(self._show)
        self._show()

    def _tool(self, text: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", "segment")
        button.setText(text)
        button.setToolTip(tooltip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _build(self) -> None:
        bar = QFrame()
        bar.setObjectName("canvasBar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 3, 12, 3)
        row.setSpacing(2)
        row.addWidget(self.modes)
        row.addStretch(1)
        row.addWidget(self.fit_button)
        row.addWidget(self.actual_button)
        row.addWidget(self.zoom_label)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self.view, 1)
        column.addWidget(self.result_bar)

    def set_samples(self, samples: bool) -> None:
        """Whether there are pictures of ours to try."""
        self._samples = samples
        self._show()

    def set_task(self, task: Task, empty: Empty = Empty.PICTURE) -> None:
        """Its words, and its drop zones: a texture has no content. empty: what an empty canvas leads to."""
        self._task, self._empty = task, empty
        self._show()

    def set_progress(self, fraction: float | None) -> None:
        """0 … 1, or None when nothing runs."""
        self.progress.setVisible(fraction is not None)
        if fraction is not None:
            self.progress.raise_()
            self.progress.setValue(round(fraction * 1000))

    def _show(self) -> None:
        stage = self._stage
        self.view.show_pictures(
            stage.before(),
            stage.after(),
            stage.size(),
            before_label=stage.before_label(),
            after_label=stage.after_label(),
        )
        self._say_empty()
        self.empty.setVisible(stage.size().isEmpty() and not stage.reading)
        word = content_word(stage.task)
        for mode, words in (
            (ViewMode.SIDE_BY_SIDE, self.tr("{content} and result with one zoom")),
            (ViewMode.COMPARE, self.tr("{content} and result under a slider")),
        ):
            self.modes.button(mode).setToolTip(words.format(content=word))
        self._show_zoom()

    def show_paste_keys(self, keys: str) -> None:
        """With which keys a picture is pasted, "" for none."""
        self._paste_keys = keys
        self._say_empty()

    def _say_empty(self) -> None:
        title = self.tr("Drop a texture here") if self._task is Task.TEXTURE else self.tr("Drop a picture here")
        hint = self.tr("Files, folders and pictures from the browser.")
        if self._paste_keys:
            hint += " " + self.tr("{keys} pastes.").format(keys=self._paste_keys)
        if self._empty is Empty.MODEL:
            title = self.tr("Text to image needs a diffusion model")
            hint = self.tr("The model page shows which can be used and where they come from.")
        elif self._empty is Empty.WORDS:
            title = self.tr("Write what the picture shows, then press Run")
            hint = self.tr("The reference on the left gives the look.")
        self.empty.say(title, hint, samples=self._samples, kind=self._empty)

    def _show_zoom(self) -> None:
        there = not self._stage.size().isEmpty()
        self.zoom_label.setText(f"{self.view.zoom * 100:.0f} %" if there else "")
        for button in (self.fit_button, self.actual_button):
            button.setEnabled(there)

    def drop_zones(self) -> tuple[tuple[Role, str, str], ...]:
        """Role, title and hint of what a drop can become for this task."""
        content = (Role.CONTENT, content_word(self._task), self.tr("The picture that keeps its structure"))
        style = (Role.STYLE, self.tr("Style"), self.tr("The picture whose look is taken"))
        if self._task is Task.APPEARANCE_TRANSFER:
            style = (Role.STYLE, self.tr("Appearance"), self.tr("The picture whose materials and colours are taken"))
        texture = (Role.STYLE, self.tr("Texture exemplar"), self.tr("The surface to make more of"))
        return (texture,) if self._task is Task.TEXTURE else (content, style)

    def offer_zones(self) -> None:
        """Show where a drop can go."""
        self.zones.offer(self.drop_zones())
        self.zones.setGeometry(self.view.rect())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if incoming_from(event.mimeData()) is not None:
            self.offer_zones()
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.zones.mark(self.zones.mapFrom(self, event.position().toPoint()))
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.zones.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        role = self.zones.role_at(self.zones.mapFrom(self, event.position().toPoint()))
        self.zones.hide()
        incoming = incoming_from(event.mimeData())
        if incoming is not None and role is not None:
            event.acceptProposedAction()
            self.dropped.emit(role, incoming)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (watched is self.view and event.type() is QEvent.Type.Resize) or (
            watched is self.view and event.type() is QEvent.Type.LayoutRequest
        ):
            self._lay_over()
        return super().eventFilter(watched, event)

    def _lay_over(self) -> None:
        width = self.view.width()
        self.empty.setGeometry(self.view.rect().adjusted(32, 32, -32, -32))
        room = min(width - 32, 640)
        self.banner.setFixedWidth(max(room, 160))
        self.banner.setFixedHeight(max(self.banner.heightForWidth(self.banner.width()), 44))
        self.banner.move((width - self.banner.width()) // 2, 16)
        self.zones.setGeometry(self.view.rect())
        self.progress.setGeometry(0, self.view.height() - 4, width, 4)

    def say(self, message: str, *, kind: str = "error", actions: tuple = ()) -> None:  # type: ignore[type-arg]
        """A message over the canvas, see Banner.say."""
        self.banner.say(message, kind=kind, actions=actions)
        self._lay_over()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_over()

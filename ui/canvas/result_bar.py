"""Below the canvas: what the shown result measures, the other pictures of its run, and the way out as a file."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from ui import icons, theme
from ui.state.figures import FiguresOfResult
from ui.state.stage import Stage
from ui.widgets.figures_line import FiguresLine
from ui.widgets.icon_button import IconButton


class ResultBar(QFrame):
    """There while a finished result is on the canvas. save_asked: the artist wants it as a file."""

    save_asked = Signal()

    def __init__(self, stage: Stage, figures: FiguresOfResult, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resultBar")
        self._stage = stage
        self._figures = figures
        self.line = FiguresLine()
        self.line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.back = IconButton("chevron-left", self.tr("The picture before"))
        self.on = IconButton("chevron-right", self.tr("The next picture"))
        self.place = QLabel()
        self.place.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.save = QPushButton(self.tr("Save …"))
        self.save.setProperty("role", "small")
        self.save.setToolTip(self.tr("Save the result as a PNG"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        row.setSpacing(4)
        row.addWidget(self.line, 1)
        for widget in (self.back, self.place, self.on):
            row.addWidget(widget)
        row.addSpacing(8)
        row.addWidget(self.save)
        self.back.clicked.connect(lambda: self._turn(-1))
        self.on.clicked.connect(lambda: self._turn(1))
        self.save.clicked.connect(self.save_asked)
        stage.changed.connect(self._show)
        figures.changed.connect(self._show_figures)
        self._tint()
        self._show()
        self._show_figures()

    def _turn(self, by: int) -> None:
        shown = self._stage.shown
        if shown is not None:
            self._stage.turn_to(shown.index + by)

    def _show(self) -> None:
        shown = self._stage.shown
        self.setVisible(shown is not None)
        self.setEnabled(not self._stage.previewing)
        count = len(shown.pictures) if shown is not None else 0
        index = shown.index if shown is not None else 0
        for widget in (self.back, self.place, self.on):
            widget.setVisible(count > 1)
        self.back.setEnabled(index > 0)
        self.on.setEnabled(index + 1 < count)
        self.place.setText(self.tr("{index} of {count}").format(index=index + 1, count=count))

    def _show_figures(self) -> None:
        self.line.show_figures(self._figures.figures, measuring=self._figures.measuring)

    def _tint(self) -> None:
        self.save.setIcon(icons.icon("export", theme.colors().text))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

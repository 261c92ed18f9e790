"""The figures of a result in one line: how near it is to its references, how much of the content is left."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from ui.state.figures import Figures


class FiguresLine(QWidget):
    """Names in quiet, numbers in plain text; what each means is its tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        nearer = self.tr("0 is the same, lower is nearer.")
        self._about = {
            "style": (self.tr("Style"), self.tr("Distance of small pieces to the reference's, over four scales.")),
            "stroke": (self.tr("Stroke"), self.tr("Distance of the marks alone, without colour and tone.")),
            "palette": (self.tr("Palette"), self.tr("Distance of the colours to the reference's.")),
            "structure": (
                self.tr("Structure"),
                self.tr("How much is left of the outlines of the picture it was made from. 1 is all, 0 nothing."),
            ),
            "copied": (self.tr("Copied"), self.tr("Share that stands in the exemplar just as it is. Lower is freer.")),
            "seam": (self.tr("Seam"), self.tr("Step across the edges over the steps inside. 1 shows no seam.")),
        }
        for name in ("style", "stroke", "palette"):
            label, words = self._about[name]
            self._about[name] = (label, f"{words} {nearer}")
        self.waiting = QLabel(self.tr("Measuring …"))
        self.waiting.setProperty("role", "muted")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(14)
        self._row.addWidget(self.waiting)
        self.values: dict[str, QLabel] = {}
        self._parts: dict[str, QWidget] = {}
        self._known: list[QWidget] = []
        for name, (label, words) in self._about.items():
            self._row.addWidget(self._part(name, label, words))
        self._row.addStretch(1)
        self.show_figures(None, measuring=False)

    def _part(self, name: str, label: str, words: str) -> QWidget:
        part = QWidget()
        part.setToolTip(words)
        title, value = QLabel(label), QLabel()
        title.setProperty("role", "muted")
        value.setAccessibleName(label)
        value.setAccessibleDescription(words)
        part.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(part)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        row.addWidget(title)
        row.addWidget(value)
        self.values[name], self._parts[name] = value, part
        return part

    def show_figures(self, figures: Figures | None, *, measuring: bool) -> None:
        """measuring: they are on their way."""
        self.waiting.setVisible(measuring)
        self._known = []
        for name, part in self._parts.items():
            figure = getattr(figures, name) if figures is not None else None
            if figure is not None:
                self.values[name].setText(_shown(name, figure))
                self._known.append(part)
            else:
                part.hide()
        self._fit()

    def _fit(self) -> None:
        """Show as many as there is room for, whole."""
        room = self.width()
        for part in self._known:
            room -= part.sizeHint().width()
            part.setVisible(room >= 0)
            room -= self._row.spacing()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()


def _shown(name: str, figure: float) -> str:
    if name == "copied":
        return f"{figure * 100:.0f} %"
    return f"{figure:.2f}" if name in ("structure", "seam") else f"{figure:.3f}"

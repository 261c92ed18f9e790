"""How near the shown result is to its references, and how much of its content is left, measured in the background."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from adstudio.images.fidelity import FidelityFigures, measure
from adstudio.jobs.choices import Seamless
from adstudio.jobs.spec import Reference, Task
from ui.state.adjust import Adjustment, apply
from ui.state.background import Background
from ui.state.image_files import read_rgb
from ui.state.shown import Shown
from ui.state.stage import Stage

_MOST_REFERENCES = 4
_MOST_KEPT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Distances to the references (lower is nearer), averaged by weight, and what follows from task and content.

    structure: 1 at most, higher keeps more of the content. copied: share of a texture that stands in its exemplar as it
    is. seam: 1 shows none. None: does not apply.
    """

    style: float
    stroke: float
    palette: float
    structure: float | None = None
    copied: float | None = None
    seam: float | None = None


def figures_of(shown: Shown, adjustment: Adjustment) -> Figures | None:
    """Measure a result; takes seconds. None where its references are unknown. Raises ImageError."""
    job = shown.job
    if job is None:
        return None
    result = _unit(apply(adjustment, shown.result, shown.content))
    content = _unit(shown.content) if shown.content is not None else None
    texture = job.task is Task.TEXTURE
    heaviest = sorted(job.styles, key=lambda style: -style.weight)[:_MOST_REFERENCES]
    found = [
        measure(result, _reference(style), content, seamless=job.seamless is Seamless.BOTH, copies=texture)
        for style in heaviest
    ]
    weights = np.array([style.weight for style in heaviest], np.float64)

    def mean(name: str) -> float:
        return float(np.average([getattr(one, name) for one in found], weights=weights))

    first: FidelityFigures = found[0]
    return Figures(
        style=mean("style"),
        stroke=mean("stroke"),
        palette=mean("palette"),
        structure=first.structure,
        copied=mean("copy_rate") if texture else None,
        seam=first.seam,
    )


def _reference(style: Reference) -> NDArray[np.float32]:
    rgb = read_rgb(style.image)
    if style.crop is not None:
        left, top, width, height = style.crop
        rgb = rgb[top : top + height, left : left + width]
    return _unit(rgb)


def _unit(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    return rgb.astype(np.float32) / np.float32(255)


class FiguresOfResult(QObject):
    """changed: others are known, or none any more."""

    changed = Signal()

    def __init__(self, stage: Stage, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stage = stage
        self._background = background
        self._kept: OrderedDict[tuple[Path, Adjustment], Figures | None] = OrderedDict()
        self._figures: Figures | None = None
        self._measuring = False
        stage.settled.connect(self._on_settled)

    @property
    def figures(self) -> Figures | None:
        """Of the shown result, as far as they are known."""
        return self._figures

    @property
    def measuring(self) -> bool:
        return self._measuring

    def _on_settled(self) -> None:
        shown = self._stage.shown
        if shown is None:
            self._show(None)
            return
        key = (shown.picture, shown.adjustment)
        if key in self._kept:
            self._show(self._kept[key])
            return
        self._show(None, measuring=True)
        self._background.submit(
            lambda: figures_of(shown, shown.adjustment),
            lambda figures: self._on_measured(key, figures),
            lambda _: self._show(None),
            key="figures",
        )

    def _on_measured(self, key: tuple[Path, Adjustment], figures: Figures | None) -> None:
        self._kept[key] = figures
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        shown = self._stage.shown
        if shown is not None and key == (shown.picture, shown.adjustment):
            self._show(figures)

    def _show(self, figures: Figures | None, *, measuring: bool = False) -> None:
        self._figures, self._measuring = figures, measuring
        self.changed.emit()

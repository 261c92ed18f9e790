"""What the ControlNet will see, made from the picture it follows, in the background."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from adstudio.images import centre_crop_to_aspect, load_image, resize, to_uint8
from adstudio.images.conditions import control_picture
from adstudio.jobs.choices import ControlKind
from ui.state.background import Background
from ui.state.beside import Fit, picture_of
from ui.state.pictures import make_thumbnail
from ui.state.session import Session

_LONGEST_PX = 1024
_SHOWN_PX = 560


class ControlPreview(QObject):
    """changed: an image, or None while there is nothing to show."""

    changed = Signal(object)

    def __init__(self, session: Session, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._background = session, background
        self._made_for: tuple[object, ...] = ()
        session.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Make another one where picture, kind or size are others than before."""
        setup = self._session.setup
        state, picture = self._session.beside.control(), picture_of(setup)
        wanted: tuple[object, ...] = ()
        if setup.control is not None and picture is not None and state is not None and state.fit is not Fit.WAITS:
            wanted = (picture.path, setup.control.kind, self._session.expected_size())
        if wanted == self._made_for:
            return
        self._made_for = wanted
        self.changed.emit(None)
        if setup.control is None or picture is None or not wanted:
            return
        path, kind, size = picture.path, setup.control.kind, self._session.expected_size()
        self._background.submit(
            lambda: condition_thumbnail(path, kind, size),
            lambda image: self._arrived(wanted, image),
            lambda _: None,  # the slot says what is wrong with its picture
            key="control preview",
        )

    def _arrived(self, wanted: tuple[object, ...], image: QImage) -> None:
        if wanted == self._made_for:
            self.changed.emit(image)


def condition_thumbnail(path: Path, kind: ControlKind, size: tuple[int, int]) -> QImage:
    """The condition at the size of the result (lines are so many of its pixels wide), shown small. Raises ImageError.

    size: of the result; (0, 0) while unknown, then the picture's own.
    """
    pixels = load_image(path, reduce_to_pixels=_LONGEST_PX * _LONGEST_PX).pixels
    width, height = size if all(size) else (pixels.shape[1], pixels.shape[0])
    shrink = min(1.0, _LONGEST_PX / max(width, height))
    width, height = max(1, round(width * shrink)), max(1, round(height * shrink))
    shown = to_uint8(control_picture(kind, resize(centre_crop_to_aspect(pixels, width, height), width, height)))
    if kind is ControlKind.CANNY:  # one pixel wide: thinned out, the lines would all but vanish
        picture = Image.fromarray(shown)
        picture = picture.reduce(max(1, round(max(width, height) / _SHOWN_PX)))
        shown = np.clip(np.asarray(picture).astype(np.uint16) * 2, 0, 255).astype(np.uint8)
    return make_thumbnail(shown, _SHOWN_PX)

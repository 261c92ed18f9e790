"""The icon set: our own SVG drawings in `resources/icons`, tinted with a colour of the theme, crisp at 1x to 3x."""

from __future__ import annotations

from functools import cache, lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from adstudio.paths import resources_dir
from ui import theme

_SIZES_PX = (14, 16, 20, 24)
_RATIOS = (1, 2, 3)


@cache
def _drawing(name: str) -> str:
    return (resources_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=400)
def _rendered(name: str, size_px: int, ratio: float, color: str) -> QImage:
    picture = QImage(round(size_px * ratio), round(size_px * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(Qt.GlobalColor.transparent)
    renderer = QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", color).encode()))
    painter = QPainter(picture)
    renderer.render(painter, QRectF(picture.rect()))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def pixmap(name: str, size_px: int, ratio: float, color: str) -> QPixmap:
    """One drawing, `size_px` wide and high in logical pixels. Raises FileNotFoundError for an unknown name."""
    return QPixmap.fromImage(_rendered(name, size_px, ratio, color))


@cache
def _icon(name: str, normal: str, checked: str, disabled: str) -> QIcon:
    made = QIcon()
    for size_px in _SIZES_PX:
        for ratio in _RATIOS:
            made.addPixmap(pixmap(name, size_px, ratio, normal), QIcon.Mode.Normal, QIcon.State.Off)
            made.addPixmap(pixmap(name, size_px, ratio, checked), QIcon.Mode.Normal, QIcon.State.On)
            made.addPixmap(pixmap(name, size_px, ratio, disabled), QIcon.Mode.Disabled, QIcon.State.Off)
    return made


def icon(name: str, color: str | None = None, *, checked: str | None = None) -> QIcon:
    """A drawing as an icon in the text's colour, or in `color` (#rrggbb); `checked` tints the checked state."""
    now = theme.colors()
    normal = color or now.text
    return _icon(name, normal, checked or normal, now.disabled)


def app_icon() -> QIcon:
    """The application's own mark, in its own colours."""
    made = QIcon()
    for size_px in (16, 32, 48, 64, 128, 256):
        made.addPixmap(pixmap("adstudio", size_px, 1, "#000000"))
    return made

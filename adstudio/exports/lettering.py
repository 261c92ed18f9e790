"""Words on pictures: with the letters Pillow brings, and the system's own where a text needs others."""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass

from PIL import ImageFont

_SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "segoeui.ttf",
    "arial.ttf",
    "Arial.ttf",
    "Arial Unicode.ttf",
    "Helvetica.ttc",
)
_NOWHERE = "\uffff"

Font = ImageFont.FreeTypeFont


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A text set in lines of a font."""

    lines: tuple[str, ...]
    font: Font

    @property
    def line_height_px(self) -> int:
        return line_height_px(round(self.font.size))

    @property
    def height_px(self) -> int:
        return self.line_height_px * len(self.lines)

    @property
    def width_px(self) -> int:
        return max((int(self.font.getlength(line)) + 1 for line in self.lines), default=0)


def line_height_px(size_px: int) -> int:
    """From one line to the next."""
    return round(size_px * 1.35)


def set_lines(text: str, size_px: int, width_px: int, *, most: int) -> Lines:
    """A text in at most so many lines of a width; what does not fit is cut, with … in its middle or at its end."""
    text = " ".join(text.split())
    font = _font_for(text, size_px)
    text = "".join(one if _draws(font, one) else _plain(one) for one in text)
    lines: list[str] = []
    while text and len(lines) < most:
        if font.getlength(text) <= width_px:
            lines.append(text)
            break
        if len(lines) == most - 1:
            lines.append(_shortened(text, font, width_px))
            break
        end = _fitting(text, font, width_px)
        space = max(text.rfind(mark, 0, end) for mark in (" ", "/", "_", ",", "="))
        end = space + 1 if space > end // 2 else end
        lines.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return Lines(lines=tuple(lines), font=font)


def _shortened(text: str, font: Font, width_px: int) -> str:
    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(_without_middle(text, middle)) <= width_px else (low, middle - 1)
    return _without_middle(text, low)


def _without_middle(text: str, kept: int) -> str:
    head = (kept + 1) // 2
    return f"{text[:head].rstrip()}…{text[len(text) - kept + head :].lstrip()}"


def _fitting(text: str, font: Font, width_px: int) -> int:
    """How many of the first letters fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= width_px else (low, middle - 1)
    return low


def _font_for(text: str, size_px: int) -> Font:
    """The font that draws most of a text, the one that comes with Pillow where that is enough."""
    wanted = {one for one in text if not one.isspace()}
    fonts = [_own_font(size_px)]
    if not all(_draws(fonts[0], one) for one in wanted):
        fonts += [font for name in _SYSTEM_FONTS if (font := _system_font(name, size_px)) is not None]
    return max(fonts, key=lambda font: sum(_draws(font, one) for one in wanted))


@functools.cache
def _own_font(size_px: int) -> Font:
    font = ImageFont.load_default(size_px)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("this Pillow was built without FreeType")
    return font


@functools.cache
def _system_font(name: str, size_px: int) -> Font | None:
    try:
        return ImageFont.truetype(name, size_px)
    except OSError:
        return None


@functools.lru_cache(maxsize=4096)
def _draws(font: Font, character: str) -> bool:
    if character.isspace():
        return True
    mask, nothing = font.getmask(character), font.getmask(_NOWHERE)
    return mask.size != nothing.size or bytes(mask) != bytes(nothing)


def _plain(character: str) -> str:
    """The nearest plain letters of one that no font here has."""
    if character == "×":
        return "x"
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"

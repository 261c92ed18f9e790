"""Contact sheets: every case a row of labelled pictures, to look at side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_ROWS_A_PAGE = 8
_LONGEST_CELL_PX = 512
_LABEL_PX = 36
_GAP_PX = 8
_TITLE_POINTS = 14
_CAPTION_POINTS = 11
_PAPER = (24, 24, 27)
_INK = (228, 228, 231)
_FAINT = (161, 161, 170)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A picture with words under it. picture: None where there is none. tiled: shown twice in both directions."""

    title: str
    picture: Path | None
    caption: str = ""
    tiled: bool = False


def write_sheets(folder: Path, stem: str, rows: Sequence[Sequence[Cell]], cell_px: int) -> list[Path]:
    """Write stem.png, or stem-1.png, stem-2.png … where one page does not hold all rows; the files."""
    pages = [rows[first : first + _ROWS_A_PAGE] for first in range(0, len(rows), _ROWS_A_PAGE)]
    paths = []
    for number, page in enumerate(pages, start=1):
        path = folder / (f"{stem}.png" if len(pages) == 1 else f"{stem}-{number}.png")
        _page(page, min(cell_px, _LONGEST_CELL_PX)).save(path)
        paths.append(path)
    return paths


def _page(rows: Sequence[Sequence[Cell]], side_px: int) -> Image.Image:
    columns = max(len(row) for row in rows)
    across, down = side_px + _GAP_PX, side_px + _LABEL_PX + _GAP_PX
    page = Image.new("RGB", (columns * across + _GAP_PX, len(rows) * down + _GAP_PX), _PAPER)
    draw = ImageDraw.Draw(page)
    title, caption = ImageFont.load_default(_TITLE_POINTS), ImageFont.load_default(_CAPTION_POINTS)
    for line, row in enumerate(rows):
        for column, cell in enumerate(row):
            left, top = _GAP_PX + column * across, _GAP_PX + line * down
            if cell.picture is not None:
                page.paste(_shown(cell.picture, side_px, tiled=cell.tiled), (left, top))
            draw.text((left, top + side_px + 2), _printable(cell.title), _INK, font=title)
            draw.text((left, top + side_px + 20), _printable(cell.caption), _FAINT, font=caption)
    return page


def _shown(path: Path, side_px: int, *, tiled: bool) -> Image.Image:
    with Image.open(path) as image:
        picture = image.convert("RGB")
    if not tiled:
        return picture.resize((side_px, side_px), Image.Resampling.LANCZOS)
    half = picture.resize((side_px // 2, side_px // 2), Image.Resampling.LANCZOS)
    twice = Image.new("RGB", (side_px, side_px), _PAPER)
    for left in (0, half.width):
        for top in (0, half.height):
            twice.paste(half, (left, top))
    return twice


def _printable(text: str) -> str:
    """Without what a built-in font may not have."""
    return text.encode("latin-1", "replace").decode("latin-1").replace("\n", " ")

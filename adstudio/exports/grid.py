"""A sheet of pictures in rows and columns with the values that made them, on neutral grey."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from adstudio.errors import AdStudioError
from adstudio.exports.lettering import Lines, line_height_px, set_lines
from adstudio.images import fit_within, load_image, save_png, to_uint8

_SIDE_PX = 384
_LEAST_SIDE_PX = 160
_LEAST_CELL_PX = 176
_LARGEST_SHEET_PX = 8000
_MARGIN_PX = 32
_GAP_PX = 16
_SINGLE_ROW = 5
_ROW_HEADER_PX = 180

_GROUND = (38, 38, 38)
_EMPTY = (48, 48, 48)
_EDGE = (78, 78, 78)
_TEXT = (222, 222, 222)
_QUIET = (158, 158, 158)
_TROUBLE = (236, 168, 152)

_TITLE_SIZE_PX = 20
_HEAD_SIZE_PX = 17
_CAPTION_SIZE_PX = 14
_CAPTION_LINES = 2

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A field and the values it takes along the columns or the rows."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """caption: the values it was made with. picture: what came out, or None. note: why there is none."""

    caption: str
    picture: Path | None = None
    note: str = ""
    failed: bool = False


def write_grid(
    path: Path,
    title: str,
    columns: Header,
    rows: Header | None,
    cells: Sequence[Cell],
    *,
    column_count: int | None = None,
) -> None:
    """Draw the cells, row by row, and write the sheet as a PNG.

    rows: None where one field only was gone over; the cells then follow each other over as many rows as look well.
    column_count: cells in a row where rows is None, else as many as look well.
    Raises StorageError where the sheet cannot be written.
    """
    save_png(path, np.asarray(draw_grid(title, columns, rows, cells, column_count=column_count)))


def draw_grid(
    title: str, columns: Header, rows: Header | None, cells: Sequence[Cell], *, column_count: int | None = None
) -> Image.Image:
    """The sheet; see `write_grid`."""
    count = len(columns.values) if rows is not None else min(column_count or _columns_for(len(cells)), len(cells))
    side = min(_SIDE_PX, max(_LEAST_SIDE_PX, _LARGEST_SHEET_PX // max(count, math.ceil(len(cells) / count)) - _GAP_PX))
    pictures = [_picture(cell, side) for cell in cells]
    frame = _frame([one.size for one in pictures if one is not None], side)
    captions = [set_lines(cell.caption, _CAPTION_SIZE_PX, frame[0], most=_CAPTION_LINES) for cell in cells]
    sheet = _Sheet(title, columns, rows, frame, count, math.ceil(len(cells) / count), captions)
    for index, (cell, picture, caption) in enumerate(zip(cells, pictures, captions, strict=True)):
        sheet.draw_cell(index, cell, picture, caption)
    return sheet.image


class _Sheet:
    """The places of everything on the sheet. frame: (width, height) of the room for each picture."""

    def __init__(
        self,
        title: str,
        columns: Header,
        rows: Header | None,
        frame: Size,
        column_count: int,
        row_count: int,
        captions: Sequence[Lines],
    ) -> None:
        self._frame = frame
        self._count = column_count
        self._caption_px = max((one.height_px for one in captions), default=0) + 6
        row_heads = [set_lines(value, _HEAD_SIZE_PX, _ROW_HEADER_PX, most=4) for value in rows.values] if rows else []
        row_field = set_lines(rows.field, _CAPTION_SIZE_PX, _ROW_HEADER_PX, most=2) if rows else None
        heads = [*row_heads, row_field] if row_field is not None else []
        head_px = max((one.width_px for one in heads), default=0)
        self._left = _MARGIN_PX + (head_px + _GAP_PX if heads else 0)
        width = self._left + column_count * (frame[0] + _GAP_PX) - _GAP_PX + _MARGIN_PX
        title_lines = set_lines(title, _TITLE_SIZE_PX, width - 2 * _MARGIN_PX, most=2)
        column_heads = [set_lines(one, _HEAD_SIZE_PX, frame[0], most=2) for one in columns.values] if rows else []
        top = _MARGIN_PX + title_lines.height_px + _GAP_PX
        heads_top = top + line_height_px(_CAPTION_SIZE_PX)
        self._top = heads_top + max((one.height_px for one in column_heads), default=0) + _GAP_PX // 2 if rows else top
        self._row_px = frame[1] + self._caption_px + _GAP_PX
        height = self._top + row_count * self._row_px - _GAP_PX + _MARGIN_PX
        self.image = Image.new("RGB", (width, height), _GROUND)
        self._pen = ImageDraw.Draw(self.image)
        self._write(title_lines, _MARGIN_PX, _MARGIN_PX, _TEXT)
        if rows is None:
            return
        field = set_lines(columns.field, _CAPTION_SIZE_PX, width - self._left - _MARGIN_PX, most=1)
        self._write(field, self._left, top, _QUIET)
        for index, head in enumerate(column_heads):
            self._write(head, self._left + index * (frame[0] + _GAP_PX), heads_top, _TEXT)
        if row_field is not None:
            self._write(row_field, _MARGIN_PX, self._top - row_field.height_px - _GAP_PX // 2, _QUIET)
        for index, head in enumerate(row_heads):
            middle = self._top + index * self._row_px + (frame[1] - head.height_px) // 2
            self._write(head, _MARGIN_PX, middle, _TEXT)

    def draw_cell(self, index: int, cell: Cell, picture: Image.Image | None, caption: Lines) -> None:
        width, height = self._frame
        left = self._left + index % self._count * (width + _GAP_PX)
        top = self._top + index // self._count * self._row_px
        if picture is not None:
            self.image.paste(picture, (left + (width - picture.width) // 2, top + (height - picture.height) // 2))
        else:
            self._pen.rectangle((left, top, left + width - 1, top + height - 1), fill=_EMPTY, outline=_EDGE)
            room = max(1, (height - 2 * _GAP_PX) // line_height_px(_CAPTION_SIZE_PX))
            words = set_lines(cell.note, _CAPTION_SIZE_PX, width - 2 * _GAP_PX, most=room)
            middle = top + (height - words.height_px) // 2
            self._write(words, left + _GAP_PX, middle, _TROUBLE if cell.failed else _QUIET)
        self._write(caption, left, top + height + 4, _QUIET)

    def _write(self, text: Lines, left: int, top: int, colour: tuple[int, int, int]) -> None:
        for number, line in enumerate(text.lines):
            self._pen.text((left, top + number * text.line_height_px), line, font=text.font, fill=colour)


def _columns_for(count: int) -> int:
    """Columns of a sheet without row values: one row for a few cells, nearly a square for many."""
    return count if count <= _SINGLE_ROW else math.ceil(math.sqrt(count))


def _frame(sizes: Sequence[Size], side: int) -> Size:
    """(width, height) that every picture fits into, wide enough for the words below it."""
    if not sizes:
        return side, round(side * 0.75)
    return max(_LEAST_CELL_PX, *(size[0] for size in sizes)), max(size[1] for size in sizes)


def _picture(cell: Cell, side: int) -> Image.Image | None:
    if cell.picture is None:
        return None
    try:
        image = Image.fromarray(to_uint8(load_image(cell.picture, reduce_to_pixels=4 * side * side).pixels))
    except (AdStudioError, OSError):
        return None
    return image.resize(fit_within(image.size, side), Image.Resampling.LANCZOS)

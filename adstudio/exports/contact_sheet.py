"""A gallery's pictures on one sheet, with their titles."""

from __future__ import annotations

from pathlib import Path

from adstudio.errors import StorageError
from adstudio.exports.gallery import Gallery
from adstudio.exports.grid import Cell, Header, write_grid


def write_contact_sheet(path: Path, gallery: Gallery, *, columns: int | None = None) -> None:
    """Write the pictures in their order as a PNG; columns: how many, None for as many as look well.

    Raises StorageError where the file is there already or cannot be written.
    """
    if path.exists():
        raise StorageError(f"{path}: is there already; choose another name for the contact sheet")
    cells = [Cell(caption=item.title, picture=item.result) for item in gallery.items]
    write_grid(path, gallery.title, Header(field="", values=()), None, cells, column_count=columns)

"""`adstudio export`: pictures of a project as a gallery."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adstudio.commands.bundle import chosen_runs
from adstudio.commands.console import say, tell
from adstudio.errors import ProjectError
from adstudio.exports.contact_sheet import write_contact_sheet
from adstudio.exports.described_run import gallery_of
from adstudio.exports.gallery import write_gallery_file, write_gallery_folder
from adstudio.projects import Project

_PAGE_SUFFIXES = (".html", ".htm")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportWishes:
    """What is to be shown, and how.

    runs: ids with commas. board: its name. One of the two at most. columns: of the contact sheet.
    """

    runs: str | None
    board: str | None
    title: str
    introduction: str
    single_file: bool
    contact_sheet: Path | None
    columns: int | None


def export_command(project: Path, out: Path | None, wishes: ExportWishes) -> int:
    """Write a gallery; 0 where every picture is in it, 1 where one could not be read. Raises AdStudioError."""
    if out is None and wishes.contact_sheet is None:
        raise ProjectError("--out: name the gallery's folder, as in --out gallery, or --contact-sheet FILE.png")
    if wishes.columns is not None and wishes.columns < 1:
        raise ProjectError(f"--columns: {wishes.columns} is too few; at least 1")
    if wishes.single_file and out is not None and out.is_dir():
        raise ProjectError(f"--out: {out} is a folder; name a file, as in --out {out.name}.html")
    with Project.open(project, read_only=True) as opened:
        whole = wishes.runs is None and wishes.board is None
        ids = None if whole else chosen_runs(opened, wishes.runs, wishes.board)
        gallery = gallery_of(opened, ids, title=wishes.title, introduction=wishes.introduction)
        if wishes.contact_sheet is not None:
            write_contact_sheet(wishes.contact_sheet, gallery, columns=wishes.columns)
            say(f"{len(gallery.items)} pictures: {wishes.contact_sheet}")
        if out is None:
            return 0
        if wishes.single_file:
            named = out.suffix.lower() in _PAGE_SUFFIXES
            written = write_gallery_file(out if named else out.with_name(out.name + ".html"), gallery)
        else:
            written = write_gallery_folder(out, gallery)
    for path in written.unread:
        tell(f"A picture could not be read and is left out: {path.name}")
    say(f"{written.shown} pictures: {written.page}")
    return 1 if written.unread else 0

"""How `adstudio export` is spoken to."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_export_arguments(export: argparse.ArgumentParser) -> None:
    """Its arguments."""
    export.add_argument("project", type=Path, metavar="PROJECT", help="the project's folder")
    export.add_argument("--out", type=Path, metavar="DIR", help="the gallery's folder; new or empty")
    which = export.add_mutually_exclusive_group()
    which.add_argument("--runs", metavar="ID,…", help="only these runs, in this order")
    which.add_argument("--board", metavar="NAME", help="only the runs on this board, in its order")
    export.add_argument("--title", default="", help="the gallery's title (the project's name)")
    export.add_argument("--intro", default="", metavar="TEXT", help="words below the title")
    export.add_argument("--contact-sheet", type=Path, metavar="FILE.png", help="all on one labelled picture")
    export.add_argument("--columns", type=int, metavar="N", help="pictures in a row of the contact sheet")
    export.add_argument("--single-file", action="store_true", help="--out is one HTML file with everything in it")


def export_from(arguments: argparse.Namespace) -> int:
    """Do what they say; the exit status."""
    from adstudio.commands.export import ExportWishes, export_command

    wishes = ExportWishes(
        runs=arguments.runs,
        board=arguments.board,
        title=arguments.title,
        introduction=arguments.intro,
        single_file=arguments.single_file,
        contact_sheet=arguments.contact_sheet,
        columns=arguments.columns,
    )
    return export_command(arguments.project, arguments.out, wishes)

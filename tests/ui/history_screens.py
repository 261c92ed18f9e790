"""Makes pictures of the history: searched, rated, its menus, a run's details, the trash.

    python -m tests.ui.history_screens FOLDER [--size 1440x900] [--scheme dark|light|both]

QT_SCALE_FACTOR=2 makes them at 2x.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QItemSelectionModel
from PySide6.QtWidgets import QApplication, QMenu, QWidget

import qasync  # type: ignore[import-untyped]  # isort: skip

from adstudio.settings import Appearance
from tests.ui.screens import Photographer
from ui.actions import Command
from ui.main_window import MainWindow
from ui.theme import apply_theme


class HistoryPhotographer(Photographer):
    """Fills a project with a few small runs and goes through what the history can do."""

    async def history(self, scheme: Appearance) -> None:
        apply_theme(self._app, scheme)
        with tempfile.TemporaryDirectory() as scratch:
            window = await self.open(Path(scratch) / "Commission for the lighthouse keepers.adproj", samples=True)
            bench, edits = window.bench, window.bench.edits
            self.limit(window)
            styles = [one for one in self._samples.all if one.role == "style"]
            for sample in (styles * 2)[:7]:
                bench.session.set_styles([sample.path], name=sample.title)
                await self.settle(window)
                await self.run(window)
            ids = bench.history.run_ids(range(bench.history.rowCount()))
            edits.rate(ids[:1], 5)
            edits.rate(ids[1:3], 3)
            edits.set_favourite(ids[1:2] + ids[3:4], True)
            edits.change_tags(ids[:3], add=("lighthouse", "for Marie"))
            edits.add_board("Calendar 2027", ids[:2])
            await self._quiet(window)
            self.shoot(window, f"{scheme}-history-rated")
            window.history.filter.search.setText("light")
            await self._quiet(window)
            self.shoot(window, f"{scheme}-history-searched")
            window.history.filter.search.setText("nothing of that name")
            await self._quiet(window)
            self.shoot(window, f"{scheme}-history-nothing-found")
            window.history.filter.clear()
            await self._quiet(window)
            self._shoot_menu(window.history.filter.make_menu(), f"{scheme}-history-filter-menu")
            window.history.select(0)
            self._shoot_menu(window.history.make_menu(), f"{scheme}-history-card-menu")
            window.actions_table[Command.DETAILS].trigger()
            await self._quiet(window)
            details = window.runs.details
            if details is not None:
                self._shoot_part(details, f"{scheme}-history-details")
                details.accept()
            strip = window.history.strip
            for row in (1, 2):
                strip.selectionModel().select(bench.history.index(row), QItemSelectionModel.SelectionFlag.Select)
            window.actions_table[Command.TO_TRASH].trigger()
            await self._quiet(window)
            self.shoot(window, f"{scheme}-history-thrown-away")
            window.history.filter.trash.setChecked(True)
            await self._quiet(window)
            self.shoot(window, f"{scheme}-history-trash")
            window.runs.ask_to_empty()
            await self._quiet(window)
            if window.runs.question is not None:
                self._shoot_part(window.runs.question, f"{scheme}-history-empty-trash")
                window.runs.question.reject()
            await self.close(window)

    async def _quiet(self, window: MainWindow) -> None:
        await self.until(lambda: not window.history.filter.typing)
        await self.until(lambda: not window.bench.room.background.busy)
        await self.settle(window)

    def _shoot_menu(self, menu: QMenu, name: str) -> None:
        menu.ensurePolished()
        menu.resize(menu.sizeHint())
        self._shoot_part(menu, name)
        menu.deleteLater()

    def _shoot_part(self, part: QWidget, name: str) -> None:
        part.grab().save(str(self._folder / f"{name}.png"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1440x900", help="of the window")
    parser.add_argument("--scheme", choices=("dark", "light", "both"), default="both")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    width, height = (int(part) for part in chosen.size.split("x"))
    app = QApplication([sys.argv[0]])
    loop = qasync.QEventLoop(app)
    photographer = HistoryPhotographer(app, chosen.folder, (width, height), 256)
    with loop:
        for scheme in (Appearance.DARK, Appearance.LIGHT):
            if chosen.scheme in ("both", scheme):
                loop.run_until_complete(photographer.history(scheme))


if __name__ == "__main__":
    main()

"""Makes pictures of the model page and of text to image.

    python -m tests.ui.model_screens FOLDER [--size 1440x900] [--scheme dark|light|both] [--official]

QT_SCALE_FACTOR=2 makes them at 2x. --official writes the one that the README shows.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, QSize
from PySide6.QtWidgets import QApplication, QWidget

import qasync  # type: ignore[import-untyped]  # isort: skip

from adstudio.jobs.choices import Task
from adstudio.models.families import Family
from adstudio.paths import library_path
from adstudio.settings import Appearance
from tests.ui.model_files import write_damaged, write_lora, write_model, write_words
from tests.ui.screens import Photographer, save_small
from ui.dialogs.models_page import ModelsPage
from ui.main_window import MainWindow
from ui.theme import apply_theme

_PROMPT = "A lighthouse on a cliff at dusk, waves breaking below, a small boat coming home"


def write_disk(disk: Path) -> Path:
    """Models as one finds them: whole ones, a transformer alone, LoRA files, damaged and unusable ones."""
    write_words(write_model(disk / "Watercolour 1.5.safetensors", Family.SD15, size_gb=1.98))
    write_words(write_model(disk / "Stable Diffusion XL base.safetensors", Family.SDXL, size_gb=6.46))
    write_model(disk / "FLUX.1 schnell.safetensors", Family.FLUX)
    write_lora(disk / "ink and wash.safetensors", Family.SDXL)
    return disk


def _fresh(home: Path) -> None:
    library_path().unlink(missing_ok=True)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()


class ModelPhotographer(Photographer):
    """Has a home of its own, so that no model of the person who runs it is seen."""

    async def pages(self, scheme: Appearance, home: Path) -> None:
        """The page empty, filled, with everything that can be wrong; the picker; text to image."""
        apply_theme(self._app, scheme)
        _fresh(home)
        disk = write_disk(home / "Models")
        window = await self.open(home / "AD Studio", samples=True)
        window.bench.choose_task(Task.TEXT_TO_IMAGE)
        await self.settle(window)
        self.shoot(window, f"{scheme}-words-without-model")
        window.models.open()
        page = await self._page(window)
        self._take(page, f"{scheme}-page-empty")
        page.add((disk,))
        await self.settle(window)
        await self._rows(window, page, scheme)
        await self._faults(window, page, scheme, home)
        page.accept()
        await self.settle(window)
        await self._words(window, scheme)
        await self.close(window)

    async def _page(self, window: MainWindow) -> ModelsPage:
        page = window.models.page
        assert page is not None
        page.resize(QSize(1040, 680))
        await self.settle(window)
        return page

    def _take(self, widget: QWidget, name: str) -> None:
        self._taken += 1
        widget.grab().save(str(self._folder / f"{self._taken:02d}-{name}.png"))

    async def _rows(self, window: MainWindow, page: ModelsPage, scheme: Appearance) -> None:
        for row in range(page.list_model.rowCount()):
            page.list.setCurrentIndex(page.list_model.index(row))
            await self.settle(window)
            self._take(page, f"{scheme}-page-row-{row}")
        page.guide_button.click()
        await self.settle(window)
        self._take(page, f"{scheme}-page-guide")

    async def _faults(self, window: MainWindow, page: ModelsPage, scheme: Appearance, home: Path) -> None:
        pickle = home / "old model.ckpt"
        pickle.write_bytes(b"x")
        away = write_model(home / "stick" / f"{'a model with a very long name ' * 3}.safetensors", size_gb=3.97)
        page.add((pickle, away, write_damaged(home / "half a download.safetensors")))
        await self.settle(window)
        away.unlink()
        write_damaged(home / "Models" / "damaged.safetensors")
        window.bench.models.refresh()
        await self.settle(window)
        self._take(page, f"{scheme}-page-refused")
        page.banner.dismiss()
        for name in (away.stem.strip(), "damaged"):
            page.list.setCurrentIndex(page.list_model.index(page.list_model.row_of(name)))
            await self.settle(window)
            self._take(page, f"{scheme}-page-{name.split()[0]}")
        page.resize(page.minimumSize())
        await self.settle(window)
        self._take(page, f"{scheme}-page-small")

    async def _words(self, window: MainWindow, scheme: Appearance) -> None:
        session = window.bench.session
        session.set_value("prompt", _PROMPT)
        session.set_value("negative_prompt", "people, text, frame")
        await self.settle(window)
        self.shoot(window, f"{scheme}-words")
        menu = window.top_bar.model.make_menu()
        menu.popup(window.mapToGlobal(QPoint(40, 40)))
        await self.settle(window)
        self._take(menu, f"{scheme}-picker")
        menu.close()
        menu.deleteLater()
        window.resize(1000, 600)
        await self.settle(window)
        self.shoot(window, f"{scheme}-words-narrow")
        window.resize(*self._size)
        window.bench.choose_task(Task.STYLE_TRANSFER)
        session.choose_model("Watercolour 1.5")
        window.parameters.advanced.button.setChecked(True)
        await self.settle(window)
        self.shoot(window, f"{scheme}-style-with-model")
        window.parameters.advanced.button.setChecked(False)

    async def page_for_readme(self, home: Path) -> None:
        """What the README shows."""
        home = home / "home"
        _fresh(home)
        disk = write_disk(home / "Models")
        apply_theme(self._app, Appearance.DARK)
        window = await self.open(home / "AD Studio", samples=True)
        window.models.open()
        page = await self._page(window)
        page.add((disk,))
        await self.settle(window)
        page.list.setCurrentIndex(page.list_model.index(page.list_model.row_of("Watercolour 1.5")))
        await self.settle(window)
        save_small(page.grab(), self._folder / "models.jpg")
        page.accept()
        await self.close(window)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--official", action="store_true", help="the one that the README shows")
    parser.add_argument("--size", default="1440x900", help="of the window")
    parser.add_argument("--scheme", choices=("dark", "light", "both"), default="both")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    width, height = (int(part) for part in chosen.size.split("x"))
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {"HOME": scratch, "XDG_CONFIG_HOME": f"{scratch}/config", "XDG_CACHE_HOME": f"{scratch}/cache"}
        os.environ["HF_HUB_CACHE"] = f"{scratch}/hub"
        app = QApplication([sys.argv[0]])
        loop = qasync.QEventLoop(app)
        photographer = ModelPhotographer(app, chosen.folder, (width, height), None)
        with loop:
            if chosen.official:
                loop.run_until_complete(photographer.page_for_readme(Path(scratch)))
                return
            for scheme in (Appearance.DARK, Appearance.LIGHT):
                if chosen.scheme in ("both", scheme):
                    loop.run_until_complete(photographer.pages(scheme, Path(scratch) / "artist"))


if __name__ == "__main__":
    main()

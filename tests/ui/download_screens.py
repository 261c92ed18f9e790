"""Makes pictures of the download dialog and of the button for words.

    python -m tests.ui.download_screens FOLDER [--scheme dark|light|both]

QT_SCALE_FACTOR=2 makes them at 2x. The hub is one on this machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

import qasync  # type: ignore[import-untyped]  # isort: skip

from adstudio.models.families import Family
from adstudio.models.fetch import Fetching
from adstudio.paths import models_dir
from adstudio.settings import Appearance
from tests.engine.tiny_models import tiny_model, write_folder
from tests.hub_server import FakeHub, serving
from tests.ui.model_files import write_model
from tests.ui.model_screens import ModelPhotographer
from ui.main_window import MainWindow
from ui.state.model_downloads import Stage
from ui.theme import apply_theme

_REPOSITORY = "painters/oil-and-canvas"
_UNET = "unet/diffusion_pytorch_model.safetensors"


class DownloadPhotographer(ModelPhotographer):
    """Photographs what the hub on this machine gives rise to."""

    async def downloads(self, scheme: Appearance, home: Path, hub: FakeHub) -> None:
        """The dialog empty, with a plan, on its way, broken off, done; the page with the button for words."""
        apply_theme(self._app, scheme)
        write_model(models_dir() / "sketch.safetensors")
        window = await self.open(home / f"AD Studio {scheme}", samples=True)
        window.models.open()
        page = await self._page(window)
        page.list.setCurrentIndex(page.list_model.index(page.list_model.row_of("sketch")))
        await self.settle(window)
        self._take(page, f"{scheme}-words-button")
        page.details.words.click()
        await self.settle(window)
        self._take(page, f"{scheme}-words-question")
        page.banner.dismiss()
        page.download.click()
        dialog, downloads = page.fetching.dialog, window.bench.downloads
        assert dialog is not None
        dialog.resize(dialog.sizeHint())
        await self.settle(window)
        self._take(dialog, f"{scheme}-empty")
        dialog.repository.setText(_REPOSITORY)
        dialog.look_up.click()
        await self._until_idle(window)
        self._take(dialog, f"{scheme}-plan")
        downloads.stage = Stage.FETCHING
        downloads.changed.emit()
        downloads.progressed.emit(Fetching(file=_UNET, done_bytes=1_300_000_000, total_bytes=2_700_000_000))
        self._take(dialog, f"{scheme}-on-its-way")
        downloads.stage = Stage.PLANNED
        hub.breaks[_UNET] = [5000, 0]
        for name in ("broken-off", "done"):
            downloads.start()
            await self._until_idle(window)
            self._take(dialog, f"{scheme}-{name}")
        dialog.accept()
        await self.settle(window)
        self._take(page, f"{scheme}-listed")
        page.accept()
        await self.close(window)

    async def _until_idle(self, window: MainWindow) -> None:
        while window.bench.downloads.busy:
            await self.settle(window)
        await self.settle(window)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scheme", choices=("dark", "light", "both"), default="both")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        hub = FakeHub()
        hub.licence = "creativeml-openrail-m"
        hub.put_folder(_REPOSITORY, write_folder(tiny_model(Family.SD15), Path(scratch) / "original"))
        app = QApplication([sys.argv[0]])
        loop = qasync.QEventLoop(app)
        photographer = DownloadPhotographer(app, chosen.folder, (1440, 900), None)
        with loop, serving(hub) as address:
            os.environ["HF_ENDPOINT"] = address
            for scheme in (Appearance.DARK, Appearance.LIGHT):
                if chosen.scheme in ("both", scheme):
                    home = f"{scratch}/{scheme}"
                    os.environ |= {"HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "HF_HUB_CACHE": f"{home}/hub"}
                    os.environ |= {"XDG_DATA_HOME": f"{home}/data", "XDG_CACHE_HOME": f"{home}/cache"}
                    loop.run_until_complete(photographer.downloads(scheme, Path(home), hub))


if __name__ == "__main__":
    main()

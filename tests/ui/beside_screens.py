"""Makes pictures of LoRA files and the ControlNet among the parameters.

    python -m tests.ui.beside_screens FOLDER [--size 1440x1000] [--scheme dark|light|both]

QT_SCALE_FACTOR=2 makes them at 2x.
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

from adstudio.jobs.choices import ControlKind, Task
from adstudio.models.families import Family
from adstudio.models.library import add_to_library, remove_from_library
from adstudio.settings import Appearance
from tests.engine.test_control import tiny_control, write_control
from tests.engine.tiny_models import tiny_model
from tests.ui.model_files import write_lora
from tests.ui.model_screens import ModelPhotographer, write_disk
from ui.main_window import MainWindow
from ui.theme import apply_theme

_LONG = "a very long name of a LoRA file that somebody downloaded from somewhere v2 final"


class BesidePhotographer(ModelPhotographer):
    """Every state of the two sections."""

    async def sections(self, scheme: Appearance, home: Path) -> None:
        apply_theme(self._app, scheme)
        disk = write_disk(home / "Models")
        write_lora(disk / "ink.safetensors", Family.SD15)
        write_lora(disk / f"{_LONG}.safetensors", Family.SD15)
        write_control(tiny_control(tiny_model(Family.SD15).parts["unet"]), disk / "canny")
        add_to_library(disk)
        window = await self.open(home / "AD Studio", samples=True)
        window.bench.models.refresh()
        await self.settle(window)
        session, beside = window.bench.session, window.bench.session.beside
        session.choose_model("Watercolour 1.5")
        await self.settle(window)
        self.shoot(window, f"{scheme}-empty")
        beside.add_lora("ink")
        beside.set_lora_weight("ink", 0.65)
        for name in (_LONG, "ink and wash"):
            beside.add_lora(name)
        await self.settle(window)
        self.shoot(window, f"{scheme}-loras-refused")
        for kind in (ControlKind.CANNY, ControlKind.LINE_ART, ControlKind.DEPTH):
            beside.follow(kind)
            await self.settle(window)
            self.shoot(window, f"{scheme}-{kind}")
        beside.follow(ControlKind.LUMINANCE)
        session.set_value("method", "optimize")
        await self.settle(window)
        self.shoot(window, f"{scheme}-waits")
        session.set_value("method", "sample")
        window.parameters.advanced.button.setChecked(True)
        window.resize(self._size[0], 1500)
        await self.settle(window)
        self.shoot(window, f"{scheme}-advanced")
        window.parameters.advanced.button.setChecked(False)
        window.resize(*self._size)
        session.set_value("method", None)
        remove_from_library(str(disk))
        add_to_library(disk / "Watercolour 1.5.safetensors")
        window.bench.models.refresh()
        await self.settle(window)
        self.shoot(window, f"{scheme}-missing")
        window.bench.choose_task(Task.TEXT_TO_IMAGE)
        window.resize(1000, 600)
        await self.settle(window)
        self.shoot(window, f"{scheme}-narrow")
        remove_from_library("Watercolour 1.5")
        await self._layout(window, scheme)
        await self.close(window)

    async def _layout(self, window: MainWindow, scheme: Appearance) -> None:
        session = window.bench.session
        window.resize(*self._size)
        window.bench.choose_task(Task.TEXTURE)
        mask = session.setup.styles[0].path
        session.set_style_mask(session.setup.styles[0].key, mask)
        await self.settle(window)
        self.shoot(window, f"{scheme}-layout-wanted")
        session.set_layout(mask)
        await self.settle(window)
        self.shoot(window, f"{scheme}-layout")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1440x1000", help="of the window")
    parser.add_argument("--scheme", choices=("dark", "light", "both"), default="both")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    width, height = (int(part) for part in chosen.size.split("x"))
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {"HOME": scratch, "XDG_CONFIG_HOME": f"{scratch}/config", "XDG_CACHE_HOME": f"{scratch}/cache"}
        os.environ |= {"XDG_DATA_HOME": f"{scratch}/data", "HF_HUB_CACHE": f"{scratch}/hub"}
        app = QApplication([sys.argv[0]])
        loop = qasync.QEventLoop(app)
        photographer = BesidePhotographer(app, chosen.folder, (width, height), None)
        with loop:
            for scheme in (Appearance.DARK, Appearance.LIGHT):
                if chosen.scheme in ("both", scheme):
                    loop.run_until_complete(photographer.sections(scheme, Path(scratch) / scheme.value))


if __name__ == "__main__":
    main()

"""File dialogs, opened without blocking; what was chosen goes to a callback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget

from adstudio.images.opening import SUFFIXES
from adstudio.projects import BUNDLE_SUFFIX, SUFFIX

PAGE_SUFFIX = ".html"


class FileDialogs(QObject):
    """Remembers the folder last used. folder: where to begin, where it is there; else with the pictures."""

    def __init__(self, window: QWidget, *, folder: Path | None = None) -> None:
        super().__init__(window)
        self._window = window
        pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        wanted = folder if folder is not None else Path(pictures)
        self._folder = str(wanted) if wanted.is_dir() else str(Path.home())
        self.current: QFileDialog | None = None

    def _filter(self) -> str:
        return self.tr("Pictures ({suffixes})").format(suffixes=" ".join(f"*{suffix}" for suffix in SUFFIXES))

    def _open(self, title: str, mode: QFileDialog.FileMode, then: Callable[[tuple[Path, ...]], None]) -> QFileDialog:
        dialog = QFileDialog(self._window, title, self._folder)
        dialog.setFileMode(mode)
        if mode is not QFileDialog.FileMode.Directory:
            dialog.setNameFilters([self._filter(), self.tr("All files (*)")])

        def on_accepted() -> None:
            files = tuple(Path(name) for name in dialog.selectedFiles())
            if files:
                self._folder = str(files[0].parent)
                then(files)

        dialog.accepted.connect(on_accepted)
        dialog.finished.connect(self._on_closed)
        self.current = dialog
        return dialog

    def _on_closed(self) -> None:
        if self.current is not None:
            self.current.deleteLater()
            self.current = None

    def open_picture(self, title: str, then: Callable[[Path], None]) -> None:
        """One picture."""
        self._open(title, QFileDialog.FileMode.ExistingFile, lambda files: then(files[0])).open()

    def open_pictures(self, title: str, then: Callable[[tuple[Path, ...]], None]) -> None:
        """One or more pictures."""
        self._open(title, QFileDialog.FileMode.ExistingFiles, then).open()

    def open_models(self, title: str, then: Callable[[tuple[Path, ...]], None]) -> None:
        """One or more model files."""
        dialog = self._open(title, QFileDialog.FileMode.ExistingFiles, then)
        dialog.setNameFilters([self.tr("Models (*.safetensors)"), self.tr("All files (*)")])
        dialog.open()

    def choose_folder(self, title: str, then: Callable[[Path], None]) -> None:
        self._open(title, QFileDialog.FileMode.Directory, lambda files: then(files[0])).open()

    def save_project(self, title: str, name: str, then: Callable[[Path], None]) -> None:
        """Where a project is to be made; whatever is there already is not touched."""
        dialog = self._open(title, QFileDialog.FileMode.AnyFile, lambda files: then(files[0]))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setNameFilters([self.tr("Projects (*{suffix})").format(suffix=SUFFIX)])
        dialog.selectFile(name)
        dialog.open()

    def save_bundle(self, title: str, name: str, then: Callable[[Path], None]) -> None:
        """Where a bundle is to be written; a file that is there is not replaced."""
        dialog = self._open(title, QFileDialog.FileMode.AnyFile, lambda files: then(files[0]))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setNameFilters([self._bundles()])
        dialog.selectFile(name)
        dialog.open()

    def open_bundle(self, title: str, then: Callable[[Path], None]) -> None:
        """One bundle."""
        dialog = self._open(title, QFileDialog.FileMode.ExistingFile, lambda files: then(files[0]))
        dialog.setNameFilters([self._bundles(), self.tr("All files (*)")])
        dialog.open()

    def save_gallery(self, title: str, name: str, then: Callable[[Path], None]) -> None:
        """Where a gallery is to be made: a new folder, or a file that ends in PAGE_SUFFIX."""
        folder, page = self.tr("Folder (*)"), self.tr("One HTML file (*{suffix})").format(suffix=PAGE_SUFFIX)
        dialog = self._open(title, QFileDialog.FileMode.AnyFile, lambda files: then(files[0]))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setNameFilters([folder, page])
        dialog.filterSelected.connect(
            lambda chosen: dialog.setDefaultSuffix(PAGE_SUFFIX.removeprefix(".") if chosen == page else "")
        )
        dialog.selectFile(name)
        dialog.open()

    def _bundles(self) -> str:
        return self.tr("Bundles (*{suffix})").format(suffix=BUNDLE_SUFFIX)

    def save_picture(self, title: str, name: str, then: Callable[[Path], None]) -> None:
        """Where to write a PNG."""
        dialog = self._open(title, QFileDialog.FileMode.AnyFile, lambda files: then(files[0]))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.setNameFilters([self.tr("PNG picture (*.png)")])
        dialog.selectFile(name)
        dialog.open()

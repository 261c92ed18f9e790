"""From a drop, the clipboard or a file dialog to slots; our own pictures can bring their settings back instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from adstudio.jobs.spec import Job
from adstudio.models.inspect import PICKLE_SUFFIXES
from ui.state.background import Background
from ui.state.image_files import job_inside, make_smaller_copy
from ui.state.incoming import Incoming, resolve
from ui.state.session import Session
from ui.state.setup import NEEDS_CONTENT, SlotPicture, SlotStatus

_MODEL_SUFFIXES = frozenset({".safetensors", ".gguf", *PICKLE_SUFFIXES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where pictures should go. key: a style slot to replace; content: the content; neither: more styles."""

    content: bool = False
    key: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One of our own pictures was brought: restore its settings, or use it as a picture at the target?"""

    path: Path
    job: Job
    target: Target


class Importer(QObject):
    """restore_offered: an Offer to be put to the artist. failed: why nothing was taken.

    models_brought: files that are (or would be) models and no pictures.
    """

    models_brought = Signal(object)
    restore_offered = Signal(object)
    failed = Signal(str)

    def __init__(
        self, session: Session, background: Background, pasted_folder: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._background = background
        self._pasted_folder = pasted_folder

    def take(self, incoming: Incoming, target: Target, *, ask: bool = True) -> None:
        """Bring pictures to their target. ask: offer to restore settings where a single picture carries some."""
        if incoming.addresses:
            self.failed.emit(
                self.tr(
                    "That is an address, not a picture, and nothing is fetched from the network here. In the browser, "
                    "copy the picture itself and paste it, or save it and drop the file."
                )
            )
            return

        models = tuple(file for file in incoming.files if file.suffix.lower() in _MODEL_SUFFIXES)
        if models:
            self.models_brought.emit(models)
            return

        def work() -> tuple[tuple[Path, ...], Job | None]:
            files = resolve(incoming, self._pasted_folder)
            job = job_inside(files[0]) if ask and len(files) == 1 and incoming.bitmap is None else None
            return files, job

        def arrived(found: tuple[tuple[Path, ...], Job | None]) -> None:
            files, job = found
            if job is not None:
                self.restore_offered.emit(Offer(path=files[0], job=job, target=target))
            elif files:
                self.place(files, target)
            else:
                self.failed.emit(self.tr("There is no picture in that folder."))

        self._background.submit(work, arrived, self.failed.emit)

    def place(self, files: tuple[Path, ...], target: Target) -> None:
        """Put files where they belong; of several dropped on the content the first stays, the rest become styles."""
        session = self._session
        if target.content:
            session.set_content(files[0])
            session.add_styles(files[1:])
        elif target.key:
            session.replace_style(target.key, files[0])
            session.add_styles(files[1:])
        else:
            session.add_styles(files)

    def make_smaller(self, slot: SlotPicture, target: Target) -> None:
        """Put a smaller copy of a picture that is too large in its place."""
        self._background.submit(
            lambda: make_smaller_copy(slot.path, self._pasted_folder),
            lambda copy: self.place((copy,), target),
            self.failed.emit,
        )

    def first_empty(self) -> Target:
        """Where a paste goes when no slot has the keyboard."""
        setup = self._session.setup
        content_open = setup.content is None or setup.content.status is SlotStatus.BROKEN
        return Target(content=setup.task in NEEDS_CONTENT and content_open)

"""What is laid out, over every picture of a folder: one run after another."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from adstudio.errors import AdStudioError
from adstudio.jobs.events import Finished, Progress
from adstudio.jobs.host import RunRequest
from adstudio.jobs.job_lines import pictures_in
from adstudio.jobs.spec import Job, Task
from ui.state.background import Background
from ui.state.job_controller import JobController
from ui.state.session import Session
from ui.state.telling import duration


class FolderLook(QObject):
    """Hands the controller a run at a time, the next one when nothing else runs or waits.

    status: which picture it is at, in one line. told: how it ended. refused: why it cannot begin, or what failed.
    Cancelling one of its runs ends it.
    """

    status = Signal(str)
    told = Signal(str)
    refused = Signal(str)

    def __init__(
        self, session: Session, controller: JobController, background: Background, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._controller = controller
        self._background = background
        self._job: Job | None = None
        self._left: deque[Path] = deque()
        self._count = 0
        self._made = 0
        self._failed: list[str] = []
        self._picture: Path | None = None
        self._folder: Path | None = None
        controller.run_created.connect(self._on_created)
        controller.progressed.connect(self._on_progress)
        controller.finished.connect(self._on_finished)
        controller.cancelled.connect(self._on_cancelled)
        controller.failed.connect(self._on_failed)
        controller.state_changed.connect(lambda _: self._next())

    @property
    def going(self) -> bool:
        """Whether pictures are left to begin, or one is being made."""
        return self._job is not None

    def begin(self, folder: Path) -> None:
        """Look for the pictures, then run them with what is laid out now, whatever is laid out later."""
        if self.going:
            self.refused.emit(self.tr("Another folder is being worked through; cancel its run first."))
            return
        if self._session.setup.task is Task.TEXTURE:
            self.refused.emit(self.tr("A texture has no content picture, so it cannot go over a folder."))
            return
        try:
            job = self._session.job()
        except AdStudioError as problem:
            self.refused.emit(str(problem))
            return
        if job.content_mask is not None or job.protect_mask is not None:
            self.refused.emit(self.tr("The masks laid out belong to one content; remove them to go over a folder."))
            return
        self._job = job
        self._background.submit(lambda: pictures_in(folder), self._on_found, self._on_none)

    def _on_found(self, pictures: tuple[Path, ...]) -> None:
        self._left = deque(pictures)
        self._count, self._made, self._failed = len(pictures), 0, []
        self._next()

    def _on_none(self, reason: str) -> None:
        self._job = None
        self.refused.emit(reason)

    def _next(self) -> None:
        if self._job is None or self._picture is not None or self._controller.busy or not self._count:
            return
        if not self._left:
            self._end()
            return
        self._picture = self._left.popleft()
        self._controller.run(self._job.model_copy(update={"content": self._picture}), {})

    def _on_created(self, request: RunRequest) -> None:
        """Nothing else was being prepared when ours was asked for, so the first one that comes is ours."""
        if self._picture is not None and self._folder is None:
            self._folder = request.folder

    def _on_progress(self, event: Progress) -> None:
        request = self._controller.current_request()
        if self._picture is None or request is None or request.folder != self._folder:
            return
        place = self._count - len(self._left)
        said = self.tr("Picture {number} of {count}, {name}").format(
            number=place, count=self._count, name=self._picture.name
        )
        parts = [said, f"{event.fraction * 100:.0f} %"]
        if event.remaining_s is not None:
            parts.append(self.tr("about {time} left").format(time=duration(event.remaining_s)))
        self.status.emit(" · ".join(parts))

    def _on_finished(self, request: RunRequest, _event: Finished, _seconds: float) -> None:
        if request.folder == self._folder:
            self._made += 1
            self._over()

    def _on_cancelled(self, folder: Path) -> None:
        if folder == self._folder:
            self._left.clear()
            self._over()

    def _on_failed(self, reason: str, folder: Path | None) -> None:
        if self._picture is not None and folder == self._folder:
            self._failed.append(f"{self._picture.name}: {reason}")
            self._over()

    def _over(self) -> None:
        self._picture = self._folder = None
        self._next()

    def _end(self) -> None:
        said = self.tr("{made} of {count} pictures of the folder are made.").format(made=self._made, count=self._count)
        self._job, self._count = None, 0
        if self._failed:
            failed = self.tr("{count} failed, the first: {reason}")
            self.refused.emit(f"{said} {failed.format(count=len(self._failed), reason=self._failed[0])}")
        else:
            self.told.emit(said)

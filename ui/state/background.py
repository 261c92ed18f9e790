"""The one room for the window's own slow work: decoding, hashing, thumbnails, disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from adstudio.errors import AdStudioError

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a piece of work; it crosses from a worker to the window's thread."""

    key: str
    number: int
    value: Any
    error: str
    then: Callable[[Any], None]
    failed: Callable[[str], None] | None


class Background(QObject):
    """A few threads for work and one way back: `then` and `failed` are called in the thread that made this object.

    Work with the same non-empty key supersedes what was asked before: only the newest is reported.
    """

    _came_back = Signal(object)
    idle = Signal()

    def __init__(self, parent: QObject | None = None, *, threads: int = 2) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="background")
        self._newest: dict[str, int] = {}
        self._waiting: dict[str, Future[None]] = {}
        self._number = 0
        self._open = 0
        self._closed = False
        self._came_back.connect(self._on_came_back)

    @property
    def busy(self) -> bool:
        """Whether anything asked for has not been reported yet."""
        return self._open > 0

    def submit(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
        *,
        key: str = "",
    ) -> None:
        """Do `work` in a worker; then call `then` with its value or `failed` with a sentence for the artist."""
        if self._closed:
            return
        self._number += 1
        number = self._number
        if key:
            self._newest[key] = number
            older = self._waiting.get(key)
            if older is not None and older.cancel():
                self._open -= 1

        def job() -> None:
            value: Any = None
            error = ""
            try:
                value = work()
            except AdStudioError as problem:
                error = str(problem)
            except OSError as problem:
                name = f"{problem.filename}: " if problem.filename else ""
                error = f"{name}{problem.strerror or problem}."
            except Exception as problem:  # noqa: BLE001  the top of a thread
                _log.exception("Background work failed")
                error = f"Something unexpected happened ({type(problem).__name__}). The log has the details."
            if not self._closed:
                self._came_back.emit(_Outcome(key, number, value, error, then, failed))

        self._open += 1
        future = self._pool.submit(job)
        if key:
            self._waiting[key] = future

    def _on_came_back(self, outcome: _Outcome) -> None:
        if self._closed:
            return
        self._open -= 1
        if not outcome.key or self._newest.get(outcome.key) == outcome.number:
            if not outcome.error:
                outcome.then(outcome.value)
            elif outcome.failed is not None:
                outcome.failed(outcome.error)
        if not self._open:
            self.idle.emit()

    def close(self, *, drop: bool = True) -> None:
        """Wait for what is being done, report nothing any more. drop: not what waits, too."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=drop)

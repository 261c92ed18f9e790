"""How far a run is and how long it will take."""

from __future__ import annotations

import time
from collections import deque

_REMEMBERED = 12


class Pace:
    """Counts steps of one kind. total: how many there are."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._recent: deque[float] = deque(maxlen=_REMEMBERED)
        self._since: float | None = None

    def begin(self) -> None:
        """A step begins now; what came before (a pause, a picture being saved) does not count."""
        self._since = time.monotonic()

    def step_done(self) -> None:
        """The step that began is done, and the next begins."""
        now = time.monotonic()
        if self._since is not None:
            self._recent.append(now - self._since)
        self._since = now

    def remaining_s(self, done: int) -> float | None:
        """Seconds for the steps still to do, at the pace of the last ones; None before the first."""
        if not self._recent:
            return None
        return sum(self._recent) / len(self._recent) * max(0, self.total - done)

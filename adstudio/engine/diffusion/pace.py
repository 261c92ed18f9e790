"""How far a run is and how long it will take."""

from __future__ import annotations

import time
from collections import deque

_REMEMBERED = 12


class Pace:
    """Counts steps of one kind. total: how many there are. forecast_s: of all, as expected beforehand."""

    def __init__(self, total: int, forecast_s: float | None = None) -> None:
        self.total = total
        self._forecast_s = forecast_s
        self._recent: deque[float] = deque(maxlen=_REMEMBERED)
        self._since: float | None = None

    def begin(self) -> None:
        """A step begins now; what came before (a pause, a picture being saved) does not count."""
        self._since = time.monotonic()

    def step_done(self) -> float:
        """The step that began is done, and the next begins; its seconds, 0 where its beginning was not told."""
        now = time.monotonic()
        taken_s = 0.0 if self._since is None else now - self._since
        if self._since is not None:
            self._recent.append(taken_s)
        self._since = now
        return taken_s

    def remaining_s(self, done: int) -> float | None:
        """Seconds for the steps still to do, at the pace of the last ones; before the first as expected."""
        if not self._recent:
            return None if self._forecast_s is None else self._forecast_s * (1 - done / self.total)
        return sum(self._recent) / len(self._recent) * max(0, self.total - done)

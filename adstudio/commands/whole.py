"""How long all the jobs of a command will take, told from what was computed so far."""

from __future__ import annotations

from collections.abc import Mapping

from adstudio.commands.console import duration
from adstudio.jobs.events import Event, Finished, Progress, Started

_TRUSTED_FRACTION = 0.2


class Whole:
    """Time left for all jobs, by the work of each and the pace so far; loading the model and copying do not count.

    works: something that grows as the time a job takes, by its name.
    """

    def __init__(self, works: Mapping[str, float]) -> None:
        self._left = dict(works)
        self._own = 0.0
        self._done = 0.0
        self._spent_s = 0.0
        self._started_s = 0.0
        self._now_s = 0.0
        self._before: float | None = None
        self._fraction = 0.0

    def begin(self, name: str) -> None:
        """The job that comes now."""
        self._own = self._left.pop(name)
        self._started_s = self._now_s = self._fraction = 0.0
        self._before = None

    def take(self, event: Event) -> None:
        """An event of the present job."""
        match event:
            case Started(time_s=time_s):
                self._started_s = self._now_s = time_s
            case Progress(time_s=time_s, fraction=fraction, step=step):
                if self._before is None:
                    self._before = fraction if step > 1 else 0.0  # gone on with: what was there cost nothing now
                self._now_s, self._fraction = time_s, fraction
            case Finished(time_s=time_s):
                self._done += self._own * (1 - (self._before or 0.0))
                self._spent_s += time_s - self._started_s
                self._own = 0.0

    def remaining_s(self) -> float | None:
        """Seconds of computing left for all jobs, None while unknown."""
        computed = max(0.0, self._fraction - (self._before or 0.0))
        done = self._done + computed * self._own
        if done <= 0 or (self._done <= 0 and computed < _TRUSTED_FRACTION):
            return None
        left = sum(self._left.values()) + (1 - self._fraction) * self._own
        return left * (self._spent_s + self._now_s - self._started_s) / done

    def words(self) -> str:
        """For the line of progress; nothing where the present job is the last one."""
        remaining_s = self.remaining_s()
        return f"all in about {duration(remaining_s)}" if self._left and remaining_s is not None else ""

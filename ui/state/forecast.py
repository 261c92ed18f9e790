"""How long a run is likely to take, from what earlier runs took on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from ui.state.runs import HistoryEntry
from ui.state.setup import Setup

_LATEST = 5


def forecast_s(setup: Setup, size: tuple[int, int], usual_steps: int, entries: Iterable[HistoryEntry]) -> float | None:
    """Seconds of computing to expect; None where nothing like it has been run here yet.

    size: of the result, (0, 0) while unknown. usual_steps: where none are chosen. entries: newest first.
    Cost is taken as linear in pixels and steps; the median of the latest runs forgives a pause.
    """
    width, height = size
    if not width:
        return None
    rates: list[float] = []
    for entry in entries:
        job = entry.job
        if job is None or entry.status != "finished" or not entry.seconds:
            continue
        if job.task is not setup.task or job.model != setup.model or not (job.width and job.height):
            continue
        rates.append(entry.seconds / (job.width * job.height * job.images * (job.num_inference_steps or 1)))
        if len(rates) == _LATEST:
            break
    if not rates:
        return None
    images, steps = setup.value("images"), setup.value("num_inference_steps")
    steps = steps if isinstance(steps, int) else usual_steps
    return median(rates) * width * height * (images if isinstance(images, int) else 1) * steps

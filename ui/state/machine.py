"""What the next run will need of this machine: asked in the background whenever something else is laid out."""

from __future__ import annotations

from dataclasses import dataclass

import psutil
from PySide6.QtCore import QObject, QTimer, Signal

from adstudio.errors import AdStudioError
from adstudio.jobs.choices import Device
from adstudio.jobs.spec import Job
from adstudio.jobs.workload import cpu_threads, usual_precision, workload_of
from adstudio.models.calibration import calibrations
from adstudio.models.description import ModelDescription
from adstudio.models.forecast import plan
from ui.state.background import Background
from ui.state.session import Session

_SETTLE_MS = 150
_GB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Of a run with a diffusion model on the CPU. seconds: None where this machine has shown nothing like it yet."""

    seconds: float | None
    peak_gb: float
    available_gb: float

    @property
    def fits(self) -> bool:
        return self.peak_gb <= self.available_gb


class Machine(QObject):
    """changed: `needs` is another."""

    changed = Signal()

    def __init__(self, session: Session, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._background = session, background
        self.needs: Needs | None = None
        self._limit_bytes: int | None = None
        self.device = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._ask)
        session.changed.connect(self._timer.start)

    def set_limit(self, limit_bytes: int | None) -> None:
        """What a run may take in all; None for what is free."""
        self._limit_bytes = limit_bytes
        self._timer.start()

    def use_device(self, device: str) -> None:
        """Where the last run was computed: cpu, cuda or mps."""
        if device != self.device:
            self.device = device
            self._timer.start()

    def _ask(self) -> None:
        model, size = self._session.model(), self._session.expected_size()
        try:
            job = self._session.job()
        except AdStudioError:
            job = None
        on_cpu = job is not None and (job.device is Device.CPU or (job.device is Device.AUTO and self.device == "cpu"))
        if model is None or job is None or not on_cpu or not all(size):
            self._tell(None)  # the patch model learns from the history; cards are asked by the engine alone
            return
        limit_bytes = self._limit_bytes
        self._background.submit(
            lambda: needs_of(job, model, size, limit_bytes), self._tell, lambda _: self._tell(None), key="needs"
        )

    def _tell(self, needs: Needs | None) -> None:
        if needs != self.needs:
            self.needs = needs
            self.changed.emit()


def needs_of(job: Job, model: ModelDescription, size: tuple[int, int], limit_bytes: int | None) -> Needs:
    """Time and memory of a job on the CPU, as the engine itself will plan it. size: (width, height) in pixels."""
    precision = usual_precision(job.precision, Device.CPU, model.family)
    load = workload_of(job, model, size, device=Device.CPU, precision=precision, threads=cpu_threads())
    free = psutil.virtual_memory().available
    available = free if limit_bytes is None else min(free, limit_bytes)
    found = plan(load, available, calibrations())
    return Needs(
        seconds=found.seconds, peak_gb=round(found.peak_bytes / _GB, 1), available_gb=round(available / _GB, 1)
    )

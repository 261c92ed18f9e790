"""Faults 1, 23 and 30 for the window: the application is killed while it computes, and the next start goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from adstudio.engine.runner import StudioEngine
from adstudio.jobs import run_folder
from adstudio.jobs.thread_host import ThreadHost
from adstudio.projects import Project, RunState
from tests.engine.studio import pixels_of
from tests.event_loop import turning
from ui.state import figures
from ui.state.samples import Samples
from ui.state.workbench import Workbench

PATIENCE_MS = 120_000

_APPLICATION = """
import asyncio, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
import qasync
from adstudio.engine.runner import StudioEngine
from adstudio.jobs.thread_host import ThreadHost
from adstudio.paths import samples_dir
from adstudio.settings import Settings
from ui.app import Studio

app = QApplication(sys.argv)
loop = qasync.QEventLoop(app)
asyncio.set_event_loop(loop)
with loop:
    folder = Path(sys.argv[1])
    host = ThreadHost(lambda: StudioEngine(1))
    settings = Settings(project=folder / "studio.adproj", runs_dir=folder / "none")
    studio = Studio(app, host, loop, settings, folder / "settings.json")
    studio.start(samples_dir())

    async def work():
        session = studio.bench.session
        while session.problem():
            await asyncio.sleep(0.05)
        session.set_value("width", 384)
        session.set_value("num_inference_steps", 60)
        studio.bench.run()
        await studio.closed

    loop.run_until_complete(work())
"""


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    with turning(qapp) as made:
        yield made


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a signal of POSIX systems")
def test_23_the_application_killed_while_it_computes_offers_to_go_on_to_the_same_pixels(
    qtbot: QtBot, loop: asyncio.AbstractEventLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "figures_of", lambda *_: None)
    runs = tmp_path / "studio.adproj" / "runs"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen([sys.executable, "-c", _APPLICATION, str(tmp_path)], env=environment) as application:
        try:
            qtbot.waitUntil(lambda: bool(list(runs.glob("*/checkpoints/*.npz"))), timeout=PATIENCE_MS)
        finally:
            application.send_signal(signal.SIGKILL)
    bench = Workbench(
        ThreadHost(lambda: StudioEngine(1)),
        loop,
        project_folder=tmp_path / "studio.adproj",
        pasted_folder=tmp_path / "pasted",
    )
    with qtbot.waitSignal(bench.unfinished_found, timeout=10_000) as found:
        bench.open(Samples())
    assert found.args is not None
    entry = found.args[0]
    assert entry.status == RunState.INTERRUPTED and not entry.results
    with qtbot.waitSignal(bench.controller.finished, timeout=PATIENCE_MS):
        bench.past.go_on(entry)
    qtbot.waitUntil(lambda: not bench.room.background.busy, timeout=10_000)
    loop.run_until_complete(bench.controller.shutdown())
    bench.close()
    with Project.open(tmp_path / "studio.adproj") as project:
        run = project.run(entry.run_id)
        assert run.state is RunState.FINISHED and len(run.results) == 1
        kept = pixels_of(project.object_path(run.results[0].object.digest))
        request = run_folder.create(project.job(run).model_copy(update={"digests": {}}), tmp_path / "uninterrupted")
    engine = StudioEngine(1)
    for _ in engine.run(request, _Never()):
        pass
    assert np.array_equal(kept, pixels_of(request.folder / "result.png"))


class _Never:
    def interrupted(self) -> bool:
        return False

    def pause_requested(self) -> bool:
        return False

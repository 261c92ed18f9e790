"""What holds for every test: no screen, no settings of the person who runs them, nothing left behind."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

# Before anything imports Qt, and inherited by every program that a test starts.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.pop("QT_STYLE_OVERRIDE", None)

_LEAK_GRACE_S = 3.0
# Threads that libraries keep for themselves until the process ends: they hold nothing of a test.
_LASTING_THREADS = ("pytest_timeout", "execnet", "ThreadPoolExecutor-", "asyncio_", "tqdm", "QThread", "Dummy-")


def _redirected_folders(home: Path) -> dict[str, str]:
    """Environment in which platformdirs, on every system, finds all its folders below `home`."""
    return {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "APPDATA": str(home / "roaming"),
        "LOCALAPPDATA": str(home / "local"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_RUNTIME_DIR": str(home / "runtime"),
        "XDG_PICTURES_DIR": str(home / "Pictures"),
        "HF_HUB_OFFLINE": "1",
    }


def pytest_configure(config: pytest.Config) -> None:
    """Give each process of the test run a home of its own, before any module asks for one."""
    home = tempfile.TemporaryDirectory(prefix="adstudio-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    before = {name: os.environ.get(name) for name in _redirected_folders(Path())}

    def restore() -> None:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    config.add_cleanup(restore)
    os.environ.update(_redirected_folders(Path(home.name)))
    (Path(home.name) / "runtime").mkdir(mode=0o700)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home for each test, so that no test sees the settings of another."""
    home = tmp_path_factory.mktemp("home")
    (home / "runtime").mkdir(mode=0o700)
    for name, value in _redirected_folders(home).items():
        monkeypatch.setenv(name, value)
    return home


def _own_threads() -> set[threading.Thread]:
    return {
        thread
        for thread in threading.enumerate()
        if not isinstance(thread, threading._DummyThread) and not thread.name.startswith(_LASTING_THREADS)
    }


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread running."""
    before = _own_threads()
    yield
    deadline_s = time.monotonic() + _LEAK_GRACE_S
    left = _own_threads() - before
    for thread in left:
        thread.join(max(0.0, deadline_s - time.monotonic()))
    alive = sorted(thread.name for thread in left if thread.is_alive())
    if alive:
        pytest.fail(f"threads still running after the test: {', '.join(alive)}")


def _top_level_widgets() -> list[QWidget]:
    """Top-level widgets of this process; none where no test has made an application yet."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return []
    return list(widgets.QApplication.topLevelWidgets())


def _settle_widgets() -> None:
    """Let go of what Python still holds in cycles and of what Qt will delete in the next round."""
    gc.collect()
    core = sys.modules["PySide6.QtCore"]
    core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete.value)
    core.QCoreApplication.processEvents()


@pytest.fixture(autouse=True)
def no_leaked_widgets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a top-level widget behind; what qtbot or a parent owns is gone by then."""
    before = {id(widget) for widget in _top_level_widgets()}
    if any(name in request.fixturenames for name in ("qapp", "qtbot")):
        request.getfixturevalue("qapp")
    yield
    if not _top_level_widgets():
        return
    _settle_widgets()
    left = [widget for widget in _top_level_widgets() if id(widget) not in before]
    if left:
        names = ", ".join(sorted(f"{type(widget).__name__}({widget.objectName()})" for widget in left))
        for widget in left:
            widget.deleteLater()
        pytest.fail(f"top-level widgets still there after the test: {names}")

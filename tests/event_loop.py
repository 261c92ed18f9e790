"""The event loop that the application uses, for tests that turn Qt's own loops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import qasync  # type: ignore[import-untyped]
from PySide6.QtWidgets import QApplication


@contextmanager
def turning(app: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    """Known to asyncio as the running loop, though only `qtbot.waitUntil` and its like let it turn."""
    made = qasync.QEventLoop(app)
    asyncio.set_event_loop(made)
    asyncio.events._set_running_loop(made)
    yield made
    asyncio.events._set_running_loop(None)
    made.close()
    asyncio.set_event_loop(None)

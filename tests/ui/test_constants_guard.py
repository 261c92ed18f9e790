"""Painting and emitting for long does not use up the references of `None`, `True` and `False`."""

from __future__ import annotations

import subprocess
import sys

import pytest

PAINT_FOR_LONG = """
import ui
from PySide6.QtGui import QGuiApplication, QImage, QPainter
app = QGuiApplication(["test", "-platform", "offscreen"])
picture = QImage(8, 8, QImage.Format.Format_RGB32)
painter = QPainter(picture)
for _ in range(200_000):
    painter.save()
    painter.restore()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(1.0)
painter.end()
"""

EMIT_FOR_LONG = """
import ui
from PySide6.QtCore import QObject, Signal
class Teller(QObject):
    told = Signal(bool)
teller = Teller()
teller.told.connect(lambda yes: None)
for turn in range(200_000):
    teller.told.emit(turn % 2 == 0)
"""


@pytest.mark.parametrize("code", [PAINT_FOR_LONG, EMIT_FOR_LONG], ids=["paint", "emit"])
def test_working_for_long_leaves_the_interpreter_alive(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr

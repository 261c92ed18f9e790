"""Painting for long does not use up the references of `None`."""

from __future__ import annotations

import subprocess
import sys

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


def test_painting_for_long_leaves_the_interpreter_alive() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PAINT_FOR_LONG], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr

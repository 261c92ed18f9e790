"""Keeps `None`, `True` and `False` alive on Python 3.11, where PySide6 6.12 gives back references it never took.

Many calls of QPainter lower the reference count of `None` by one each, every `Signal.emit` that of `True`, until the
interpreter stops with "deallocating None" after some minutes of work. From Python 3.12 on the three have no count to
lower. Own choice: raise their counts once, far beyond what can be used up, rather than demand a newer Python.
"""

from __future__ import annotations

import ctypes
import sys

_PLENTY = 1 << 40
_SLACK = 64


def keep_constants_alive() -> None:
    """Do this once, before anything is painted or emitted.

    Does nothing where the constants are immortal or where their counts cannot be found.
    """
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    for constant in (None, True, False):
        count = ctypes.c_ssize_t.from_address(id(constant))
        if count.value < _PLENTY and abs(count.value - sys.getrefcount(constant)) <= _SLACK:
            count.value += _PLENTY

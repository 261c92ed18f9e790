"""Keeps `None` alive on Python 3.11, where PySide6 6.12 gives back one reference too many for many calls of QPainter.

Every such call lowers the reference count of `None` by one, until the interpreter stops with "deallocating
None" after a minute of painting. From Python 3.12 on `None` has no count to lower. Own choice: raise the
count once, far beyond what painting can use up, rather than demand a newer Python.
"""

from __future__ import annotations

import ctypes
import sys

_PLENTY = 1 << 40
_SLACK = 64


def keep_none_alive() -> None:
    """Do this once, before anything is painted. Does nothing where `None` is immortal or its count cannot be found."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    count = ctypes.c_ssize_t.from_address(id(None))
    if count.value < _PLENTY and abs(count.value - sys.getrefcount(None)) <= _SLACK:
        count.value += _PLENTY

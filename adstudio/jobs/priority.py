"""Lower priority for the thread that computes, so that the window stays quick."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading

_NICENESS = 10
_WINDOWS_BELOW_NORMAL = -1
_MACOS_QOS_UTILITY = 0x11


def lower_thread_priority() -> None:
    """Make the calling thread, and those it starts, yield to the rest of the program; best effort on every system."""
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "win32":
            kernel = ctypes.windll.kernel32
            kernel.SetThreadPriority(kernel.GetCurrentThread(), _WINDOWS_BELOW_NORMAL)
        elif sys.platform == "darwin":
            ctypes.CDLL(None).pthread_set_qos_class_self_np(_MACOS_QOS_UTILITY, 0)
        elif sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)

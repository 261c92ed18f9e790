"""Which build of PyTorch fits this machine, and where it is found."""

from __future__ import annotations

import shutil
import socket
import sys
import threading
from dataclasses import dataclass
from typing import Literal

TORCH_CHOICES = ("auto", "cpu", "cuda")
PROBE_TIMEOUT_S = 4.0
INDEX_HOST = "download.pytorch.org"

Build = Literal["cpu", "cuda", "mps"]


@dataclass(frozen=True, kw_only=True)
class TorchSource:
    """A build of PyTorch, and the index that has it (None: pip's own, which is also the way out for the others)."""

    build: Build
    index_url: str | None


def choose_build(wish: str, *, platform: str, has_nvidia: bool) -> Build:
    """Turn `auto`, `cpu` or `cuda` into the build that is installed; macOS has one build, with MPS inside."""
    if platform == "darwin":
        return "mps"
    if wish == "cpu":
        return "cpu"
    if wish == "cuda" or has_nvidia:
        return "cuda"
    return "cpu"


def source_for(build: Build, *, platform: str) -> TorchSource:
    """Where a build is found: the default index has CUDA for Linux, plain CPU for Windows, MPS for macOS."""
    if build == "cpu" and platform.startswith("linux"):
        return TorchSource(build=build, index_url=f"https://{INDEX_HOST}/whl/cpu")
    if build == "cuda" and platform == "win32":
        return TorchSource(build=build, index_url=f"https://{INDEX_HOST}/whl/cu130")
    return TorchSource(build=build, index_url=None)


def machine_build(wish: str) -> Build:
    """`choose_build` for the machine this runs on; nvidia-smi comes with every NVIDIA driver."""
    return choose_build(wish, platform=sys.platform, has_nvidia=shutil.which("nvidia-smi") is not None)


def reachable(host: str, port: int = 443, *, timeout_s: float = PROBE_TIMEOUT_S) -> bool:
    """Whether a connection opens within `timeout_s`, name look-up included (which knows no timeout of its own)."""
    opened = threading.Event()

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=timeout_s).close()
        except OSError:
            return
        opened.set()

    probe = threading.Thread(target=connect, name="probe", daemon=True)
    probe.start()
    probe.join(timeout_s)
    return opened.is_set()

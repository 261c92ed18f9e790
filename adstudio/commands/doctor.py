"""`adstudio doctor`: what this machine has, what it lacks, and the way out."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adstudio.commands.console import duration, say
from adstudio.errors import AdStudioError
from adstudio.jobs.host import EngineFactory
from adstudio.paths import pictures_dir, samples_dir

_ENOUGH_MEMORY_BYTES = 2 << 30
_ENOUGH_DISK_BYTES = 1 << 30
_REINSTALL = "run python3 packaging/bootstrap.py again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the report. way_out: what to do about it, where ok is False."""

    name: str
    ok: bool
    detail: str
    way_out: str = ""


def doctor_command(factory: EngineFactory, *, warm: bool, as_json: bool) -> int:
    """Print the findings; 0 where everything needed for the patch model is there, otherwise 3."""
    findings = [
        _python(),
        _torch(),
        _package("numba", "compiles the patch search"),
        _package("pillow", "reads and writes pictures"),
        _qt(),
        _kernel_cache(),
        _memory(),
        _disk(),
        _samples(),
    ]
    if warm:
        findings.append(_warmed(factory))
    if as_json:
        say(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            mark = "ok     " if finding.ok else "missing"
            say(f"{mark}  {finding.name}: {finding.detail}" + (f" -> {finding.way_out}" if finding.way_out else ""))
    return 0 if all(finding.ok for finding in findings) else 3


def _python() -> Finding:
    version = platform.python_version()
    ok = sys.version_info >= (3, 11)
    return Finding(
        name="Python",
        ok=ok,
        detail=f"{version} on {platform.system()} {platform.machine()}, {os.cpu_count() or 1} processors",
        way_out="" if ok else "install Python 3.11 or newer",
    )


def _torch() -> Finding:
    try:
        torch: Any = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        return Finding(name="PyTorch", ok=False, detail=f"cannot be imported ({error})", way_out=_REINSTALL)
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices.append(f"cuda ({torch.cuda.get_device_name(0)})")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return Finding(name="PyTorch", ok=True, detail=f"{torch.__version__}, devices: {', '.join(devices)}")


def _package(name: str, purpose: str) -> Finding:
    try:
        return Finding(name=name, ok=True, detail=f"{importlib.metadata.version(name)}, {purpose}")
    except importlib.metadata.PackageNotFoundError:
        return Finding(name=name, ok=False, detail=f"is not installed; it {purpose}", way_out=_REINSTALL)


def _qt() -> Finding:
    try:
        widgets: Any = importlib.import_module("PySide6.QtWidgets")
        qt_core: Any = importlib.import_module("PySide6.QtCore")
    except (ImportError, OSError) as error:
        return Finding(name="Qt", ok=False, detail=f"the window cannot be opened ({error})", way_out=_REINSTALL)
    return Finding(name="Qt", ok=hasattr(widgets, "QApplication"), detail=f"{qt_core.qVersion()}, for the window")


def _kernel_cache() -> Finding:
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).resolve().parent.parent / "engine" / "patch")
    ready = any(folder.rglob("*.nbi")) if folder.is_dir() else False
    detail = "compiled" if ready else "not compiled yet, which the first run does (or adstudio doctor --warm)"
    return Finding(name="Patch search", ok=True, detail=detail)


def _memory() -> Finding:
    try:
        psutil: Any = importlib.import_module("psutil")
    except ImportError:
        return Finding(name="Memory", ok=False, detail="cannot be measured without psutil", way_out=_REINSTALL)
    memory = psutil.virtual_memory()
    ok = memory.available >= _ENOUGH_MEMORY_BYTES
    return Finding(
        name="Memory",
        ok=ok,
        detail=f"{_gigabytes(memory.available)} free of {_gigabytes(memory.total)}",
        way_out="" if ok else "close other programs, or make smaller pictures",
    )


def _disk() -> Finding:
    wanted = pictures_dir()
    folder = next((one for one in (wanted, *wanted.parents) if one.is_dir()), Path(tempfile.gettempdir()))
    free = shutil.disk_usage(folder).free
    ok = free >= _ENOUGH_DISK_BYTES
    return Finding(
        name="Disk",
        ok=ok,
        detail=f"{_gigabytes(free)} free for {wanted}",
        way_out="" if ok else "make room, or write results elsewhere with --out",
    )


def _samples() -> Finding:
    index_path = samples_dir() / "samples.json"
    try:
        index = json.loads(index_path.read_bytes())
        gone = [one["file"] for one in index["samples"] if not (samples_dir() / one["file"]).is_file()]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Finding(name="Samples", ok=False, detail=f"{index_path} cannot be read ({error})", way_out=_REINSTALL)
    if gone:
        return Finding(name="Samples", ok=False, detail=f"without {', '.join(gone)}", way_out=_REINSTALL)
    return Finding(name="Samples", ok=True, detail=f"{len(index['samples'])} pictures in {samples_dir()}")


def _warmed(factory: EngineFactory) -> Finding:
    begun_s = time.monotonic()
    try:
        factory().warm()
    except (AdStudioError, ImportError, OSError, RuntimeError) as error:
        return Finding(name="Engine", ok=False, detail=f"cannot be made ready ({error})", way_out=_REINSTALL)
    return Finding(name="Engine", ok=True, detail=f"ready, after {duration(time.monotonic() - begun_s)}")


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 30):.1f} GB"

"""Seconds and peak memory of a transfer or a texture as it grows: `python -m tests.benchmarks.scaling`.

Each size runs in a process of its own, warm. Linear cost shows as the same seconds for a megapixel at all sizes; exit
status 1 where a run fails or the peak at 2048 × 2048 or below reaches 2 GB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from adstudio.jobs.choices import Device

# Little is imported here: on Linux a child's peak begins at that of the process it was started from.
_SIZES_PX = (512, 1024, 2048)
_LARGEST_PX = 4096
_LIMIT_SIZE_PX = 2048
_LIMIT_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a picture of size × size pixels took. peak_bytes: of the whole process, with libraries and the warm-up."""

    size_px: int
    seconds: float
    peak_bytes: int

    @property
    def seconds_per_megapixel(self) -> float:
        return self.seconds / (self.size_px**2 / 1e6)

    @property
    def too_large(self) -> bool:
        return self.size_px <= _LIMIT_SIZE_PX and self.peak_bytes >= _LIMIT_BYTES


def cost_of(size_px: int, device: Device = Device.AUTO, *, texture: bool = False) -> Cost:
    """Make a transfer or texture in this process, after a small one to warm up. Raises RuntimeError where it fails."""
    from adstudio.cli import engine_factory
    from adstudio.paths import samples_dir
    from tests.benchmarks.cases import find_cases, prepared
    from tests.benchmarks.contestants import Ours

    with tempfile.TemporaryDirectory() as scratch, Ours(engine_factory, device) as ours:
        folder = Path(scratch)
        case = prepared(find_cases(samples_dir(), pairs=0 if texture else 1)[0], folder / "inputs", size_px)
        ours.warm(case, folder / "warm-up")
        made = ours.make(case, folder / "run", size_px)
    if made.seconds is None:
        raise RuntimeError(made.failure)
    return Cost(size_px=size_px, seconds=made.seconds, peak_bytes=_peak_bytes())


def _peak_bytes() -> int:
    """The most physical memory that this process has had."""
    if sys.platform == "win32":
        import psutil  # type: ignore[import-untyped]

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _in_child(size_px: int, device: Device, *, texture: bool) -> Cost | None:
    command = [sys.executable, "-m", "tests.benchmarks.scaling", "--child", str(size_px), "--device", device]
    command += ["--texture"] if texture else []
    child = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    return Cost(**json.loads(child.stdout)) if child.returncode == 0 else None


def main() -> int:
    """Measure size after size and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help=f"{_LARGEST_PX} × {_LARGEST_PX}, too")
    parser.add_argument("--texture", action="store_true", help="a texture of the samples in place of a transfer")
    parser.add_argument("--device", type=Device, choices=list(Device), default=Device.AUTO)
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child is not None:
        sys.stdout.write(json.dumps(asdict(cost_of(asked.child, asked.device, texture=asked.texture))))
        return 0
    sys.stdout.write(f"{'size':>6}{'seconds':>10}{'s per MP':>10}{'peak GB':>10}\n")
    status = 0
    for size_px in (*_SIZES_PX, *((_LARGEST_PX,) if asked.full else ())):
        cost = _in_child(size_px, asked.device, texture=asked.texture)
        if cost is None:
            sys.stdout.write(f"{size_px:6}  failed\n")
            status = 1
            continue
        mark = "  over the limit" if cost.too_large else ""
        sys.stdout.write(
            f"{size_px:6}{cost.seconds:10.2f}{cost.seconds_per_megapixel:10.2f}{cost.peak_bytes / 1e9:10.2f}{mark}\n"
        )
        sys.stdout.flush()
        status = 1 if cost.too_large else status
    return status


if __name__ == "__main__":
    sys.exit(main())

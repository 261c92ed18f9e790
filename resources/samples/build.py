"""Draws the sample pictures again from their scripts: `python resources/samples/build.py [NAME ...]`."""

import argparse
import importlib
import json
import logging
import sys
import time
from pathlib import Path

from scripts.picture import save

FOLDER = Path(__file__).resolve().parent
_log = logging.getLogger("samples")


def build(name: str, file: str, script: str, out: Path, long_side_px: int | None) -> None:
    """Render one sample with its script and write it to the folder `out`."""
    module = importlib.import_module(f"scripts.{Path(script).stem}")
    began_s = time.perf_counter()
    picture = module.render(long_side_px or module.LONG_SIDE_PX, module.SEED)
    save(picture, out / file)
    _log.info("%s: %d x %d, %.1f s", name, picture.shape[1], picture.shape[0], time.perf_counter() - began_s)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="samples to draw; all of samples.json where none is named"
    )
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to")
    parser.add_argument("--long-side", type=int, metavar="PX", help="length of the longer side, for a quick look")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    samples = json.loads((FOLDER / "samples.json").read_text("utf-8"))["samples"]
    unknown = set(options.names) - {sample["name"] for sample in samples}
    if unknown:
        parser.error(f"not in samples.json: {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    for sample in samples:
        if not options.names or sample["name"] in options.names:
            build(sample["name"], sample["file"], sample["script"], options.out, options.long_side)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

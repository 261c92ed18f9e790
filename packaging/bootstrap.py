#!/usr/bin/env python3
"""From a bare machine to a running AD Studio, with nothing but Python's standard library.

    python3 packaging/bootstrap.py demo [--out DIR] [--no-window]   samples through the patch model, then the window
    python3 packaging/bootstrap.py test [PYTEST ARGUMENTS]          all tests
    python3 packaging/bootstrap.py run [ARGUMENTS]                  the installed application
    python3 packaging/bootstrap.py setup [--dev]                    the set-up alone

Each makes `.venv` in the project's root first, or finds that nothing is to be done. `--torch cpu|cuda|auto` picks the
build of PyTorch. This one file also has to be readable for old Pythons, so that it can tell them what is missing.
"""

from __future__ import annotations

import shutil
import sys

if sys.version_info < (3, 11):  # noqa: UP036  (the very point: an older Python gets a sentence, not a traceback)
    newer = [name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)]
    sys.exit(
        "AD Studio needs Python 3.11 or newer; this is {}.{}. ".format(*sys.version_info[:2])
        + (
            f"Start this script with `{newer[0]}` instead."
            if newer
            else "Install one from your system's packages or from https://www.python.org/downloads/ and start again."
        )
    )

import argparse
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from setup_errors import SetupError
from setup_qt import ensure_qt_libraries
from setup_torch import TORCH_CHOICES
from setup_venv import Environment

ROOT = Path(__file__).resolve().parent.parent
VERBATIM = ("run", "test")  # what follows them belongs to the program they start


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for on the command line."""

    command: str
    torch: str = "auto"
    dev: bool = False
    out: Path = ROOT / "demo"
    window: bool = True
    rest: tuple[str, ...] = ()


def parse(arguments: list[str]) -> Request:
    """Read the command line; `run` and `test` hand on everything after them but a leading --torch."""
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set up AD Studio in .venv, and start it.")
    torch_option = argparse.ArgumentParser(add_help=False)
    torch_option.add_argument(
        "--torch", choices=TORCH_CHOICES, default=argparse.SUPPRESS, help="build of PyTorch (auto: what fits here)"
    )
    parser.add_argument(
        "--torch", choices=TORCH_CHOICES, default="auto", help="build of PyTorch (auto: what fits here)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", parents=[torch_option], help="samples through the patch model, then the window")
    demo.add_argument("--out", type=Path, default=ROOT / "demo", metavar="DIR", help="folder for the results")
    demo.add_argument("--no-window", dest="window", action="store_false", help="make the pictures only")
    commands.add_parser("test", parents=[torch_option], help="all tests; further arguments go to pytest")
    commands.add_parser("run", parents=[torch_option], help="the application; further arguments go to it")
    setup = commands.add_parser("setup", parents=[torch_option], help="the set-up alone")
    setup.add_argument("--dev", action="store_true", help="with the tools for tests and checks")
    own, rest = split_verbatim(arguments)
    found = parser.parse_args(own)
    return Request(
        command=found.command,
        torch=found.torch,
        dev=getattr(found, "dev", False) or found.command == "test",
        out=getattr(found, "out", ROOT / "demo").absolute(),
        window=getattr(found, "window", True),
        rest=tuple(rest),
    )


def split_verbatim(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Part this script's own arguments from those that are handed on."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if arguments[at] == "--torch" else 1
    if at >= len(arguments) or arguments[at] not in VERBATIM:
        return arguments, []
    at += 1
    if arguments[at : at + 1] == ["--torch"]:
        at += 2
    elif arguments[at : at + 1] and arguments[at].startswith("--torch="):
        at += 1
    return arguments[:at], arguments[at:]


def has_display(platform: str = sys.platform) -> bool:
    """Whether a window can be seen here."""
    if platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def start(command: list[str]) -> int:
    """Become `command` where the system knows how, else wait for it; returns its exit status."""
    sys.stdout.flush()
    if sys.platform == "win32":
        return subprocess.run(command, check=False).returncode
    return os.execv(command[0], command)  # noqa: S606  (the program is this project's own Python)


def run_demo(python: str, request: Request) -> int:
    """Make the demo's pictures, say where they are, and open the window if there is a display."""
    status = subprocess.run([python, "-m", "adstudio", "demo", "--out", str(request.out)], check=False).returncode
    if status != 0:
        print(f"The demo ended with exit status {status}; what it says above tells why.", file=sys.stderr)
        return status
    pages = sorted(request.out.glob("*.html"))
    print(f"The pictures are in {request.out}" + (f"; look at {pages[0]}" if pages else ""))
    if not (request.window and has_display()):
        return 0
    print("Opening the window ...")
    return start([python, "-m", "adstudio", "gui"])


def main(arguments: list[str]) -> int:
    """Set up what is missing, then do what was asked; returns the exit status."""
    request = parse(arguments)
    environment = Environment(ROOT)
    try:
        changed = environment.ensure(torch=request.torch, dev=request.dev)
        ensure_qt_libraries(with_display=has_display())
        if changed:
            environment.finish()
            environment.warm_kernels()
    except SetupError as error:
        print(f"\nSet-up stopped: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("\nSet-up interrupted. Start it again and it begins anew where it has to.", file=sys.stderr)
        return 130
    python = str(environment.python)
    if request.command == "setup":
        print(f"AD Studio is set up in {environment.folder}")
        return 0
    if request.command == "demo":
        return run_demo(python, request)
    if request.command == "test":
        os.chdir(ROOT)
        return start([python, "-m", "pytest", *request.rest])
    return start([python, "-m", "adstudio", *request.rest])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

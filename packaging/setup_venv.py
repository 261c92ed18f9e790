"""The project's virtual environment: made, filled, stamped, and mended when something went wrong half-way."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from setup_errors import SetupError, hint_for
from setup_qt import apt_install, is_root, machine_family
from setup_torch import INDEX_HOST, TorchSource, machine_build, reachable, source_for

STAMP_FORMAT = 1
STAMP_NAME = "adstudio-stamp.json"
UNFINISHED_NAME = "adstudio-unfinished"
LOG_NAME = "setup.log"
LOG_TAIL_LINES = 15
WARM_TIMEOUT_S = 900.0
_WITNESSES = ("torch/__init__.py", "PySide6/__init__.py", "adstudio-*.dist-info")


def fingerprint(root: Path, *, build: str, version: str) -> str:
    """Name everything that decides what is installed: pins, project, build of PyTorch, Python, place, format."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    parts = {
        "format": STAMP_FORMAT,
        "constraints": (root / "packaging" / "constraints.txt").read_text(encoding="utf-8"),
        "project": project.get("project", {}),
        "build-system": project.get("build-system", {}),
        "torch": build,
        "python": version,
        "root": str(root),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def pinned(constraints: str, name: str) -> str:
    """Find the line `name==version` of a constraints file; raises SetupError where there is none."""
    for line in constraints.splitlines():
        if line.strip().lower().startswith(f"{name.lower()}=="):
            return line.strip()
    message = f"packaging/constraints.txt names no release of {name}; restore the file."
    raise SetupError(message)


class Environment:
    """`.venv` in the project's root.

    A mark stands in it while it is being filled; found later, it tells of an interruption, and the folder is made anew.
    The stamp is written last and says what was installed, so that the next call can leave at once.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        self._stamp = self.folder / STAMP_NAME
        self._unfinished = self.folder / UNFINISHED_NAME
        self._log = self.folder / LOG_NAME
        self._version = "{}.{}.{}".format(*sys.version_info[:3])
        self._next_stamp: dict[str, object] = {}
        self._began_s = 0.0

    def ensure(self, *, torch: str, dev: bool) -> bool:
        """Install what is missing; True where something was done, and `finish` is to be called.

        Raises SetupError with the reason and the way out.
        """
        source = source_for(machine_build(torch), platform=sys.platform)
        key = fingerprint(self.root, build=source.build, version=self._version)
        stamp = self.read_stamp()
        same = stamp.get("key") == key
        if same and (stamp.get("dev") or not dev) and not self._unfinished.exists() and self.is_sound():
            return False
        self._began_s = time.monotonic()
        # The tools for tests stay where they were asked for once.
        dev = dev or bool(stamp.get("dev"))
        self._next_stamp = {"key": key, "dev": dev, "torch": source.build, "python": self._version}
        self._prepare_folder(keep=self._may_keep(stamp, source))
        self._stamp.unlink(missing_ok=True)
        self._unfinished.touch()
        try:
            self._install_torch(source)
            self._install_project(dev=dev)
        except SetupError:
            self._unfinished.unlink(missing_ok=True)  # pip ended by itself and left things whole
            raise
        return True

    def finish(self) -> None:
        """Write the stamp: from now on there is nothing to do."""
        partial = self._stamp.with_suffix(".partial")
        partial.write_text(json.dumps(self._next_stamp, indent=1), encoding="utf-8")
        partial.replace(self._stamp)
        self._unfinished.unlink(missing_ok=True)
        print(f"Set-up done in {time.monotonic() - self._began_s:.0f} s.", flush=True)

    def warm_kernels(self) -> None:
        """Compile and cache what the first run would wait for; a failure is told and stands in nobody's way."""
        print("Compiling the patch search for this processor ...", flush=True)
        try:
            status = self._logged([str(self.python), "-m", "adstudio", "doctor", "--warm"], timeout_s=WARM_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            status = -1
        if status != 0:
            print(f"That did not work (see {self._log}); the first run will take longer.", flush=True)

    def read_stamp(self) -> dict[str, object]:
        """Read what the last complete set-up installed; empty where there was none, or the stamp is damaged."""
        try:
            found = json.loads(self._stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def is_sound(self) -> bool:
        """Whether the environment works here, with this Python, and has the packages that matter."""
        if not self._starts("sys"):
            return False
        libraries = [self.folder / "Lib" / "site-packages", *self.folder.glob("lib/python3*/site-packages")]
        return any(all(any(place.glob(witness)) for witness in _WITNESSES) for place in libraries)

    def _may_keep(self, stamp: dict[str, object], source: TorchSource) -> bool:
        """Whether pip may go on in the folder as it is: whole, of this Python, not another build of PyTorch."""
        if self._unfinished.exists() or not self._starts("pip"):
            return False
        return stamp.get("torch", source.build) == source.build

    def _starts(self, module: str) -> bool:
        """Whether the environment was made here by this Python, starts, and can import `module`."""
        if not self.python.exists() or not self._made_here():
            return False
        question = f"import sys, {module}; print(sys.prefix); print(*sys.version_info[:3], sep='.')"
        try:
            asked = subprocess.run(
                [str(self.python), "-I", "-c", question], check=False, capture_output=True, text=True, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        said = asked.stdout.splitlines()
        return len(said) == 2 and Path(said[0]).samefile(self.folder) and said[1] == self._version

    def _made_here(self) -> bool:
        """Whether the programs in the environment name this folder; those of a moved one still name the old."""
        programs = [self.python.with_name("pip"), self.python.with_name("pip.exe")]
        here = str(self.folder).lower().encode()
        return any(program.is_file() and here in program.read_bytes().lower() for program in programs)

    def _prepare_folder(self, *, keep: bool) -> None:
        if keep:
            print(f"Bringing {self.folder} up to date ...", flush=True)
            return
        if self.folder.exists():
            if not self._is_ours():
                message = (
                    f"{self.folder} is in the way and is not a virtual environment. Move it elsewhere and start again."
                )
                raise SetupError(message)
            print(f"{self.folder} is unfinished, moved or of another kind; making it anew ...", flush=True)
            self._remove_folder()
        else:
            print(f"Making {self.folder} with Python {self._version} ...", flush=True)
        self._require_ensurepip()
        try:
            self.folder.mkdir()
            self._unfinished.touch()
        except OSError as error:
            message = f"{self.folder} cannot be made ({error.strerror}). Put the project where you may write."
            raise SetupError(message) from error
        if self._logged([sys.executable, "-m", "venv", str(self.folder)]) != 0:
            raise self._failure("Making the virtual environment")

    def _is_ours(self) -> bool:
        """Whether the folder is a virtual environment, or a begun one, and so may be removed."""
        if self.folder.is_symlink() or not self.folder.is_dir():
            return False
        if (self.folder / "pyvenv.cfg").is_file() or self._unfinished.exists():
            return True
        return not any(self.folder.iterdir())

    def _remove_folder(self) -> None:
        # The mark goes last, so that an interrupted removal is known for what it is.
        self._unfinished.touch()
        try:
            for path in self.folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path != self._unfinished:
                    path.unlink()
            shutil.rmtree(self.folder)
        except OSError as error:
            message = f"{error.filename} cannot be removed ({error.strerror}). Close AD Studio and start again."
            raise SetupError(message) from error

    def _require_ensurepip(self) -> None:
        if importlib.util.find_spec("ensurepip") is not None:
            return
        command = [
            "apt-get",
            "install",
            "-y",
            "--no-install-recommends",
            f"python{sys.version_info[0]}.{sys.version_info[1]}-venv",
        ]
        if machine_family() != "apt":
            message = "This Python comes without ensurepip. Install the full Python package of your system."
            raise SetupError(message)
        if not is_root():
            message = (
                f"This Python cannot make virtual environments. Install that part with\n    sudo {' '.join(command)}"
            )
            raise SetupError(message)
        print(f"Installing {command[-1]} ...", flush=True)
        apt_install(command)

    def _install_torch(self, source: TorchSource) -> None:
        constraints = self.root / "packaging" / "constraints.txt"
        wanted = pinned(constraints.read_text(encoding="utf-8"), "torch")
        names = {"cpu": "for the processor", "cuda": "for NVIDIA graphics (CUDA)", "mps": "for the Mac (MPS)"}
        print(f"Installing PyTorch {names[source.build]} ...", flush=True)
        if source.index_url is not None:
            if reachable(INDEX_HOST):
                options = ["--index-url", source.index_url, "--timeout", "15", "--retries", "1", "--no-deps"]
                if self._pip(*options, wanted) == 0:
                    return
                print("The PyTorch index did not have it; trying the default index ...", flush=True)
            else:
                print("The PyTorch index cannot be reached; taking the default index ...", flush=True)
        if self._pip("--no-deps", wanted) != 0:
            raise self._failure("Installing PyTorch")

    def _install_project(self, *, dev: bool) -> None:
        constraints = str(self.root / "packaging" / "constraints.txt")
        print("Installing the other packages ...", flush=True)
        project = f"{self.root}[dev]" if dev else str(self.root)
        # The build tool first, so that it too is a pinned release and needs no second environment.
        if self._pip("-c", constraints, "hatchling") != 0:
            raise self._failure("Installing the build tool")
        if self._pip("-c", constraints, "--no-build-isolation", "-e", project) != 0:
            raise self._failure("Installing the packages")

    def _pip(self, *arguments: str) -> int:
        fixed = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        return self._logged([str(self.python), "-m", "pip", "install", *fixed, *arguments])

    def _logged(self, command: list[str], *, timeout_s: float | None = None) -> int:
        """Run a command from the project's root, its words in the log; returns its exit status."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            done = subprocess.run(
                command,
                check=False,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=timeout_s,
            )
        return done.returncode

    def _failure(self, step: str) -> SetupError:
        """Turn the end of the log into an error that says what to do."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].startswith("$ ")), 0)
        tail = lines[last + 1 :]
        hint = hint_for("\n".join(tail), version=self._version)
        shown = "\n    ".join(tail[-LOG_TAIL_LINES:])
        return SetupError(f"{step} failed. {hint}\n    {shown}\nAll of it is in {self._log}".replace(". \n", ".\n"))

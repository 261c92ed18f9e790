"""The system libraries that Qt expects on Linux: which are missing, and how this system installs them."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from setup_errors import SetupError


@dataclass(frozen=True, kw_only=True)
class Library:
    """A shared library and the package that has it, by family of systems."""

    soname: str
    apt: str
    dnf: str
    pacman: str
    zypper: str


def _library(soname: str, apt: str, dnf: str, pacman: str, zypper: str) -> Library:
    return Library(soname=soname, apt=apt, dnf=dnf, pacman=pacman, zypper=zypper)


ALWAYS = (
    _library("libEGL.so.1", "libegl1", "libglvnd-egl", "libglvnd", "libEGL1"),
    _library("libGL.so.1", "libgl1", "libglvnd-glx", "libglvnd", "libGL1"),
    _library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon", "libxkbcommon", "libxkbcommon0"),
    _library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "dbus", "libdbus-1-3"),
    _library("libfontconfig.so.1", "libfontconfig1", "fontconfig", "fontconfig", "fontconfig"),
    _library("libglib-2.0.so.0", "libglib2.0-0", "glib2", "glib2", "libglib-2_0-0"),
)
WITH_DISPLAY = (
    _library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor", "libxcb-cursor0"),
    _library(
        "libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11", "libxkbcommon-x11-0"
    ),
    _library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm", "libxcb-icccm4"),
    _library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms", "libxcb-keysyms1"),
    _library("libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb", "libxcb-shape0"),
)
FAMILIES = {
    "apt": ("debian", "ubuntu"),
    "dnf": ("fedora", "rhel", "centos"),
    "pacman": ("arch",),
    "zypper": ("suse", "opensuse"),
}
_INSTALL = {
    "apt": ("apt-get", "install", "-y", "--no-install-recommends"),
    "dnf": ("dnf", "install", "-y"),
    "pacman": ("pacman", "-S", "--needed", "--noconfirm"),
    "zypper": ("zypper", "--non-interactive", "install"),
}


def read_os_release(text: str) -> set[str]:
    """Names that a system gives itself and its parents in /etc/os-release (ID and ID_LIKE)."""
    names: set[str] = set()
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() in ("ID", "ID_LIKE"):
            names.update(value.strip().strip("\"'").lower().split())
    return names


def family_of(names: Iterable[str]) -> str | None:
    """Name the package tool of a system that calls itself by `names`; None where it is not known."""
    known = set(names)
    for family, members in FAMILIES.items():
        if any(name == member or name.startswith(member + "-") for name in known for member in members):
            return family
    return None


def machine_family() -> str | None:
    """`family_of` for the machine this runs on."""
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        if path.is_file():
            return family_of(read_os_release(path.read_text(encoding="utf-8", errors="replace")))
    return None


def loads(soname: str) -> bool:
    """Whether the system's loader finds a shared library."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def missing_libraries(*, with_display: bool, found: Callable[[str], bool] = loads) -> list[Library]:
    """List what Qt needs here and the loader does not find."""
    wanted = ALWAYS + (WITH_DISPLAY if with_display else ())
    return [library for library in wanted if not found(library.soname)]


def install_command(libraries: Iterable[Library], family: str) -> list[str]:
    """Build the command that installs the packages of `libraries`, each named once, in a stable order."""
    packages = dict.fromkeys(getattr(library, family) for library in libraries)
    return [*_INSTALL[family], *packages]


def is_root() -> bool:
    """Whether system packages may be installed without asking."""
    return sys.platform != "win32" and os.geteuid() == 0


def apt_install(command: list[str]) -> None:
    """Refresh the list of packages and run an apt-get command; raises SetupError where that fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, capture_output=True, timeout=300)
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"`{' '.join(command)}` could not be run ({error})."
        raise SetupError(message) from error
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        message = f"`{' '.join(command)}` failed:\n{last}"
        raise SetupError(message)


def ensure_qt_libraries(*, with_display: bool) -> None:
    """Install what Qt misses as root on Debian; elsewhere say how. Pictures are made without Qt, so nothing stops."""
    if not sys.platform.startswith("linux"):
        return
    missing = missing_libraries(with_display=with_display)
    if not missing:
        return
    names = ", ".join(library.soname for library in missing)
    family = machine_family()
    if family is None:
        print(f"The window needs system libraries that are not here: {names}. Install them with your package manager.")
        return
    command = install_command(missing, family)
    if family == "apt" and is_root():
        print(f"Installing system libraries for the window: {' '.join(command[4:])} ...", flush=True)
        try:
            apt_install(command)
        except SetupError as error:
            print(f"{error}\nThe window will not open before they are there; everything else works.")
        return
    print(
        f"The window needs system libraries that are not here: {names}. Install them with\n    sudo {' '.join(command)}"
    )

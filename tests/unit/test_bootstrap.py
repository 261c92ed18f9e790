"""The set-up script: choices, stamps, system packages and words, on this machine's real sockets and folders."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bootstrap
import pytest
import setup_qt
import setup_torch
import setup_venv
from setup_errors import SetupError, hint_for
from setup_torch import TorchSource

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging" / "bootstrap.py"


@pytest.mark.parametrize(
    ("wish", "platform", "has_nvidia", "build"),
    [
        ("auto", "linux", False, "cpu"),
        ("auto", "linux", True, "cuda"),
        ("auto", "win32", True, "cuda"),
        ("auto", "darwin", False, "mps"),
        ("cpu", "linux", True, "cpu"),
        ("cuda", "linux", False, "cuda"),
        ("cpu", "darwin", False, "mps"),
    ],
)
def test_build_of_torch_fits_the_machine(wish: str, platform: str, has_nvidia: bool, build: str) -> None:
    assert setup_torch.choose_build(wish, platform=platform, has_nvidia=has_nvidia) == build


def test_only_builds_that_the_default_index_lacks_have_an_index_of_their_own() -> None:
    linux_cpu = setup_torch.source_for("cpu", platform="linux")
    windows_cuda = setup_torch.source_for("cuda", platform="win32")
    assert linux_cpu.index_url is not None and linux_cpu.index_url.endswith("/cpu")
    assert windows_cuda.index_url is not None and "/cu" in windows_cuda.index_url
    for build, platform in (("cuda", "linux"), ("cpu", "win32"), ("mps", "darwin")):
        assert setup_torch.source_for(build, platform=platform).index_url is None  # type: ignore[arg-type]


@pytest.fixture
def blackhole() -> Iterator[int]:
    """A port on which connections are neither taken nor refused: its queue is full."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    port = server.getsockname()[1]
    waiting = []
    for _ in range(8):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
        waiting.append(client)
    yield port
    for client in waiting:
        client.close()
    server.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems refuse where Linux lets wait")
def test_probe_gives_up_in_time_where_nobody_answers(blackhole: int) -> None:
    began_s = time.monotonic()
    assert not setup_torch.reachable("127.0.0.1", blackhole, timeout_s=0.4)
    assert 0.3 < time.monotonic() - began_s < 2.0


def test_probe_tells_open_from_closed_ports() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert setup_torch.reachable("127.0.0.1", port, timeout_s=5)
    assert not setup_torch.reachable("127.0.0.1", port, timeout_s=5)


def test_probe_bounds_a_name_lookup_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(address: tuple[str, int], timeout: float) -> socket.socket:
        time.sleep(timeout * 4)
        raise OSError(address)

    monkeypatch.setattr(socket, "create_connection", hang)
    began_s = time.monotonic()
    assert not setup_torch.reachable("nowhere.invalid", timeout_s=0.2)
    assert time.monotonic() - began_s < 0.7


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "apt"),
        ("ID=linuxmint\nID_LIKE='ubuntu debian'\n", "apt"),
        ("ID=fedora\n", "dnf"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "dnf"),
        ("ID=manjaro\nID_LIKE=arch\n", "pacman"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "zypper"),
        ("ID=void\n", None),
        ("", None),
    ],
)
def test_system_is_known_by_its_names(release: str, family: str | None) -> None:
    assert setup_qt.family_of(setup_qt.read_os_release(release)) == family


def test_missing_libraries_depend_on_the_display() -> None:
    here = {"libEGL.so.1", "libGL.so.1", "libxkbcommon.so.0", "libglib-2.0.so.0"}
    without = setup_qt.missing_libraries(with_display=False, found=here.__contains__)
    with_display = setup_qt.missing_libraries(with_display=True, found=here.__contains__)
    assert [library.soname for library in without] == ["libdbus-1.so.3", "libfontconfig.so.1"]
    assert "libxcb-cursor.so.0" in {library.soname for library in with_display}
    assert setup_qt.missing_libraries(with_display=True, found=lambda _: True) == []


def test_install_commands_name_each_package_once() -> None:
    apt = setup_qt.install_command(setup_qt.ALWAYS[:2], "apt")
    pacman = setup_qt.install_command(setup_qt.ALWAYS[:2], "pacman")
    assert " ".join(apt) == "apt-get install -y --no-install-recommends libegl1 libgl1"
    assert pacman[-2:] == ["--noconfirm", "libglvnd"]
    assert setup_qt.install_command(setup_qt.WITH_DISPLAY[:1], "dnf")[-1] == "xcb-util-cursor"
    assert setup_qt.install_command(setup_qt.WITH_DISPLAY[-1:], "zypper")[0] == "zypper"


def test_missing_libraries_are_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(setup_qt, "missing_libraries", lambda **_: list(setup_qt.WITH_DISPLAY[:1]))
    monkeypatch.setattr(setup_qt, "machine_family", lambda: "apt")
    monkeypatch.setattr(setup_qt, "is_root", lambda: False)
    setup_qt.ensure_qt_libraries(with_display=True)
    said = capsys.readouterr().out
    assert "libxcb-cursor.so.0" in said
    assert "sudo apt-get install -y --no-install-recommends libxcb-cursor0" in said


@pytest.mark.parametrize(
    ("arguments", "own", "rest"),
    [
        (["test", "-k", "seed", "--torch"], ["test"], ["-k", "seed", "--torch"]),
        (["test", "--torch", "cpu", "-x"], ["test", "--torch", "cpu"], ["-x"]),
        (["--torch", "cpu", "run", "run", "job.json", "--out", "o"], ["--torch", "cpu", "run"], ["run", "job.json"]),
        (["run", "--torch=cuda", "doctor"], ["run", "--torch=cuda"], ["doctor"]),
        (["demo", "--out", "run"], ["demo", "--out", "run"], []),
    ],
)
def test_arguments_of_the_started_program_stay_as_they_are(
    arguments: list[str], own: list[str], rest: list[str]
) -> None:
    found_own, found_rest = bootstrap.split_verbatim(arguments)
    assert found_own == own
    assert found_rest[: len(rest)] == rest
    assert found_own + found_rest == arguments


def test_command_line_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    demo = bootstrap.parse(["--torch", "cpu", "demo", "--out", "here", "--no-window"])
    assert (demo.command, demo.torch, demo.out, demo.window) == ("demo", "cpu", tmp_path / "here", False)
    assert bootstrap.parse(["demo"]).out == ROOT / "demo"
    assert bootstrap.parse(["test", "-k", "x"]).dev
    assert bootstrap.parse(["run", "--torch", "cuda", "doctor"]).torch == "cuda"
    assert not bootstrap.parse(["setup"]).dev
    with pytest.raises(SystemExit):
        bootstrap.parse(["demo", "--torch", "tpu"])


def test_display_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not bootstrap.has_display("linux")
    assert bootstrap.has_display("darwin")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert bootstrap.has_display("linux")


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("ERROR: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError(...): Temporary failure in name resolution", "could not be reached"),
        ("ERROR: No matching distribution found for numba==0.68.1", "3.15.0"),
    ],
)
def test_failures_are_said_in_words(output: str, word: str) -> None:
    assert word in hint_for(output, version="3.15.0")


def test_unknown_failures_get_no_made_up_hint() -> None:
    assert hint_for("something else", version="3.11.0") == ""


def test_everything_the_project_needs_is_pinned() -> None:
    import tomllib

    constraints = (ROOT / "packaging" / "constraints.txt").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["dev"], "hatchling"]:
        name = requirement.split(">")[0]
        pins = {line.split("==")[0].lower().replace("-", "_") for line in constraints.splitlines() if "==" in line}
        assert name.lower().replace("-", "_") in pins, f"{name} has no pin"
    assert "+" not in constraints.split("\n", 1)[1], "local tags hold for one system only"
    assert setup_venv.pinned(constraints, "torch").startswith("torch==")
    with pytest.raises(SetupError, match="nosuch"):
        setup_venv.pinned(constraints, "nosuch")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files that a fingerprint is made of."""
    root = tmp_path / "project"
    (root / "packaging").mkdir(parents=True)
    (root / "packaging" / "constraints.txt").write_text("torch==1.0\n", encoding="utf-8")
    (root / "pyproject.toml").write_text('[project]\nname = "p"\n[tool.ruff]\nline-length = 100\n', encoding="utf-8")
    return root


def test_fingerprint_follows_what_is_installed_and_nothing_else(project: Path) -> None:
    first = setup_venv.fingerprint(project, build="cpu", version="3.11.7")
    assert first == setup_venv.fingerprint(project, build="cpu", version="3.11.7")
    assert first != setup_venv.fingerprint(project, build="cuda", version="3.11.7")
    assert first != setup_venv.fingerprint(project, build="cpu", version="3.12.1")
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("100", "120"), encoding="utf-8")
    assert first == setup_venv.fingerprint(project, build="cpu", version="3.11.7")
    settings.write_text(settings.read_text(encoding="utf-8").replace('"p"', '"q"'), encoding="utf-8")
    assert first != setup_venv.fingerprint(project, build="cpu", version="3.11.7")


class QuickEnvironment(setup_venv.Environment):
    """Makes real virtual environments, but puts empty packages into them instead of calling pip."""

    failing = False
    killed = False
    installed = 0

    def _install_torch(self, source: TorchSource) -> None:
        if self.killed:
            raise KeyboardInterrupt
        if self.failing:
            self._log.write_text("$ pip install\n[Errno 28] No space left on device\n", encoding="utf-8")
            raise self._failure("Installing PyTorch")
        self.installed += 1

    def _install_project(self, *, dev: bool) -> None:
        libraries = next(iter([*self.folder.glob("lib/python3*/site-packages"), self.folder / "Lib" / "site-packages"]))
        for name in ("torch", "PySide6"):
            (libraries / name).mkdir(exist_ok=True)
            (libraries / name / "__init__.py").touch()
        (libraries / "adstudio-1.dist-info").mkdir(exist_ok=True)

    def set_up(self, *, torch: str = "cpu", dev: bool = False) -> bool:
        changed = self.ensure(torch=torch, dev=dev)
        if changed:
            self.finish()
        return changed


@pytest.mark.slow
def test_set_up_is_done_once_and_mended_when_needed(project: Path) -> None:
    environment = QuickEnvironment(project)
    assert environment.set_up()
    assert environment.is_sound()
    stamp = (environment.folder / setup_venv.STAMP_NAME).read_bytes()
    assert not environment.set_up()
    assert (environment.folder / setup_venv.STAMP_NAME).read_bytes() == stamp

    # The tools for tests are added, then kept when they are not asked for.
    assert environment.set_up(dev=True)
    assert not environment.set_up(dev=False)

    # A pin changes: brought up to date in place.
    (environment.folder / "keepsake").touch()
    (project / "packaging" / "constraints.txt").write_text("torch==2.0\n", encoding="utf-8")
    assert environment.set_up()
    assert environment.read_stamp()["dev"] is True
    assert (environment.folder / "keepsake").exists()

    # pip fails by itself: no stamp, the reason in words, and the next call goes on in place.
    environment.failing = True
    (project / "packaging" / "constraints.txt").write_text("torch==3.0\n", encoding="utf-8")
    with pytest.raises(SetupError, match="disk is full"):
        environment.set_up()
    environment.failing = False
    assert environment.set_up()
    assert (environment.folder / "keepsake").exists()

    # Interrupted: known by its mark, and made anew.
    environment.killed = True
    (project / "packaging" / "constraints.txt").write_text("torch==4.0\n", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        environment.set_up()
    environment.killed = False
    assert environment.set_up()
    assert not (environment.folder / "keepsake").exists()
    assert environment.is_sound()

    # Moved with the project: the old paths inside are of no use.
    moved = project.with_name("moved")
    project.rename(moved)
    elsewhere = QuickEnvironment(moved)
    assert not elsewhere.is_sound()
    assert elsewhere.set_up()
    assert elsewhere.is_sound()

    # A package that matters is gone, or the Python is.
    shutil.rmtree(next(elsewhere.folder.rglob("torch")))
    assert elsewhere.set_up()
    elsewhere.python.unlink()
    assert elsewhere.set_up()
    assert elsewhere.is_sound()


def test_folder_of_somebody_else_is_left_alone(project: Path) -> None:
    (project / ".venv").mkdir()
    (project / ".venv" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(SetupError, match=r"not a virtual environment"):
        QuickEnvironment(project).set_up()
    assert (project / ".venv" / "thesis.txt").read_text(encoding="utf-8") == "years of work"


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"key": "other"}'])
def test_damaged_stamp_means_not_set_up(project: Path, damage: str) -> None:
    environment = QuickEnvironment(project)
    environment.folder.mkdir()
    (environment.folder / setup_venv.STAMP_NAME).write_text(damage, encoding="utf-8")
    assert environment.read_stamp().get("key") != setup_venv.fingerprint(project, build="cpu", version="3.11.7")


def test_script_runs_without_any_package_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-S", str(SCRIPT), "--help"], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


@pytest.mark.parametrize("old", ["python3.8", "python3.9", "python3.10"])
def test_old_python_gets_a_sentence(old: str) -> None:
    program = shutil.which(old)
    if program is None or subprocess.run([program, "-c", ""], check=False, capture_output=True).returncode != 0:
        pytest.skip(f"no {old} here")
    done = subprocess.run([program, str(SCRIPT), "demo"], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr

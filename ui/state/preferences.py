"""What the artist has chosen once and for all: look, folders, the window's size."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from ui.state.scheme import Scheme

_log = logging.getLogger(__name__)


def settings_file() -> Path:
    """Where the window's settings are kept."""
    return Path(platformdirs.user_config_dir("adstudio", appauthor=False)) / "window.json"


@dataclass(slots=True, kw_only=True)
class Preferences:
    """scheme: dark, light or as the system. window_geometry: as MainWindow.layout_state gave it.

    left_running: folder of the run that was stopped by quitting, "" for none.
    """

    scheme: Scheme = Scheme.DARK
    runs_folder: Path = Path()
    pasted_folder: Path = Path()
    window_geometry: str = ""
    left_running: str = ""

    @classmethod
    def load(cls) -> Preferences:
        """What was saved; defaults where nothing was, or where it is damaged (the old file is then kept beside)."""
        found = cls(
            runs_folder=Path(platformdirs.user_pictures_dir()) / "AD Studio",
            pasted_folder=Path(platformdirs.user_data_dir("adstudio", appauthor=False)) / "pasted",
        )
        file = settings_file()
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            found.scheme = Scheme(kept["scheme"])
            found.runs_folder = Path(str(kept["runs_folder"]))
            found.window_geometry = str(kept["window_geometry"])
            found.left_running = str(kept.get("left_running", ""))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as problem:
            _log.warning("%s cannot be used (%s); the defaults are", file, problem)
            _set_aside(file)
        return found

    def save(self) -> None:
        """Write beside the target, then move; a failure is logged, it must not keep the window from closing."""
        file = settings_file()
        kept = {name: str(value) for name, value in asdict(self).items() if name != "pasted_folder"}
        partial = file.with_name(file.name + ".part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(kept, indent=2), encoding="utf-8")
            partial.replace(file)
        except OSError as problem:
            _log.warning("%s cannot be written (%s)", file, problem)


def _set_aside(file: Path) -> None:
    try:
        file.replace(file.with_name(file.name + ".damaged"))
    except OSError:
        _log.warning("%s cannot be set aside", file)

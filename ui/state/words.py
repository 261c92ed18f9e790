"""Words that several parts of the window share, so that one thing has one name everywhere."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication

from adstudio.jobs.choices import Task

DEVICES = {"cpu": "CPU", "cuda": "NVIDIA GPU", "mps": "Apple GPU"}
_LONGEST_NAME = 40
_KEPT_AT_EACH_END = 18


def content_word(task: Task) -> str:
    """What the picture is called from which a result has its structure."""
    if task is Task.APPEARANCE_TRANSFER:
        return QCoreApplication.translate("Words", "Structure")
    return QCoreApplication.translate("Words", "Content")


def home_path(path: Path) -> str:
    """A path for the eye: the artist's own folder is ~."""
    shown, home = str(path), str(Path.home())
    return f"~{shown[len(home) :]}" if len(home) > 1 and path.is_relative_to(home) else shown


def short_name(name: str) -> str:
    """A name for the middle of a sentence: a long one keeps its two ends."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_KEPT_AT_EACH_END]}…{name[-_KEPT_AT_EACH_END:]}"

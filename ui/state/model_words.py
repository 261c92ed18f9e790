"""How the window speaks of models: families, sizes, health, what they can do, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from adstudio.jobs.choices import Task
from adstudio.models.description import ModelDescription, Precision
from adstudio.models.families import FACTS, Family
from adstudio.models.library import Entry, Health
from adstudio.models.library_file import Kind
from ui.state.words import short_name

_OTHER_SUBJECTS = ("there ", "the ", "its ", "no ", "one ")
_GB, _MB = 1 << 30, 1 << 20
_SHORT = {Family.SD15: "SD 1.5", Family.SD2: "SD 2.x", Family.SDXL: "SDXL", Family.FLUX: "FLUX.1"}
_BITS = {Precision.FP32: "32 bit", Precision.FP16: "16 bit", Precision.BF16: "16 bit (bf16)", Precision.FP8: "8 bit"}


def _tr(text: str) -> str:
    return QCoreApplication.translate("Models", text)


def patch_name() -> str:
    """What the built-in model is called."""
    return _tr("Patch model")


def family_word(family: Family | None) -> str:
    """A family in a badge."""
    return _SHORT[family] if family is not None else _tr("unknown")


def badge(entry: Entry) -> str:
    """What an entry is, in a word or two."""
    if entry.kind is not Kind.MODEL:
        word = "LoRA" if entry.kind is Kind.LORA else "ControlNet"
        return f"{word} · {family_word(entry.family)}" if entry.family is not None else word
    return family_word(entry.family) if entry.family is not None else ""


def size_words(size_bytes: int) -> str:
    """The same figures as `adstudio models` prints."""
    return f"{size_bytes / _GB:.1f} GB" if size_bytes >= _GB // 2 else f"{size_bytes / _MB:.1f} MB"


def bits(precision: Precision) -> str:
    """How wide the numbers of the weights are."""
    return _BITS[precision]


def health_word(health: Health) -> str:
    """Health in a word or two."""
    words = {
        Health.READY: _tr("Ready"),
        Health.INCOMPLETE: _tr("Incomplete"),
        Health.OFFLINE: _tr("Offline"),
        Health.UNUSABLE: _tr("Cannot be used"),
    }
    return words[health]


def task_word(task: Task) -> str:
    """A task where there is little room."""
    words = {
        Task.STYLE_TRANSFER: _tr("Style"),
        Task.APPEARANCE_TRANSFER: _tr("Appearance"),
        Task.TEXT_TO_IMAGE: _tr("Text to image"),
        Task.TEXTURE: _tr("Texture"),
    }
    return words[task]


def reads_words(model: ModelDescription) -> bool:
    """Whether the vocabularies that prompts need are on this machine."""
    return all(role in model.tokenizer_dirs for role in FACTS[model.family].text_roles)


def tasks_of(entry: Entry) -> tuple[Task, ...]:
    """What an entry can do as it is now; LoRA files and ControlNets do nothing by themselves."""
    if entry.kind is not Kind.MODEL or entry.family is None or entry.health is Health.UNUSABLE:
        return ()
    silent = entry.model is not None and not reads_words(entry.model)
    tasks = tuple(Task(name) for name in FACTS[entry.family].tasks)
    return tuple(task for task in tasks if not (silent and task is Task.TEXT_TO_IMAGE))


def tasks_words(tasks: tuple[Task, ...]) -> str:
    """Tasks in a line."""
    return " · ".join(task_word(task) for task in tasks)


def told(problem: str, path: Path) -> str:
    """A problem as a sentence about a file by its name, without the path before it."""
    words, name = problem.removeprefix("model: ").strip(), short_name(path.name)
    said = words.removeprefix(f"{path}: ")
    if said != words:  # the subject stood before the colon
        words = f"{name}: {said}" if said.startswith(_OTHER_SUBJECTS) else f"{name} {said}"
    words = words.replace(str(path), name)
    if not words.startswith(name):
        words = words[:1].upper() + words[1:]
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def in_row(problem: str, path: Path) -> str:
    """The same below the name of the model, which need not be said again."""
    return told(problem, path).removeprefix(short_name(path.name)).lstrip(": ")


def count_words(counts: Mapping[Kind, int]) -> str:
    """How many models, LoRA files and ControlNets are installed."""
    words = {
        Kind.MODEL: (_tr("1 diffusion model"), _tr("{count} diffusion models")),
        Kind.LORA: (_tr("1 LoRA file"), _tr("{count} LoRA files")),
        Kind.CONTROL: (_tr("1 ControlNet"), _tr("{count} ControlNets")),
    }
    parts = [
        one if counts[kind] == 1 else several.format(count=counts[kind])
        for kind, (one, several) in words.items()
        if counts.get(kind, 0)
    ]
    return " · ".join(parts) if parts else _tr("Only the built-in model")

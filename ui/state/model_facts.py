"""What the model page tells of a model, ready to be shown: rows, parts, notes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from adstudio.jobs.choices import Task
from adstudio.jobs.defaults import PATCH_MAX_SIDE_PX
from adstudio.models.description import Component, Layout, ModelDescription
from adstudio.models.families import FACTS, Prediction, Role
from adstudio.models.library import Entry, Health
from adstudio.models.library_file import Kind
from adstudio.models.licences import licence_of
from ui.state.model_words import (
    badge,
    bits,
    health_word,
    in_row,
    patch_name,
    reads_words,
    size_words,
    tasks_of,
    tasks_words,
    told,
)
from ui.state.words import home_path

PATCH_TASKS = (Task.STYLE_TRANSFER, Task.APPEARANCE_TRANSFER, Task.TEXTURE)


class Mark(StrEnum):
    """How a line of the page is marked. LENT: from another model."""

    GOOD = "good"
    LENT = "lent"
    WAITING = "waiting"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFact:
    """A part of a model: what it is and where it comes from."""

    name: str
    source: str
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """kind: "patch", or a `Kind`. health: a word, with its mark. rows: (label, words) each.

    problem: a sentence where something is wrong; trouble: the same for a row with the name above it.
    place: the path, empty for the built-in model.
    """

    kind: str
    name: str
    badge: str
    health: str
    mark: Mark
    size: str = ""
    licence: str = ""
    tasks: str = ""
    about: str = ""
    problem: str = ""
    trouble: str = ""
    place: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    parts: tuple[PartFact, ...] = ()
    notes: tuple[str, ...] = ()


def _tr(text: str) -> str:
    return QCoreApplication.translate("Models", text)


def facts_of_patch() -> ModelFacts:
    """The built-in model."""
    return ModelFacts(
        kind="patch",
        name=patch_name(),
        badge=_tr("built in"),
        health=health_word(Health.READY),
        mark=Mark.GOOD,
        size=_tr("no files"),
        licence="MIT",
        tasks=tasks_words(PATCH_TASKS),
        about=_tr(
            "Always there. It works with the patches of the references themselves, has no weights and needs no "
            "graphics card. It does not make pictures from words."
        ),
        rows=(
            (_tr("Does"), tasks_words(PATCH_TASKS)),
            (_tr("Makes"), _tr("up to {side} × {side} pixels").format(side=PATCH_MAX_SIDE_PX)),
            (_tr("Licence"), _tr("MIT, as all of AD Studio")),
        ),
    )


def facts_of(entry: Entry) -> ModelFacts:
    """An installed model, LoRA file or ControlNet."""
    marks = {Health.READY: Mark.GOOD, Health.OFFLINE: Mark.WAITING}
    model = entry.model
    return ModelFacts(
        kind=entry.kind.value,
        name=entry.name,
        badge=badge(entry),
        health=health_word(entry.health),
        mark=marks.get(entry.health, Mark.BAD),
        size=size_words(entry.size_bytes) if entry.size_bytes else "",
        licence=licence_of(model).name if model is not None else "",
        tasks=_tasks(entry),
        about=_about(entry),
        problem=told(entry.problem, entry.path) if entry.problem else "",
        trouble=in_row(entry.problem, entry.path) if entry.problem else "",
        place=home_path(entry.path),
        rows=_rows(entry),
        parts=_parts(model) if model is not None else (),
        notes=tuple(note[:1].upper() + note[1:] for note in model.notes) if model is not None else (),
    )


def _tasks(entry: Entry) -> str:
    match entry.kind:
        case Kind.LORA:
            return _tr("changes a model of its family")
        case Kind.CONTROL:
            return _tr("steers a model of its family")
    return tasks_words(tasks_of(entry))


def _about(entry: Entry) -> str:
    match entry.kind:
        case Kind.LORA:
            return _tr(
                "A LoRA file holds changes to a model, and is no model itself. It is added among the parameters, where "
                "a model of its family is chosen."
            )
        case Kind.CONTROL:
            return _tr(
                "A ControlNet makes a picture follow edges, lines or the like of another one, and is no model itself. "
                "It is chosen among the parameters, where a model of its family makes the picture by guided sampling."
            )
    return ""


def _rows(entry: Entry) -> tuple[tuple[str, str], ...]:
    model = entry.model
    rows: list[tuple[str, str]] = []
    if entry.family is not None:
        rows.append((_tr("Family") if entry.kind is Kind.MODEL else _tr("For"), FACTS[entry.family].title))
    if entry.kind is not Kind.MODEL or model is None:
        if entry.size_bytes:
            rows.append((_tr("Size"), size_words(entry.size_bytes)))
        return tuple(rows)
    side = model.native_side_px
    kind = _tr("diffusers folder") if model.layout is Layout.FOLDER else _tr("single file")
    predicts = {Prediction.EPSILON: _tr("noise"), Prediction.V: _tr("velocity"), Prediction.FLOW: _tr("flow")}
    licence = licence_of(model)
    words = (
        _tr("yes")
        if reads_words(model)
        else _tr("no, its vocabulary is not here; fetch it here, or add a diffusers folder of the family")
    )
    return (
        *rows,
        (_tr("Does"), tasks_words(tasks_of(entry))),
        (_tr("Made for"), _tr("pictures of {side} × {side} pixels").format(side=side)),
        (_tr("Weights"), f"{size_words(entry.size_bytes)} · {bits(model.precision)} · {kind}"),
        (_tr("Predicts"), predicts[model.prediction]),
        (_tr("Reads words"), words),
        (_tr("Licence"), _tr("{name}: {summary}").format(name=licence.name, summary=licence.summary)),
    )


def _parts(model: ModelDescription) -> tuple[PartFact, ...]:
    parts: list[PartFact] = []
    for role in FACTS[model.family].roles:
        part = model.components.get(role)
        if part is None:
            parts.append(
                PartFact(
                    name=_role(role),
                    source=_tr("missing, and no other installed model has one that fits"),
                    mark=Mark.BAD,
                )
            )
            continue
        file = part.weights[0].files[0]
        own = file == model.path or file.is_relative_to(model.path)
        parts.append(
            PartFact(
                name=_role(role),
                source=_own(part, model.path) if own else _tr("from {name}").format(name=_lender(model, role, file)),
                mark=Mark.GOOD if own else Mark.LENT,
            )
        )
    return tuple(parts)


def _role(role: Role) -> str:
    label = role.label
    return label[:1].upper() + label[1:]


def _own(part: Component, place: Path) -> str:
    file = part.weights[0].files[0]
    name = _tr("in the file") if file == place else file.relative_to(place).as_posix()
    shards = len(part.weights[0].files)
    return _tr("{name} and {more} more").format(name=name, more=shards - 1) if shards > 1 else name


def _lender(model: ModelDescription, role: Role, file: Path) -> str:
    """The model that lends a part, as the library noted it; else the file's own name."""
    start = f"the {role.label} comes from "
    return next((note.removeprefix(start) for note in model.notes if note.startswith(start)), file.name)

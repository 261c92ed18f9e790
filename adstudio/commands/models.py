"""`adstudio models`: which diffusion models there are; add one in place, look at one, take one off the list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adstudio.commands.console import say
from adstudio.errors import ModelError, UnavailableError
from adstudio.models.completing import completed
from adstudio.models.control import ControlDescription, inspect_control, is_control
from adstudio.models.description import ModelDescription
from adstudio.models.families import FACTS
from adstudio.models.find import is_model_path
from adstudio.models.inspect import inspect_model
from adstudio.models.library import Entry, Library, add_to_library, load_library, remove_from_library
from adstudio.models.library_file import Kind
from adstudio.models.licences import licence_of
from adstudio.models.lora import LoraDescription, inspect_lora
from adstudio.paths import models_dir

Inspected = ModelDescription | LoraDescription | ControlDescription


def list_command(*, as_json: bool) -> int:
    """Print every installed model with its family, size and health."""
    library = load_library()
    if as_json:
        _print_json([entry_mapping(entry) for entry in library.entries])
        return 0
    say("patch: built in, ready; style_transfer, appearance_transfer, texture")
    for entry in library.entries:
        say(_line(entry))
    for folder, is_there in library.folders:
        say(f"Folder looked through: {folder}{'' if is_there else ' (offline)'}")
    if not library.entries:
        say(f"No diffusion model is installed. Add one with `adstudio models add PATH`, or put it into {models_dir()}")
    return 0


def add_command(place: Path, name: str) -> int:
    """Add a model, a LoRA file, a ControlNet or a folder of them, where it lies."""
    for entry in add_to_library(place, name=name):
        say(_line(entry))
    return 0


def inspect_command(name_or_path: str, *, as_json: bool) -> int:
    """Print what a file or folder, or an installed model, is. Raises ModelError that says why it is none."""
    found = _looked_at(name_or_path, load_library())
    if as_json:
        _print_json(_mapping(found))
        return 0
    if isinstance(found, ControlDescription):
        say(f"{found.path}: ControlNet for {FACTS[found.family].title}, {_size(found.size_bytes)}")
        return 0
    if isinstance(found, LoraDescription):
        family = FACTS[found.family].title if found.family is not None else "a model of unusual sizes"
        say(f"{found.path}: LoRA for {family}, {_size(found.size_bytes)}")
        return 0
    for line in _lines(found):
        say(line)
    return 0


def remove_command(name: str) -> int:
    """Take a model or a folder off the list; its files stay."""
    for gone in remove_from_library(name) or (name,):
        say(f"{gone}: off the list; its files were left alone")
    return 0


def entry_mapping(entry: Entry) -> dict[str, Any]:
    """An installed model for programs."""
    described = model_mapping(entry.model) if entry.model is not None else {}
    return {
        **described,
        "name": entry.name,
        "path": str(entry.path),
        "kind": entry.kind.value,
        "health": entry.health.value,
        "family": entry.family.value if entry.family is not None else None,
        "size_bytes": entry.size_bytes,
        "problem": entry.problem,
    }


def _mapping(found: Inspected) -> dict[str, Any]:
    match found:
        case LoraDescription():
            return lora_mapping(found)
        case ControlDescription():
            return control_mapping(found)
    return model_mapping(found)


def lora_mapping(lora: LoraDescription) -> dict[str, Any]:
    """A LoRA file for programs."""
    family = lora.family.value if lora.family is not None else None
    return {"kind": "lora", "path": str(lora.path), "family": family, "size_bytes": lora.size_bytes}


def control_mapping(control: ControlDescription) -> dict[str, Any]:
    """A ControlNet for programs."""
    return {
        "kind": "control",
        "name": control.name,
        "path": str(control.path),
        "family": control.family.value,
        "size_bytes": control.size_bytes,
    }


def model_mapping(model: ModelDescription) -> dict[str, Any]:
    """A model for programs."""
    facts = FACTS[model.family]
    return {
        "kind": "model",
        "name": model.name,
        "path": str(model.path),
        "family": model.family.value,
        "title": facts.title,
        "layout": model.layout.value,
        "prediction": model.prediction.value,
        "precision": model.precision.value,
        "size_bytes": model.size_bytes,
        "native_side_px": model.native_side_px,
        "tasks": list(facts.tasks),
        "parts": {role.value: str(part.weights[0].files[0]) for role, part in model.components.items()},
        "missing": [role.value for role in model.missing],
        "reads_prompts": _reads_prompts(model),
        "licence": licence_of(model).name,
        "notes": list(model.notes),
    }


def _looked_at(name_or_path: str, library: Library) -> Inspected:
    entry = None if is_model_path(name_or_path) else library.find(name_or_path)
    if entry is not None:
        found = entry.model or entry.lora or entry.control
        if found is None:
            raise ModelError(entry.problem)
        return found
    path = Path(name_or_path).absolute()
    if not is_model_path(name_or_path) and not path.exists():
        raise UnavailableError(
            f'no model named "{name_or_path}" is installed, and there is no such file or folder here; '
            "`adstudio models list` shows those that are"
        )
    if is_control(path):
        return inspect_control(path)
    try:
        model = inspect_model(path)
    except ModelError as error:
        if path.suffix.lower() != ".safetensors" or not path.is_file():
            raise
        try:
            return inspect_lora(path)
        except ModelError as lora_error:
            if "is not a LoRA file" in str(lora_error):
                raise error from lora_error
            raise
    return completed(model, [other for other in library.models if other.path != path])


def _lines(model: ModelDescription) -> list[str]:
    facts, licence = FACTS[model.family], licence_of(model)
    side = model.native_side_px
    lines = [
        str(model.path),
        f"Family: {facts.title}, predicts {model.prediction.value}, made for {side} x {side} pixels",
        f"Tasks: {', '.join(facts.tasks)}",
        f"Weights: {model.precision.value}, {_size(model.size_bytes)}",
    ]
    lines += [f"{role.label}: {part.weights[0].files[0]}" for role, part in model.components.items()]
    lines += [f"{role.label}: missing, and no other installed model has one that fits" for role in model.missing]
    prompts = "yes" if _reads_prompts(model) else "no, its vocabulary is not on this machine"
    lines.append(f"Reads prompts: {prompts}")
    lines.append(f"Licence of the family: {licence.name}: {licence.summary}")
    lines += [f"Note: {note}" for note in model.notes]
    return lines


def _reads_prompts(model: ModelDescription) -> bool:
    return all(role in model.tokenizer_dirs for role in FACTS[model.family].text_roles)


def _line(entry: Entry) -> str:
    kind = FACTS[entry.family].title if entry.family is not None else "unknown family"
    start = {Kind.MODEL: "", Kind.LORA: "LoRA for ", Kind.CONTROL: "ControlNet for "}[entry.kind]
    parts = [f"{start}{kind}", _size(entry.size_bytes), entry.health.value]
    if entry.model is not None:
        parts.insert(1, entry.model.precision.value)
    return f"{entry.name}: {', '.join(parts)}; {entry.problem or entry.path}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 30):.1f} GB" if size_bytes >= 1 << 29 else f"{size_bytes / (1 << 20):.1f} MB"


def _print_json(value: Any) -> None:
    say(json.dumps(value, ensure_ascii=False, indent=2))

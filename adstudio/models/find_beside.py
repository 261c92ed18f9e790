"""From what a job says about its ControlNet and its LoRA files to the files: by path, or by name in the library."""

from __future__ import annotations

from pathlib import Path

from adstudio.errors import JobError, ModelError, StorageError, UnavailableError
from adstudio.models.control import ControlDescription, inspect_control
from adstudio.models.description import ModelDescription
from adstudio.models.families import FACTS, Family
from adstudio.models.find import is_model_path
from adstudio.models.library import Entry, Health, Library, load_library
from adstudio.models.library_file import Kind
from adstudio.models.lora import LoraDescription, inspect_lora

_CONTROL = "control.model"
_WORDS = {Kind.CONTROL: "ControlNet", Kind.LORA: "LoRA"}


def find_control(
    name_or_path: str | None, model: ModelDescription, library: Library | None = None
) -> ControlDescription:
    """The ControlNet of a job, fitting its model.

    library: what is installed, by default looked at now, where a name asks for it.
    Raises JobError that says what is wrong with it, or lacking; UnavailableError where none of that name is here.
    """
    if name_or_path is None:
        raise JobError(
            f"{_CONTROL}: a control picture needs a ControlNet for {FACTS[model.family].title}; "
            "give its name in the library, or its folder or file",
            field=_CONTROL,
        )
    if is_model_path(name_or_path):
        try:
            control = inspect_control(Path(name_or_path))
        except (ModelError, StorageError) as error:
            raise JobError(f"{_CONTROL}: {error}", field=_CONTROL) from error
    else:
        entry = _entry(name_or_path, Kind.CONTROL, _CONTROL, model.family, library)
        if entry.control is None:
            raise JobError(f"{_CONTROL}: {entry.problem}", field=_CONTROL)
        control = entry.control
    require_fitting(control, model)
    return control


def require_fitting(control: ControlDescription, model: ModelDescription) -> None:
    """Raise JobError where a ControlNet was not made for a model's UNet."""
    theirs = FACTS[control.family].title
    if control.family is not model.family:
        raise JobError(
            f"{_CONTROL}: {control.name} is a ControlNet for {theirs}, but {model.name} is "
            f"{FACTS[model.family].title}; take one that was made for it",
            field=_CONTROL,
        )
    for name in ("block_out_channels", "cross_attention_dim", "layers_per_block"):
        mine, wanted = control.component.config.get(name), model.denoiser.config.get(name)
        if None not in (mine, wanted) and mine != wanted:
            raise JobError(
                f"{_CONTROL}: {control.name} has {name} {mine} where {model.name} has {wanted}; "
                "they do not fit together",
                field=_CONTROL,
            )


def find_lora(
    name_or_path: Path, model: ModelDescription, field: str, library: Library | None = None
) -> LoraDescription:
    """A LoRA file of a job, for its model's family as far as that can be seen. field: which one, for the message.

    library: what is installed, by default looked at now, where a name asks for it.
    Raises JobError that says what is wrong with it; UnavailableError where none of that name is here.
    """
    if is_model_path(str(name_or_path)):
        try:
            found = inspect_lora(name_or_path)
        except (ModelError, StorageError) as error:
            raise JobError(f"{field}: {error}", field=field) from error
    else:
        entry = _entry(str(name_or_path), Kind.LORA, field, model.family, library)
        if entry.lora is None:
            raise JobError(f"{field}: {entry.problem}", field=field)
        found = entry.lora
    if found.family is not None and found.family is not model.family:
        raise JobError(
            f"{field}: {name_or_path} is for {FACTS[found.family].title}, and {model.name} is "
            f"{FACTS[model.family].title}; use a LoRA made for that",
            field=field,
        )
    return found


def _entry(name: str, kind: Kind, field: str, family: Family, library: Library | None) -> Entry:
    """What a name stands for in the library, of the kind that is wanted."""
    library = load_library() if library is None else library
    entry, word = library.find(name), _WORDS[kind]
    if entry is None:
        fitting = [
            one.name
            for one in library.entries
            if one.kind is kind and one.health is Health.READY and one.family in (family, None)
        ]
        there = f"installed for {FACTS[family].title}: {', '.join(fitting[:10])}" if fitting else "none is installed"
        raise UnavailableError(
            f'{field}: no {word} named "{name}" is installed; {there}. '
            "Add it with `adstudio models add PATH`, or give its path"
        )
    if entry.kind is not kind:
        is_one = {Kind.MODEL: "a model", Kind.LORA: "a LoRA", Kind.CONTROL: "a ControlNet"}[entry.kind]
        raise JobError(f'{field}: "{name}" is {is_one} and no {word}', field=field)
    if entry.health is Health.OFFLINE:
        raise UnavailableError(f'{field}: "{name}" is offline: {entry.problem}')
    return entry

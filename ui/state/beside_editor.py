"""Edits of what goes with the model: LoRA files with their weights, and the ControlNet with its picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from adstudio.jobs.choices import ControlKind, Method
from adstudio.models.library import Entry
from adstudio.models.library_file import Kind
from ui.state.beside import ControlState, LoraState, chosen_method, control_in, loras_in, misfit, offered
from ui.state.model_library import Added, ModelLibrary
from ui.state.setup import ControlChoice, LoraChoice, Setup, SlotPicture

if TYPE_CHECKING:
    from ui.state.session import Session

MAX_LORAS = 8
_WORDS_IN_NAMES = {
    ControlKind.CANNY: ("canny", "edge", "hed"),
    ControlKind.LINE_ART: ("lineart", "line_art", "line-art", "line art", "scribble"),
    ControlKind.LUMINANCE: ("lumin", "bright", "grey", "gray"),
    ControlKind.DEPTH: ("depth",),
    ControlKind.POSE: ("pose",),
}


class BesideEditor(QObject):
    """refused: a kind and a sentence; why a file or an entry of the library was not taken."""

    refused = Signal(object, str)

    def __init__(self, session: Session, models: ModelLibrary) -> None:
        super().__init__(session)
        self._session, self._models = session, models
        self._last = ControlChoice()

    # What there is

    def loras(self) -> tuple[LoraState, ...]:
        """The LoRA files of the setup with what becomes of them."""
        return loras_in(self._session.setup, self._session.model(), self._models)

    def control(self) -> ControlState | None:
        """What becomes of the control of the setup; None where there is none."""
        return control_in(self._session.setup, self._session.model(), self._models)

    def offered(self, kind: Kind) -> tuple[Entry, ...]:
        """What is installed and fits the model; LoRA files that are laid out already are left out."""
        taken = {lora.name for lora in self._session.setup.loras} if kind is Kind.LORA else set()
        return tuple(one for one in offered(kind, self._session.model(), self._models) if one.name not in taken)

    # LoRA files

    def add_lora(self, name: str) -> None:
        """Lay one of the library over the model; refused where it was made for another."""
        setup, model = self._session.setup, self._session.model()
        if any(lora.name == name for lora in setup.loras):
            return
        words = misfit(Kind.LORA, name, model, self._models) if model is not None else ""
        if len(setup.loras) >= MAX_LORAS:
            words = self.tr("{count} LoRA files at a time are the most.").format(count=MAX_LORAS)
        if words:
            self.refused.emit(Kind.LORA, words)
            return
        self._session.edit(replace(setup, loras=(*setup.loras, LoraChoice(name=name))))

    def bring_loras(self, files: Iterable[Path]) -> None:
        """Files that were chosen or dropped: into the library, where they lie, and over the model."""

        def arrived(added: Added) -> None:
            for one in added.refused:
                self.refused.emit(Kind.LORA, one.reason)
            for name in added.names:
                self.add_lora(name)

        self._models.bring(tuple(files), Kind.LORA, arrived)

    def remove_lora(self, name: str) -> None:
        setup = self._session.setup
        self._session.edit(replace(setup, loras=tuple(lora for lora in setup.loras if lora.name != name)))

    def set_lora_weight(self, name: str, weight: float) -> None:
        setup = self._session.setup
        loras = tuple(replace(lora, weight=weight) if lora.name == name else lora for lora in setup.loras)
        self._session.edit(replace(setup, loras=loras), merge=f"lora {name}")

    # Control

    def follow(self, kind: ControlKind | None) -> None:
        """Follow a picture in this way; None for no control. What was chosen last comes back with it."""
        setup = self._session.setup
        if kind is None:
            if setup.control is not None:
                self._last = setup.control
            self._edit_control(None)
            return
        present = setup.control if setup.control is not None else self._last
        model = _fitting(kind, present, self.offered(Kind.CONTROL))
        self._edit_control(replace(present, kind=kind, model=model))

    def set_control_model(self, name: str) -> None:
        """Another ControlNet of the library."""
        control = self._session.setup.control
        if control is not None:
            self._edit_control(replace(control, model=name))

    def bring_control(self, place: Path) -> None:
        """A ControlNet's folder or file: into the library, where it lies, and into use."""

        def arrived(added: Added) -> None:
            for one in added.refused:
                self.refused.emit(Kind.CONTROL, one.reason)
            for name in added.names:
                self.set_control_model(name)

        self._models.bring((place,), Kind.CONTROL, arrived)

    def set_control_scale(self, scale: float) -> None:
        control = self._session.setup.control
        if control is not None:
            self._session.edit(
                replace(self._session.setup, control=replace(control, scale=scale)), merge="control scale"
            )

    def set_control_picture(self, path: Path | None, *, name: str = "") -> None:
        """A picture of its own; None follows the content."""
        control = self._session.setup.control
        if control is not None:
            slot = SlotPicture(path=path, name=name or path.name) if path is not None else None
            self._edit_control(replace(control, picture=slot))

    def _edit_control(self, control: ControlChoice | None) -> None:
        changed = replace(self._session.setup, control=control)
        if control is not None and chosen_method(changed) not in (None, Method.SAMPLE):
            changed = _without_method(changed)  # guided sampling is what follows it
        self._session.edit(self._session.with_own_values(changed))


def _without_method(setup: Setup) -> Setup:
    return replace(setup, values=tuple((name, value) for name, value in setup.values if name != "method"))


def _fitting(kind: ControlKind, present: ControlChoice, there: Sequence[Entry]) -> str:
    """The ControlNet for a kind, going by its name; the present one where names do not tell."""
    named = [one.name for one in there if any(word in one.name.casefold() for word in _WORDS_IN_NAMES[kind])]
    if present.model in named or (present.model and not named):
        return present.model
    if named:
        return named[0]
    return there[0].name if len(there) == 1 else ""

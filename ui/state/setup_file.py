"""What is laid out, as JSON that a project keeps: the next start begins where this one ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adstudio.jobs.choices import ControlKind, Task
from ui.state.setup import ControlChoice, LoraChoice, Setup, SlotPicture


class _Sheet(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Slot(_Sheet):
    path: Path
    name: str
    weight: float = Field(default=1.0, gt=0, le=100)
    mask: Path | None = None
    protect: Path | None = None
    crop: tuple[int, int, int, int] | None = None


class _Lora(_Sheet):
    name: str
    weight: float = 1.0


class _Control(_Sheet):
    kind: ControlKind
    model: str = ""
    scale: float = 1.0
    picture: _Slot | None = None


class _Setup(_Sheet):
    task: Task
    model: str
    content: _Slot | None = None
    follows_content: bool = False
    styles: tuple[_Slot, ...] = ()
    layout: _Slot | None = None
    start: _Slot | None = None
    loras: tuple[_Lora, ...] = ()
    control: _Control | None = None
    values: tuple[tuple[str, bool | int | float | str | None], ...] = ()


def setup_to_json(setup: Setup) -> dict[str, Any]:
    """Everything that was chosen; what was read from the pictures is read again."""
    control = setup.control
    sheet = _Setup(
        task=setup.task,
        model=setup.model,
        content=_sheet_of(setup.content),
        follows_content=setup.follows_content,
        styles=tuple(sheet for style in setup.styles if (sheet := _sheet_of(style)) is not None),
        layout=_sheet_of(setup.layout),
        start=_sheet_of(setup.start),
        loras=tuple(_Lora(name=lora.name, weight=lora.weight) for lora in setup.loras),
        control=_Control(
            kind=control.kind, model=control.model, scale=control.scale, picture=_sheet_of(control.picture)
        )
        if control is not None
        else None,
        values=setup.values,
    )
    return sheet.model_dump(mode="json", exclude_defaults=True)


def setup_from_json(value: Any) -> Setup | None:
    """What was laid out; None for what is none (of another version, or altered by hand)."""
    try:
        sheet = _Setup.model_validate(value)
    except (ValidationError, RecursionError):
        return None
    control = sheet.control
    return Setup(
        task=sheet.task,
        model=sheet.model,
        content=_slot_of(sheet.content),
        follows_content=sheet.follows_content,
        styles=tuple(slot for style in sheet.styles if (slot := _slot_of(style)) is not None),
        layout=_slot_of(sheet.layout),
        start=_slot_of(sheet.start),
        loras=tuple(LoraChoice(name=lora.name, weight=lora.weight) for lora in sheet.loras),
        control=ControlChoice(
            kind=control.kind, model=control.model, scale=control.scale, picture=_slot_of(control.picture)
        )
        if control is not None
        else None,
        values=sheet.values,
    )


def _sheet_of(slot: SlotPicture | None) -> _Slot | None:
    if slot is None:
        return None
    return _Slot(
        path=slot.path, name=slot.name, weight=slot.weight, mask=slot.mask, protect=slot.protect, crop=slot.crop
    )


def _slot_of(sheet: _Slot | None) -> SlotPicture | None:
    if sheet is None:
        return None
    return SlotPicture(
        path=sheet.path,
        name=sheet.name,
        weight=sheet.weight,
        mask=sheet.mask,
        protect=sheet.protect,
        crop=sheet.crop,
    )

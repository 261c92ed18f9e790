"""Field types of the job: strict numbers, paths and crops, and the words a parameter panel shows beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, Strict
from pydantic_core import PydanticCustomError

Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]
Crop = tuple[int, int, int, int]


def _check_path(value: object) -> object:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("file_path", "must be a path to a file")
    if not value.strip():
        raise PydanticCustomError("file_path", "must be a path to a file, not an empty text")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise PydanticCustomError("file_path", "must be a path without NUL or broken Unicode")
    return value


def _check_crop(value: object) -> object:
    wanted = (
        "must be [left, top, width, height] in whole pixels "
        "with left and top at least 0 and width and height at least 1"
    )
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        raise PydanticCustomError("crop", wanted)
    if any(not isinstance(side, int) or isinstance(side, bool) or side < 0 for side in value) or min(value[2:]) < 1:
        raise PydanticCustomError("crop", wanted)
    return tuple(value)


FilePath = Annotated[Path, BeforeValidator(_check_path), PlainSerializer(lambda path: path.as_posix(), return_type=str)]
CropField = Annotated[Crop | None, BeforeValidator(_check_crop)]


def shown(
    label: str,
    hint: str,
    *,
    slider: tuple[float, float] | None = None,
    step: float | None = None,
    unit: str = "",
    advanced: bool = False,
    group: str = "parameters",
) -> dict[str, Any]:
    """What a parameter panel needs beyond types and ranges; `slider` is the usual part of the allowed range."""
    described: dict[str, Any] = {"label": label, "hint": hint, "unit": unit, "advanced": advanced, "group": group}
    if slider is not None:
        described["slider"] = list(slider)
    if step is not None:
        described["step"] = step
    return {"ui": described}

"""The looks there are to choose from."""

from __future__ import annotations

from enum import StrEnum


class Scheme(StrEnum):
    """What the artist chose; SYSTEM follows the desktop."""

    DARK = "dark"
    LIGHT = "light"
    SYSTEM = "system"

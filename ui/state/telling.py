"""Times and refusals as people say them."""

from __future__ import annotations

import re

from ui.state.setup import Setup
from ui.state.words import short_name

_FIELD_OF_SLOT = re.compile(
    r"^(content|content_mask|protect_mask|styles\.\d+\.(image|mask)|control\.(image|model)|loras\.\d+\.path): "
)


def in_words(reason: str, setup: Setup) -> str:
    """Why a job was refused, for people who see slots and names where the job file has fields and paths."""
    for slot in setup.slots:
        reason = reason.replace(str(slot.path), short_name(slot.name))
    words = _FIELD_OF_SLOT.sub("", reason)
    return words[:1].upper() + words[1:]


def duration(seconds: float) -> str:
    """A time as people say it: 0.8 s, 12 s, 3 min 20 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"

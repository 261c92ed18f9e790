"""Finds things by words in any order: by their beginnings, by letters left out, and past one slip of the finger."""

from __future__ import annotations

import unicodedata
from enum import IntEnum

_EDGES = ".,…:;()&›"
_SHORTEST_INSIDE = 3
_SHORTEST_WITH_A_SLIP = 4


class Likeness(IntEnum):
    """How a typed word meets one that is there; less is nearer."""

    WHOLE = 0
    BEGINNING = 1
    INSIDE = 3
    LETTERS_LEFT_OUT = 4
    A_SLIP = 5


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared: no case, no accents, no punctuation around them."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
    return tuple(word for part in plain.split() if (word := part.strip(_EDGES)))


def likeness(typed: str, word: str) -> Likeness | None:
    """How a typed word meets a word, both as `words_of` gives them; None where it does not."""
    if word == typed:
        return Likeness.WHOLE
    if word.startswith(typed):
        return Likeness.BEGINNING
    if len(typed) >= _SHORTEST_INSIDE and typed in word:
        return Likeness.INSIDE
    if typed[0] != word[0]:
        return None
    rest = iter(word)
    if len(typed) > 1 and all(letter in rest for letter in typed):
        return Likeness.LETTERS_LEFT_OUT
    if len(typed) >= _SHORTEST_WITH_A_SLIP and _begins_but_for_one_slip(typed, word):
        return Likeness.A_SLIP
    return None


def distance(typed: tuple[str, ...], words: tuple[str, ...], beside: tuple[str, ...] = ()) -> int | None:
    """How far a thing is from what was typed, 0 nearest; None where a typed word meets none of its words.

    words: of its name. beside: of what stands with it, which count less.
    """
    total = 0
    for one in typed:
        near = [2 * found for word in words if (found := likeness(one, word)) is not None]
        near += [2 * found + 1 for word in beside if (found := likeness(one, word)) is not None]
        if not near:
            return None
        total += min(near)
    return total


def _begins_but_for_one_slip(typed: str, word: str) -> bool:
    """Whether a word begins as typed once a letter is taken out, changed, or swapped with the next."""
    same = next((at for at, (one, other) in enumerate(zip(typed, word, strict=False)) if one != other), len(word))
    left, there = typed[same:], word[same:]
    swapped = left[1:2] + left[:1] + left[2:]
    return there.startswith((left[1:], swapped)) or there[1:].startswith(left[1:])

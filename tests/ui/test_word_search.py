"""Words in any order, fuzzy beginnings, and what is nearer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.state.word_search import Likeness, distance, likeness, words_of


def far(query: str, text: str, beside: str = "") -> int | None:
    return distance(words_of(query), words_of(text), words_of(beside))


@pytest.mark.parametrize(
    ("typed", "word", "found"),
    [
        ("undo", "undo", Likeness.WHOLE),
        ("und", "undo", Likeness.BEGINNING),
        ("paste", "copypaste", Likeness.INSIDE),
        ("cmpr", "compare", Likeness.LETTERS_LEFT_OUT),
        ("comapre", "compare", Likeness.A_SLIP),
        ("restoree", "restore", Likeness.A_SLIP),
        ("histary", "history", Likeness.A_SLIP),
        ("do", "undo", None),
        ("xyz", "undo", None),
        ("sd", "undo", None),
    ],
)
def test_how_a_typed_word_meets_one(typed: str, word: str, found: Likeness | None) -> None:
    assert likeness(typed, word) is found


def test_words_come_in_any_order_and_all_of_them_count() -> None:
    assert far("style add", "Add style references …") == far("add style", "Add style references …")
    assert far("add content", "Add style references …") is None
    assert far("", "anything") == 0


def test_a_name_is_nearer_than_its_menu_and_accents_do_not_matter() -> None:
    name, menu = far("edit", "Edit the mask"), far("edit", "Undo", "Edit")
    assert name is not None and menu is not None and name < menu
    assert far("deja", "Déjà vu") is not None and far("DÉJÀ", "deja vu") is not None


@given(word=st.text("abcdefg", min_size=4, max_size=12), at=st.integers(1, 30))
def test_one_letter_more_still_finds_it(word: str, at: int) -> None:
    at = min(at, len(word))
    assert likeness(f"{word[:at]}z{word[at:]}", word) is not None


@given(query=st.text(max_size=20), text=st.text(max_size=40))
def test_nothing_that_is_typed_breaks_it(query: str, text: str) -> None:
    found = far(query, text)
    assert found is None or found >= 0

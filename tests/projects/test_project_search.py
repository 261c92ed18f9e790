"""Finding runs again: by words, by what they are, by what they were made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adstudio.jobs.choices import Task
from adstudio.projects import Order, Project, Query, RunState
from adstudio.projects.rows import put_run
from tests.projects.makers import finished_run

FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def shelf(project: Project, pictures: Path) -> Project:
    """Six runs a day apart with words in different places."""
    model = finished_run(project, pictures)
    described = (
        {"prompt": "A lighthouse at dusk, Café de la Paix"},
        {"prompt": "mountains under snow", "notes": "the lighthouse keeper wants this one"},
        {"tags": ("lighthouse", "sea"), "model": "my sdxl", "task": Task.TEXT_TO_IMAGE},
        {"rating": 5, "favourite": True, "prompt": "夕暮れの灯台と海"},
        {"rating": 3, "state": RunState.FAILED, "notes": "lighthousekeeping"},
        {"prompt": '100% wool "quoted" OR NOT (x) *'},
    )
    with project._store.change("test"), project._store.database.transaction():
        for day, changes in enumerate(described):
            made = replace(model, id=f"2026030{day + 1}-120000-0000000{day}", created=FIRST + timedelta(days=day))
            put_run(project._store.database, replace(made, **changes))  # type: ignore[arg-type]
    project.trash([model.id])
    return project


def days(project: Project, query: Query) -> list[int]:
    return [int(run_id[-1]) for run_id in project.run_ids(query)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [5, 4, 3, 2, 1, 0]),
        ("lighthouse", [4, 2, 1, 0]),
        ("LIGHT", [4, 2, 1, 0]),
        ("lighthouse dusk", [0]),
        ("cafe", [0]),
        ("keeper", [1]),
        ("灯台", [3]),
        ("海", [3]),
        ("content.png", [5, 4, 3, 2, 1, 0]),
        ('"quoted" OR NOT (', [5]),
        ("wool -sea", []),
        ("***", []),
        ("nothing of the kind", []),
    ],
)
def test_words_are_found_wherever_they_stand(shelf: Project, text: str, expected: list[int]) -> None:
    assert days(shelf, Query(text=text)) == expected
    assert shelf.count(Query(text=text)) == len(expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(tasks=frozenset({Task.TEXT_TO_IMAGE})), [2]),
        (Query(models=frozenset({"my sdxl"})), [2]),
        (Query(states=frozenset({RunState.FAILED, RunState.CANCELLED})), [4]),
        (Query(min_rating=3), [4, 3]),
        (Query(favourite=True), [3]),
        (Query(tags=frozenset({"sea", "lighthouse"})), [2]),
        (Query(tags=frozenset({"sea", "land"})), []),
        (Query(created_from=FIRST + timedelta(days=1), created_before=FIRST + timedelta(days=3)), [2, 1]),
        (Query(order=Order.OLDEST), [0, 1, 2, 3, 4, 5]),
        (Query(order=Order.BEST), [3, 4, 5, 2, 1, 0]),
        (Query(text="lighthouse", min_rating=1), [4]),
    ],
)
def test_filters_narrow_down(shelf: Project, query: Query, expected: list[int]) -> None:
    assert days(shelf, query) == expected


def test_runs_are_found_by_what_they_were_made_from(shelf: Project, pictures: Path) -> None:
    other = finished_run(shelf, pictures / "other", width=20)
    (pictures / "other" / "content.png").unlink()
    digest = other.inputs[0].object.digest
    assert shelf.count(Query(reference=digest)) == 7  # the same content in all of them
    assert shelf.run_ids(Query(reference=other.results[0].object.digest)) == ()


def test_pages_follow_each_other(shelf: Project) -> None:
    pages = [shelf.page(offset=offset, limit=4) for offset in (0, 4, 8)]
    assert [[int(run.id[-1]) for run in page.runs] for page in pages] == [[5, 4, 3, 2], [1, 0], []]
    assert {page.total for page in pages} == {6}
    ids = shelf.run_ids(Query(order=Order.OLDEST))
    assert [run.id for run in shelf.runs([*ids, "20200101-000000-00000000"])] == list(ids)


def test_the_trash_is_apart(shelf: Project) -> None:
    (trashed,) = shelf.run_ids(Query(trashed=True))
    assert trashed not in shelf.run_ids()
    shelf.restore([trashed])
    assert trashed in shelf.run_ids()


def test_what_there_is_to_choose_from(shelf: Project) -> None:
    assert shelf.tags() == {"lighthouse": 1, "sea": 1}
    assert shelf.models() == {"patch": 5, "my sdxl": 1}


def test_changed_words_are_found_and_old_ones_are_not(shelf: Project) -> None:
    (run_id,) = shelf.run_ids(Query(text="keeper wants"))
    shelf.set_notes(run_id, "für die Küche")
    assert shelf.run_ids(Query(text="kuche")) == (run_id,)
    assert shelf.run_ids(Query(text="keeper wants")) == ()
    shelf.undo()
    assert shelf.run_ids(Query(text="keeper wants")) == (run_id,)

"""What an artist says about runs, and that each edit can be undone, after a restart too."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from adstudio.errors import ProjectError
from adstudio.projects import Command, Project, Query, Run, undo
from adstudio.projects.undo import KEPT_COMMANDS
from tests.projects.makers import finished_run


@pytest.fixture
def run(project: Project, pictures: Path) -> Run:
    return finished_run(project, pictures)


def label_of(command: Command | None) -> str:
    return command.label if command is not None else ""


def test_every_edit_is_one_step_back_and_forth(project: Project, run: Run, pictures: Path) -> None:
    other = finished_run(project, pictures, seed=2)
    board = project.add_board("For the wall")

    def look() -> object:
        return project.runs([run.id, other.id]), project.boards(), project.desk("content"), project.desk("sliders")

    edits: list[Callable[[], object]] = [
        lambda: project.rate([run.id, other.id], 4),
        lambda: project.set_favourite([run.id], favourite=True),
        lambda: project.set_notes(run.id, "the sky is right"),
        lambda: project.change_tags([run.id, other.id], add=["  sky ", "blue"]),
        lambda: project.change_tags([run.id], remove=["blue"]),
        lambda: project.add_board("For the sea"),
        lambda: project.put_on_board(board, [run.id, other.id]),
        lambda: project.put_on_board(board, [other.id], before=run.id),
        lambda: project.change_board(board, name="For the hall", notes="large"),
        lambda: project.take_off_board(board, [run.id]),
        lambda: project.remove_board(board),
        lambda: project.trash([run.id, other.id]),
        lambda: project.restore([other.id]),
        lambda: project.set_desk({"content": "a" * 64, "sliders": {"strength": 0.5}}, label="Content"),
        lambda: project.set_desk({"content": None}, label="Remove content"),
    ]
    states = [look()]
    for edit in edits:
        edit()
        states.append(look())
    assert all(state != following for state, following in pairwise(states))

    for state in reversed(states[:-1]):
        assert project.undo() is not None
        assert look() == state
    assert label_of(project.undo()) == "New board"
    assert project.undo() is None
    project.close()
    with Project.open(project.folder) as opened:
        project = opened
        assert label_of(opened.redo()) == "New board"
        for state in states[1:]:
            assert opened.redo() is not None
            assert look() == state
        assert opened.redo() is None
        assert opened.check() == ()


def test_a_new_edit_ends_what_could_be_done_again(project: Project, run: Run) -> None:
    project.rate([run.id], 1)
    project.rate([run.id], 2)
    project.undo()
    assert label_of(project.next_redo()) == "Rate"
    project.set_favourite([run.id], favourite=True, label="Favorit")
    assert project.next_redo() is None
    assert label_of(project.next_undo()) == "Favorit"


def test_what_changes_nothing_is_no_step(project: Project, run: Run) -> None:
    project.rate([run.id], 3)
    project.rate([run.id], 3)
    project.change_tags([run.id], remove=["never there"])
    project.undo()
    assert project.run(run.id).rating == 0
    assert project.next_undo() is None


def test_a_slider_drag_is_one_step(project: Project) -> None:
    project.set_desk({"sliders": {"strength": 1}}, label="Start")
    for hundredth in range(50):
        project.set_desk({"sliders": {"strength": hundredth / 100}}, label="Strength", merge_key="strength")
    project.undo()
    assert project.desk("sliders") == {"strength": 1}
    project.redo()
    assert project.desk("sliders") == {"strength": 0.49}


def test_steps_are_counted(project: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.last_step == 0
    project.rate([run.id], 3)
    project.rate([run.id], 3)
    assert project.last_step == 1
    project.undo()
    assert project.last_step == 1
    project.set_notes(run.id, "o")
    project.set_notes(run.id, "one")
    assert project.last_step == 2
    monkeypatch.setattr(undo, "MERGED_WITHIN_MS", -1)  # some time later
    project.set_notes(run.id, "one and two")
    assert project.last_step == 3
    project.undo()
    assert project.run(run.id).notes == "one"


def test_the_log_is_deep_and_ends_somewhere(project: Project, run: Run) -> None:
    with project._store.database.transaction():
        for step in range(KEPT_COMMANDS + 10):
            project.rate([run.id], step % 5 + 1)
    steps = 0
    while project.undo() is not None:
        steps += 1
    assert steps == KEPT_COMMANDS


def test_what_is_gone_for_good_is_not_undone(project: Project, run: Run, pictures: Path) -> None:
    kept = finished_run(project, pictures, seed=2)
    board = project.add_board("Both")
    project.put_on_board(board, [run.id, kept.id])
    project.rate([run.id, kept.id], 5)
    project.trash([run.id])
    project.empty_trash()
    while project.undo() is not None:
        pass
    assert (project.run_ids(), project.boards(), project.run(kept.id).rating) == ((kept.id,), (), 0)


def test_boards_keep_the_artists_order(project: Project, pictures: Path) -> None:
    a, b, c, d = (finished_run(project, pictures, seed=seed).id for seed in range(4))
    board = project.add_board("Order")
    project.put_on_board(board, [a, b])
    project.put_on_board(board, [c], before=a)
    project.put_on_board(board, [d], before=b)
    project.put_on_board(board, [b, a], before=c)
    assert project.boards()[0].run_ids == (b, a, c, d)
    assert set(project.run_ids(Query(board=board))) == {a, b, c, d}


@pytest.mark.parametrize("stars", [-1, 6])
def test_ratings_have_five_stars(project: Project, run: Run, stars: int) -> None:
    with pytest.raises(ProjectError, match="rating: must be 0 to 5"):
        project.rate([run.id], stars)


def test_unknown_places_are_named(project: Project, run: Run) -> None:
    with pytest.raises(ProjectError, match="has no board"):
        project.put_on_board("0" * 32, [run.id])
    with pytest.raises(ProjectError, match="tags: must have 1 to 100 characters"):
        project.change_tags([run.id], add=["   "])
    with pytest.raises(ProjectError, match="has no run"):
        project.rate([run.id, "20260101-000000-00000000"], 5)
    assert project.run(run.id).rating == 0


@pytest.mark.parametrize("seed", range(3))
def test_any_walk_of_edits_can_be_walked_back_and_forth(project: Project, pictures: Path, seed: int) -> None:
    chance = random.Random(seed)
    ids = [finished_run(project, pictures, seed=number).id for number in range(4)]

    def look() -> object:
        return project.runs(ids), project.boards(), [project.desk(key) for key in "ab"]

    def step() -> None:
        some = chance.sample(ids, chance.randint(1, 3))
        board = chance.choice([one.id for one in project.boards()] or [""])
        edits: list[Callable[[], object]] = [
            lambda: project.rate(some, chance.randrange(6)),
            lambda: project.change_tags(some, add=chance.sample("xyz", 1), remove=chance.sample("xyz", 2)),
            lambda: project.set_notes(some[0], chance.choice(("", "one", "two"))),
            lambda: project.trash(some),
            lambda: project.restore(some),
            lambda: project.set_desk({chance.choice("ab"): chance.choice((None, 1, {"deep": [1, "ä"]}))}, label="Desk"),
            lambda: project.add_board(f"Board {chance.randrange(100)}"),
        ]
        if board:
            edits += [
                lambda: project.put_on_board(board, some, before=chance.choice(ids)),
                lambda: project.remove_board(board),
            ]
        chance.choice(edits)()

    states = [look()]
    for _ in range(80):
        before = project.next_undo()
        step()
        now = project.next_undo()
        if now is not None and (before is None or before.number != now.number):
            states.append(look())
        else:
            states[-1] = look()  # changed nothing, or is one step with the last
    for state in reversed(states[:-1]):
        project.undo()
        assert look() == state
    assert project.undo() is None
    for state in states[1:]:
        project.redo()
        assert look() == state
    assert project.check() == ()

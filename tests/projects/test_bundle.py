"""A bundle carries runs from project to project, and nothing is lost or changed on the way."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from adstudio.errors import EngineError, ProjectError
from adstudio.projects import Bundle, Frame, Health, Project, Query, Relation, Run
from adstudio.projects.bundle_export import objects_of
from tests.fakes import Script
from tests.projects.makers import compute, contents, finished_run, job_in


@pytest.fixture
def filled(project: Project, pictures: Path) -> Project:
    """Three runs, the second made from the first and the third failed; marks, a board, a frame."""
    first = finished_run(project, pictures, seed=1)
    result = project.folder_of(first.id) / first.results[0].file
    second = finished_run(project, pictures, seed=2, content=result)
    third = compute(project, project.begin_run(job_in(pictures, seed=3)), Script(error=EngineError("no")))
    project.rate([first.id], 4)
    project.set_favourite([second.id], True)
    project.change_tags([first.id, second.id], add=("lighthouse", "für Ole"))
    project.set_notes(second.id, "the one with the blue sky")
    board = project.add_board("Calendar")
    project.put_on_board(board, [second.id, first.id])
    project.add_frame(third.id, Frame(image_index=0, step=3), picture=(b"not a picture, but kept", "frame.png"))
    return project


def unmarked(run: Run) -> Run:
    """A run without what each look at its pictures finds anew."""

    def known(one: Frame) -> Frame:
        return replace(one, picture=replace(one.picture, health=Health.SOUND) if one.picture else None)

    return replace(
        run,
        inputs=tuple(replace(one, object=replace(one.object, health=Health.SOUND)) for one in run.inputs),
        results=tuple(replace(one, object=replace(one.object, health=Health.SOUND)) for one in run.results),
        frames=tuple(known(one) for one in run.frames),
    )


def test_25_export_then_import_is_the_same_history_byte_for_byte(filled: Project, tmp_path: Path) -> None:
    manifest = filled.export_bundle(tmp_path / "for a friend")
    with Project.create(tmp_path / "Other.adproj") as other:
        taken = other.import_bundle(tmp_path / "for a friend.adbundle")
        assert set(taken.runs) == set(filled.run_ids()) == set(manifest.runs)
        assert other.run_ids() == filled.run_ids()
        for run_id in filled.run_ids():
            ours, theirs = filled.run(run_id), other.run(run_id)
            assert unmarked(theirs) == unmarked(ours)
            for stored in objects_of(ours):
                path = other.object_path(stored.digest)
                assert path.read_bytes() == filled.object_path(stored.digest).read_bytes()
            assert contents(other.folder_of(run_id)).keys() == contents(filled.folder_of(run_id)).keys()
            assert other.job(theirs).seed == filled.job(ours).seed
        assert [(board.name, board.run_ids) for board in other.boards()] == [
            (board.name, board.run_ids) for board in filled.boards()
        ]
        assert other.run_ids(Query(text="blue sky")) == filled.run_ids(Query(text="blue sky"))
        assert other.check() == ()


def test_a_bundle_taken_in_twice_changes_nothing(filled: Project, tmp_path: Path) -> None:
    filled.export_bundle(tmp_path / "a.adbundle")
    before = filled.run_ids()
    taken = filled.import_bundle(tmp_path / "a.adbundle")
    assert taken.runs == () and set(taken.known) == set(before)
    assert filled.run_ids() == before


def test_another_run_of_the_same_name_is_kept_beside(filled: Project, tmp_path: Path, pictures: Path) -> None:
    filled.export_bundle(tmp_path / "a.adbundle")
    newest = filled.run_ids()[0]
    with zipfile.ZipFile(tmp_path / "a.adbundle") as archive:
        sheet = json.loads(archive.read(f"runs/{newest}/run.json"))
    assert sheet["id"] == newest
    with Project.create(tmp_path / "Other.adproj") as other:
        other.import_bundle(tmp_path / "a.adbundle")
        first = other.run_ids()[-1]
        changed = other.folder_of(first) / "result.png"
        assert changed.is_file()
        with other._store.database.transaction():
            numbered = "(SELECT number FROM runs WHERE id = ?)"
            other._store.database.write(f"DELETE FROM results WHERE run = {numbered}", (first,))
        taken = other.import_bundle(tmp_path / "a.adbundle")
        assert len(taken.runs) == 1 and taken.renamed == ((first, taken.runs[0]),)
        assert other.count() == 4


def test_a_selection_brings_what_it_was_made_from_when_asked(filled: Project, tmp_path: Path) -> None:
    second = next(run for run in filled.runs(filled.run_ids()) if run.favourite)
    alone = filled.export_bundle(tmp_path / "alone", [second.id])
    whole = filled.export_bundle(tmp_path / "whole", [second.id], ancestors=True)
    assert alone.runs == (second.id,)
    assert set(whole.runs) == {second.id, second.lineage[0].parent_id}
    assert second.lineage[0].relation is Relation.CONTENT


def test_what_the_project_had_lost_is_said_and_stays_a_placeholder(filled: Project, tmp_path: Path) -> None:
    first = filled.run(filled.run_ids()[-1])
    lost = first.results[0].object.digest
    filled.object_path(lost).unlink()
    manifest = filled.export_bundle(tmp_path / "a", [first.id])
    assert manifest.missing == (lost,)
    with Project.create(tmp_path / "Other.adproj") as other:
        assert other.import_bundle(tmp_path / "a.adbundle").missing == 1
        assert other.run(first.id).results[0].object.health is Health.MISSING


def test_models_are_named_not_placed(project: Project, pictures: Path, tmp_path: Path) -> None:
    run = finished_run(project, pictures)
    place = "/home/marie/models/Ink.safetensors"
    text = run.job_text.replace('"model": "patch"', f'"model": "{place}"')
    assert text != run.job_text
    with project._store.database.transaction():
        project._store.database.write(
            "UPDATE runs SET job = ?, model = ?", (text, "/home/marie/models/Ink.safetensors")
        )
    manifest = project.export_bundle(tmp_path / "a")
    assert [model.name for model in manifest.models] == ["Ink"]
    assert b"/home/marie" not in b"".join(
        zipfile.ZipFile(tmp_path / "a.adbundle").read(name) for name in manifest_names(tmp_path / "a.adbundle")
    )


def manifest_names(bundle: Path) -> list[str]:
    with zipfile.ZipFile(bundle) as archive:
        return [name for name in archive.namelist() if not name.startswith("objects/")]


def test_the_manifest_is_first_and_readable(filled: Project, tmp_path: Path) -> None:
    filled.export_bundle(tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "a.adbundle") as archive:
        assert archive.namelist()[0] == "manifest.json"
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["format"] == 1 and manifest["project"] == "Autumn"
    assert {"name", "size_bytes", "sha256"} == set(manifest["members"][0])


def test_an_existing_file_is_not_overwritten(filled: Project, tmp_path: Path) -> None:
    (tmp_path / "a.adbundle").write_text("mine")
    with pytest.raises(ProjectError, match="is there already"):
        filled.export_bundle(tmp_path / "a")
    assert (tmp_path / "a.adbundle").read_text() == "mine"
    assert not list(tmp_path.glob(".*.part"))


def test_nothing_to_export_is_said(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no run to put"):
        project.export_bundle(tmp_path / "a")
    assert list(tmp_path.glob("*.adbundle")) == []


def test_a_bundle_can_be_looked_at(filled: Project, tmp_path: Path) -> None:
    filled.export_bundle(tmp_path / "a")
    with Bundle.opened(tmp_path / "a.adbundle") as bundle:
        runs = bundle.verify()
    assert {run.id for run in runs} == set(filled.run_ids())

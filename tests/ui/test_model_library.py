"""The window's view of the installed models: read, added, taken off the list, followed when they change elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from adstudio.cli import main
from adstudio.jobs.choices import Task
from adstudio.models.families import Family
from adstudio.models.library import Health
from adstudio.paths import library_path, models_dir
from tests.ui.model_files import write_damaged, write_lora, write_model, write_words
from ui.state.background import Background
from ui.state.chosen_models import ChosenModels
from ui.state.model_choice import default_model, model_problem, options_for
from ui.state.model_library import Added, ModelLibrary, Removed
from ui.state.model_words import told


@pytest.fixture
def models(qtbot: QtBot) -> Iterator[ModelLibrary]:
    background = Background()
    yield ModelLibrary(background)
    background.close()
    background.deleteLater()


def add(models: ModelLibrary, qtbot: QtBot, *places: Path) -> Added:
    with qtbot.waitSignal(models.added, timeout=10_000) as told_of:
        models.add(places)
    added = told_of.args[0] if told_of.args else None
    assert isinstance(added, Added)
    return added


def installed(models: ModelLibrary) -> list[str]:
    return [entry.name for entry in models.entries]


def refresh(models: ModelLibrary, qtbot: QtBot, *also: str) -> None:
    with qtbot.waitSignal(models.changed, timeout=10_000):
        models.refresh(*also)


def test_nothing_is_read_before_it_is_asked_for(models: ModelLibrary, qtbot: QtBot) -> None:
    assert not models.loaded
    refresh(models, qtbot)
    assert models.loaded == (installed(models) == [])


def test_models_are_added_in_place_and_leave_the_list_alone(models: ModelLibrary, qtbot: QtBot, tmp_path: Path) -> None:
    file = write_model(tmp_path / "drive" / "oil.safetensors")
    assert add(models, qtbot, file) == Added(names=("oil",))
    entry = models.find("oil")
    assert entry is not None and entry.health is Health.READY
    assert models.find(str(file)) is entry
    assert models.folder_of(entry) is None and models.can_remove(entry)
    with qtbot.waitSignal(models.removed, timeout=10_000) as said:
        models.remove(entry)
    assert said.args == [Removed(place=file, names=("oil",))]
    assert models.entries == () and file.is_file()


def test_what_is_refused_is_told_by_name(models: ModelLibrary, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "old.ckpt").write_bytes(b"x")
    good = write_model(tmp_path / "oil.safetensors")
    added = add(models, qtbot, tmp_path / "old.ckpt", good, write_damaged(tmp_path / "half.safetensors"))
    assert added.names == ("oil",)
    assert [one.path.name for one in added.refused] == ["old.ckpt", "half.safetensors"]
    assert added.refused[0].reason.startswith("old.ckpt is a pickle checkpoint, which can run any program")
    assert added.refused[1].reason.startswith("half.safetensors is cut short")
    assert all(str(tmp_path) not in one.reason and one.reason.endswith(".") for one in added.refused)


def test_a_model_of_a_folder_leaves_with_its_folder(models: ModelLibrary, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    write_model(folder / "oil.safetensors")
    write_lora(folder / "ink.safetensors")
    write_damaged(folder / "half.safetensors")
    assert set(add(models, qtbot, folder).names) == {"oil", "ink"}
    assert [entry.name for entry in models.entries] == ["half", "oil", "ink"], "LoRA files come last"
    half = models.find("half")
    assert half is not None and half.health is Health.UNUSABLE and models.folder_of(half) == folder
    with qtbot.waitSignal(models.removed, timeout=10_000) as said:
        models.remove(half)
    assert said.args == [Removed(place=folder, names=("half", "oil", "ink"), is_folder=True)]
    assert models.entries == () and models.folders == ()


def test_the_folder_for_models_cannot_be_taken_off(models: ModelLibrary, qtbot: QtBot) -> None:
    write_model(models_dir() / "oil.safetensors")
    refresh(models, qtbot)
    (entry,) = models.entries
    assert models.folder_of(entry) == models_dir() and not models.can_remove(entry)


def test_changes_of_the_command_line_and_of_drives_are_seen(models: ModelLibrary, qtbot: QtBot, tmp_path: Path) -> None:
    refresh(models, qtbot)
    file = write_model(tmp_path / "stick" / "oil.safetensors")
    assert main(["models", "add", str(file)]) == 0
    refresh(models, qtbot)
    assert models.find("oil") is not None
    file.rename(tmp_path / "elsewhere")
    refresh(models, qtbot)
    entry = models.find("OIL")
    assert entry is not None and entry.health is Health.OFFLINE and entry.family is Family.SD15
    with qtbot.assertNotEmitted(models.changed, wait=300):
        models.refresh()


def test_a_list_that_cannot_be_read_is_said(models: ModelLibrary, qtbot: QtBot) -> None:
    library_path().mkdir(parents=True)
    with qtbot.waitSignal(models.failed, timeout=10_000) as said:
        models.refresh()
    assert said.args and "the list of models cannot be read" in said.args[0]
    assert models.loaded


def test_a_model_named_by_path_is_known_without_the_list(models: ModelLibrary, qtbot: QtBot, tmp_path: Path) -> None:
    file = write_model(tmp_path / "oil.safetensors")
    done: list[str] = []
    models.meet(str(file), lambda: done.append("file"))
    models.meet(str(tmp_path / "none.safetensors"), lambda: done.append("none"))
    models.meet("patch", lambda: done.append("patch"))
    assert done == ["patch"]
    qtbot.waitUntil(lambda: len(done) == 3, timeout=10_000)
    found, missing = models.find(str(file)), models.find(str(tmp_path / "none.safetensors"))
    assert found is not None and found.health is Health.READY and models.entries == ()
    assert missing is not None and missing.health is Health.OFFLINE
    options = options_for(Task.STYLE_TRANSFER, models, str(file))
    assert [(one.model, one.name, one.reason) for one in options] == [
        ("patch", "Patch model", ""),
        (str(file), "oil", ""),
    ]


def test_who_can_do_what_and_why_not(models: ModelLibrary, qtbot: QtBot, tmp_path: Path) -> None:
    silent = write_model(tmp_path / "a silent.safetensors", Family.SD2)
    part = write_model(tmp_path / "b part.safetensors", whole=False)
    away = write_model(tmp_path / "c away.safetensors", Family.SDXL)
    add(models, qtbot, silent, part, away, write_lora(tmp_path / "ink.safetensors"))
    assert model_problem(Task.TEXT_TO_IMAGE, "patch", models).startswith("Text to image needs a diffusion model")
    assert default_model(Task.TEXT_TO_IMAGE, models) == "patch"
    away.unlink()
    refresh(models, qtbot)
    reasons = {one.name: one.reason for one in options_for(Task.TEXT_TO_IMAGE, models, "patch")}
    assert set(reasons) == {"Patch model", "a silent", "b part", "c away"}
    assert "b part.safetensors has no VAE" in reasons["b part"]
    assert "no pictures from words" in reasons["Patch model"]
    assert "cannot read words" in reasons["a silent"] and "diffusers folder" in reasons["a silent"]
    assert "is offline" in reasons["c away"]
    assert not model_problem(Task.TEXTURE, "a silent", models)
    assert "not installed" in model_problem(Task.TEXTURE, "gone", models)
    write_words(write_model(tmp_path / "e words.safetensors"))
    assert add(models, qtbot, tmp_path / "e words.safetensors").names == ("e words",)
    assert default_model(Task.TEXT_TO_IMAGE, models) == "a silent", "the words of one serve the other"


def test_choices_are_kept_by_task(models: ModelLibrary, qtbot: QtBot, tmp_path: Path) -> None:
    add(models, qtbot, write_model(tmp_path / "oil.safetensors"))
    chosen = ChosenModels(models)
    chosen.wish({Task.TEXTURE: "oil", Task.STYLE_TRANSFER: "uninstalled"})
    assert chosen.for_task(Task.TEXTURE) == "oil"
    assert chosen.for_task(Task.STYLE_TRANSFER) == "patch"
    chosen.remember(Task.TEXTURE, "patch")
    chosen.remember(Task.APPEARANCE_TRANSFER, "oil")
    assert chosen.for_task(Task.TEXTURE) == "patch"
    assert chosen.by_task == {Task.APPEARANCE_TRANSFER: "oil", Task.STYLE_TRANSFER: "uninstalled"}


def test_problems_become_sentences() -> None:
    path = Path("/drive/x.safetensors")
    assert told(f"{path}: is cut short", path) == "x.safetensors is cut short."
    assert told(f"{path}: there is no such file", path) == "x.safetensors: there is no such file."
    assert told(f"model: {path} has no VAE", path) == "x.safetensors has no VAE."
    assert told("the disk is full!", path) == "The disk is full!"

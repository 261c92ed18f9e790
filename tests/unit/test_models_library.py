"""The installed models: added in place, found in folders, whole with others' parts, offline and not dropped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from adstudio.cli import main
from adstudio.engine.backbones.loading import load_parts
from adstudio.errors import JobError, ModelError, UnavailableError
from adstudio.models.families import Family, Role
from adstudio.models.find import find_model
from adstudio.models.library import Health, add_to_library, load_library, remove_from_library
from adstudio.models.vocabulary import find_vocabulary
from adstudio.paths import library_path, models_dir
from tests.engine.tiny_models import VOCABULARY, tiny_model, write_folder, write_json, write_single_file
from tests.unit.test_models_inspect import write_shapes


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """Two whole models, a LoRA file and something else, as they lie on a drive."""
    folder = tmp_path / "drive"
    write_folder(tiny_model(Family.SD15), folder / "painter")
    write_single_file(tiny_model(Family.SDXL), folder / "Großer.safetensors")
    write_shapes(folder / "ink.safetensors", {"lora_unet_x_attn2_to_k.lora_down.weight": (4, 768)})
    write_shapes(folder / "other.safetensors", {"decoder.conv_in.weight": (1,)})
    return folder


def write_vocabulary(folder: Path) -> Path:
    """A CLIP vocabulary of as many words as the tiny models have."""
    write_json(folder / "vocab.json", {f"w{number}": number for number in range(VOCABULARY)})
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return folder


def test_a_model_is_added_used_in_place_and_taken_off_the_list(drive: Path) -> None:
    (entry,) = add_to_library(drive / "painter")
    assert (entry.name, entry.health, entry.family, entry.added) == ("painter", Health.READY, Family.SD15, True)
    assert find_model("painter").path == drive / "painter"
    assert find_model("PAINTER").path == drive / "painter"
    with pytest.raises(ModelError, match='in the library already, as "painter"'):
        add_to_library(drive / "painter")
    assert remove_from_library("painter") == ("painter",)
    assert load_library().entries == ()
    assert (drive / "painter" / "model_index.json").is_file()
    with pytest.raises(UnavailableError, match='no model named "painter" is installed'):
        remove_from_library("painter")


def test_one_place_is_added_once_however_it_is_written(drive: Path) -> None:
    add_to_library(drive / "painter")
    with pytest.raises(ModelError, match='in the library already, as "painter"'):
        add_to_library(drive / "painter" / ".." / "painter")


def test_names_stand_on_one_line(drive: Path) -> None:
    with pytest.raises(ModelError, match="--name: must be on one line"):
        add_to_library(drive / "painter", name="a\nb")
    (entry,) = add_to_library((drive / "painter").rename(drive / "pain\nter"))
    assert entry.name == "pain-ter"


def test_looking_at_a_name_that_is_nowhere_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "inspect", "nobody"]) == 3
    assert 'no model named "nobody" is installed' in capsys.readouterr().err


def test_a_folder_of_models_is_looked_through_again_each_time(drive: Path) -> None:
    added = add_to_library(drive)
    assert [(entry.name, entry.kind.value) for entry in added] == [
        ("Großer", "model"),
        ("ink", "lora"),
        ("painter", "model"),
    ]
    names = {entry.name: entry for entry in load_library().entries}
    assert names["other"].health is Health.UNUSABLE
    assert "a VAE alone" in names["other"].problem
    write_folder(tiny_model(Family.FLUX), drive / "new")
    assert find_model("new").family is Family.FLUX
    with pytest.raises(UnavailableError, match="was not added by itself"):
        remove_from_library("new")
    remove_from_library(str(drive))
    assert load_library().entries == ()


def test_names_are_unique(drive: Path, tmp_path: Path) -> None:
    add_to_library(drive / "painter")
    shutil.copytree(drive / "painter", tmp_path / "other" / "Painter")
    shutil.copytree(drive / "painter", tmp_path / "other" / "patch")
    assert add_to_library(tmp_path / "other" / "Painter")[0].name == "Painter 2"
    assert add_to_library(tmp_path / "other" / "patch")[0].name == "patch 2"
    for name in ("painter", "patch", "a/b", "x.safetensors"):
        with pytest.raises(ModelError, match="--name"):
            add_to_library(drive / "Großer.safetensors", name=name)
    assert add_to_library(drive / "Großer.safetensors", name="big one")[0].name == "big one"


def test_what_lies_in_the_documents_folder_is_found(drive: Path) -> None:
    shutil.copytree(drive / "painter", models_dir() / "painter")
    (entry,) = load_library().entries
    assert (entry.name, entry.health, entry.added) == ("painter", Health.READY, False)


def test_a_transformer_alone_takes_its_parts_from_another_model_of_its_family(tmp_path: Path) -> None:
    tiny = tiny_model(Family.FLUX)
    alone = write_single_file(tiny, tmp_path / "alone.safetensors", bare=True)
    with pytest.raises(UnavailableError, match=r"has no VAE and first text encoder .* and second text encoder"):
        find_model(str(alone))
    add_to_library(alone)
    add_to_library(write_folder(tiny_model(Family.SD15), tmp_path / "wrong family"))
    assert {entry.name: entry.health for entry in load_library().entries}["alone"] is Health.INCOMPLETE
    add_to_library(write_folder(tiny, tmp_path / "whole"))
    model = find_model("alone")
    assert "the VAE comes from whole" in model.notes
    whole = find_model("whole")
    first = load_parts(model, device=torch.device("cpu"), dtype=torch.float32)
    second = load_parts(whole, device=torch.device("cpu"), dtype=torch.float32)
    assert torch.equal(first.empty_prompt.tokens, second.empty_prompt.tokens)
    assert find_model(str(alone)).missing == ()


def test_vocabulary_comes_from_another_model_or_the_hub_cache(
    drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_to_library(drive / "painter")
    assert find_model("painter").tokenizer_dirs == {}
    snapshot = tmp_path / "hub" / "models--openai--clip" / "snapshots" / "0123"
    write_vocabulary(snapshot)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert find_model("painter").tokenizer_dirs == {Role.TEXT_ENCODER: snapshot}
    folder = write_folder(tiny_model(Family.SDXL), tmp_path / "with words")
    write_vocabulary(folder / "tokenizer")
    add_to_library(folder)
    assert find_model("painter").tokenizer_dirs == {Role.TEXT_ENCODER: folder / "tokenizer"}


def test_a_vocabulary_of_another_size_is_not_taken(drive: Path, tmp_path: Path) -> None:
    folder = write_vocabulary(tmp_path / "words")
    component = find_model(str(drive / "painter")).components[Role.TEXT_ENCODER]
    assert find_vocabulary(component, [folder]) == folder
    write_json(folder / "vocab.json", {"a": 0, "b": 1})
    assert find_vocabulary(component, [folder]) is None
    (folder / "vocab.json").write_text("{")
    assert find_vocabulary(component, [folder, tmp_path / "none"]) is None


def test_what_a_job_may_call_its_model(drive: Path) -> None:
    add_to_library(drive)
    with pytest.raises(JobError, match=r"model: .*none\.safetensors: there is no such") as refused:
        find_model(str(drive / "none.safetensors"))
    assert (refused.value.field, refused.value.exit_status) == ("model", 2)
    (drive / "old.ckpt").write_bytes(b"x")
    with pytest.raises(JobError, match="pickle"):
        find_model(str(drive / "old.ckpt"))
    with pytest.raises(JobError, match="a VAE alone"):
        find_model("other")
    with pytest.raises(JobError, match="is a LoRA"):
        find_model("ink")
    with pytest.raises(UnavailableError, match="installed: patch, Großer, painter; add one") as missing:
        find_model("unknown")
    assert missing.value.exit_status == 3


def test_a_damaged_list_is_kept_beside(drive: Path) -> None:
    add_to_library(drive / "painter")
    library_path().write_text('{"models": 3}')
    assert load_library().entries == ()
    assert list(library_path().parent.glob("models.json.*.old"))


def test_the_command_line(drive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "No diffusion model is installed" in capsys.readouterr().out
    assert main(["models", "add", str(drive / "painter"), "--name", "oil"]) == 0
    assert "oil: Stable Diffusion 1.5, fp32" in capsys.readouterr().out
    assert main(["models", "add", str(drive / "ink.safetensors")]) == 0
    assert "ink: LoRA for Stable Diffusion 1.5" in capsys.readouterr().out
    assert main(["models", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["kind"], one["health"]) for one in listed] == [
        ("oil", "model", "ready"),
        ("ink", "lora", "ready"),
    ]
    assert main(["models", "inspect", "oil", "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["family"], seen["missing"], seen["reads_prompts"]) == ("sd15", [], False)
    assert main(["models", "inspect", str(drive / "Großer.safetensors")]) == 0
    assert "Stable Diffusion XL" in capsys.readouterr().out
    assert main(["models", "inspect", str(drive / "ink.safetensors")]) == 0
    capsys.readouterr()
    assert main(["models", "inspect", str(drive / "other.safetensors")]) == 2
    assert main(["models", "add", str(drive / "other.safetensors")]) == 2
    assert main(["models", "add", str(drive / "none")]) == 2
    assert main(["models", "remove", "none"]) == 3
    assert main(["models", "remove", "oil"]) == 0
    printed = capsys.readouterr()
    assert len(printed.err.strip().splitlines()) == 4
    assert "oil: off the list" in printed.out

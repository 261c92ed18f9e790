"""Tensors, features, latents and decoders kept on disk: the same numbers, within the budget, damage is no harm."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adstudio.engine import decoder_tuning
from adstudio.engine.backbones import latent_codec, stable_diffusion
from adstudio.engine.backbones.base import Features
from adstudio.engine.diffusion import findings, in_use, loaded
from adstudio.engine.reference_cache import ReferenceCache
from adstudio.engine.runner import StudioEngine
from adstudio.engine.tensor_files import TensorFiles
from tests.engine.diffusion_studio import DiffusionStudio

CPU = torch.device("cpu")
TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4, dtype=torch.bfloat16)}


def feature(value: float, numbers: int = 100) -> Features:
    tensor = torch.full((1, 2, numbers // 20, 10), value)
    return Features(keys=(tensor, tensor + 1), values=(tensor * 2, tensor * 3), grids=((1, 5), (1, 5)), size=(2, 10))


def same(one: Features | None, other: Features) -> bool:
    assert one is not None
    pairs = zip((*one.keys, *one.values), (*other.keys, *other.values), strict=True)
    return one.grids == other.grids and one.size == other.size and all(torch.equal(a, b) for a, b in pairs)


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    TensorFiles(tmp_path / "new", 10_000).put("one", TENSORS, {"size": (3, 4)})
    kept = TensorFiles(tmp_path / "new", 10_000).get("one")
    assert kept is not None
    assert kept.note == {"size": [3, 4]}
    assert all(torch.equal(kept.tensors[name], each) for name, each in TENSORS.items())
    assert TensorFiles(tmp_path / "new", 10_000).get("other") is None
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["one.safetensors"]


@pytest.mark.parametrize("place", [0, 3, 40, -1, -9])
def test_a_damaged_file_is_as_none_and_is_removed(tmp_path: Path, place: int) -> None:
    files = TensorFiles(tmp_path, 10_000)
    files.put("one", TENSORS, {})
    path = tmp_path / "one.safetensors"
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(bytes(content))
    assert files.get("one") is None
    assert not path.exists()
    path.write_bytes(b"")
    assert files.get("one") is None


def test_the_folder_keeps_within_its_bytes_and_what_the_run_used_stays(tmp_path: Path) -> None:
    large = {"a": torch.zeros(200)}
    files = TensorFiles(tmp_path, 2500)
    for index, name in enumerate(("first", "second")):
        files.put(name, large, {})
        os.utime(tmp_path / f"{name}.safetensors", (index, index))
    files.put("third", large, {})  # all of this run: there is no room
    assert {path.stem for path in tmp_path.iterdir()} == {"first", "second"}
    files.begin()
    assert files.get("second") is not None
    files.put("third", large, {})
    assert {path.stem for path in tmp_path.iterdir()} == {"second", "third"}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2500


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    files = TensorFiles(tmp_path / "file" / "below", 10_000)
    files.put("one", TENSORS, {})
    assert files.get("one") is None


def test_only_what_is_read_quicker_than_computed_is_worth_a_file(tmp_path: Path) -> None:
    files = TensorFiles(tmp_path, 1 << 30)
    assert files.is_worth(1 << 20, 1.0)
    assert not files.is_worth(1 << 30, 1.0)
    assert not files.is_worth(10, 0.01)


def test_features_come_from_the_disk_after_a_new_start(tmp_path: Path) -> None:
    files = TensorFiles(tmp_path, 1 << 20)
    cache = ReferenceCache(device_bytes=1 << 20, host_bytes=0, files=files)
    cache.for_model("weights").put("dear", feature(1), cost_s=5)
    cache.for_model("weights").put("cheap", feature(2), cost_s=0)
    fresh = ReferenceCache(device_bytes=1 << 20, host_bytes=0, files=TensorFiles(tmp_path, 1 << 20))
    assert same(fresh.for_model("weights").get("dear", CPU), feature(1))
    assert fresh.held_bytes[0] == feature(1).nbytes
    assert fresh.for_model("weights").get("cheap", CPU) is None
    assert fresh.for_model("others").get("dear", CPU) is None
    (path,) = tmp_path.iterdir()
    files.put(path.stem, {"keys.0": torch.zeros(1)}, {"size": [1]})  # sound, but of another kind
    assert ReferenceCache(device_bytes=0, host_bytes=0, files=files).for_model("weights").get("dear", CPU) is None


def test_a_run_beyond_the_budget_finds_its_first_features_again() -> None:
    each = feature(0).nbytes
    cache = ReferenceCache(device_bytes=3 * each, host_bytes=0)
    mine = cache.for_model("weights")
    for run in range(2):
        cache.begin(device_bytes=3 * each, host_bytes=0)
        found = []
        for number in range(5):
            found.append(mine.get(str(number), CPU) is not None)
            if not found[-1]:
                mine.put(str(number), feature(number), cost_s=0)
        assert found == ([False] * 5 if run == 0 else [True] * 3 + [False] * 2)
    cache.begin(device_bytes=each, host_bytes=0)
    assert cache.held_bytes[0] == each


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def test_a_second_start_of_the_program_neither_reads_nor_encodes_nor_tunes_again(
    tmp_path: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (findings, loaded):
        monkeypatch.setattr(module, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(TensorFiles, "is_worth", lambda *_: True)
    done: list[str] = []

    def counting(owner: Any, name: str) -> None:
        own = getattr(owner, name)

        def counted(*arguments: Any, **keywords: Any) -> Any:
            done.append(name)
            return own(*arguments, **keywords)

        monkeypatch.setattr(owner, name, counted)

    counting(latent_codec.LatentCodec, "encode")
    counting(stable_diffusion.StableDiffusion, "network")
    monkeypatch.setattr(in_use, "tune_decoder", decoder_tuning.tune_decoder)
    counting(in_use, "tune_decoder")
    studio = DiffusionStudio(tmp_path, tiny_models, StudioEngine(threads=1))
    fields: dict[str, Any] = {"num_inference_steps": 3, "tune_decoder": True}
    first = studio.run(**fields).picture
    assert done.count("encode") == 2 and done.count("tune_decoder") == 1
    passes = done.count("network")
    done.clear()
    studio.engine = StudioEngine(threads=1)
    assert np.array_equal(studio.run(**fields).picture, first)
    assert done.count("encode") == done.count("tune_decoder") == 0
    assert done.count("network") == 3 < passes
    for path in (tmp_path / "cache").rglob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-3])
    studio.engine = StudioEngine(threads=1)
    assert np.array_equal(studio.run(**fields).picture, first)
